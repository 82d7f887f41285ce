/**
 * fanOut(): one source, several sinks, the same bytes for each.
 */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { link, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { expect } from 'chai'
import {
  attach,
  BufferList,
  EndpointBusyError,
  fanOut,
  FanOutError,
  InvalidArgumentError,
  NotByReferenceError,
  ReleasedError,
  transfer,
  TransferError,
  type Sink,
  type Source,
} from 'splicelist'
import { held } from '../support/held.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { hasAddon, hasPages, needsAddon, needsPages } from '../support/needs.js'
import { tcpPair, unixPair, type SocketPair } from '../support/socket-pairs.js'
import { callsOf } from '../support/watch.js'
import { accounted, copiedBytes } from '../transfer/account.js'
import { Collector } from '../transfer/collector.js'
import { fifo } from '../transfer/fifos.js'
import { failure, until, within } from '../transfer/outcomes.js'
import { fileOf, freshPath, giver, isFile, KINDS, opened, taker } from '../transfer/places.js'
import { reset } from '../transfer/reset.js'

/** More than any loopback socket takes while nobody reads. */
const TOO_MUCH = 24 << 20

/** More than a socket takes while nobody reads, so that no file is so far behind one; half of it. */
const WINDOW = 12 << 20

/** Sockets to send to, with what reads them. */
async function readers(count: number): Promise<(SocketPair & { collector: Collector })[]> {
  const pairs = await Promise.all(Array.from({ length: count }, () => tcpPair()))
  return pairs.map((pair) => {
    pair.client.on('error', () => undefined)
    return { ...pair, collector: new Collector(pair.server) }
  })
}

/** A sink that takes all that it is given, in the same turn, and what it has taken. */
function keeper(): { readonly sink: Writable; readonly kept: readonly Buffer[] } {
  const kept: Buffer[] = []
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      kept.push(Buffer.from(chunk))
      done()
    },
  })
  return { sink, kept }
}

describe('fanOut()', () => {
  for (const kind of KINDS) {
    for (const mode of ['auto', 'stable', 'copy'] as const) {
      it(`sends the same bytes from ${kind} to every kind of sink, mode ${mode}`, async function () {
        if (!hasAddon && kind === 'pipe') this.skip()
        const source = await giver(kind)
        const kinds = KINDS.filter((each) => hasAddon || each !== 'pipe')
        const sinks = await Promise.all(kinds.map((each) => taker(each)))
        for (const [seed, length] of [0, 1, 65_537, 2_500_001].entries()) {
          const sent = bytes(seed, length)
          const place = await source.give(sent)
          const targets = await Promise.all(sinks.map((sink) => sink.open()))
          const arriving = kinds.map((each, i) =>
            isFile(each) ? undefined : sinks[i]?.taken(length),
          )
          const result = await fanOut(place, targets, { length, mode })
          expect(result.bytesPulled).to.equal(length)
          expect(result.sinks).to.deep.equal(kinds.map(() => ({ bytesMoved: length })))
          for (const [i, each] of kinds.entries()) {
            const taken = await (arriving[i] ?? sinks[i]?.taken(length))
            expectSameBytes(taken ?? Buffer.alloc(0), sent, `${length} bytes at ${each}`)
          }
        }
      })
    }
  }

  it('tees the pages of a socket, and copies none', async function () {
    needsPages(this)
    const { client, server } = await tcpPair()
    client.end(bytes(1, 3_000_000))
    const sinks = await readers(3)
    const { result, account } = await accounted(() =>
      fanOut(
        server,
        sinks.map((sink) => sink.client),
      ),
    )
    expect(result).to.deep.include({ bytesPulled: 3_000_000, eof: true })
    expect(copiedBytes(account)).to.equal(0)
    // What a sink did not take at once is teed once more for it.
    expect(account.teed).to.be.within(1, 2 * 3 * 3_000_000)
    for (const { collector } of sinks) {
      expectSameBytes(await collector.take(3_000_000), bytes(1, 3_000_000))
    }
  })

  for (const mode of ['auto', 'reference'] as const) {
    const way = mode === 'auto' ? 'reads' : 'tees'
    it(`${way} what is asked for in less than 16 KiB (${mode})`, async function () {
      needsPages(this)
      const { client, server } = await tcpPair()
      client.write(bytes(1, 20_000))
      const sinks = await readers(2)
      const targets = sinks.map((sink) => sink.client)
      const small = await accounted(() => fanOut(server, targets, { length: 3_000, mode }))
      expect(small.account.copied).to.deep.equal(mode === 'auto' ? { threshold: 3_000 } : {})
      expect(small.account.teed).to.equal(mode === 'auto' ? 0 : 6_000)
      const large = await accounted(() => fanOut(server, targets, { length: 17_000, mode }))
      expect(copiedBytes(large.account)).to.equal(0)
      for (const { collector } of sinks) {
        expectSameBytes(await collector.take(20_000), bytes(1, 20_000))
      }
    })

    it(`${way} a source that trickles, and tees it when it flows again (${mode})`, async function () {
      needsPages(this)
      const { client, server } = await tcpPair()
      const sinks = await readers(2)
      const sent: Buffer[] = []
      const send = async (n: number): Promise<void> => {
        sent.push(bytes(sent.length, n))
        client.write(sent.at(-1) as Buffer)
        for (const { collector } of sinks) {
          await until(() => collector.length === Buffer.concat(sent).length)
        }
      }
      const { account } = await accounted(async () => {
        const sending = fanOut(
          server,
          sinks.map((sink) => sink.client),
          { mode },
        )
        for (let i = 0; i < 8; i += 1) await send(1_000)
        await send(1_000_000)
        client.end()
        await sending
      })
      // The first four are pages, for nobody knows better; the large one is seen when it fills a read.
      if (mode === 'auto') expect(copiedBytes(account)).to.be.within(4_000, 4_000 + 64_000)
      else expect(copiedBytes(account)).to.equal(0)
      for (const { collector } of sinks) {
        expectSameBytes(await collector.take(1_008_000), Buffer.concat(sent))
      }
    })
  }

  it('asks a source that trickles once for each message', async function () {
    needsAddon(this)
    const { client, server } = await tcpPair()
    const sinks = await readers(2)
    let sent = 0
    const send = async (n: number): Promise<void> => {
      client.write(bytes(sent, n))
      sent += n
      for (const { collector } of sinks) await until(() => collector.length === sent)
    }
    const sending = fanOut(
      server,
      sinks.map((sink) => sink.client),
      { mode: 'copy' },
    )
    for (let i = 0; i < 8; i += 1) await send(1_000)
    const reads = callsOf('read')
    for (let i = 0; i < 20; i += 1) await send(1_000)
    expect(reads()).to.equal(20)
    client.end()
    expect(await sending).to.deep.include({ bytesPulled: 28_000, eof: true })
  })

  it('sends at once what is given back to a source that has no more', async function () {
    // Without it sinks take their bytes a moment later, when the source is already waited for.
    needsAddon(this)
    const { client, server } = await tcpPair()
    const source = attach(server)
    afterwards(() => source.detach())
    const sinks = await readers(2)
    let sent = 0
    let back: BufferList | undefined
    const send = async (list: BufferList): Promise<void> => {
      sent += list.length
      client.write(list.toBuffer())
      for (const { collector } of sinks) await until(() => collector.length === sent)
    }
    const sending = fanOut(
      source,
      sinks.map((sink) => sink.client),
      {
        onProgress: () => {
          if (back !== undefined) source.unpull(back)
          back = undefined
        },
      },
    )
    // Few and small, so that it is read, and asked once for each.
    for (let i = 0; i < 8; i += 1) await send(new BufferList('few'))
    back = new BufferList('and back')
    sent += back.length
    await send(new BufferList('then this'))
    client.end()
    expect(await sending).to.deep.include({ bytesPulled: sent })
    for (const { collector } of sinks) {
      const all = (await collector.take(sent)).toString('latin1')
      expect(all).to.equal(`${'few'.repeat(8)}then thisand back`)
    }
  })

  it('stops at the length and leaves the rest in the source', async () => {
    const { client, server } = await tcpPair()
    client.end(bytes(2, 200_000))
    const [one, two] = [await freshPath(), await freshPath()]
    const result = await fanOut(server, [{ file: one }, { file: two }], { length: 123_457 })
    expect(result).to.deep.include({ bytesPulled: 123_457, eof: false })
    for (const path of [one, two]) {
      expectSameBytes(await readFile(path), bytes(2, 123_457))
    }
    expectSameBytes(await new Collector(server).rest(), bytes(2, 200_000).subarray(123_457))
  })

  it('gives a list back whose memory cannot be had, and says so of each sink', async () => {
    const sinks = await readers(2)
    const detached = Buffer.from(new ArrayBuffer(40_000))
    using list = new BufferList(Buffer.from('head'), detached, Buffer.from('tail'))
    structuredClone(detached.buffer, { transfer: [detached.buffer] })
    const targets = sinks.map(({ client }) => client)
    const error = await failure(fanOut(list, targets))
    expect(error).to.be.instanceOf(FanOutError)
    expect((error as FanOutError).sinks.map(({ error: each }) => each?.side)).to.deep.equal([
      'sink',
      'sink',
    ])
    expect(list.length).to.equal(40_008)
    for (const { client } of sinks) expect(client.destroyed).to.equal(false)
  })

  it('lets go of a socket that connects when another sink is no place', async () => {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    const error = await failure(
      fanOut(new BufferList(bytes(1, 10)), [socket, { file: new URL('http://x/y') }]),
    )
    expect(error).to.have.property('code', 'ERR_INVALID_URL_SCHEME')
    await attach(socket).detach()
    socket.destroy()
    server.close()
  })

  it('sends to one sink as well as to many', async () => {
    const path = await freshPath()
    const { bytesPulled } = await fanOut(new BufferList(bytes(3, 5_000)), [{ file: path }])
    expect(bytesPulled).to.equal(5_000)
    expectSameBytes(await readFile(path), bytes(3, 5_000))
  })

  it('consumes a list that it is given, up to the length', async () => {
    const sinks = await readers(2)
    using list = new BufferList(bytes(4, 10_000), bytes(5, 10_000))
    const targets = sinks.map(({ client }) => client)
    await fanOut(list, targets, { length: 12_000 })
    expect(list.length).to.equal(8_000)
    expect(await fanOut(list, targets)).to.deep.include({ bytesPulled: 8_000, eof: true })
    const expected = Buffer.concat([bytes(4, 10_000), bytes(5, 10_000)])
    for (const { collector } of sinks) expectSameBytes(await collector.take(20_000), expected)
  })

  it('keeps its place among the writes of a socket, and end() waits for all of it', async () => {
    const { client, server } = await tcpPair()
    const [sink] = await readers(1)
    if (sink === undefined) throw new Error('none')
    sink.client.write('before ')
    const sending = fanOut(server, [sink.client])
    await new Promise(setImmediate)
    sink.client.end(' after')
    for (let i = 0; i < 5; i++) {
      client.write(bytes(i, 50_000))
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    client.end()
    // A plain stream has no queue of ours: it may have been ended.
    if (hasAddon) {
      await sending
      const expected = [Buffer.from('before '), ...[0, 1, 2, 3, 4].map((i) => bytes(i, 50_000))]
      const all = Buffer.concat([...expected, Buffer.from(' after')])
      expectSameBytes(await sink.collector.rest(), all)
    } else await sending.catch(() => undefined)
  })

  it('leaves its sinks open, and an endpoint attached', async () => {
    const { client, server } = await tcpPair()
    await using peer = attach(client)
    const stream = new PassThrough()
    const collectors = [new Collector(server), new Collector(stream)]
    await fanOut(new BufferList('one '), [peer, stream])
    await peer.push(new BufferList('two'))
    stream.write('two')
    for (const collector of collectors) {
      expect((await collector.take(7)).toString()).to.equal('one two')
    }
  })

  it('reports what every sink has accepted', async () => {
    const sinks = await readers(2)
    const { handle } = await fileOf(bytes(6, 5_000_000))
    const seen: number[] = []
    await fanOut(
      { file: handle, offset: 0 },
      sinks.map(({ client }) => client),
      { onProgress: (n) => void seen.push(n) },
    )
    expect(seen.at(-1)).to.equal(5_000_000)
    expect(seen).to.deep.equal([...new Set(seen)].sort((a, b) => a - b))
  })

  describe('with a slow sink', () => {
    for (const mode of ['auto', 'copy'] as const) {
      it(`waits: pulls no more than the window, and goes on when it is read (${mode})`, async function () {
        // A stream takes all that it is given, and queues it.
        needsAddon(this)
        const content = bytes(7, TOO_MUCH)
        const { client, server } = await tcpPair()
        client.end(content)
        const slow = await tcpPair()
        const [fast] = await readers(1)
        if (fast === undefined) throw new Error('none')
        await using source = attach(server)
        const windowBytes = 1 << 20
        let moved = 0
        const running = fanOut(source, [fast.client, slow.client], {
          mode,
          windowBytes,
          onProgress: (n) => (moved = n),
        })
        await until(() => fast.collector.length > 0)
        for (let before = -1; before !== fast.collector.length;) {
          before = fast.collector.length
          await new Promise((resolve) => setTimeout(resolve, 30))
        }
        expect(fast.collector.length).to.be.below(TOO_MUCH)
        expect(fast.collector.length - moved).to.be.at.most(windowBytes)
        const slowly = new Collector(slow.server)
        const [arrived, late] = [fast.collector.take(TOO_MUCH), slowly.take(TOO_MUCH)]
        expect((await running).bytesPulled).to.equal(TOO_MUCH)
        expectSameBytes(await arrived, content)
        expectSameBytes(await late, content)
      })
    }

    it('drops it when asked to, says where, and the others get all', async function () {
      needsAddon(this)
      const content = bytes(8, TOO_MUCH)
      const { client, server } = await tcpPair()
      client.end(content)
      const slow = await tcpPair()
      // They take what they are given at once: two threads that write might be a window apart.
      const fast = [keeper(), keeper()] as const
      const { sinks, bytesPulled } = await fanOut(
        server,
        [fast[0].sink, slow.client, fast[1].sink],
        { onSlow: 'drop', windowBytes: WINDOW },
      )
      expect(bytesPulled).to.equal(TOO_MUCH)
      for (const i of [0, 2]) expect(sinks[i]).to.deep.equal({ bytesMoved: TOO_MUCH })
      const { error, bytesMoved } = sinks[1] as { error?: TransferError; bytesMoved: number }
      expect(error).to.be.instanceOf(TransferError)
      expect(error).to.include({ side: 'sink', code: 'ENOBUFS', bytesMoved })
      expect(bytesMoved).to.be.within(1, TOO_MUCH - WINDOW)
      for (const { kept } of fast) expectSameBytes(Buffer.concat(kept), content)
      // It was not destroyed, and goes on where its record says.
      const arrived = new Collector(slow.server).take(TOO_MUCH)
      using rest = new BufferList(content.subarray(bytesMoved))
      await rest.spliceTo(slow.client)
      expectSameBytes(await arrived, content)
    })

    it('drops nobody while all are slow', async function () {
      needsAddon(this)
      const content = bytes(9, TOO_MUCH)
      const { handle } = await fileOf(content)
      const pairs = [await tcpPair(), await tcpPair()]
      const running = fanOut(
        { file: handle, offset: 0 },
        pairs.map((pair) => pair.client),
        { onSlow: 'drop', windowBytes: 256 << 10 },
      )
      expect(await within(100, running)).to.equal('pending')
      // Both at once, so that none is ahead for long.
      const arrived = pairs.map(({ server }) => new Collector(server).rest())
      const { sinks } = await running
      for (const { client } of pairs) client.end()
      for (const [i, all] of arrived.entries()) {
        const { bytesMoved = 0 } = sinks[i] ?? {}
        expectSameBytes(await all, content.subarray(0, bytesMoved))
      }
      expect(sinks.some(({ bytesMoved }) => bytesMoved === TOO_MUCH)).to.equal(true)
    })

    it('rejects when too few are left after it was dropped', async function () {
      needsAddon(this)
      const { handle } = await fileOf(bytes(10, TOO_MUCH))
      const slow = await tcpPair()
      const path = await freshPath('tmpfs')
      const error = (await failure(
        fanOut({ file: handle, offset: 0 }, [slow.client, { file: path }], {
          onSlow: 'drop',
          atLeast: 2,
          windowBytes: WINDOW,
        }),
      )) as FanOutError
      expect(error).to.be.instanceOf(FanOutError)
      expect(error).to.include({ side: 'sink', code: 'ENOBUFS' })
      error.takeResidual()?.release()
      expect(error.sinks[0]?.error).to.include({ code: 'ENOBUFS' })
      expect(error.sinks[1]).to.not.have.property('error')
      expect((await readFile(path)).length).to.equal(error.sinks[1]?.bytesMoved)
    })

    it('holds no more than the window, however long the source', async function () {
      needsPages(this)
      const { handle } = await fileOf(bytes(11, TOO_MUCH))
      const slow = await tcpPair()
      const sinks = await readers(3)
      const before = held()
      const running = fanOut(
        { file: handle, offset: 0 },
        [slow.client, ...sinks.map(({ client }) => client)],
        { windowBytes: 2 << 20 },
      )
      await until(() => sinks.every(({ collector }) => collector.length > 1 << 20))
      await new Promise((resolve) => setTimeout(resolve, 50))
      // Two chunks, and a copy of references for whoever is sending.
      const pipes = (held().live?.pipes ?? 0) - (before.live?.pipes ?? 0)
      expect(pipes).to.be.at.most(2 + 4 + 1)
      const arrived = new Collector(slow.server).take(TOO_MUCH)
      await running
      expectSameBytes(await arrived, bytes(11, TOO_MUCH))
    })
  })

  describe('with a sink that fails', () => {
    for (const how of ['reset by its peer', 'destroyed here'] as const) {
      it(`between two chunks, ${how}: its error says after how many bytes, and why`, async function () {
        needsAddon(this)
        const { client, server } = await tcpPair()
        const [one, two] = await readers(2)
        if (one === undefined || two === undefined) throw new Error('none')
        one.client.on('error', () => undefined)
        const sending = fanOut(server, [one.client, two.client])
        client.write(bytes(1, 30_000))
        await until(() => one.collector.length === 30_000 && two.collector.length === 30_000)
        if (how === 'reset by its peer') {
          reset(one.server)
          await new Promise((resolve) => setTimeout(resolve, 20))
        } else one.client.destroy()
        client.end(bytes(2, 30_000))
        const { sinks } = await sending
        expect(sinks[1]).to.deep.equal({ bytesMoved: 60_000 })
        const { bytesMoved, error } = sinks[0] ?? {}
        expect(bytesMoved).to.equal(30_000)
        const code = how === 'reset by its peer' ? 'ECONNRESET' : 'ECONNABORTED'
        expect(error).to.include({ code, bytesMoved: 30_000, side: 'sink' })
      })
    }

    for (const kind of ['socket', 'stream'] as const) {
      for (const before of [0, 30_000]) {
        it(`while the source is silent, a ${kind} after ${before} bytes: it ends where all were asked for`, async () => {
          const { client, server } = await tcpPair()
          const [one, two] = await readers(2)
          if (one === undefined || two === undefined) throw new Error('none')
          const stream = new PassThrough()
          const other = kind === 'socket' ? one.client : stream
          const collector = kind === 'socket' ? one.collector : new Collector(stream)
          const running = failure(fanOut(server, [other, two.client], { atLeast: 2 }))
          client.write(bytes(1, before))
          await until(() => collector.length === before && two.collector.length === before)
          expect(await within(20, running)).to.equal('pending')
          other.destroy()
          const error = (await within(5_000, running)) as FanOutError
          expect(error).to.be.instanceOf(FanOutError)
          expect(error).to.include({ side: 'sink', bytesMoved: before, bytesPulled: before })
          expect(error.sinks[0]).to.have.property('bytesMoved', before)
          expect(error.sinks[0]?.error).to.include({ side: 'sink', bytesMoved: before })
          expect(error.sinks[1]).to.deep.equal({ bytesMoved: before })
          // The source is given back as it was.
          client.end('more')
          expect((await new Collector(server).rest()).toString()).to.equal('more')
        })
      }
    }

    it('but one that closes behind its last byte, while others have bytes left, has not failed', async () => {
      const [one] = await readers(1)
      if (one === undefined) throw new Error('none')
      let finish: (() => void) | undefined
      const slow = new Writable({ highWaterMark: 1, write: (_, _e, done) => (finish = done) })
      const running = fanOut(new BufferList(bytes(1, 1_000)), [one.client, slow])
      await until(() => one.collector.length === 1_000 && finish !== undefined)
      one.client.destroy()
      await new Promise((resolve) => one.client.once('close', resolve))
      finish?.()
      expect((await running).sinks).to.deep.equal([{ bytesMoved: 1_000 }, { bytesMoved: 1_000 }])
    })

    it('but one that has taken all, while a slower one has not, has not failed', async () => {
      const length = 1 << 20
      for (const from of ['list', 'file'] as const) {
        const [one] = await readers(1)
        if (one === undefined) throw new Error('none')
        const takes: (() => void)[] = []
        const slow = new Writable({
          highWaterMark: 1,
          write: (_, _e, done) => void takes.push(done),
        })
        const content = bytes(1, length)
        const source = from === 'list' ? new BufferList(content) : (await fileOf(content)).handle
        // The window is full: the end of the source is not pulled.
        const running = fanOut(source, [one.client, slow], { windowBytes: length })
        await until(() => one.collector.length === length)
        reset(one.server)
        await new Promise((resolve) => one.client.once('close', resolve))
        let isOver = false
        const over = running.finally(() => (isOver = true))
        await until(() => (takes.splice(0).forEach((done) => done()), isOver))
        expect((await over).sinks, from).to.deep.equal([
          { bytesMoved: length },
          { bytesMoved: length },
        ])
      }
    })

    for (const length of [1_000, TOO_MUCH]) {
      it(`while a turn is waited for, ${length} bytes: its record says so, and the other gets all`, async () => {
        const busy = await tcpPair()
        const { client, server } = await tcpPair()
        const [one] = await readers(1)
        if (one === undefined) throw new Error('none')
        const lost = new PassThrough()
        lost.on('error', () => undefined)
        // The source is somebody else's until his byte comes.
        const first = transfer(server, busy.client, { length: 1 })
        const running = fanOut(server, [lost, one.client])
        expect(await within(20, running)).to.equal('pending')
        lost.destroy()
        await new Promise((resolve) => lost.once('close', resolve))
        client.end(bytes(3, length + 1))
        await first
        const { sinks } = await running
        expect(sinks[0]).to.include({ bytesMoved: 0 })
        expect(sinks[0]?.error).to.include({ side: 'sink', code: 'EPIPE' })
        expect(sinks[1]).to.deep.equal({ bytesMoved: length })
        expectSameBytes(await one.collector.take(length), bytes(3, length + 1).subarray(1))
      })
    }

    it('with an error of its own while the source is silent: it is the cause in its record', async () => {
      const { server } = await tcpPair()
      const [one, two] = await readers(2)
      if (one === undefined || two === undefined) throw new Error('none')
      const running = failure(fanOut(server, [one.client, two.client], { atLeast: 2 }))
      expect(await within(20, running)).to.equal('pending')
      const cause = new Error('my own')
      one.client.destroy(cause)
      const error = (await within(5_000, running)) as FanOutError
      expect(error.sinks[0]?.error).to.include({ side: 'sink', cause })
    })

    it('and all of them at once: each has its record', async () => {
      const { server } = await tcpPair()
      const all = await readers(3)
      const sinks = all.map(({ client }) => client)
      const running = failure(fanOut(server, sinks, { atLeast: 3 }))
      expect(await within(20, running)).to.equal('pending')
      for (const sink of sinks) sink.destroy()
      const error = (await within(5_000, running)) as FanOutError
      for (const { error: own } of error.sinks) expect(own).to.include({ code: 'ECONNABORTED' })
    })

    it('is listened to within its turn alone', async () => {
      const stream = new PassThrough()
      const collector = new Collector(stream)
      const before = stream.listenerCount('close')
      let most = 0
      const onProgress = (): void => {
        most = Math.max(most, stream.listenerCount('close'))
      }
      const lists = Array.from({ length: 12 }, (_, i) => new BufferList(bytes(i, 50_000)))
      await Promise.all(lists.map((list) => fanOut(list, [stream], { onProgress })))
      expect((await collector.take(600_000)).length).to.equal(600_000)
      expect(most).to.be.at.most(before + 1)
      expect(stream.listenerCount('close')).to.equal(before)
    })

    it('goes on without it, and its record says where and why', async () => {
      const content = bytes(12, TOO_MUCH)
      const { client, server } = await tcpPair()
      client.end(content)
      const bad = await tcpPair()
      bad.client.on('error', () => undefined)
      bad.server.on('error', () => undefined)
      const good = await readers(2)
      const { sinks, bytesPulled } = await fanOut(
        server,
        [good[0]?.client, bad.client, good[1]?.client] as Sink[],
        { atLeast: 2, windowBytes: 512 << 10, onProgress: (n) => n > 1 << 20 && reset(bad.server) },
      )
      expect(bytesPulled).to.equal(TOO_MUCH)
      const { error, bytesMoved } = sinks[1] as { error?: TransferError; bytesMoved: number }
      expect(error).to.be.instanceOf(TransferError)
      expect(error).to.include({ side: 'sink', bytesMoved })
      expect(['ECONNRESET', 'EPIPE', 'ECONNABORTED']).to.include(error?.code)
      expect(bytesMoved).to.be.below(TOO_MUCH)
      for (const { collector } of good) expectSameBytes(await collector.take(TOO_MUCH), content)
    })

    it('counts one that was gone before, or cannot be opened, as failed', async () => {
      const { client } = await tcpPair()
      client.destroy()
      const path = await freshPath()
      const { sinks } = await fanOut(new BufferList(bytes(13, 9_000)), [
        client,
        { file: join(path, 'missing', 'folder') },
        { file: path },
      ])
      expect(sinks[0]).to.have.nested.property('error.code', 'EPIPE')
      expect(sinks[1]).to.have.nested.property('error.syscall', 'open')
      expect(sinks.map(({ bytesMoved }) => bytesMoved)).to.deep.equal([0, 0, 9_000])
      expectSameBytes(await readFile(path), bytes(13, 9_000))
    })

    it('pulls nothing when too few can be opened', async () => {
      const { client, server } = await tcpPair()
      client.end('abc')
      const gone = await tcpPair()
      gone.client.destroy()
      const path = await freshPath()
      const error = (await failure(
        fanOut(server, [gone.client, { file: path }], { atLeast: 2 }),
      )) as FanOutError
      expect(error).to.be.instanceOf(FanOutError)
      expect(error).to.be.instanceOf(TransferError)
      expect(error).to.include({ bytesPulled: 0, bytesMoved: 0, side: 'sink', code: 'EPIPE' })
      expect(error.message).to.match(/1 of 2 sinks are left, and atLeast is 2/)
      expect((await new Collector(server).rest()).toString()).to.equal('abc')
    })

    it('rejects when the last is gone, with all that was pulled and not accepted', async () => {
      const content = bytes(14, TOO_MUCH)
      const { client, server } = await tcpPair()
      client.end(content)
      const bad = await tcpPair()
      bad.client.on('error', () => undefined)
      bad.server.on('error', () => undefined)
      const onProgress = (n: number): void => {
        if (n > 100_000) reset(bad.server)
      }
      await using source = attach(server)
      const error = (await failure(fanOut(source, [bad.client], { onProgress }))) as FanOutError
      expect(error).to.be.instanceOf(FanOutError)
      using residual = error.takeResidual() ?? new BufferList()
      expect(error.bytesMoved + residual.length).to.equal(error.bytesPulled)
      expect(error.sinks[0]?.bytesMoved).to.equal(error.bytesMoved)
      const next = await readers(1)
      const arrived = next[0]?.collector.take(TOO_MUCH - error.bytesMoved)
      await residual.spliceTo(next[0]?.client as Sink)
      await fanOut(source, [next[0]?.client as Sink])
      expectSameBytes((await arrived) ?? Buffer.alloc(0), content.subarray(error.bytesMoved))
    })

    it('leaves a list that was its source with what the slowest sink has not got', async () => {
      const content = bytes(15, TOO_MUCH)
      using list = new BufferList(content)
      const bad = await tcpPair()
      bad.client.on('error', () => undefined)
      bad.server.on('error', () => undefined)
      const onProgress = (n: number): void => {
        if (n > 100_000) reset(bad.server)
      }
      const error = (await failure(fanOut(list, [bad.client], { onProgress }))) as FanOutError
      expect(error.takeResidual()).to.equal(undefined)
      expectSameBytes(list.toBuffer(), content.subarray(error.bytesMoved))
    })
  })

  describe('whose source fails', () => {
    it('gives every sink what was pulled before it rejects', async () => {
      const { client, server } = await tcpPair()
      client.on('error', () => undefined)
      server.on('error', () => undefined)
      const sinks = await readers(2)
      const path = await freshPath()
      client.write(bytes(16, 300_000))
      const error = (await failure(
        fanOut(server, [...sinks.map((sink) => sink.client), { file: path }], {
          onProgress: (n) => n === 300_000 && reset(client),
        }),
      )) as FanOutError
      expect(error).to.be.instanceOf(FanOutError)
      expect(error).to.include({
        side: 'source',
        code: 'ECONNRESET',
        bytesMoved: 300_000,
        bytesPulled: 300_000,
      })
      expect(error.takeResidual()).to.equal(undefined)
      expect(error.sinks).to.deep.equal([1, 2, 3].map(() => ({ bytesMoved: 300_000 })))
      for (const { collector } of sinks) {
        expectSameBytes(await collector.take(300_000), bytes(16, 300_000))
      }
      expectSameBytes(await readFile(path), bytes(16, 300_000))
    })

    it('touches no target when the source cannot be had', async () => {
      const path = await freshPath()
      await writeFile(path, 'precious')
      const released = new BufferList('x')
      released.release()
      const stream = new PassThrough()
      for (const [source, options, expected] of [
        [{ file: `${path}.missing` }, {}, Error],
        [released, {}, ReleasedError],
        [stream, { mode: 'reference' }, NotByReferenceError],
      ] as const) {
        const error = await failure(fanOut(source, [{ file: path }], options))
        expect(error).to.be.instanceOf(expected)
      }
      expect(await readFile(path, 'utf8')).to.equal('precious')
    })
  })

  describe('refuses', () => {
    it('no sinks, and limits that are none', async () => {
      const path = await freshPath()
      await writeFile(path, 'precious')
      const sink = { file: path }
      for (const [sinks, options] of [
        [[], {}],
        [sink, {}],
        [[sink], { atLeast: 0 }],
        [[sink], { atLeast: 2 }],
        [[sink], { atLeast: 0.5 }],
        [[sink], { windowBytes: 0 }],
        [[sink], { windowBytes: -5 }],
        [[sink], { onSlow: 'hurry' }],
        [[sink], { length: -1 }],
        [[sink], { mode: 'best' }],
        [[sink, 1.5], {}],
        [[sink, {}], {}],
        [[sink, new BufferList()], {}],
        [[sink, null], {}],
      ] as [Sink[], object][]) {
        const error = await failure(fanOut(new BufferList('other'), sinks, options))
        expect(error, JSON.stringify(options)).to.be.instanceOf(InvalidArgumentError)
      }
      expect(await readFile(path, 'utf8')).to.equal('precious')
    })

    it('two sinks that are one, by whatever name, before any is truncated', async () => {
      const { path, handle } = await fileOf(Buffer.from('precious'))
      const hard = `${path}.hard`
      const soft = `${path}.soft`
      await link(path, hard)
      await symlink(path, soft)
      const fresh = await freshPath()
      await mkdir(join(dirname(fresh), 'folder'))
      const { client } = await tcpPair()
      const stream = new PassThrough()
      const second = await opened(path, 'r+')
      for (const sinks of [
        [{ file: path }, { file: path }],
        [{ file: path }, { file: hard }],
        [{ file: path, offset: 0 }, { file: soft }],
        [handle, { file: hard, offset: 0 }],
        [
          { file: handle, offset: 0 },
          { file: second, offset: 4 },
        ],
        [{ file: fresh }, { file: join(dirname(fresh), 'folder', '..', 'file') }],
        [client, client],
        [stream, stream],
      ] as Sink[][]) {
        const error = await failure(fanOut(new BufferList('other'), sinks))
        expect(error).to.be.instanceOf(InvalidArgumentError)
        expect(String(error)).to.match(/one place/)
      }
      expect(await readFile(path, 'utf8')).to.equal('precious')
    })

    it('a sink that is the source', async () => {
      const { path, handle } = await fileOf(Buffer.from('precious'))
      const { client } = await tcpPair()
      const stream = new PassThrough()
      await link(path, `${path}.hard`)
      const pairs: [Source, Sink][] = [
        [{ file: path }, { file: path }],
        [handle, { file: `${path}.hard` }],
        [
          { file: handle, offset: 0 },
          { file: path, offset: 4 },
        ],
        [client, client],
        [stream, stream],
      ]
      if (hasAddon) {
        const { readEnd, writeEnd } = fifo()
        pairs.push([readEnd, writeEnd])
        const { closeSync } = await import('node:fs')
        afterwards(() => {
          closeSync(readEnd)
          closeSync(writeEnd)
        })
      }
      for (const [source, sink] of pairs) {
        const other = await freshPath()
        const error = await failure(fanOut(source, [{ file: other }, sink]))
        expect(error).to.be.instanceOf(InvalidArgumentError)
        expect(await failure(readFile(other))).to.have.property('code', 'ENOENT')
      }
      expect(await readFile(path, 'utf8')).to.equal('precious')
    })

    it('not two ranges of one file that lie apart, nor two devices', async () => {
      const { path, handle } = await fileOf(bytes(17, 10_000))
      await fanOut(
        { file: handle, offset: 0 },
        [
          { file: path, offset: 20_000 },
          { file: handle, offset: 30_000 },
          { file: '/dev/null' },
          { file: '/dev/null' },
        ],
        { length: 10_000 },
      )
      const all = await readFile(path)
      for (const at of [0, 20_000, 30_000]) {
        expectSameBytes(all.subarray(at, at + 10_000), bytes(17, 10_000))
      }
    })

    it('an attached socket, and a sink that takes no pages where they must go by reference', async () => {
      const { client } = await tcpPair()
      const peer = attach(client)
      const list = new BufferList('x')
      if (hasAddon) {
        expect(await failure(fanOut(list, [client]))).to.be.instanceOf(EndpointBusyError)
      }
      await peer.detach()
      const stream = new Writable({ write: (_chunk, _encoding, done) => done() })
      const error = await failure(fanOut(list, [stream], { mode: 'reference' }))
      expect(error).to.be.instanceOf(NotByReferenceError)
      expect(list.length).to.equal(1)
    })
  })

  it('does not wait for itself, or for another that takes the same places in another order', async () => {
    const [x, y] = await readers(2)
    const [one, two] = [await tcpPair(), await tcpPair()]
    if (x === undefined || y === undefined) throw new Error('none')
    one.client.end(bytes(18, 6_000_000))
    two.client.end(bytes(19, 6_000_000))
    const both = Promise.all([
      fanOut(one.server, [x.client, y.client], { windowBytes: 64 << 10 }),
      fanOut(two.server, [y.client, x.client], { windowBytes: 64 << 10 }),
    ])
    const arrived = [x, y].map(({ collector }) => collector.take(12_000_000))
    expect(await within(15_000, both)).to.not.equal('pending')
    // One after the other, in the same order at both, where sends take turns.
    const [atX, atY] = await Promise.all(arrived)
    expect(atX?.length).to.equal(12_000_000)
    if (hasPages && atX !== undefined && atY !== undefined) expectSameBytes(atX, atY)
  })

  it('sends Ethernet frames on over unix sockets too', async () => {
    const pair = await unixPair()
    const collector = new Collector(pair.server)
    const { client, server } = await tcpPair()
    const sending = fanOut(server, [pair.client, new PassThrough().resume()])
    for (let i = 0; i < 400; i++) client.write(bytes(i, 1_448))
    client.end()
    expect((await sending).bytesPulled).to.equal(400 * 1_448)
    const expected = Buffer.concat(Array.from({ length: 400 }, (_, i) => bytes(i, 1_448)))
    expectSameBytes(await collector.take(400 * 1_448), expected)
  })
})

/**
 * fanOut() where the kernel fails it, at each system call, and where it is aborted: for every sink
 * what was pulled is what it accepted and what is left, and sending that gives identical bytes.
 */
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { expect } from 'chai'
import {
  AbortError,
  attach,
  BufferList,
  fanOut,
  FanOutAbortError,
  FanOutError,
  TransferError,
  type Sink,
  type SinkResult,
} from 'splicelist'
import { addon, type ScriptRule } from '#lib/native.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsAddon, needsPages } from '../support/needs.js'
import { tcpPair } from '../support/socket-pairs.js'
import { Collector } from '../transfer/collector.js'
import { failure, standstill, within } from '../transfer/outcomes.js'
import { fileOf, freshPath } from '../transfer/places.js'

const EIO = 5
/** More than any loopback socket takes while nobody reads. */
const TOO_MUCH = 24 << 20
/** More than one turn, no multiple of a page. */
const LENGTH = 2_500_001

function script(rules: readonly ScriptRule[] | null): void {
  addon?.script(rules)
}

/** A socket to send to, and what its peer has got when it was ended. */
async function reader() {
  const { client, server } = await tcpPair()
  client.on('error', () => undefined)
  server.on('error', () => undefined)
  return { client, all: new Collector(server).rest() }
}

/** What a sink has got plus what is left for it must be the content. */
function expectWhole(
  got: Buffer,
  { bytesMoved }: SinkResult,
  { pulled, residual }: { readonly pulled: number; readonly residual: Buffer },
  content: Buffer,
): void {
  expectSameBytes(got, content.subarray(0, got.length), 'what arrived')
  expect(got.length).to.equal(bytesMoved)
  const from = pulled - residual.length
  expectSameBytes(residual, content.subarray(from, pulled), 'the residual')
}

describe('A fan-out', () => {
  const content = bytes(1, LENGTH)

  for (const [call, mode] of [
    ['splice', 'auto'],
    ['tee', 'auto'],
    ['recv', 'copy'],
    ['sendmsg', 'copy'],
  ] as const) {
    for (const [what, rule] of Object.entries({
      'is interrupted': { call, errno: 4, times: 5, skip: 1 },
      'is told not now': { call, errno: 11, times: 4, skip: 2 },
      'gets little done at a time': { call, maxBytes: 4_000, times: 200 },
    })) {
      // What a short or refused tee leaves is read: no sink waits for it.
      it(`that ${what} at ${call} loses nothing (${mode})`, async function () {
        needsPages(this)
        afterwards(() => script(null))
        const { client, server } = await tcpPair()
        client.end(content)
        const sinks = [await reader(), await reader(), await reader()]
        script([rule])
        const { bytesPulled } = await fanOut(
          server,
          sinks.map((sink) => sink.client),
          { mode, atLeast: 3 },
        )
        script(null)
        expect(bytesPulled).to.equal(LENGTH)
        for (const sink of sinks) {
          sink.client.end()
          expectSameBytes(await sink.all, content)
        }
      })
    }

    for (const skip of [0, 1, 2, 3, 5, 8]) {
      for (const atLeast of [1, 3]) {
        it(`that meets EIO at ${call} after ${skip}, at least ${atLeast}: accepted and left is all (${mode})`, async function () {
          needsPages(this)
          afterwards(() => script(null))
          const { client, server } = await tcpPair()
          server.on('error', () => undefined)
          client.end(content)
          await using source = attach(server)
          const sinks = [await reader(), await reader(), await reader()]
          const targets = sinks.map((sink) => sink.client)
          script([{ call, errno: EIO, skip, times: 1 }])
          const outcome = await fanOut(source, targets, { mode, atLeast }).catch(
            (error: unknown) => error as FanOutError,
          )
          script(null)
          const isError = outcome instanceof Error
          if (isError) expect(outcome).to.be.instanceOf(FanOutError)
          const { bytesPulled: pulled, sinks: records } = outcome
          using rest = isError ? (outcome.takeResidual() ?? new BufferList()) : new BufferList()
          const residual = rest.toBuffer()
          if (isError) expect(outcome.bytesMoved + residual.length).to.equal(pulled)
          for (const [i, sink] of sinks.entries()) {
            sink.client.end()
            const record = records[i] as SinkResult
            expectWhole(await sink.all, record, { pulled, residual }, content)
            if (!isError && record.error === undefined) expect(record.bytesMoved).to.equal(pulled)
            if (record.error !== undefined) {
              expect(record.error).to.be.instanceOf(TransferError)
              expect(record.error).to.include({ code: 'EIO', bytesMoved: record.bytesMoved })
            }
          }
          // The source goes on where the fan-out has stopped.
          using next = await source.pull(LENGTH)
          expectSameBytes(next.toBuffer(), content.subarray(pulled))
        })
      }
    }
  }

  for (const [call, mode] of [
    ['splice', 'auto'],
    ['pwrite', 'copy'],
    ['pread', 'copy'],
  ] as const) {
    for (const skip of [0, 1, 4]) {
      it(`between files that meets EIO at ${call} after ${skip}: the files have what was accepted (${mode})`, async function () {
        needsPages(this)
        afterwards(() => script(null))
        const { handle } = await fileOf(content)
        const paths = [await freshPath(), await freshPath()]
        script([{ call, errno: EIO, skip, times: 1 }])
        const outcome = await fanOut(
          { file: handle, offset: 0 },
          paths.map((file) => ({ file })),
          { mode, atLeast: 2, windowBytes: 1 << 20 },
        ).catch((error: unknown) => error as FanOutError)
        script(null)
        const { bytesPulled: pulled, sinks } = outcome
        using rest =
          outcome instanceof Error ? (outcome.takeResidual() ?? new BufferList()) : new BufferList()
        const residual = rest.toBuffer()
        for (const [i, path] of paths.entries()) {
          expectWhole(await readFile(path), sinks[i] as SinkResult, { pulled, residual }, content)
        }
      })
    }
  }

  it('that can make no pipe reads, counted', async function () {
    needsPages(this)
    afterwards(() => script(null))
    const { client, server } = await tcpPair()
    client.end(content)
    const sinks = [await reader(), await reader()]
    const { pipePool } = await import('#lib/raw/pipe-pool.js')
    pipePool.drain()
    script([{ call: 'pipe2', errno: 24, times: 100_000 }])
    await fanOut(
      server,
      sinks.map((sink) => sink.client),
    )
    script(null)
    for (const sink of sinks) {
      sink.client.end()
      expectSameBytes(await sink.all, content)
    }
  })
})

describe('A fan-out that waits for its turn', () => {
  for (const atLeast of [1, 2]) {
    it(`at a sink that fails meanwhile, at least ${atLeast}: that sink has failed`, async function () {
      // As a stream, a socket queues what it is given, and it counts as taken.
      needsAddon(this)
      const { client: busy, server: peer } = await tcpPair()
      for (const side of [busy, peer]) side.on('error', () => undefined)
      busy.write(bytes(1, TOO_MUCH))
      const { client: free, all } = await reader()
      using list = new BufferList(bytes(2, 1000))
      const running = fanOut(list, [busy, free], { atLeast })
      peer.resetAndDestroy()
      const outcome = atLeast === 1 ? await running : ((await failure(running)) as FanOutError)
      const [lost, other] = outcome.sinks
      expect(lost).to.include({ bytesMoved: 0 })
      expect(lost?.error).to.be.instanceOf(TransferError).and.to.include({ side: 'sink' })
      expect(other).to.deep.equal({ bytesMoved: atLeast === 1 ? 1000 : 0 })
      expect(list.length).to.equal(atLeast === 1 ? 0 : 1000)
      free.end()
      expect((await all).length).to.equal(atLeast === 1 ? 1000 : 0)
    })
  }
})

describe('A fan-out that is aborted', () => {
  const reason = new Error('changed my mind')

  it('before it began touches nothing', async () => {
    const path = await freshPath()
    using list = new BufferList('x')
    const signal = AbortSignal.abort(reason)
    expect(await failure(fanOut(list, [{ file: path }], { signal }))).to.be.instanceOf(AbortError)
    expect(await failure(readFile(path))).to.have.property('code', 'ENOENT')
    expect(list.length).to.equal(1)
  })

  it('while a sink connects, or waits for its turn, moves nothing', async function () {
    // As a stream, a socket queues what it is given, and it counts as taken.
    needsAddon(this)
    const never = connect({ host: 'nowhere.invalid', port: 1, lookup: () => undefined })
    afterwards(() => void never.destroy())
    const { client } = await tcpPair()
    await using peer = attach(client)
    const pushing = peer.push(new BufferList(bytes(2, TOO_MUCH)))
    pushing.catch(() => undefined)
    using list = new BufferList('x')
    for (const sink of [never, peer] as Sink[]) {
      const aborter = new AbortController()
      const running = failure(fanOut(list, [sink], { signal: aborter.signal }))
      setTimeout(() => aborter.abort(reason), 20)
      const error = await within(5_000, running)
      expect(error).to.be.instanceOf(AbortError)
      expect(error).to.have.property('cause', reason)
      expect(list.length).to.equal(1)
    }
    client.destroy()
  })

  it('while its source gives nothing gives the sockets back', async () => {
    const { client, server } = await tcpPair()
    const sink = await reader()
    client.write('abc')
    const aborter = new AbortController()
    const onProgress = (n: number): void => {
      if (n === 3) setTimeout(() => aborter.abort(reason), 10)
    }
    const error = (await failure(
      fanOut(server, [sink.client], { signal: aborter.signal, onProgress }),
    )) as FanOutAbortError
    expect(error).to.be.instanceOf(FanOutAbortError)
    expect(error).to.include({ code: 'ABORT_ERR', name: 'AbortError', bytesMoved: 3 })
    expect(error.sinks).to.deep.equal([{ bytesMoved: 3 }])
    client.end('def')
    expect((await new Collector(server).rest()).toString()).to.equal('def')
    sink.client.end('!')
    expect((await sink.all).toString()).to.equal('abc!')
  })

  it('while its places are being opened does not wait for a sink that takes nothing', async function () {
    needsAddon(this)
    const from = await tcpPair()
    from.client.end(bytes(5, TOO_MUCH))
    const slow = await tcpPair()
    const aborter = new AbortController()
    const running = failure(
      fanOut(from.server, [slow.client, { file: await freshPath('tmpfs') }], {
        signal: aborter.signal,
      }),
    )
    setImmediate(() => aborter.abort(reason))
    const error = (await within(5_000, running)) as FanOutAbortError
    expect(error).to.have.property('name', 'AbortError')
  })

  for (const mode of ['auto', 'copy'] as const) {
    it(`while a sink is stalled gives the source what it has not got (${mode})`, async function () {
      needsAddon(this)
      const content = bytes(3, TOO_MUCH)
      const from = await tcpPair()
      from.client.end(content)
      const slow = await tcpPair()
      const path = await freshPath('tmpfs')
      const aborter = new AbortController()
      let moved = 0
      const running = failure(
        fanOut(from.server, [slow.client, { file: path }], {
          mode,
          signal: aborter.signal,
          onProgress: (n) => (moved = n),
        }),
      )
      await standstill(() => moved)
      aborter.abort(reason)
      const error = (await within(5_000, running)) as FanOutAbortError
      expect(error).to.be.instanceOf(FanOutAbortError)
      expect(error.takeResidual()).to.equal(undefined)
      const [socket, file] = error.sinks
      expect(error.bytesMoved).to.equal(Math.min(...error.sinks.map((sink) => sink.bytesMoved)))
      const stored = await readFile(path)
      expect(stored.length).to.equal(file?.bytesMoved)
      expectSameBytes(stored, content.subarray(0, stored.length))
      const arrived = new Collector(slow.server).take(TOO_MUCH)
      // The source goes on at the slowest: a sink that was ahead leaves out what it has.
      using had = new BufferList()
      await had.spliceFrom(from.server, (socket?.bytesMoved ?? 0) - error.bytesMoved)
      await fanOut(from.server, [slow.client])
      expectSameBytes(await arrived, content)
    })
  }

  it("puts a file's own position where the slowest sink is", async function () {
    needsAddon(this)
    const content = bytes(4, TOO_MUCH)
    const { handle } = await fileOf(content)
    const slow = await tcpPair()
    const aborter = new AbortController()
    let moved = 0
    const running = failure(
      fanOut(handle, [slow.client], { signal: aborter.signal, onProgress: (n) => (moved = n) }),
    )
    await standstill(() => moved)
    aborter.abort(reason)
    const error = (await running) as FanOutAbortError
    const { buffer } = await handle.read(Buffer.alloc(8), 0, 8)
    expectSameBytes(buffer, content.subarray(error.bytesMoved, error.bytesMoved + 8))
  })

  it('by a callback that throws gives a list back what was not accepted', async () => {
    const boom = new Error('boom')
    const sink = await reader()
    const content = bytes(5, 6_000_000)
    using list = new BufferList()
    for (let at = 0; at < content.length; at += 1_000_000) {
      list.append(content.subarray(at, at + 1_000_000))
    }
    const onProgress = (n: number): void => {
      if (n > 1_500_000) throw boom
    }
    const error = (await failure(fanOut(list, [sink.client], { onProgress }))) as FanOutAbortError
    expect(error).to.be.instanceOf(FanOutAbortError)
    expect(error).to.have.property('cause', boom)
    sink.client.end()
    expectSameBytes(Buffer.concat([await sink.all, list.toBuffer()]), content)
  })

  it('after the last byte is none', async () => {
    const aborter = new AbortController()
    const sink = await reader()
    const onProgress = (n: number): void => {
      if (n === 5) aborter.abort(reason)
    }
    const options = { signal: aborter.signal, onProgress, length: 5 }
    const { bytesPulled } = await fanOut(new BufferList('12345'), [sink.client], options)
    expect(bytesPulled).to.equal(5)
  })
})

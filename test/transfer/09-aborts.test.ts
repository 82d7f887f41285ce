/**
 * Aborts: at every place where an operation waits, it rejects at once and nothing is lost.
 */
import { readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { PassThrough, Writable } from 'node:stream'
import { expect } from 'chai'
import { AbortError, attach, BufferList, transfer, type TransferOptions } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsAddon } from '../support/needs.js'
import { destroyed, tcpPair } from '../support/socket-pairs.js'
import { Collector } from './collector.js'
import { fifoToRead } from './fifos.js'
import { failure, standstill, within } from './outcomes.js'
import { fileOf, freshPath } from './places.js'

/** More than any loopback socket takes while nobody reads. */
const TOO_MUCH = 24 << 20
const REASON = new Error('changed my mind')

/** Starts an operation, lets it come to its wait, aborts it, and returns how it ended. */
async function aborted(
  start: (options: Pick<TransferOptions, 'signal' | 'onProgress'>) => Promise<unknown>,
): Promise<AbortError> {
  const aborter = new AbortController()
  let moved = 0
  const onProgress = (bytesMoved: number): void => void (moved = bytesMoved)
  const running = start({ signal: aborter.signal, onProgress })
  running.catch(() => undefined)
  // It waits when nothing has moved for a while.
  await standstill(() => moved)
  aborter.abort(REASON)
  const error = await within(5_000, failure(running))
  expect(error, 'how it ended').to.be.instanceOf(AbortError)
  expect(error).to.include({ code: 'ABORT_ERR', name: 'AbortError', cause: REASON })
  return error as AbortError
}

/** A socket that goes on connecting: its host is never looked up. */
function neverConnecting(): Socket {
  const socket = connect({ host: 'nowhere.invalid', port: 1, lookup: () => undefined })
  afterwards(() => destroyed(socket))
  return socket
}

describe('An abort', () => {
  it('before the start moves nothing and touches nothing', async () => {
    const { client, server } = await tcpPair()
    client.write('abc')
    using list = new BufferList('x')
    const signal = AbortSignal.abort(REASON)
    const path = await freshPath()
    const peer = attach(server)
    for (const run of [
      () => list.spliceFrom(server, 3, { signal }),
      () => list.spliceTo(client, { signal, consume: true }),
      () => list.spliceTo({ file: path }, { signal }),
      () => transfer(list, client, { signal }),
      () => peer.pull(3, { signal }),
      () => peer.push(list, { signal, consume: true }),
    ]) {
      const error = await failure(run())
      expect(error).to.be.instanceOf(AbortError)
      expect(error).to.have.property('cause', REASON)
    }
    expect(list.length).to.equal(1)
    expect(await failure(readFile(path))).to.have.property('code', 'ENOENT')
    using abc = await peer.pull(3)
    expect(abc.toString()).to.equal('abc')
    await peer.detach()
  })

  it('while a socket connects ends the wait of a pull', async () => {
    const socket = neverConnecting()
    const peer = attach(socket)
    await aborted((progress) => peer.pull(10, { ...progress }))
    socket.destroy()
    expect(await within(5_000, peer.detach())).to.equal(undefined)
  })

  it('while a socket connects ends the wait of a list, which has its bytes back', async function () {
    // As a stream, a socket queues what it is given, and it counts as taken.
    needsAddon(this)
    const socket = neverConnecting()
    using list = new BufferList(bytes(1, 1_000))
    await aborted((progress) => list.spliceTo(socket, { ...progress, consume: true }))
    expectSameBytes(list.toBuffer(), bytes(1, 1_000))
    await aborted((progress) => transfer(list, socket, { ...progress }))
    expectSameBytes(list.toBuffer(), bytes(1, 1_000))
  })

  it('while a pull waits for its turn ends it, and only it', async () => {
    const { client, server } = await tcpPair()
    await using peer = attach(server)
    const first = peer.pull(20_000)
    await aborted((progress) => peer.pull(5, { ...progress }))
    const third = peer.pull(7)
    client.write(bytes(2, 20_007))
    using one = await first
    using two = await third
    expectSameBytes(one.toBuffer(), bytes(2, 20_007).subarray(0, 20_000))
    expectSameBytes(two.toBuffer(), bytes(2, 20_007).subarray(20_000))
  })

  it('while a push waits for its turn gives the list its bytes back', async () => {
    const { client, server } = await tcpPair()
    await using peer = attach(client)
    const first = peer.push(new BufferList(bytes(3, TOO_MUCH)))
    using list = new BufferList(bytes(4, 1_000))
    const error = await aborted((progress) => peer.push(list, { ...progress, consume: true }))
    expect(error.bytesMoved).to.equal(0)
    expectSameBytes(list.toBuffer(), bytes(4, 1_000))
    const collector = new Collector(server)
    await first
    await peer.push(list, { consume: true })
    expectSameBytes(await collector.take(TOO_MUCH), bytes(3, TOO_MUCH))
    expectSameBytes(await collector.take(1_000), bytes(4, 1_000))
  })

  it("while a push waits behind Node's own writes gives the list its bytes back", async function () {
    needsAddon(this)
    const { client, server } = await tcpPair()
    client.write(bytes(5, TOO_MUCH))
    using list = new BufferList(bytes(6, 1_000))
    await aborted((progress) => list.spliceTo(client, { ...progress, consume: true }))
    expectSameBytes(list.toBuffer(), bytes(6, 1_000))
    client.write('after')
    const sending = list.spliceTo(client)
    const collector = new Collector(server)
    expectSameBytes(await collector.take(TOO_MUCH), bytes(5, TOO_MUCH))
    expect((await collector.take(5)).toString()).to.equal('after')
    await sending
    expectSameBytes(await collector.take(1_000), bytes(6, 1_000))
  })

  it('while an attached push waits behind writes lets the next push through', async function () {
    // As a stream, a socket queues what it is given, and it counts as taken.
    needsAddon(this)
    const { client, server } = await tcpPair()
    client.write(bytes(5, TOO_MUCH))
    await using peer = attach(client)
    using list = new BufferList('gone')
    await aborted((progress) => peer.push(list, { ...progress }))
    const next = peer.push(new BufferList('next'))
    const collector = new Collector(server)
    expectSameBytes(await collector.take(TOO_MUCH), bytes(5, TOO_MUCH))
    expect(await next).to.equal(4)
    expect((await collector.take(4)).toString()).to.equal('next')
  })

  for (const mode of ['auto', 'copy'] as const) {
    it(`while a pull waits for bytes gives what came back to the endpoint (${mode})`, async () => {
      const { client, server } = await tcpPair()
      await using peer = attach(server)
      client.write(bytes(7, 100_000))
      await aborted((progress) => peer.pull(1_000_000, { ...progress, mode }))
      client.write(bytes(7, 150_000).subarray(100_000))
      using list = await peer.pull(150_000)
      expectSameBytes(list.toBuffer(), bytes(7, 150_000))
    })

    it(`while spliceFrom waits for bytes leaves what came in the list (${mode})`, async () => {
      const { client, server } = await tcpPair()
      client.write(bytes(8, 100_000))
      using list = new BufferList()
      const error = await aborted((progress) =>
        list.spliceFrom(server, 1_000_000, { ...progress, mode }),
      )
      expect(error.bytesMoved).to.equal(list.length)
      client.end()
      const rest = await new Collector(server).rest()
      expectSameBytes(Buffer.concat([list.toBuffer(), rest]), bytes(8, 100_000))
    })

    it(`while a push is stalled says what was accepted, and the list has the rest (${mode})`, async () => {
      const { client, server } = await tcpPair()
      using list = new BufferList()
      {
        const feeder = await tcpPair()
        feeder.client.write(bytes(9, TOO_MUCH))
        await list.spliceFrom(feeder.server, TOO_MUCH)
      }
      const error = await aborted((progress) =>
        list.spliceTo(client, { ...progress, mode, consume: true }),
      )
      expect(error.bytesMoved + list.length).to.equal(TOO_MUCH)
      const arrived = new Collector(server).take(TOO_MUCH)
      await list.spliceTo(client, { consume: true })
      expectSameBytes(await arrived, bytes(9, TOO_MUCH))
    })

    it(`while a transfer waits for its source loses nothing (${mode})`, async () => {
      const { client, server } = await tcpPair()
      client.write(bytes(10, 100_000))
      const path = await freshPath()
      await using peer = attach(server)
      const error = await aborted((progress) =>
        transfer(peer, { file: path }, { ...progress, mode }),
      )
      client.end(bytes(10, 300_000).subarray(100_000))
      const offset = error.bytesMoved
      await transfer(peer, { file: path, offset }, { mode })
      expectSameBytes(await readFile(path), bytes(10, 300_000))
    })

    it(`while a transfer is stalled gives what was pulled back to the source (${mode})`, async () => {
      const from = await tcpPair()
      const to = await tcpPair()
      from.client.end(bytes(11, TOO_MUCH))
      const error = await aborted((progress) =>
        transfer(from.server, to.client, { ...progress, mode }),
      )
      expect(error.takeResidual()).to.equal(undefined)
      expect(error.bytesMoved).to.be.below(TOO_MUCH)
      const arrived = new Collector(to.server).take(TOO_MUCH)
      await transfer(from.server, to.client, { mode })
      expectSameBytes(await arrived, bytes(11, TOO_MUCH))
    })
  }

  it('while a transfer waits for its turns passes them on', async () => {
    const from = await tcpPair()
    const to = await tcpPair()
    await using source = attach(from.server)
    await using sink = attach(to.client)
    const pulling = source.pull(3)
    await aborted((progress) => transfer(source, sink, { ...progress }))
    from.client.write('abcdef')
    using abc = await pulling
    expect(abc.toString()).to.equal('abc')
    await transfer(source, sink, { length: 3 })
    expect((await new Collector(to.server).take(3)).toString()).to.equal('def')
  })

  it('during work on files loses nothing, and the file has what was accepted', async () => {
    const content = bytes(12, TOO_MUCH)
    const { handle } = await fileOf(content)
    for (const stopAt of [1, 3_000_000, 10_000_000]) {
      const path = await freshPath('tmpfs')
      const aborter = new AbortController()
      const onProgress = (moved: number): void => {
        if (moved >= stopAt) aborter.abort(REASON)
      }
      const error = (await failure(
        transfer(
          { file: handle, offset: 0 },
          { file: path },
          { signal: aborter.signal, onProgress },
        ),
      )) as AbortError
      expect(error).to.be.instanceOf(AbortError)
      const stored = await readFile(path)
      expect(stored.length).to.equal(error.bytesMoved)
      expectSameBytes(stored, content.subarray(0, stored.length))
    }
  })

  it("during work on a file's own position leaves it behind what was accepted", async function () {
    needsAddon(this)
    const content = bytes(13, TOO_MUCH)
    const { handle } = await fileOf(content)
    const { client, server } = await tcpPair()
    const error = await aborted((progress) => transfer(handle, client, { ...progress }))
    const collector = new Collector(server)
    const rest = transfer(handle, client)
    expectSameBytes(await collector.take(TOO_MUCH), content)
    const { bytesMoved } = await rest
    expect(bytesMoved + error.bytesMoved).to.equal(TOO_MUCH)
  })

  it('while a stream gives nothing ends the wait', async () => {
    const stream = new PassThrough()
    using list = new BufferList()
    stream.write('abc')
    const error = await aborted((progress) => list.spliceFrom(stream, 100, { ...progress }))
    expect(error.bytesMoved).to.equal(3)
    expect(list.toString()).to.equal('abc')
    expect(stream.listenerCount('readable')).to.equal(0)
  })

  it('while a stream does not take ends the wait; what it was given counts as taken', async () => {
    const taken: Buffer[] = []
    let goOn: () => void = () => undefined
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        taken.push(chunk)
        goOn = done
      },
    })
    const content = bytes(14, 5_000_000)
    using list = new BufferList()
    for (let at = 0; at < content.length; at += 250_000) {
      list.append(content.subarray(at, at + 250_000))
    }
    const error = await aborted((progress) => list.spliceTo(stream, { ...progress, consume: true }))
    expect(list.length).to.be.greaterThan(0)
    expect(error.bytesMoved + list.length).to.equal(content.length)
    for (let done = -1; done < taken.length;) {
      done = taken.length
      goOn()
      await new Promise(setImmediate)
    }
    expectSameBytes(Buffer.concat(taken), content.subarray(0, error.bytesMoved))
    expectSameBytes(list.toBuffer(), content.subarray(error.bytesMoved))
    stream.destroy()
  })

  it('while a pipe gives nothing ends the wait', async function () {
    needsAddon(this)
    const { fd, writer } = fifoToRead()
    using list = new BufferList()
    writer.write('abc')
    await aborted((progress) => list.spliceFrom(fd, 100, { ...progress }))
    expect(list.toString()).to.equal('abc')
  })

  it('after the last byte is none: the operation has succeeded', async () => {
    const { client, server } = await tcpPair()
    const collector = new Collector(server)
    const aborter = new AbortController()
    using list = new BufferList('abc')
    const onProgress = (): void => aborter.abort()
    expect(await list.spliceTo(client, { signal: aborter.signal, onProgress })).to.equal(3)
    expect((await collector.take(3)).toString()).to.equal('abc')
  })

  it('leaves no listener on the signal', async () => {
    const { client, server } = await tcpPair()
    const { signal } = new AbortController()
    const added: string[] = []
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    let balance = 0
    signal.addEventListener = (name: string, listener: () => void, options?: object) => {
      balance++
      added.push(name)
      add(name, listener, options)
    }
    signal.removeEventListener = (name: string, listener: () => void) => {
      balance--
      remove(name, listener)
    }
    client.write('abc')
    using list = new BufferList()
    await list.spliceFrom(server, 3, { signal })
    await list.spliceTo(client, { signal })
    expect(added.length).to.be.greaterThan(0)
    expect(balance).to.equal(0)
  })
})

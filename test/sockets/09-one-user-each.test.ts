/**
 * One user of a side at a time: operations queue in the order of their calls, an endpoint keeps others
 * out. And what becomes of bytes that nobody takes: a released list, a stream that breaks off.
 */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import {
  attach,
  BufferList,
  EndOfStreamError,
  EndpointBusyError,
  ReleasedError,
  transfer,
  type Endpoint,
} from 'splicelist'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsAddon } from '../support/needs.js'
import { destroyed, tcpPair } from '../support/socket-pairs.js'
import { Collector } from '../transfer/collector.js'
import { fifoToRead } from '../transfer/fifos.js'
import { failure, refusal } from '../transfer/outcomes.js'
import { fileOf } from '../transfer/places.js'

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20))

/** Text of a list that a promise gives. */
async function text(pulling: Promise<BufferList>): Promise<string> {
  using list = await pulling
  await list.load()
  return list.toString()
}

/** A socket that is still connecting, and what it connects to. */
async function connecting(): Promise<{ socket: Socket; other: Promise<Socket> }> {
  const listener = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const accepted = once(listener, 'connection') as Promise<[Socket]>
  const { port } = listener.address() as { port: number }
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  afterwards(() => destroyed(socket))
  const other = accepted.then(([it]) => {
    listener.close()
    afterwards(() => destroyed(it))
    return it
  })
  return { socket, other }
}

describe('What is asked of an endpoint before its place is there is done in order:', () => {
  /** Half of them with a signal, which takes other steps. */
  const signals = [undefined, new AbortController().signal]
  const optionsOf = (i: number): { signal?: AbortSignal } => {
    const signal = signals[i % 2]
    return signal === undefined ? {} : { signal }
  }
  const numbers = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]

  it('pulls of a path', async () => {
    const { path } = await fileOf(Buffer.from('0123456789'))
    await using file = attach({ file: path })
    const pulls = numbers.map((i) => text(file.pull(1, optionsOf(i + 1))))
    expect((await Promise.all(pulls)).join('')).to.equal('0123456789')
  })

  it('pushes, transfers and lists into a path', async () => {
    const { path } = await fileOf(Buffer.alloc(0))
    const file = attach({ file: path, flags: 'r+' })
    const sent = numbers.map((i): Promise<unknown> => {
      const list = new BufferList(String(i))
      if (i % 3 === 0) return transfer(list, file, optionsOf(i))
      return i % 3 === 1 ? file.push(list, optionsOf(i)) : list.spliceTo(file, optionsOf(i + 1))
    })
    await file.detach()
    await Promise.all(sent)
    expect(await readFile(path, 'utf8')).to.equal('0123456789')
  })

  it('pulls and pushes of a socket that connects', async () => {
    const { socket, other } = await connecting()
    await using peer = attach(socket)
    const pulls = numbers.map((i) => text(peer.pull(1, optionsOf(i + 1))))
    const pushes = numbers.map((i) => peer.push(new BufferList(String(i)), optionsOf(i)))
    const there = await other
    there.write('0123456789')
    expect((await new Collector(there).take(10)).toString()).to.equal('0123456789')
    expect((await Promise.all(pulls)).join('')).to.equal('0123456789')
    await Promise.all(pushes)
  })

  it('also what is asked for while the first of them begin', async () => {
    const { socket, other } = await connecting()
    await using peer = attach(socket)
    const pulls = [0, 1, 2].map(() => text(peer.pull(1, optionsOf(1))))
    await new Promise((resolve) => socket.once('connect', resolve))
    for (let i = 3; i < 10; i++) {
      pulls.push(text(peer.pull(1, optionsOf(i))))
      await Promise.resolve()
    }
    ;(await other).write('0123456789')
    expect((await Promise.all(pulls)).join('')).to.equal('0123456789')
  })
})

describe('An endpoint keeps others out:', () => {
  async function expectBusy(place: Parameters<typeof attach>[0], peer: Endpoint): Promise<void> {
    using list = new BufferList('x')
    for (const use of [
      () => attach(place),
      () => new BufferList().spliceFrom(place, 1),
      () => list.spliceTo(place),
      () => transfer(place, '/dev/null' as never),
      () => transfer(list.substr(), place),
    ]) {
      expect(await refusal(use), String(use)).to.be.instanceOf(EndpointBusyError)
    }
    await peer.detach()
    await attach(place).detach()
  }

  it('of a socket', async () => {
    const { server } = await tcpPair()
    await expectBusy(server, attach(server))
  })

  it('of a socket that still connects', async () => {
    const { socket, other } = await connecting()
    const peer = attach(socket)
    const refused = await refusal(() => new BufferList('x').spliceTo(socket))
    expect(refused).to.be.instanceOf(EndpointBusyError)
    expect(await refusal(() => attach(socket))).to.be.instanceOf(EndpointBusyError)
    const there = await other
    there.write('for the endpoint')
    expect(await text(peer.pull(16))).to.equal('for the endpoint')
    await expectBusy(socket, peer)
  })

  it('of a FileHandle, at its own position', async () => {
    const { handle } = await fileOf(bytes(1, 1_000))
    await expectBusy(handle, attach(handle))
    await expectBusy({ file: handle }, attach(handle))
  })

  it('not of another offset in the same FileHandle: that is a place of its own', async () => {
    const { handle } = await fileOf(Buffer.from('0123456789'))
    await using one = attach({ file: handle, offset: 2 })
    await using two = attach({ file: handle, offset: 5 })
    await using own = attach(handle)
    using list = new BufferList()
    await list.spliceFrom(handle, 2, { offset: 8 })
    await list.load()
    expect(await Promise.all([text(one.pull(2)), text(two.pull(2)), text(own.pull(2))])).to.eql([
      '23',
      '56',
      '01',
    ])
    expect(list.toString()).to.equal('89')
  })

  it('of a descriptor by its number', async function () {
    needsAddon(this)
    const { fd } = fifoToRead()
    const pipe = attach(fd)
    expect(await refusal(() => attach(fd))).to.be.instanceOf(EndpointBusyError)
    expect(await failure(new BufferList().spliceFrom(fd, 1))).to.be.instanceOf(EndpointBusyError)
    await pipe.detach()
  })

  it('of a stream, both of its sides', async () => {
    const stream = new PassThrough()
    await expectBusy(stream as never, attach(stream as never))
  })

  it('until its detach is over, and after an opening that failed', async () => {
    const { server } = await tcpPair()
    const peer = attach(server)
    const detaching = peer.detach()
    expect(await refusal(() => attach(server))).to.be.instanceOf(EndpointBusyError)
    await detaching
    await attach(server).detach()
    const { handle } = await fileOf(Buffer.from('x'))
    await handle.close()
    for (let i = 0; i < 2; i++) {
      expect(await refusal(() => attach(handle))).not.to.be.instanceOf(EndpointBusyError)
    }
  })
})

describe('Bytes for a list that was released meanwhile', () => {
  it('are given back to the endpoint', async () => {
    const { client, server } = await tcpPair()
    await using peer = attach(server)
    const list = new BufferList()
    const taking = failure(list.spliceFrom(peer, 50_000))
    const behind = text(peer.pull(50_000))
    await settled()
    list.release()
    client.write(bytes(2, 50_000))
    const error = await taking
    expect(error).to.be.instanceOf(ReleasedError)
    expect((error as ReleasedError).takeResidual()).to.equal(undefined)
    expect(await behind).to.equal(bytes(2, 50_000).toString())
  })

  it('are given back to a bare socket', async () => {
    const { client, server } = await tcpPair()
    const list = new BufferList()
    const taking = failure(list.spliceFrom(server, 50_000))
    await settled()
    list.release()
    client.end(bytes(3, 60_000))
    expect(await taking).to.be.instanceOf(ReleasedError)
    expectSameBytes(await new Collector(server).rest(), bytes(3, 60_000))
  })

  it("are given back to a file's own position", async function () {
    needsAddon(this)
    const { handle } = await fileOf(Buffer.from('0123456789'))
    const list = new BufferList()
    const taking = failure(list.spliceFrom(handle, 4, { mode: 'copy' }))
    await Promise.resolve()
    list.release()
    expect(await taking).to.be.instanceOf(ReleasedError)
    const { buffer } = await handle.read(Buffer.alloc(3))
    expect(buffer.toString()).to.equal('012')
  })

  it('are in the error where the place takes nothing back', async function () {
    needsAddon(this)
    const { fd, writer } = fifoToRead()
    const list = new BufferList()
    const taking = failure(list.spliceFrom(fd, 5))
    await settled()
    list.release()
    writer.write('hello')
    const error = await taking
    expect(error).to.be.instanceOf(ReleasedError)
    using residual = (error as ReleasedError).takeResidual() as BufferList
    expect(residual.toString()).to.equal('hello')
    expect((error as ReleasedError).takeResidual()).to.equal(undefined)
  })
})

describe('A stream that ends', () => {
  it('inside of atLeast has broken off: its bytes are given back to the endpoint', async () => {
    const { client, server } = await tcpPair()
    await using peer = attach(server)
    client.end('seven..')
    const broken = await failure(peer.pull(16, { atLeast: 10 }))
    expect(broken).to.be.instanceOf(EndOfStreamError)
    expect(broken).to.include({ wanted: 10, got: 7 })
    expect(await text(peer.pull(100))).to.equal('seven..')
  })

  it('inside of atLeast gives its bytes to the pull that waits behind', async () => {
    const { client, server } = await tcpPair()
    await using peer = attach(server)
    const first = failure(peer.pull(40_000, { atLeast: 40_000 }))
    const second = peer.pull(40_000)
    client.end(bytes(4, 30_000))
    expect(await first).to.be.instanceOf(EndOfStreamError)
    using list = await second
    expectSameBytes(list.toBuffer(), bytes(4, 30_000))
  })

  it('before the first byte of a message ends the conversation: an empty list', async () => {
    const { client, server } = await tcpPair()
    await using peer = attach(server)
    client.end('a whole message.')
    expect(await text(peer.pull(16, { atLeast: 16 }))).to.equal('a whole message.')
    expect(await text(peer.pull(16, { atLeast: 16 }))).to.equal('')
  })

  it('is no error without atLeast, nor for a peek', async () => {
    const { client, server } = await tcpPair()
    await using peer = attach(server)
    client.end('short')
    expect(await text(peer.peek(16, { atLeast: 16 }))).to.equal('short')
    expect(await text(peer.pull(16))).to.equal('short')
  })

  it('inside of atLeast of a list: what came is in the list', async () => {
    const { client, server } = await tcpPair()
    client.end('short')
    using list = new BufferList('before ')
    const error = await failure(list.spliceFrom(server, 16, { atLeast: 6 }))
    expect(error).to.be.instanceOf(EndOfStreamError)
    expect(error).to.include({ wanted: 6, got: 5 })
    expect(list.toString()).to.equal('before short')
    const { handle } = await fileOf(Buffer.from('0123456789'))
    const ofFile = await failure(list.spliceFrom(handle, 16, { atLeast: 11, offset: 0 }))
    expect(ofFile).to.include({ wanted: 11, got: 10 })
    await list.load()
    expect(list.toString()).to.equal('before short0123456789')
  })
})

/**
 * How a conversation ends: FIN, RST, half-open, destroy; for us, and for Node's listeners afterwards.
 */
import { closeSync, fstatSync, openSync } from 'node:fs'
import { once } from 'node:events'
import { connect, createServer, Socket, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { attach, BufferList, EndpointBusyError, transfer, TransferError } from 'splicelist'
import { pagesOf } from '../memory/producers.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { tempFolder } from '../support/folders.js'
import { hasAddon, needsAddon } from '../support/needs.js'
import { destroyed, tcpPair, unixPair } from '../support/socket-pairs.js'
import { Collector } from '../transfer/collector.js'
import { failure, until, within } from '../transfer/outcomes.js'
import { reset } from '../transfer/reset.js'

/** Writes down what a socket emits. */
function recorded(socket: Socket): string[] {
  const events: string[] = []
  socket.on('end', () => events.push('end'))
  socket.on('finish', () => events.push('finish'))
  socket.on('close', (hadError) => events.push(`close ${hadError}`))
  socket.on('error', (error: NodeJS.ErrnoException) => events.push(`error ${error.code}`))
  return events
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20))

for (const [kind, pair] of Object.entries({ tcp: tcpPair, unix: unixPair })) {
  describe(`The end of a ${kind} conversation`, () => {
    it("reaches Node's 'end' listeners after detach, also when we had met it already", async () => {
      const { client, server } = await pair()
      const events = recorded(server)
      client.end('bye')
      const peer = attach(server)
      using list = await peer.pull(100)
      expect(list.toString()).to.equal('bye')
      await settled()
      expect(events).to.deep.equal([])
      await peer.detach()
      server.resume()
      await until(() => events.length > 0)
      expect(events).to.deep.equal(['end'])
      // Half-open: this side may still answer.
      const answer = new Collector(client)
      server.end('answer')
      expect((await answer.rest()).toString()).to.equal('answer')
    })

    it('ends the other side too where half-open was not allowed', async () => {
      const { client, server } = await pair({ allowHalfOpen: false })
      const events = recorded(server)
      const seen = new Collector(client)
      client.end('bye')
      const peer = attach(server)
      using list = await peer.pull(100)
      expect(list.toString()).to.equal('bye')
      expect(await peer.push(new BufferList('answer'))).to.equal(6)
      await peer.detach()
      server.resume()
      expect((await seen.rest()).toString()).to.equal('answer')
      await until(() => events.includes('close false'))
      expect(events).to.deep.equal(['end', 'finish', 'close false'])
    })

    it('is seen by every pull that follows it', async () => {
      const { client, server } = await pair()
      await using peer = attach(server)
      const pulls = [peer.pull(2), peer.pull(2), peer.pull(2), peer.pull(2)]
      client.end('abc')
      const texts: string[] = []
      for (const pull of pulls) {
        using list = await pull
        texts.push(list.toString())
      }
      expect(texts).to.deep.equal(['ab', 'c', '', ''])
    })

    it('ends what is pending when the socket is destroyed in the middle, and the peer sees it', async () => {
      const { client, server } = await pair()
      client.on('error', () => undefined)
      const gone = new Promise((resolve) => client.once('close', resolve))
      client.resume()
      const peer = attach(server)
      const pulling = peer.pull(100_000)
      const waiting = failure(peer.pull(1))
      client.write(bytes(1, 30_000))
      await settled()
      server.destroy()
      const error = await failure(pulling)
      expect(error).to.be.instanceOf(TransferError)
      expect(error).to.include({ side: 'source', code: 'ECONNABORTED' })
      const residual = (error as TransferError).takeResidual()
      expectSameBytes(residual?.toBuffer() ?? Buffer.alloc(0), bytes(1, residual?.length ?? 0))
      expect(residual?.length ?? 0).to.equal((error as TransferError).bytesMoved)
      residual?.release()
      expect(await waiting).to.include({ side: 'source', code: 'ECONNABORTED' })
      client.end()
      await gone
      await peer.detach()
    })

    it('ends a push that waits for the peer when the socket is destroyed', async () => {
      const { client, server } = await pair()
      const sent = bytes(2, 24 << 20)
      using list = new BufferList(sent)
      const peer = attach(client)
      const pushing = peer.push(list, { consume: true })
      await settled()
      client.destroy()
      const error = (await failure(pushing)) as TransferError
      expect(error).to.be.instanceOf(TransferError)
      expect(error.side).to.equal('sink')
      expect(error.bytesMoved + list.length).to.equal(sent.length)
      expectSameBytes(list.toBuffer(), sent.subarray(error.bytesMoved))
      // What was accepted arrives, then the end.
      const arrived = await new Collector(server).rest()
      expectSameBytes(arrived, sent.subarray(0, arrived.length))
      // A stream may have sent a part of what it never acknowledged.
      if (hasAddon) expect(arrived.length).to.be.at.most(error.bytesMoved)
      await peer.detach()
    })
  })
}

describe('A reset', () => {
  it("reaches Node's 'error' listeners once, as it would have without us", async () => {
    const { client, server } = await tcpPair()
    const events = recorded(server)
    const peer = attach(server)
    const pulling = peer.pull(100)
    reset(client)
    expect(await failure(pulling)).to.include({ side: 'source', code: 'ECONNRESET' })
    await peer.detach()
    await until(() => events.length >= 2)
    expect(events).to.deep.equal(['error ECONNRESET', 'close true'])
  })

  it('that comes while nobody pulls reaches Node after detach', async function () {
    // As a stream, a socket is read by Node, which meets the reset at once.
    needsAddon(this)
    const { client, server } = await tcpPair()
    const events = recorded(server)
    server.on('data', () => undefined)
    server.resume()
    await settled()
    const peer = attach(server)
    reset(client)
    await settled()
    expect(events).to.deep.equal([])
    await peer.detach()
    await until(() => events.length >= 2)
    expect(events).to.deep.equal(['error ECONNRESET', 'close true'])
  })

  it('does not end the program where nobody listens for errors: the operation tells', async () => {
    const { client, server } = await tcpPair()
    const peer = attach(server)
    const pulling = peer.pull(100)
    reset(client)
    expect(await failure(pulling)).to.have.property('code', 'ECONNRESET')
    await peer.detach()
    await until(() => server.destroyed)
  })

  it('met by a push closes the socket, and the next push says so', async () => {
    const { client, server } = await tcpPair()
    const events = recorded(client)
    const peer = attach(client)
    const pushing = peer.push(new BufferList(bytes(3, 24 << 20)))
    await settled()
    reset(server)
    const error = await failure(pushing)
    expect(['ECONNRESET', 'EPIPE']).to.include((error as TransferError).code)
    expect(error).to.have.property('side', 'sink')
    const next = await failure(peer.push(new BufferList('x')))
    expect(next).to.be.instanceOf(TransferError)
    await peer.detach()
    await until(() => events.includes('close true'))
  })

  it('met by a bare operation reaches Node too', async () => {
    const { client, server } = await tcpPair()
    const events = recorded(server)
    using list = new BufferList()
    const taking = list.spliceFrom(server, 100)
    reset(client)
    expect(await failure(taking)).to.have.property('code', 'ECONNRESET')
    await until(() => events.length >= 2)
    expect(events).to.deep.equal(['error ECONNRESET', 'close true'])
  })
})

describe('A destroyed socket', () => {
  it('can be detached from, with bytes left over', async () => {
    const { client, server } = await tcpPair()
    client.write(bytes(4, 50_000))
    const peer = attach(server)
    using list = await peer.pull(50_000)
    peer.unpull(list)
    server.destroy()
    await peer.detach()
    expect(server.destroyed).to.equal(true)
  })

  it('takes no new operation, where its class closes it later', async function () {
    needsAddon(this)
    const { client, server } = await tcpPair()
    client.on('error', () => undefined)
    const close = server._destroy.bind(server)
    let closeLate: () => void = () => undefined
    server._destroy = (error, done) => {
      closeLate = () => close(error, done)
    }
    afterwards(() => closeLate())
    const peer = attach(server)
    client.write(bytes(4, 10))
    server.destroy()
    for (const operation of [peer.pull(10), peer.push(new BufferList('more'))]) {
      expect(await failure(operation)).to.be.instanceOf(TransferError)
    }
    closeLate()
    await peer.detach()
  })

  it('whose handle another socket has since leaves it alone', async function () {
    needsAddon(this)
    const { client, server } = await tcpPair()
    const peer = attach(server)
    const handed = server as unknown as { _handle: object | null }
    const heir = new Socket({ handle: handed._handle } as object)
    handed._handle = null
    server.destroy()
    const heirs = attach(heir)
    expect(await failure(peer.pull(1))).to.be.instanceOf(TransferError)
    client.write('hello')
    expect((await heirs.pull(5)).toString()).to.equal('hello')
    await heirs.detach()
    await peer.detach()
    heir.destroy()
    await destroyed(client)
  })

  it('whose number is used again by another socket disturbs no wait of the other', async function () {
    needsAddon(this)
    const one = await tcpPair()
    const two = await tcpPair()
    const peerOne = attach(one.server)
    const pulling = peerOne.pull(10)
    const fdOf = (socket: Socket): number =>
      (socket as unknown as { _handle: { fd: number } })._handle.fd
    const number = fdOf(one.server)
    one.server.destroy()
    // Closed at once: the next descriptor gets the number.
    const three = await tcpPair()
    const reused = [three.client, three.server].find((socket) => fdOf(socket) === number)
    const socket = reused ?? three.server
    const other = socket === three.server ? three.client : three.server
    const peerThree = attach(socket)
    const waiting = peerThree.pull(5)
    expect(await failure(pulling)).to.have.property('code', 'ECONNABORTED')
    await peerOne.detach()
    other.write('hello')
    const result = await within(5_000, waiting)
    expect(result === 'pending' ? result : result.toString()).to.equal('hello')
    await peerThree.detach()
    two.client.destroy()
  })

  it('ends what is pending by the error that destroyed it', async () => {
    const { client } = await tcpPair()
    client.on('error', () => undefined)
    const peer = attach(client)
    const pulling = failure(peer.pull(10))
    const pushing = failure(peer.push(new BufferList(bytes(5, 24 << 20))))
    await settled()
    client.destroy(Object.assign(new Error('no route'), { code: 'EHOSTUNREACH', errno: -113 }))
    expect(await pulling).to.include({ side: 'source', code: 'EHOSTUNREACH' })
    expect(await pushing).to.include({ side: 'sink', code: 'EHOSTUNREACH' })
    await peer.detach()
  })

  it('sends FIN within a tick although an endpoint was attached', async () => {
    const { client, server } = await tcpPair()
    const collector = new Collector(client)
    const peer = attach(server)
    await peer.push(new BufferList('last words'))
    server.destroy()
    expect((await collector.rest()).toString()).to.equal('last words')
    await peer.detach()
  })
})

describe("A socket's number that means a file since", () => {
  type End = (handle: Handle, socket: { _handle: Handle | null }) => void
  interface Handle {
    readonly fd: number
    readonly close: () => void
    readonly reset: () => void
  }
  const prototypeOf = (handle: Handle): Handle => Object.getPrototypeOf(handle) as Handle
  const ways: Readonly<Record<string, End>> = {
    'its handle was closed': (handle) => handle.close(),
    'its handle was reset': (handle) => handle.reset(),
    'its handle was closed past the functions of its own': (handle) =>
      prototypeOf(handle).close.call(handle),
    'its handle was taken from it, and closed': (handle, socket) => {
      socket._handle = null
      prototypeOf(handle).close.call(handle)
    },
  }
  for (const [how, end] of Object.entries(ways)) {
    for (const when of ['before a push', 'in the middle of one'] as const) {
      // The handle itself is asked once an operation.
      if (how.includes('past') && when !== 'before a push') continue
      it(`is not written to: ${how}, ${when}`, async function () {
        needsAddon(this)
        const { client, server } = await tcpPair()
        client.on('error', () => undefined)
        const inside = server as unknown as { _handle: Handle | null }
        const handle = inside._handle as Handle
        // Pages go where the number leads; memory would be refused by a call for sockets alone.
        using pages = pagesOf(bytes(7, 8 << 20)).gift()
        const peer = attach(server)
        const path = join(await tempFolder(), 'file')
        const number = handle.fd
        const files: number[] = []
        const endAndReuse = (): void => {
          if (files.length > 0) return
          end(handle, inside)
          // Closed at once: one of the next descriptors gets the number.
          while (files.length < 100 && !files.includes(number)) files.push(openSync(path, 'w+'))
        }
        try {
          if (when === 'before a push') endAndReuse()
          const pushing = failure(peer.push(pages, { onProgress: endAndReuse }))
          expect(await pushing).to.have.property('code', 'ECONNABORTED')
          expect(await failure(peer.pull(1))).to.have.property('code', 'ECONNABORTED')
          expect(files).to.include(number)
          expect(fstatSync(number).size).to.equal(0)
        } finally {
          // Its 'close' would wait for a handle that is closed.
          inside._handle = null
          await peer.detach()
          for (const fd of files) closeSync(fd)
        }
      })
    }
  }
})

describe('A socket that connects anew', () => {
  it('is no place of the endpoint of its last connection, which does it no harm', async function () {
    needsAddon(this)
    const listener = createServer((socket) => socket.pipe(socket))
    await once(listener.listen(0, '127.0.0.1'), 'listening')
    const { port } = listener.address() as AddressInfo
    const socket = connect(port, '127.0.0.1')
    afterwards(() => {
      socket.destroy()
      listener.close()
    })
    await once(socket, 'connect')
    const last = attach(socket)
    await last.push(new BufferList('12345678'))
    using got = await last.pull(8)
    last.unpull(got)
    socket.destroy()
    await once(socket, 'close')
    await once(socket.connect(port, '127.0.0.1'), 'connect')
    expect(await failure(last.push(new BufferList('late')))).to.have.property(
      'code',
      'ECONNABORTED',
    )
    const busy = failure(transfer(new BufferList('new'), socket))
    expect(await busy).to.be.instanceOf(EndpointBusyError)
    await last.detach()
    await using peer = attach(socket)
    await peer.push(new BufferList('new'))
    using answer = await peer.pull(3)
    expect(answer.toString()).to.equal('new')
  })
})

describe("Node's idle timer", () => {
  it('is told that bytes moved, by a pull and by a push', async () => {
    const { client, server } = await tcpPair()
    let refreshed = 0
    const socket = server as Socket & { _unrefTimer: () => void }
    const refresh = socket._unrefTimer.bind(socket)
    socket._unrefTimer = () => {
      refreshed++
      refresh()
    }
    client.write('x')
    await using peer = attach(server)
    using list = await peer.pull(1)
    const afterPull = refreshed
    expect(afterPull).to.be.greaterThan(0)
    await peer.push(list)
    expect(refreshed).to.be.greaterThan(afterPull)
  })
})

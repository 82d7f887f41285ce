/**
 * attach(): taking a socket over in the middle of a conversation, and giving it back.
 */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { expect } from 'chai'
import { attach, BufferList, EndpointBusyError } from 'splicelist'
import { addon } from '#lib/native.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsAddon, needsPages } from '../support/needs.js'
import { destroyed, tcpPair, unixPair, type SocketPair } from '../support/socket-pairs.js'
import { Collector } from '../transfer/collector.js'
import { failure, refusal, until, within } from '../transfer/outcomes.js'

const PAIRS = { tcp: tcpPair, unix: unixPair } as const
const TOTAL = 3_000_000

/** How Node had been reading the socket before. */
const READERS: Readonly<Record<string, (socket: Socket) => () => Buffer>> = {
  'never read': () => () => Buffer.alloc(0),
  'paused, with bytes in JavaScript': (socket) => {
    socket.on('readable', () => undefined)
    return () => Buffer.alloc(0)
  },
  "flowing, with a 'data' listener": (socket) => {
    const seen: Buffer[] = []
    socket.on('data', (chunk: Buffer) => seen.push(chunk))
    socket.resume()
    return () => Buffer.concat(seen)
  },
  'paused after flowing': (socket) => {
    const seen: Buffer[] = []
    socket.on('data', (chunk: Buffer) => {
      seen.push(chunk)
      socket.pause()
    })
    socket.resume()
    return () => Buffer.concat(seen)
  },
  "read by 'readable'": (socket) => {
    const seen: Buffer[] = []
    socket.on('readable', () => {
      for (let chunk = read(socket); chunk !== null; chunk = read(socket)) seen.push(chunk)
    })
    return () => Buffer.concat(seen)
  },
}

const read = (socket: Socket): Buffer | null => socket.read() as Buffer | null

describe('attach()', () => {
  for (const [kind, pair] of Object.entries(PAIRS)) {
    for (const [how, start] of Object.entries(READERS)) {
      it(`loses nothing of a ${kind} socket that was ${how}`, async () => {
        const { client, server } = await pair()
        const sent = bytes(1, TOTAL)
        const seenBefore = start(server)
        client.end(sent)
        if (how !== 'never read') await until(() => server.bytesRead > 0)
        const peer = attach(server)
        const before = seenBefore()
        using list = new BufferList()
        for (;;) {
          using some = await peer.pull(100_000)
          list.append(some)
          if (some.length < 100_000) break
        }
        expectSameBytes(Buffer.concat([before, list.toBuffer()]), sent)
        expect(seenBefore().length, 'what listeners saw while attached').to.equal(before.length)
        await peer.detach()
      })
    }

    it(`gives a ${kind} socket back and forth for the length of 3 MB, and loses nothing`, async () => {
      const { client, server } = await pair()
      const sent = bytes(2, TOTAL)
      client.end(sent)
      const parts: Buffer[] = []
      let got = 0
      const add = (part: Buffer): void => {
        parts.push(part)
        got += part.length
      }
      for (let round = 0; got < TOTAL; round++) {
        const peer = attach(server)
        using list = await peer.pull(30_000 + 777 * round)
        add(list.toBuffer())
        // Left over: sometimes some, sometimes all, held in pages or read.
        if (round % 3 === 1) {
          using peeked = await peer.peek(round % 2 === 0 ? 10_000 : 40_000)
          expect(peeked.length).to.be.at.most(40_000)
        }
        if (round % 3 === 2) {
          using back = await peer.pull(25_000)
          peer.unpull(back)
        }
        await peer.detach()
        if (round % 2 === 0) {
          await new Promise<void>((resolve) => {
            const look = (): void => {
              const chunk = read(server)
              if (chunk !== null) add(chunk)
              if (chunk !== null || server.readableEnded) {
                server.off('readable', look)
                server.off('end', look)
                resolve()
              }
            }
            server.on('readable', look)
            server.on('end', look)
          })
        } else {
          await new Promise<void>((resolve) => {
            const done = (): void => {
              server.off('data', take)
              server.off('end', done)
              server.pause()
              resolve()
            }
            const take = (chunk: Buffer): void => {
              add(chunk)
              done()
            }
            server.on('data', take)
            server.on('end', done)
            server.resume()
          })
        }
      }
      expectSameBytes(Buffer.concat(parts), sent)
    })
  }

  it('takes what Node had read, and the rest, also when the end had been read too', async () => {
    const { client, server } = await tcpPair({ allowHalfOpen: false })
    server.on('readable', () => undefined)
    client.end('request')
    await until(() => server.readableLength === 7)
    // The FIN follows the bytes into JavaScript.
    await new Promise((resolve) => setTimeout(resolve, 20))
    await using peer = attach(server)
    using list = await peer.pull(100)
    expect(list.toString()).to.equal('request')
    using nothing = await peer.pull(1)
    expect(nothing.length).to.equal(0)
  })

  it("gives bytes back that Node had read with the end: 'data', then 'end'", async () => {
    const { client, server } = await tcpPair()
    const events: string[] = []
    server.on('readable', () => undefined)
    client.end('request')
    await until(() => server.readableLength === 7)
    await new Promise((resolve) => setTimeout(resolve, 20))
    const peer = attach(server)
    using head = await peer.pull(3)
    expect(head.toString()).to.equal('req')
    await new Promise((resolve) => setTimeout(resolve, 20))
    await peer.detach()
    server.removeAllListeners('readable')
    server.on('data', (chunk: Buffer) => events.push(chunk.toString()))
    server.on('end', () => events.push('end'))
    server.on('error', (error) => events.push(error.message))
    server.resume()
    await until(() => events.length >= 2)
    expect(events).to.deep.equal(['uest', 'end'])
  })

  it("lets 'data' listeners go on after detach where they had been flowing", async () => {
    const { client, server } = await tcpPair()
    const seen: Buffer[] = []
    server.on('data', (chunk: Buffer) => seen.push(chunk))
    server.resume()
    client.write('one')
    await until(() => seen.length === 1)
    const peer = attach(server)
    client.write('two')
    using two = await peer.pull(3)
    expect(two.toString()).to.equal('two')
    await peer.detach()
    client.write('three')
    await until(() => seen.length === 2)
    expect(Buffer.concat(seen).toString()).to.equal('onethree')
  })

  it("lets a 'data' listener that was added while attached have what comes after", async () => {
    const fresh = await freshSocket()
    const peer = attach(fresh.client)
    fresh.server.write('one')
    using one = await peer.pull(3)
    expect(one.toString()).to.equal('one')
    const seen: Buffer[] = []
    fresh.client.on('data', (chunk: Buffer) => seen.push(chunk))
    await peer.detach()
    fresh.server.write('two')
    expect(
      await within(
        3_000,
        until(() => seen.length > 0),
      ),
    ).to.equal(undefined)
    expect(Buffer.concat(seen).toString()).to.equal('two')
  })

  it('keeps its hands on the socket while Node is told to resume it', async () => {
    const { client, server } = await tcpPair()
    const seen: Buffer[] = []
    const peer = attach(server)
    server.on('data', (chunk: Buffer) => seen.push(chunk))
    server.resume()
    client.write(bytes(3, 100_000))
    await new Promise((resolve) => setTimeout(resolve, 20))
    using list = await peer.pull(100_000)
    expectSameBytes(list.toBuffer(), bytes(3, 100_000))
    expect(seen.length).to.equal(0)
    await peer.detach()
  })

  it('refuses a second attach, bare operations, and an endpoint', async () => {
    const { client, server } = await tcpPair()
    client.write('abc')
    const peer = attach(server)
    expect(await refusal(() => attach(server))).to.be.instanceOf(EndpointBusyError)
    using list = new BufferList()
    expect(await failure(list.spliceFrom(server, 1))).to.be.instanceOf(EndpointBusyError)
    expect(await failure(new BufferList('x').spliceTo(server))).to.be.instanceOf(EndpointBusyError)
    expect(await refusal(() => attach(peer as unknown as Socket))).to.be.instanceOf(
      EndpointBusyError,
    )
    using abc = await peer.pull(3)
    expect(abc.toString()).to.equal('abc')
    await peer.detach()
    await attach(server).detach()
  })

  it('refuses an attach while a bare operation is running', async () => {
    const { client, server } = await tcpPair()
    using list = new BufferList()
    const taking = list.spliceFrom(server, 3)
    await new Promise(setImmediate)
    expect(await refusal(() => attach(server))).to.be.instanceOf(EndpointBusyError)
    client.write('abc')
    expect(await taking).to.equal(3)
    await attach(server).detach()
  })

  it('refuses use after detach, and detaches once however often it is asked to', async () => {
    const { server } = await tcpPair()
    const peer = attach(server)
    await Promise.all([peer.detach(), peer.detach()])
    await peer.detach()
    expect(await refusal(() => peer.pull(1))).to.be.instanceOf(EndpointBusyError)
    expect(await refusal(() => peer.push(new BufferList('x')))).to.be.instanceOf(EndpointBusyError)
    expect(await refusal(() => peer.unpull(new BufferList('x')))).to.be.instanceOf(
      EndpointBusyError,
    )
  })

  it('waits with detach for what is running', async () => {
    const { client, server } = await tcpPair()
    const peer = attach(server)
    const pulling = peer.pull(100_000)
    const detaching = peer.detach()
    expect(await within(30, detaching)).to.equal('pending')
    client.write(bytes(4, 100_000))
    using list = await pulling
    await detaching
    expectSameBytes(list.toBuffer(), bytes(4, 100_000))
  })

  it('takes a socket that is still connecting', async () => {
    const listener = createServer((socket) => {
      socket.end('hello')
      socket.on('error', () => undefined)
    }).listen(0, '127.0.0.1')
    afterwards(() => void listener.close())
    await once(listener, 'listening')
    const socket = connect((listener.address() as { port: number }).port, '127.0.0.1')
    afterwards(() => destroyed(socket))
    await using peer = attach(socket)
    expect(socket.connecting).to.equal(true)
    using list = await peer.pull(100)
    expect(list.toString()).to.equal('hello')
  })

  it('rejects what waits for a socket that fails to connect', async () => {
    const listener = createServer().listen(0, '127.0.0.1')
    await once(listener, 'listening')
    const { port } = listener.address() as { port: number }
    listener.close()
    await once(listener, 'close')
    const socket = connect(port, '127.0.0.1')
    const peer = attach(socket)
    expect(await failure(peer.pull(1))).to.have.property('code', 'ECONNREFUSED')
    await peer.detach()
  })

  it('rejects what waits for a socket that is destroyed while it connects', async () => {
    const listener = createServer().listen(0, '127.0.0.1')
    afterwards(() => void listener.close())
    await once(listener, 'listening')
    const socket = connect((listener.address() as { port: number }).port, '127.0.0.1')
    const peer = attach(socket)
    const pulling = peer.pull(1).catch((error: unknown) => error)
    const pushing = new BufferList('x').spliceTo(socket).catch((error: unknown) => error)
    socket.destroy()
    expect(await within(3_000, pulling)).to.be.instanceOf(Error)
    expect(await within(3_000, pushing)).to.be.instanceOf(Error)
    expect(await within(3_000, peer.detach())).to.equal(undefined)
  })

  it("gives Node's next reader a small write at once, after a large low-water mark", async function () {
    needsPages(this)
    const { client, server } = await tcpPair()
    const peer = attach(server)
    const pulling = peer.pull(1 << 20)
    await new Promise((resolve) => setTimeout(resolve, 10))
    client.write(bytes(5, 1 << 20))
    using list = await pulling
    expect(list.length).to.equal(1 << 20)
    const aborter = new AbortController()
    const waiting = peer.pull(1 << 20, { signal: aborter.signal })
    await new Promise((resolve) => setTimeout(resolve, 10))
    aborter.abort()
    await failure(waiting)
    await peer.detach()
    const collector = new Collector(server)
    client.write('x')
    expect((await collector.take(1)).toString()).to.equal('x')
  })

  it('takes a small pull at once after a large one was aborted', async () => {
    const { client, server } = await tcpPair()
    await using peer = attach(server)
    const aborter = new AbortController()
    const waiting = peer.pull(1 << 20, { signal: aborter.signal })
    await new Promise((resolve) => setTimeout(resolve, 10))
    client.write('abc')
    aborter.abort()
    await failure(waiting)
    using list = await peer.pull(3)
    expect(list.toString()).to.equal('abc')
  })

  it('holds no descriptor, pipe or wait while idle', async function () {
    needsAddon(this)
    const { server } = await tcpPair()
    const before = addon?.live()
    const peer = attach(server)
    expect(addon?.live()).to.deep.equal({
      ...before,
      descriptors: (before?.descriptors ?? 0) + 1,
    })
    await peer.detach()
    expect(addon?.live()).to.deep.equal(before)
  })
})

/** A connection whose client was never read, paused or resumed. */
async function freshSocket(): Promise<SocketPair> {
  const listener = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const client = connect((listener.address() as { port: number }).port, '127.0.0.1')
  const [[server]] = (await Promise.all([
    once(listener, 'connection'),
    once(client, 'connect'),
  ])) as [[Socket], unknown]
  listener.close()
  afterwards(() => destroyed(client))
  afterwards(() => destroyed(server))
  return { client, server }
}

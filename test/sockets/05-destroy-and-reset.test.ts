/**
 * A socket that is destroyed, or reset by its peer, in the middle of whatever is going on: each
 * operation rejects with what it had moved, each of Node's events comes once, the peer is told at once.
 */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { attach, BufferList, transfer, TransferError, type Endpoint } from 'splicelist'
import { SocketEnd } from '#lib/endpoints/socket-end.js'
import type { RunningJob } from '#lib/reactor.js'
import { bytes } from '../support/bytes.js'
import { runChild } from '../support/children.js'
import { afterwards } from '../support/cleanup.js'
import { compiled } from '../support/compiled.js'
import { expectSameBytes } from '../support/first-difference.js'
import { tempFolder } from '../support/folders.js'
import { hasAddon, needsAddon } from '../support/needs.js'
import { tcpPair, unixPair } from '../support/socket-pairs.js'
import { Collector } from '../transfer/collector.js'
import { failure, until, within } from '../transfer/outcomes.js'
import { reset } from '../transfer/reset.js'

/** More than a socket and its peer buffer. */
const MUCH = 12 << 20
const CAME = bytes(1, 40_000)

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20))

/** What is going on when it happens. Each gives the operations that are then to reject. */
const STATES: Readonly<Record<string, (peer: Endpoint) => Promise<Error>[]>> = {
  'a pull waits for its first byte': (peer) => [failure(peer.pull(10))],
  'a pull waits for its last byte': (peer) => [failure(peer.pull(100_000))],
  'a peek waits': (peer) => [failure(peer.peek(100_000))],
  'a push is stalled': (peer) => [failure(peer.push(new BufferList(bytes(2, MUCH))))],
  'a pull and a push wait, and others behind them': (peer) => [
    failure(peer.pull(100_000)),
    failure(peer.pull(5)),
    failure(peer.peek(5)),
    failure(peer.push(new BufferList(bytes(2, MUCH)))),
    failure(peer.push(new BufferList('behind'))),
  ],
}

/** Checks what an operation of one of the states rejected with. */
function expectWhole(error: Error, codes: readonly string[], came: Buffer): void {
  expect(error).to.be.instanceOf(TransferError)
  const { code, side, bytesMoved } = error as TransferError
  expect(codes).to.include(code)
  const residual = (error as TransferError).takeResidual()
  if (side === 'sink') {
    expect(residual).to.equal(undefined)
    return
  }
  expect(residual?.length ?? 0).to.equal(bytesMoved)
  if (residual === undefined) return
  expectSameBytes(residual.toBuffer(), came.subarray(0, residual.length))
  residual.release()
}

function recorded(socket: Socket, hasErrorListener: boolean): string[] {
  const events: string[] = []
  socket.on('close', (hadError) => events.push(`close ${hadError}`))
  socket.on('end', () => events.push('end'))
  if (hasErrorListener) {
    socket.on('error', (error: NodeJS.ErrnoException) => events.push(`error ${error.code ?? '?'}`))
  }
  return events
}

for (const [kind, pair] of Object.entries({ tcp: tcpPair, unix: unixPair })) {
  describe(`A ${kind} socket that is destroyed while`, () => {
    for (const [what, begin] of Object.entries(STATES)) {
      it(`${what}: all is rejected at once, and the peer sees the end`, async () => {
        const { client, server } = await pair()
        const events = recorded(server, true)
        const peer = attach(server)
        const isWaitingForFirst = what.includes('first')
        if (!isWaitingForFirst) client.write(CAME)
        const operations = begin(peer)
        await settled()
        const atPeer = new Collector(client)
        server.destroy()
        // Node's own 'close' is all that passes between.
        const [errors] = await Promise.all([
          Promise.all(operations),
          new Promise((resolve) => server.once('close', resolve)),
        ])
        for (const error of errors) expectWhole(error, ['ECONNABORTED', 'EPIPE'], CAME)
        expect(events).to.deep.equal(['close false'])
        await atPeer.rest()
        // Unread bytes turn the FIN of a socket into an RST, with Node alone as well.
        if (atPeer.error !== undefined) expect(atPeer.error.code).to.equal('ECONNRESET')
        await peer.detach()
        expect(events).to.deep.equal(['close false'])
      })
    }

    it('an error is given: operations and listeners have the same, once', async () => {
      const { client, server } = await pair()
      const events = recorded(server, true)
      const peer = attach(server)
      const operations = [
        failure(peer.pull(10)),
        failure(peer.push(new BufferList(bytes(3, MUCH)))),
      ]
      await settled()
      server.destroy(Object.assign(new Error('no route'), { code: 'EHOSTUNREACH', errno: -113 }))
      for (const operation of operations) {
        expect(await operation).to.have.property('code', 'EHOSTUNREACH')
      }
      await settled()
      expect(events).to.deep.equal(['error EHOSTUNREACH', 'close true'])
      await peer.detach()
      client.resume()
    })

    it('bytes were given back: they are dropped with it', async () => {
      const { client, server } = await pair()
      client.write('abc')
      const peer = attach(server)
      using list = await peer.pull(3)
      peer.unpull(list)
      server.destroy()
      expect(await within(3_000, peer.detach())).to.equal(undefined)
    })
  })
}

describe('A reset by the peer while', () => {
  for (const [what, begin] of Object.entries(STATES)) {
    for (const hasErrorListener of [true, false]) {
      it(`${what}: ${hasErrorListener ? 'told once' : 'with nobody listening'}`, async function () {
        // Where a write of Node's meets the reset, the kernel tells Node's read of an end.
        if (!hasAddon && what.includes('push')) this.skip()
        const { client, server } = await tcpPair()
        const events = recorded(server, hasErrorListener)
        const peer = attach(server)
        if (!what.includes('first')) client.write(CAME)
        const operations = begin(peer)
        await settled()
        reset(client)
        for (const operation of operations) {
          expectWhole(await operation, ['ECONNRESET', 'EPIPE', 'ECONNABORTED'], CAME)
        }
        // Met by a pull, it is told to Node when Node has its reading back.
        await peer.detach()
        await until(() => events.some((event) => event.startsWith('close')))
        await settled()
        const [first, ...rest] = events.toReversed()
        expect(first).to.match(/^close /)
        const errors = rest.filter((event) => event.startsWith('error'))
        expect(errors.length).to.equal(hasErrorListener ? 1 : 0)
      })
    }
  }

  it('nothing is going on is met by the next operation', async () => {
    const { client, server } = await tcpPair()
    server.on('error', () => undefined)
    const peer = attach(server)
    reset(client)
    await settled()
    expect(await failure(peer.pull(10))).to.include({ side: 'source' })
    expect(await failure(peer.push(new BufferList('x')))).to.include({ side: 'sink' })
    await peer.detach()
  })

  it('pulls wait is an error for each of them: the kernel tells it once, and then an end', async () => {
    const { client, server } = await tcpPair()
    server.on('error', () => undefined)
    const peer = attach(server)
    const pulls = [failure(peer.pull(10)), failure(peer.pull(10)), failure(peer.peek(10))]
    await settled()
    reset(client)
    for (const pull of pulls) expect(await pull).to.include({ side: 'source', code: 'ECONNRESET' })
    const later = (await failure(peer.pull(10))) as TransferError
    expect(later).to.include({ side: 'source', code: 'ECONNRESET' })
    expect(await failure(peer.push(new BufferList('x')))).to.include({ side: 'sink' })
    await peer.detach()
    await until(() => server.destroyed)
  })

  it('bytes are left in the kernel is an error, not an end', async () => {
    const { client, server } = await tcpPair()
    server.on('error', () => undefined)
    const peer = attach(server)
    client.write(CAME)
    using some = await peer.pull(1_000)
    expectSameBytes(some.toBuffer(), CAME.subarray(0, 1_000))
    reset(client)
    await settled()
    let got = 1_000
    let error: Error | undefined
    while (error === undefined) {
      try {
        using list = await peer.pull(1_000)
        expect(list.length, 'an end').to.be.greaterThan(0)
        expectSameBytes(list.toBuffer(), CAME.subarray(got, got + list.length))
        got += list.length
      } catch (caught) {
        error = caught as Error
      }
    }
    expect(error).to.include({ side: 'source', code: 'ECONNRESET' })
    await peer.detach()
  })
})

/** What splice says behind bytes that it does not take is the reset. Node itself says that was the end. */
it('A reset behind an urgent byte is told, and no end', async function () {
  needsAddon(this)
  const urgent = await compiled(this, 'test/sockets/programs/urgent.c')
  const folder = await tempFolder()
  const path = join(folder, 'socket')
  const listener = createServer({ pauseOnConnect: true }).listen(path)
  afterwards(() => void listener.close())
  await once(listener, 'listening')
  const sending = runChild(urgent, [path])
  const [socket] = (await once(listener, 'connection')) as [Socket]
  socket.on('error', () => undefined)
  socket.write('never read')
  expect((await sending).code).to.equal(0)
  const error = await failure(transfer(socket, { file: join(folder, 'file') }))
  expect(error).to.include({ side: 'source', code: 'ECONNRESET', bytesMoved: 3 })
  expect(await readFile(join(folder, 'file'), 'utf8')).to.equal('abc')
})

describe('resetAndDestroy() while', () => {
  it('a pull waits: it is rejected, and the peer is reset', async () => {
    const { client, server } = await tcpPair()
    const atPeer = new Collector(client)
    const peer = attach(server)
    const pulling = failure(peer.pull(10))
    await settled()
    server.resetAndDestroy()
    expect(await pulling).to.include({ side: 'source', code: 'ECONNABORTED' })
    await atPeer.rest()
    expect(atPeer.error?.code).to.equal('ECONNRESET')
    await peer.detach()
  })

  it('a pull and a push wait: both are rejected, and the peer is told', async () => {
    const { client, server } = await tcpPair()
    const atPeer = new Collector(client)
    client.pause()
    const peer = attach(server)
    const pulling = failure(peer.pull(10))
    const pushing = failure(peer.push(new BufferList(bytes(4, MUCH))))
    await settled()
    server.resetAndDestroy()
    expect(await pulling).to.include({ side: 'source', code: 'ECONNABORTED' })
    expect(await pushing).to.include({ side: 'sink', code: 'ECONNABORTED' })
    client.resume()
    await atPeer.rest()
    await peer.detach()
  })
})

describe('A socket that jobs work on, one that reads and one that writes,', () => {
  beforeEach(function () {
    needsAddon(this)
  })

  it('ends both when it is destroyed, before it is closed: they would keep its connection open', async () => {
    const { server } = await tcpPair()
    const end = SocketEnd.of(server)
    const cancelled: string[] = []
    const jobs = ['reads', 'is over', 'writes'].map((name) => ({
      done: Promise.resolve({ bytes: 0, errno: 0 }),
      cancel: () => void cancelled.push(name),
    }))
    for (const job of jobs) end.lendTo(job)
    end.returnedBy(jobs[1] as RunningJob)
    server.destroy()
    expect(cancelled).to.deep.equal(['reads', 'writes'])
    end.letGo()
  })
})

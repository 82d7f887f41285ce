/**
 * proxy(): both ways at once, each end on its own.
 */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { expect } from 'chai'
import {
  AbortError,
  attach,
  BufferList,
  EndpointBusyError,
  InvalidArgumentError,
  NotByReferenceError,
  proxy,
  ProxyAbortError,
  ProxyError,
  TransferError,
  UnsupportedEndpointError,
} from 'splicelist'
import { addon } from '#lib/native.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { refreshes } from '../support/idle-timers.js'
import { hasPages, needsAddon, needsPages } from '../support/needs.js'
import { quiet } from '../support/quiet.js'
import { tcpPair, unixPair } from '../support/socket-pairs.js'
import { accounted, copiedBytes } from '../transfer/account.js'
import { Collector } from '../transfer/collector.js'
import { failure, standstill, until, within } from '../transfer/outcomes.js'
import { reset } from '../transfer/reset.js'

/** More than any loopback socket takes while nobody reads. */
const TOO_MUCH = 24 << 20

/** Two connections: the proxy stands between `a` and `b`; `left` and `right` are the far ends. */
async function between(kind: 'tcp' | 'unix' = 'tcp') {
  const make = kind === 'tcp' ? tcpPair : unixPair
  const [one, two] = [await make(), await make()]
  for (const socket of [one.client, one.server, two.client, two.server]) {
    socket.on('error', () => undefined)
  }
  return { left: one.client, a: one.server, b: two.client, right: two.server }
}

describe('proxy()', () => {
  for (const kind of ['tcp', 'unix'] as const) {
    for (const mode of ['auto', 'stable', 'copy'] as const) {
      it(`moves both ways between ${kind} sockets until both have ended, mode ${mode}`, async () => {
        const { left, a, b, right } = await between(kind)
        const [toLeft, toRight] = [new Collector(left), new Collector(right)]
        const running = accounted(() => proxy(a, b, { mode }))
        left.end(bytes(1, 2_000_001))
        right.end(bytes(2, 1_500_001))
        const { result, account } = await running
        expectSameBytes(await toRight.rest(), bytes(1, 2_000_001))
        expectSameBytes(await toLeft.rest(), bytes(2, 1_500_001))
        expect(result.aToB).to.deep.include({ bytesMoved: 2_000_001, eof: true })
        expect(result.bToA).to.deep.include({ bytesMoved: 1_500_001, eof: true })
        if (hasPages && mode === 'auto') {
          expect(account.moved).to.be.at.least(3_000_000)
          // What Node had read of the socket that had connected.
          expect(copiedBytes(account)).to.equal(0)
        }
      })
    }
  }

  it('passes an end on behind what was before it, and the other direction goes on', async () => {
    const { left, a, b, right } = await between()
    const toRight = new Collector(right)
    const toLeft = new Collector(left)
    const running = proxy(a, b)
    left.end('request')
    expect((await toRight.rest()).toString()).to.equal('request')
    expect(await within(20, running)).to.equal('pending')
    for (let i = 0; i < 3; i++) {
      right.write(bytes(i, 100_000))
      expectSameBytes(await toLeft.take(100_000), bytes(i, 100_000))
    }
    right.end('bye')
    expect((await toLeft.rest()).toString()).to.equal('bye')
    const { aToB, bToA } = await running
    expect(aToB.bytesMoved).to.equal(7)
    expect(bToA.bytesMoved).to.equal(300_003)
  })

  it('passes an end on to a socket that may not be half open, whose answer still comes', async () => {
    const pair = await tcpPair({ allowHalfOpen: false, pauseOnConnect: true })
    const { b, right } = await between()
    const running = proxy(pair.server, b)
    const answered = new Collector(pair.client)
    pair.client.write('question')
    const toRight = new Collector(right)
    expect((await toRight.take(8)).toString()).to.equal('question')
    right.end(bytes(3, 500_000))
    expectSameBytes(await answered.take(500_000), bytes(3, 500_000))
    expect((await running).bToA.bytesMoved).to.equal(500_000)
  })

  it('has Node close both sockets when both have ended', async () => {
    const { left, a, b, right } = await between()
    const closed = Promise.all([once(a, 'close'), once(b, 'close')])
    const running = proxy(a, b)
    new Collector(left)
    new Collector(right)
    left.end('x')
    right.end('y')
    await running
    expect(await within(5_000, closed)).to.not.equal('pending')
  })

  it('sends first what Node had read, and what was given back', async () => {
    const { left, a, b, right } = await between()
    left.write('head')
    a.resume()
    const [head] = (await once(a, 'data')) as [Buffer]
    a.pause()
    a.unshift(head)
    const toRight = new Collector(right)
    const running = proxy(a, b)
    left.end(' and body')
    right.end()
    await running
    expect((await toRight.rest()).toString()).to.equal('head and body')
  })

  it('connects while it waits', async () => {
    const { left, a } = await between()
    const server = createServer((socket) => socket.end('hello'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    afterwards(() => void server.close())
    const upstream = connect((server.address() as { port: number }).port, '127.0.0.1')
    const toLeft = new Collector(left)
    const running = proxy(a, upstream)
    left.end()
    await running
    expect((await toLeft.rest()).toString()).to.equal('hello')
  })

  it('leaves endpoints attached', async () => {
    const { left, a, b, right } = await between()
    const toRight = new Collector(right)
    await using from = attach(a)
    await using to = attach(b)
    left.write('12345678')
    using head = await from.pull(3)
    await to.push(head)
    const running = proxy(from, to)
    left.end()
    right.end('ok')
    const { aToB, bToA } = await running
    expect([aToB.bytesMoved, bToA.bytesMoved]).to.deep.equal([5, 2])
    expect((await toRight.rest()).toString()).to.equal('12345678')
    expect((await from.pull(1)).length).to.equal(0)
  })

  it('moves the bytes of other duplex streams, by counted copy', async () => {
    const { left, a, right } = await between()
    const sent: Buffer[] = []
    const odd = new Duplex({
      read() {
        this.push('from the odd one')
        this.push(null)
      },
      write(chunk: Buffer, _encoding, done) {
        sent.push(chunk)
        setImmediate(done)
      },
    })
    const toLeft = new Collector(left)
    const running = accounted(() => proxy(a, odd))
    left.end(bytes(4, 100_000))
    const { result, account } = await running
    expect(result.aToB.bytesMoved).to.equal(100_000)
    expectSameBytes(Buffer.concat(sent), bytes(4, 100_000))
    expect((await toLeft.rest()).toString()).to.equal('from the odd one')
    if (hasPages) expect(account.copied['stream']).to.be.greaterThan(0)
    right.destroy()
  })

  it('reports the bytes of both directions', async () => {
    const { left, a, b, right } = await between()
    const seen: number[] = []
    new Collector(left)
    new Collector(right)
    const running = proxy(a, b, { onProgress: (n) => void seen.push(n) })
    left.end(bytes(5, 300_000))
    right.end(bytes(6, 200_000))
    await running
    expect(seen.at(-1)).to.equal(500_000)
    expect(seen).to.deep.equal([...seen].sort((x, y) => x - y))
  })

  it('leaves idle timeouts to the sockets, and moving bytes put them off', async function () {
    needsAddon(this)
    const { left, a, b, right } = await between()
    new Collector(right)
    const counts = [refreshes(a), refreshes(b)]
    const running = failure(proxy(a, b))
    for (let i = 0; i < 12; i++) {
      const before = counts.map((count) => count())
      left.write('tick')
      await until(() => counts.every((count, side) => count() > (before[side] ?? 0)))
    }
    let timeouts = 0
    a.setTimeout(30, () => {
      timeouts += 1
      a.destroy()
    })
    const error = await within(5_000, running)
    expect(timeouts).to.equal(1)
    expect(error).to.be.instanceOf(ProxyError)
    expect(error).to.include({ code: 'ECONNABORTED' })
    expect((error as ProxyError).aToB.bytesMoved).to.equal(48)
  })

  describe('when one direction fails', () => {
    it('ends the other at once, destroys what failed, and leaves the other socket to its owner', async () => {
      const { left, a, b, right } = await between()
      const toRight = new Collector(right)
      const running = proxy(a, b)
      left.write(bytes(7, 100_000))
      await toRight.take(100_000)
      reset(left)
      const error = (await within(5_000, failure(running))) as ProxyError
      expect(error).to.be.instanceOf(ProxyError)
      expect(error).to.be.instanceOf(TransferError)
      expect(error).to.include({ direction: 'aToB', side: 'source', code: 'ECONNRESET' })
      expect(error.aToB).to.deep.include({ bytesMoved: 100_000, eof: false })
      expect(error.bToA).to.deep.include({ bytesMoved: 0, eof: false })
      expect(a.destroyed).to.equal(true)
      expect(b.destroyed).to.equal(false)
      b.end('sorry')
      expect((await toRight.rest()).toString()).to.equal('sorry')
    })

    for (const mode of ['auto', 'copy'] as const) {
      it(`hands out what was pulled and not accepted (${mode})`, async function () {
        // A stream that is given up has taken what it was given.
        needsAddon(this)
        const { left, a, b } = await between()
        const content = bytes(8, TOO_MUCH)
        left.end(content)
        let moved = 0
        const running = failure(proxy(a, b, { mode, onProgress: (n) => (moved = n) }))
        await standstill(() => moved)
        b.destroy()
        const error = (await within(5_000, running)) as ProxyError
        expect(error).to.be.instanceOf(ProxyError)
        // Both directions meet it; whichever is first is named.
        expect(error).to.include({ code: 'ECONNABORTED' })
        expect(error.side).to.equal(error.direction === 'aToB' ? 'sink' : 'source')
        using residual = error.takeResidual('aToB') ?? new BufferList()
        const { bytesMoved } = error.aToB
        expectSameBytes(
          residual.toBuffer(),
          content.subarray(bytesMoved).subarray(0, residual.length),
        )
        const rest = await new Collector(a).rest()
        expectSameBytes(rest, content.subarray(bytesMoved + residual.length))
      })
    }

    it('hands out what had come from the socket that is lost and was on its way back', async function () {
      needsPages(this)
      const { left, a, b, right } = await between()
      const content = bytes(9, TOO_MUCH)
      right.write(content)
      let moved = 0
      const running = failure(proxy(a, b, { onProgress: (n) => (moved = n) }))
      await quiet(() => moved)
      afterwards(() => addon?.script(null))
      // The stalled direction is back; this one's first call fails.
      addon?.script([{ call: 'splice', errno: 5, times: 1 }])
      left.write(bytes(10, 100))
      const error = (await within(5_000, running)) as ProxyError
      addon?.script(null)
      expect(error).to.include({ direction: 'aToB', side: 'source', code: 'EIO' })
      using residual = error.takeResidual('bToA') ?? new BufferList()
      const { bytesMoved } = error.bToA
      expect(residual.length).to.be.greaterThan(0)
      expectSameBytes(
        residual.toBuffer(),
        content.subarray(bytesMoved, bytesMoved + residual.length),
      )
      expect(error.takeResidual('bToA')).to.equal(undefined)
    })

    for (const [call, mode] of [
      ['splice', 'auto'],
      ['recv', 'copy'],
      ['sendmsg', 'copy'],
    ] as const) {
      for (const skip of [0, 1, 2, 5]) {
        it(`by EIO from ${call} after ${skip}: every byte is accounted for (${mode})`, async function () {
          needsPages(this)
          const { left, a, b, right } = await between()
          const content = bytes(11, 1_500_000)
          const toRight = new Collector(right)
          afterwards(() => addon?.script(null))
          addon?.script([])
          const running = failure(proxy(a, b, { mode }))
          // Both sockets are silent, and were asked: from here only one has more calls to come.
          const ask = mode === 'copy' ? 'recv' : 'splice'
          await until(() => addon?.scriptedCalls()[ask] === 2)
          addon?.script([{ call, errno: 5, skip, times: 1 }])
          left.write(content)
          const error = (await within(10_000, running)) as ProxyError
          addon?.script(null)
          expect(error).to.be.instanceOf(ProxyError)
          expect(error).to.include({ direction: 'aToB', code: 'EIO' })
          expect(error.bToA.bytesMoved).to.equal(0)
          using residual = error.takeResidual() ?? new BufferList()
          const { bytesMoved } = error.aToB
          expectSameBytes(
            residual.toBuffer(),
            content.subarray(bytesMoved, bytesMoved + residual.length),
          )
          if (error.side === 'sink') {
            left.end()
            const rest = await new Collector(a).rest()
            expectSameBytes(rest, content.subarray(bytesMoved + residual.length))
          } else {
            b.end()
            expectSameBytes(await toRight.rest(), content.subarray(0, bytesMoved))
          }
        })
      }
    }
  })

  describe('that is aborted', () => {
    const reason = new Error('changed my mind')

    it('before it began touches nothing', async () => {
      const { left, a, b } = await between()
      left.end('abc')
      const error = await failure(proxy(a, b, { signal: AbortSignal.abort(reason) }))
      expect(error).to.be.instanceOf(AbortError)
      expect((await new Collector(a).rest()).toString()).to.equal('abc')
    })

    for (const mode of ['auto', 'copy'] as const) {
      it(`gives what was not accepted back to where it came from (${mode})`, async function () {
        needsAddon(this)
        const { left, a, b, right } = await between()
        const [there, back] = [bytes(12, TOO_MUCH), bytes(13, TOO_MUCH)]
        left.end(there)
        right.end(back)
        const aborter = new AbortController()
        let moved = 0
        const onProgress = (n: number): void => void (moved = n)
        const running = failure(proxy(a, b, { mode, signal: aborter.signal, onProgress }))
        await standstill(() => moved)
        aborter.abort(reason)
        const error = (await within(5_000, running)) as ProxyAbortError
        expect(error).to.be.instanceOf(ProxyAbortError)
        expect(error).to.include({ code: 'ABORT_ERR', name: 'AbortError', cause: reason })
        expect(error.takeResidual()).to.equal(undefined)
        expect(error.bytesMoved).to.equal(error.aToB.bytesMoved + error.bToA.bytesMoved)
        const arrived = [new Collector(right).rest(), new Collector(left).rest()]
        await proxy(a, b, { mode })
        expectSameBytes((await arrived[0]) ?? Buffer.alloc(0), there)
        expectSameBytes((await arrived[1]) ?? Buffer.alloc(0), back)
      })
    }

    it('while a socket connects, and while it waits for its turn', async () => {
      const { a, b } = await between()
      const never = connect({ host: 'nowhere.invalid', port: 1, lookup: () => undefined })
      afterwards(() => void never.destroy())
      await using peer = attach(b)
      const pulling = peer.pull(1)
      for (const other of [never, peer]) {
        const aborter = new AbortController()
        const running = failure(proxy(a, other, { signal: aborter.signal }))
        setTimeout(() => aborter.abort(reason), 20)
        expect(await within(5_000, running)).to.be.instanceOf(AbortError)
      }
      b.destroy()
      await failure(pulling)
    })

    it('by a callback that throws', async () => {
      const { left, a, b } = await between()
      left.write('abc')
      const boom = new Error('boom')
      const error = await failure(
        proxy(a, b, {
          onProgress: () => {
            throw boom
          },
        }),
      )
      expect(error).to.be.instanceOf(ProxyAbortError)
      expect(error).to.have.property('cause', boom)
      expect(a.destroyed).to.equal(false)
    })

    for (const mode of ['auto', 'copy'] as const) {
      it(`at the moment when a side fails: it fails, and nothing is lost, mode ${mode}`, async function () {
        // Without it Node sends, and tells an abort first.
        needsAddon(this)
        const { left, a, b, right } = await between('unix')
        const content = bytes(14, TOO_MUCH)
        right.write(content)
        const aborter = new AbortController()
        let moved = 0
        const onProgress = (n: number): void => void (moved = n)
        const running = failure(proxy(a, b, { mode, signal: aborter.signal, onProgress }))
        await standstill(() => moved)
        // The send that stalls is tried once more, and meets a pipe that is broken.
        left.destroy()
        aborter.abort(reason)
        const error = (await within(5_000, running)) as ProxyError
        expect(error).to.be.instanceOf(ProxyError)
        expect(error).to.include({ direction: 'bToA', side: 'sink', code: 'EPIPE' })
        expect(a.destroyed).to.equal(true)
        const { bytesMoved } = error.bToA
        using residual = error.takeResidual('bToA')
        const back = residual?.toBuffer() ?? Buffer.alloc(0)
        expect(back.length).to.be.greaterThan(0)
        await using source = attach(b)
        using rest = await source.pull(content.length - bytesMoved - back.length)
        expectSameBytes(Buffer.concat([back, rest.toBuffer()]), content.subarray(bytesMoved))
      })
    }

    it('after both have ended is none', async () => {
      const { left, a, b, right } = await between()
      const aborter = new AbortController()
      new Collector(left)
      new Collector(right)
      const running = proxy(a, b, { signal: aborter.signal })
      left.end('x')
      right.end('y')
      const result = await running
      aborter.abort()
      expect(result.aToB.bytesMoved).to.equal(1)
    })
  })

  it('refuses one socket twice, what is no socket, and what is taken', async () => {
    const { a, b } = await between()
    const one = await failure(proxy(a, a))
    expect(one).to.be.instanceOf(InvalidArgumentError)
    expect(String(one)).to.match(/one socket/)
    expect(await failure(proxy(a, 5 as unknown as Socket))).to.be.instanceOf(InvalidArgumentError)
    expect(await failure(proxy(a, null as unknown as Socket))).to.be.instanceOf(
      InvalidArgumentError,
    )
    const odd = new Duplex({ read: () => undefined, write: (_c, _e, done) => done() })
    const byReference = proxy(a, odd, { mode: 'reference' })
    expect(await failure(byReference)).to.be.instanceOf(NotByReferenceError)
    {
      const peer = attach(b)
      expect(await failure(proxy(a, b))).to.be.instanceOf(EndpointBusyError)
      await peer.detach()
    }
    b.destroy()
    expect(await failure(proxy(a, b))).to.be.instanceOf(UnsupportedEndpointError)
    a.write('still mine')
  })

  it('holds no pipe while both are idle', async function () {
    needsPages(this)
    const { left, a, b, right } = await between()
    const before = addon?.live().pipes ?? 0
    const running = proxy(a, b)
    left.write('x')
    const toRight = new Collector(right)
    await toRight.take(1)
    await until(() => (addon?.live().pipes ?? 0) <= before + 1)
    left.end()
    right.end()
    new Collector(left)
    await running
  })
})

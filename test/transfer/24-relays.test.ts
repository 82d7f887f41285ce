/**
 * Streams between sockets whose bytes keep coming: they go on below JavaScript, which can do to them all
 * that it could before, and hears of every byte.
 */
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { AbortError, audit, counters, proxy, transfer, type TransferError } from 'splicelist'
import { addon } from '#lib/native.js'
import { DirectPlace } from '#lib/endpoints/direct.js'
import { RELAY_MS_MAX, relays, StandingRelays, TOLD_IN_A_LOOK } from '#lib/endpoints/relays.js'
import { pipePool, type HeldPipe } from '#lib/raw/pipe-pool.js'
import { opened, Watch, type StandingRelay } from '#lib/reactor.js'
import { borrowed, contentOf, script } from '../native/door.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { refreshes } from '../support/idle-timers.js'
import { needsPages } from '../support/needs.js'
import { tcpPair, unixPair, type SocketPair } from '../support/socket-pairs.js'
import { callsOf } from '../support/watch.js'
import { Collector } from './collector.js'
import { failure, until } from './outcomes.js'

/** Two connections, and what becomes of a stream from the first to the second. */
async function scene(pair: () => Promise<SocketPair> = tcpPair) {
  const [from, to] = [await pair(), await pair()]
  const stop = new AbortController()
  const run = (options = {}) =>
    transfer(from.server, to.client, { signal: stop.signal, ...options })
  return { from, to, stop, run, arriving: new Collector(to.server) }
}

type Scene = Awaited<ReturnType<typeof scene>>

/** Keeps bytes coming until a relay stands for them. Returns how many have come. */
async function relaying({ from, arriving }: Scene): Promise<number> {
  const before = relays.size
  let sent = 0
  while (relays.size === before) {
    from.client.write('x'.repeat(100))
    sent += (await arriving.take(100)).length
    await until(() => true)
  }
  return sent
}

describe('A stream whose bytes keep coming', () => {
  beforeEach(function () {
    needsPages(this)
  })
  afterEach(() => {
    if (addon !== null) expect(relays.size).to.equal(0)
  })

  for (const [name, pair] of [
    ['TCP', tcpPair],
    ['unix sockets', unixPair],
  ] as const) {
    it(`is relayed over ${name} to its end, and all of it is counted`, async () => {
      const made = await scene(pair)
      const before = counters.snapshot()
      const running = made.run()
      const sent = await relaying(made)
      const content = bytes(1, 300_000)
      made.from.client.end(content)
      expectSameBytes(await made.arriving.take(content.length), content)
      const result = await running
      expect(result).to.include({ bytesMoved: sent + content.length, eof: true })
      expect([...result.ways]).to.deep.equal(['splice'])
      const after = counters.snapshot()
      expect(after.moved - before.moved).to.equal(result.bytesMoved)
      expect(after.unknown - before.unknown).to.equal(result.bytesMoved)
    })

    it(`is aborted at once over ${name}, and what follows is still there`, async () => {
      const made = await scene(pair)
      const running = failure(made.run())
      const sent = await relaying(made)
      made.stop.abort()
      const error = (await running) as AbortError
      expect(error).to.be.instanceOf(AbortError)
      expect(error.bytesMoved).to.equal(sent)
      made.from.client.write('behind')
      const [chunk] = (await once(made.from.server.resume(), 'data')) as [Buffer]
      expect(chunk.toString()).to.equal('behind')
    })

    for (const [side, destroy] of [
      ['source', ({ from }: Scene) => from.server],
      ['sink', ({ to }: Scene) => to.client],
    ] as const) {
      it(`lets go of a ${side} that is destroyed, over ${name}: its peer sees the end`, async () => {
        const made = await scene(pair)
        const running = failure(made.run())
        const sent = await relaying(made)
        const socket = destroy(made)
        const peer = side === 'source' ? made.from.client.resume() : made.to.server
        const closed = once(peer, 'end')
        socket.destroy()
        await closed
        if (side === 'sink') made.from.client.write('x')
        const error = (await running) as TransferError
        expect(error).to.include({ side, bytesMoved: sent })
        error.takeResidual()?.release()
      })
    }
  }

  it('waits as others do while nothing comes, and holds nothing then', async () => {
    const made = await scene()
    const open = readdirSync('/proc/self/fd').length
    const running = made.run()
    const sent = await relaying(made)
    await until(() => relays.size === 0)
    pipePool.drain()
    expect(readdirSync('/proc/self/fd').length).to.be.at.most(open + 1) // the duplicates are closed
    made.from.client.end('after a while')
    expect((await running).bytesMoved).to.equal(sent + 13)
  })

  it('is counted while it goes on', async () => {
    const made = await scene()
    const { moved } = counters.snapshot()
    const running = made.run()
    let sent = await relaying(made)
    // Never idle for long, so that it stands until it has stood for long enough.
    while (counters.snapshot().moved - moved < sent) {
      made.from.client.write('x')
      sent += (await made.arriving.take(1)).length
      if (sent % 16 === 0) await delay(60)
    }
    made.from.client.end()
    expect((await running).bytesMoved).to.equal(sent)
  })

  it('belongs to the audit of its operation', async () => {
    const made = await scene()
    let sent = 0
    const { report } = await audit(async () => {
      const running = made.run()
      sent = await relaying(made)
      made.from.client.end('last')
      await running
    })
    expect(report.moved).to.equal(sent + 4)
  })

  it('is not relayed where somebody wants to hear of each turn', async () => {
    const started = callsOf('startRelay')
    const made = await scene()
    const heard: number[] = []
    const running = made.run({ onProgress: (n: number) => heard.push(n) })
    for (let i = 1; i <= 20; i += 1) {
      made.from.client.write('x'.repeat(100))
      await made.arriving.take(100)
      await until(() => heard.at(-1) === 100 * i)
    }
    made.from.client.end()
    await running
    expect(started()).to.equal(0)
  })

  for (const [timeoutMs, isRelayed, side, timed] of [
    [2 * RELAY_MS_MAX - 1, false, 'sink', ({ to }: Scene) => to.client],
    [2 * RELAY_MS_MAX - 1, false, 'source', ({ from }: Scene) => from.server],
    [2 * RELAY_MS_MAX, true, 'sink', ({ to }: Scene) => to.client],
    [0, true, 'sink', ({ to }: Scene) => to.client],
  ] as const) {
    it(`is ${isRelayed ? '' : 'not '}relayed where the ${side} has an idle timer of ${timeoutMs} ms`, async () => {
      const started = callsOf('startRelay')
      const made = await scene()
      for (const socket of [made.from.server, made.to.client]) socket.setTimeout(2 * RELAY_MS_MAX)
      timed(made).setTimeout(timeoutMs)
      const running = made.run()
      if (isRelayed) await relaying(made)
      for (let i = 0; i < 20; i += 1) {
        made.from.client.write('x')
        await made.arriving.take(1)
      }
      made.from.client.end()
      await running
      expect(started() > 0).to.equal(isRelayed)
    })
  }

  for (const [side, timed] of [
    ['source', ({ from }: Scene) => from.server],
    ['sink', ({ to }: Scene) => to.client],
  ] as const) {
    it(`ends when an idle timer of its ${side} is set, which then sees each arrival`, async () => {
      const made = await scene()
      const running = made.run()
      const sent = await relaying(made)
      const socket = timed(made)
      expect(Object.hasOwn(socket, 'setTimeout')).to.equal(true)
      const count = refreshes(socket)
      expect(socket.setTimeout(500)).to.equal(socket)
      expect(socket.timeout).to.equal(500)
      await until(() => relays.size === 0)
      for (let i = 0; i < 10; i += 1) {
        const before = count()
        made.from.client.write('x')
        await made.arriving.take(1)
        await until(() => count() > before)
      }
      made.from.client.end()
      expect((await running).bytesMoved).to.equal(sent + 10)
      expect(relays.size).to.equal(0)
      expect(Object.hasOwn(socket, 'setTimeout')).to.equal(false)
    })
  }

  for (const [side, destroy] of [
    ['source', ({ from }: Scene) => from.server],
    ['sink', ({ to }: Scene) => to.client],
  ] as const) {
    it(`passes nothing on behind the destroy() of its ${side}`, async () => {
      const made = await scene()
      const running = failure(made.run())
      const sent = await relaying(made)
      made.from.client.on('error', () => undefined) // what nobody has read is reset
      // In one tick: the bytes are there when the loop looks for events.
      opened().writev(borrowed(made.from.client), [Buffer.from('late')], 0, false)
      destroy(made).destroy()
      const error = (await running) as TransferError
      expect(error).to.include({ side, bytesMoved: sent })
      error.takeResidual()?.release()
      made.to.client.destroy()
      expect((await made.arriving.rest()).toString()).to.equal('')
    })
  }

  it('gives up the pipe of all relays where pipes are short, and goes on', async () => {
    const made = await scene()
    const running = made.run()
    let sent = await relaying(made)
    pipePool.setBudget(pipePool.slotsReserved)
    afterwards(() => pipePool.setBudget())
    const held = []
    for (let next; (next = pipePool.borrow(1 << 20)) !== undefined;) held.push(next)
    expect(held.length).to.be.greaterThan(0)
    for (const each of held) pipePool.giveBack(each)
    for (let i = 0; i < 20; i += 1) {
      made.from.client.write('y'.repeat(1000))
      sent += (await made.arriving.take(1000)).length
    }
    made.from.client.end()
    expect((await running).bytesMoved).to.equal(sent)
  })
})

describe('A relayed stream whose peer stops to read', () => {
  const LENGTH = 12 << 20

  beforeEach(function () {
    needsPages(this)
  })

  it('goes on when it reads again, with every byte', async () => {
    const made = await scene()
    const running = made.run()
    const sent = await relaying(made)
    made.to.server.pause()
    const content = bytes(2, LENGTH)
    made.from.client.end(content)
    await until(() => relays.size === 0)
    made.to.server.resume()
    expectSameBytes(await made.arriving.take(LENGTH), content)
    expect((await running).bytesMoved).to.equal(sent + LENGTH)
  })

  it('is aborted with what it did not take, and gives that back', async () => {
    const made = await scene()
    const running = failure(made.run())
    const sent = await relaying(made)
    // The relay finds bytes, and a sink that takes none.
    script({ call: 'splice', skip: 1, times: 1e9, errno: 11 })
    made.from.client.write('behind')
    await until(() => relays.size === 0)
    made.stop.abort()
    const error = (await running) as AbortError
    opened().script(null)
    expect(error.bytesMoved).to.equal(sent)
    const [chunk] = (await once(made.from.server.resume(), 'data')) as [Buffer]
    expect(chunk.toString()).to.equal('behind')
  })

  it('is one of as many as leave the program its descriptors', async () => {
    const few = new StandingRelays(() => 64)
    const pairs = await Promise.all(Array.from({ length: 10 }, () => tcpPair()))
    const places = pairs.map(({ server }) => new DirectPlace('socket', borrowed(server)))
    const started = [0, 1, 2, 3, 4].map((i) =>
      few.start(places[i] as DirectPlace, places[i + 5] as DirectPlace, 1),
    )
    expect(started.map((one) => one !== undefined)).to.deep.equal([true, true, true, true, false])
    for (const one of started) {
      one?.cancel()
      if (one !== undefined) few.ended(one, await one.done)
    }
  })

  describe('among many', () => {
    /** So many relays, and how many of them are over. */
    async function many(count: number) {
      const made = new StandingRelays(() => 1e6)
      const [from, to] = [await tcpPair(), await tcpPair()]
      const source = new DirectPlace('socket', borrowed(from.server))
      const sink = new DirectPlace('socket', borrowed(to.client))
      let over = 0
      const all = Array.from({ length: count }, async () => {
        const relay = made.start(source, sink, 1)
        if (relay === undefined) throw new Error('No relay could be had')
        afterwards(() => relay.cancel())
        const result = await relay.done
        over += 1
        made.ended(relay, result)
      })
      return { over: () => over, all: Promise.all(all) }
    }
    function keepBusy(milliseconds: number): void {
      for (const end = performance.now() + milliseconds; performance.now() < end;);
    }

    it('some are told of at once', async () => {
      const { over, all } = await many(120)
      keepBusy(120)
      await until(() => over() > 0)
      expect(over()).to.equal(TOLD_IN_A_LOOK)
      await all
    })

    it('of which all have stood for too long, all are', async () => {
      const { over, all } = await many(120)
      keepBusy(RELAY_MS_MAX)
      await until(() => over() > 0)
      expect(over()).to.equal(120)
      await all
    })
  })

  it('goes on with every byte where nobody can count what lies in a pipe', async () => {
    const made = await scene()
    const running = made.run()
    const sent = await relaying(made)
    script({ call: 'splice', skip: 1, errno: 11 }, { call: 'ioctl', errno: 5, times: 1e9 })
    made.from.client.write('counted by the addon')
    expect((await made.arriving.take(20)).toString()).to.equal('counted by the addon')
    made.from.client.end()
    expect((await running).bytesMoved).to.equal(sent + 20)
  })

  it('keeps the pipe that its bytes lie in, whoever is short of pipes in that moment', async () => {
    const [waiting, made] = [await tcpPair(), await scene()]
    const sink = borrowed(made.to.client)
    const relay = relays.start(
      new DirectPlace('socket', borrowed(made.from.server)),
      new DirectPlace('socket', sink),
      1000,
    ) as StandingRelay
    const watch = new Watch(borrowed(waiting.server))
    afterwards(() => watch.close())
    const woken = watch.readable().then(() => relays.reclaim())
    const senders = [waiting.client, made.from.client].map(borrowed)
    script({ call: 'splice', skip: 1, errno: 11 })
    // Both events come at once, and the first one's listener is called before the second one's.
    for (const sender of senders) opened().writev(sender, [Buffer.from('held')], 0, false)
    const result = await relay.done
    await woken
    expect(result.heldBytes).to.equal(4)
    const held = relays.ended(relay, result) as HeldPipe
    expect(contentOf(held.pipe).toString()).to.equal('held')
    pipePool.giveBack(held)
  })
})

describe('A proxy of sockets whose bytes keep coming', () => {
  beforeEach(function () {
    needsPages(this)
  })

  it('is relayed both ways, and lets go of both at once when one is destroyed', async () => {
    const [left, right] = [await tcpPair(), await tcpPair()]
    const [atLeft, atRight] = [new Collector(left.client), new Collector(right.server)]
    const running = failure(proxy(left.server, right.client))
    while (relays.size < 2) {
      left.client.write('ping')
      await atRight.take(4)
      right.server.write('pong')
      await atLeft.take(4)
    }
    left.server.destroy()
    await atLeft.rest()
    const error = (await running) as TransferError
    expect(error.side).to.equal('source')
    expect(relays.size).to.equal(0)
  })
})

describe('A crowd of streams', () => {
  beforeEach(function () {
    needsPages(this)
  })

  it('of all speeds is relayed, and each gets its own bytes, all of them', async function () {
    this.timeout(20_000)
    const started = callsOf('startRelay')
    const open = readdirSync('/proc/self/fd').length
    const scenes = await Promise.all(
      Array.from({ length: 40 }, (_, i) => scene(i % 2 === 0 ? tcpPair : unixPair)),
    )
    await Promise.all(
      scenes.map(async (made, i) => {
        const content = bytes(i, 1_500_000 + 4321 * i)
        const running = made.run()
        // Every fourth peer reads nothing until all is written.
        if (i % 4 === 0) made.to.server.pause()
        for (let at = 0; at < content.length; at += 40_000) {
          made.from.client.write(content.subarray(at, at + 40_000))
          if (i % 3 === 0) await delay(1)
        }
        made.from.client.end()
        made.to.server.resume()
        expectSameBytes(await made.arriving.take(content.length), content)
        expect((await running).bytesMoved).to.equal(content.length)
      }),
    )
    expect(started()).to.be.greaterThan(0)
    expect(relays.size).to.equal(0)
    for (const { from, to } of scenes)
      for (const one of [from, to]) {
        one.client.destroy()
        one.server.destroy()
      }
    pipePool.drain()
    await until(() => readdirSync('/proc/self/fd').length <= open)
  })
})

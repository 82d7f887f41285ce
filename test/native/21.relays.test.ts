/** Relays that stand: they move what comes from socket to socket, and tell JavaScript at the end. */
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { setImmediate as nextRound } from 'node:timers/promises'
import { expect } from 'chai'
import type { Descriptor, Pipe } from '#lib/native.js'
import { runRelay, wakesSoFar, Watch, type StandingRelay } from '#lib/reactor.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsAddon } from '../support/needs.js'
import { fdOf, type SocketPair, tcpPair, unixPair } from '../support/socket-pairs.js'
import { Collector } from '../transfer/collector.js'
import { adopted, borrowed, contentOf, door, E, pipe, script } from './door.js'

const EAGAIN = 11
const ECANCELED = 125
const TURN_BYTES = 1 << 20

/** Lends a pipe to the relays until the test is over. */
function lent(slots = 256): Pipe {
  const made = pipe(slots)
  door().lendRelayPipe(made)
  afterwards(() => void door().lendRelayPipe(null))
  return made
}

interface Way extends Record<'from' | 'to', SocketPair> {
  readonly source: Descriptor
  readonly sink: Descriptor
}

/** What one connection's client writes goes to the other's server. */
async function way(pair: () => Promise<SocketPair> = tcpPair): Promise<Way> {
  const [from, to] = [await pair(), await pair()]
  return { from, to, source: borrowed(from.server), sink: borrowed(to.client) }
}

function started({ source, sink }: Way, lengthBytes = 1 << 30): StandingRelay {
  const relay = runRelay(source, sink, lengthBytes)
  if (relay === undefined) throw new Error('A relay did not start')
  afterwards(() => relay.cancel())
  return relay
}

describe('The door to the addon: relays', () => {
  beforeEach(function () {
    needsAddon(this)
  })

  for (const [name, pair] of [
    ['TCP', tcpPair],
    ['unix sockets', unixPair],
  ] as const) {
    it(`move all that comes over ${name}, and end where they were told to`, async () => {
      lent()
      const made = await way(pair)
      const content = bytes(1, 5_000_001)
      const arriving = new Collector(made.to.server)
      const relay = started(made, content.length)
      made.from.client.write(content.subarray(0, 1_000_000))
      expectSameBytes(await arriving.take(1_000_000), content.subarray(0, 1_000_000))
      made.from.client.write(content.subarray(1_000_000))
      expectSameBytes(await arriving.take(4_000_001), content.subarray(1_000_000))
      expect(await relay.done).to.deep.equal({
        bytes: content.length,
        errno: 0,
        heldBytes: 0,
      })
      expect(door().live().waits).to.equal(0)
    })

    it(`leave what comes behind the last byte, over ${name}`, async () => {
      lent()
      const made = await way(pair)
      const relay = started(made, 1000)
      made.from.client.write(bytes(2, 1500))
      expect((await relay.done).bytes).to.equal(1000)
      while (door().pending(made.source) < 500) await nextRound()
    })

    it(`end at the end of the stream, and at a reset, of ${name}`, async () => {
      lent()
      const atEnd = await way(pair)
      const ending = started(atEnd)
      atEnd.from.client.end('hello')
      expect(await ending.done).to.deep.equal({ bytes: 5, errno: 0, heldBytes: 0 })
      const reset = await way(pair)
      const resetting = started(reset)
      if (name === 'TCP') reset.from.client.resetAndDestroy()
      else reset.from.client.destroy()
      const errno = name === 'TCP' ? -E.ECONNRESET : 0
      expect(await resetting.done).to.deep.equal({ bytes: 0, errno, heldBytes: 0 })
    })

    it(`are stuck where the peer does not read over ${name}, and keep the pipe with the rest`, async () => {
      const through = lent()
      const made = await way(pair)
      const content = bytes(3, 12 << 20)
      made.from.client.write(content)
      const { bytes: moved, errno, heldBytes } = await started(made).done
      expect(errno).to.equal(EAGAIN)
      // It is lent no more: to take it back is nobody's business but that relay's.
      expect(door().lendRelayPipe(null)).to.equal(false)
      const rest = contentOf(through)
      expect(rest).to.have.length(heldBytes)
      expect(heldBytes).to.be.greaterThan(0)
      const arrived = await new Collector(made.to.server).take(moved)
      expectSameBytes(Buffer.concat([arrived, rest]), content.subarray(0, moved + rest.length))
    })
  }

  it('are stuck with what a sink that is gone did not take', async () => {
    const through = lent()
    const made = await way()
    const relay = started(made)
    made.to.server.resetAndDestroy()
    await once(made.to.client, 'close').catch(() => undefined)
    script({ call: 'splice', skip: 1, errno: -E.EPIPE })
    made.from.client.write('hello')
    expect(await relay.done).to.deep.equal({ bytes: 0, errno: -E.EPIPE, heldBytes: 5 })
    expect(contentOf(through).toString()).to.equal('hello')
  })

  it('share the pipe: many go on beside one that is stuck, with another one', async () => {
    lent()
    const stuck = await way()
    const others = await Promise.all(Array.from({ length: 5 }, () => way()))
    const running = others.map((other) => started(other, 100_000))
    const first = started(stuck)
    stuck.from.client.write(bytes(5, 12 << 20))
    expect((await first.done).heldBytes).to.be.greaterThan(0)
    for (const { from } of others) from.client.write('a')
    // None to go through: they end, and have moved nothing.
    for (const relay of running) {
      expect(await relay.done).to.deep.equal({ bytes: 0, errno: ECANCELED, heldBytes: 0 })
    }
    lent()
    for (const [i, other] of others.entries()) {
      const relay = started(other, 100_000)
      const content = bytes(i, 99_999)
      other.from.client.write(content)
      const arrived = await new Collector(other.to.server).take(100_000)
      expectSameBytes(arrived.subarray(1), content)
      expect((await relay.done).bytes).to.equal(100_000)
    }
  })

  it('go on where they were a turn before, when a turn is over', async () => {
    lent()
    const made = await way()
    door().lowWater(made.source, 4 << 20) // for its room
    const content = bytes(4, 3 * TURN_BYTES + 1)
    const arriving = new Collector(made.to.server).take(content.length)
    made.from.client.write(content)
    while (door().pending(made.source) < TURN_BYTES) await nextRound()
    door().lowWater(made.source, 1)
    expect((await started(made, content.length).done).bytes).to.equal(content.length)
    expectSameBytes(await arriving, content)
  })

  it('leave who waits for the same descriptor alone, and are left alone', async () => {
    lent()
    const made = await way()
    const ours = adopted(fdOf(made.from.server), 'duplicate')
    // Until the peer reads there is no room.
    while (door().writev(ours, [Buffer.alloc(65536)], 0, false) > 0) await nextRound()
    const watch = new Watch(ours)
    afterwards(() => watch.close())
    const hasRoom = watch.writable()
    const relay = started({ ...made, source: ours })
    const arriving = new Collector(made.to.server)
    made.from.client.write('before')
    expect((await arriving.take(6)).toString()).to.equal('before')
    made.from.client.resume()
    await hasRoom
    made.from.client.write('behind')
    expect((await arriving.take(6)).toString()).to.equal('behind')
    const again = watch.readable()
    relay.cancel()
    made.from.client.write('last')
    await again
    expect((await relay.done).bytes).to.equal(12)
  })

  it('are ended at once, and say what they have moved', async () => {
    lent()
    const made = await way()
    const relay = started(made)
    made.from.client.write('hello')
    await new Collector(made.to.server).take(5)
    relay.recall()
    expect(await relay.done).to.deep.equal({ bytes: 5, errno: EAGAIN, heldBytes: 0 })
    made.from.client.write('more')
    while (door().pending(made.source) < 4) await nextRound()
    const again = started(made)
    again.cancel()
    expect(await again.done).to.deep.equal({ bytes: 0, errno: ECANCELED, heldBytes: 0 })
    // Nothing is left to end.
    again.cancel()
    relay.recall()
    expect(door().live().waits).to.equal(0)
  })

  it('work on duplicates, which end with them', async () => {
    lent()
    const made = await way()
    const open = (): number => readdirSync('/proc/self/fd').length
    const before = open()
    const relay = started(made)
    expect(open()).to.equal(before + 2)
    relay.cancel()
    expect(open()).to.equal(before)
  })

  it('do not start without a descriptor, and leave none', async () => {
    const made = await way()
    const open = readdirSync('/proc/self/fd').length
    script({ call: 'fcntl_dupfd', skip: 1, errno: -E.EMFILE })
    expect(runRelay(made.source, made.sink, 1)).to.equal(undefined)
    script({ call: 'epoll_ctl', errno: -E.ENOMEM })
    expect(runRelay(made.source, made.sink, 1)).to.equal(undefined)
    expect(readdirSync('/proc/self/fd')).to.have.length(open)
    expect(door().live().waits).to.equal(0)
  })

  it('refuse a token that stands for another one', async () => {
    const made = await way()
    expect(door().startRelay(made.source, made.sink, 1, 1e9)).to.equal(0)
    expect(door().startRelay(made.source, made.sink, 1, 1e9)).to.equal(E.EEXIST)
    expect(door().endRelay(1e9)).to.equal(0)
    expect(door().endRelay(1e9)).to.equal(E.ENOENT)
  })

  it('call JavaScript at the end only', async () => {
    lent()
    const made = await way()
    const relay = started(made)
    const arriving = new Collector(made.to.server)
    const before = wakesSoFar()
    for (let i = 0; i < 50; i += 1) {
      made.from.client.write(`message ${i}\n`)
      await arriving.take(`message ${i}\n`.length)
    }
    expect(wakesSoFar()).to.equal(before)
    relay.cancel()
    expect((await relay.done).bytes).to.equal(50 * 'message 1\n'.length + 40)
  })
})

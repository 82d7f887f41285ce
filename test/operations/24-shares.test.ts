/**
 * offer(): the front of a chunk to several sinks, of which those that pace their packets are given bursts
 * in turns.
 */
import { expect } from 'chai'
import { counters } from 'splicelist'
import { addon } from '#lib/native.js'
import { DirectPlace, type Relayed } from '#lib/endpoints/direct.js'
import { inWholePackets } from '#lib/endpoints/packets.js'
import { Segments } from '#lib/list/segments.js'
import { windowOf } from '#lib/list/window.js'
import { idlePipes, pipePool, SMALL_PIPE_SLOTS } from '#lib/raw/pipe-pool.js'
import { offer, type Taker } from '#lib/transfer/offer.js'
import { door, E } from '../native/door.js'
import { pipeRaw, withBudget } from '../raw/pipes.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsAddon } from '../support/needs.js'

const CHUNK = bytes(1, 60_000)

/** A sink of a unix socket that has room for a chunk, and what it was told and took. */
class Sink implements Taker {
  readonly told: Relayed[] = []
  readonly #place: DirectPlace
  readonly #burstBytes: number
  readonly #read: (lengthBytes: number) => Buffer

  constructor(burstBytes: number) {
    const pair = door().socketPair()
    if (typeof pair === 'number') throw new Error(`The addon said ${pair}`)
    const [to, from] = pair
    afterwards(() => {
      for (const each of pair) door().drop(each)
    })
    this.#place = new DirectPlace('socket', to)
    this.#burstBytes = burstBytes
    this.#read = (lengthBytes) => {
      const got = Buffer.alloc(lengthBytes)
      return got.subarray(0, Math.max(0, door().read(from, got, 0, lengthBytes)))
    }
  }
  get taken(): Buffer {
    return this.#read(CHUNK.length + 1)
  }
  placeFor(): DirectPlace {
    return this.#place
  }
  burstBytes(): number {
    return this.#burstBytes
  }
  tookPages(_place: DirectPlace, moved: Relayed): void {
    this.told.push(moved)
  }
  placeForMemory(): undefined {
    return undefined
  }
  tookMemory(): void {
    throw new Error('Nobody was to be offered memory')
  }
}

function chunk(): Segments {
  const segments = new Segments()
  segments.push(windowOf(pipeRaw(CHUNK)))
  afterwards(() => segments.clear())
  return segments
}

/** Fails the splice behind so many others, once; each of the chunk's sinks makes as many as bursts. */
function failSplice(index: number): void {
  addon?.script([{ call: 'splice', skip: index, errno: -E.EPIPE, times: 1 }])
  afterwards(() => addon?.script(null))
}

describe('Shares of a chunk', () => {
  beforeEach(function () {
    needsAddon(this)
  })

  for (const count of [1, 2, 8, 9, 20]) {
    it(`are the same for each of ${count} sinks, and every pipe between is given back`, () => {
      const sinks = Array.from(
        { length: count },
        (_, i) => new Sink(i % 3 === 0 ? 7_000 : Infinity),
      )
      const segments = chunk()
      pipePool.drain()
      const { livePipes } = pipePool
      expect(offer(segments, sinks)).to.deep.equal(sinks.map(() => CHUNK.length))
      pipePool.drain()
      expect(pipePool.livePipes).to.equal(livePipes)
      for (const sink of sinks) {
        expectSameBytes(sink.taken, CHUNK)
        expect(sink.told).to.deep.equal([{ bytes: CHUNK.length, heldBytes: 0, errno: 0 }])
      }
      expect(segments.length).to.equal(CHUNK.length)
    })
  }

  it('come one after another to sinks that take all at once', () => {
    const sinks = Array.from({ length: 3 }, () => new Sink(Infinity))
    const segments = chunk()
    failSplice(1)
    expect(offer(segments, sinks)).to.deep.equal([CHUNK.length, 0, CHUNK.length])
    expectSameBytes(sinks[2]?.taken ?? Buffer.alloc(0), CHUNK)
  })

  for (const [count, failed, taken] of [
    [2, 2, 0],
    [8, 8, 0],
    // One more than take turns: it comes behind the last burst of the eighth.
    [9, 16, 8],
  ] as const) {
    it(`come in turns to ${count} sinks that are given bursts, eight at once`, () => {
      const sinks = Array.from({ length: count }, () => new Sink(CHUNK.length / 2))
      const segments = chunk()
      failSplice(failed)
      const all = offer(segments, sinks)
      const broken = all.findIndex((n) => n < CHUNK.length)
      expect([broken, all[broken]]).to.deep.equal([taken, taken === 8 ? 0 : CHUNK.length / 2])
      expect(sinks[broken]?.told[0]?.errno).to.equal(-E.EPIPE)
      expectSameBytes(sinks[1]?.taken ?? Buffer.alloc(0), CHUNK)
    })
  }

  it('need one pipe, and take nobody another one away', () => {
    // One holds the chunk.
    withBudget(3 * SMALL_PIPE_SLOTS)
    const segments = chunk()
    const reclaimed: number[] = []
    const keeper = { keeperIndex: -1, reclaim: () => reclaimed.push(1) }
    pipePool.addReclaimable(keeper)
    afterwards(() => pipePool.removeReclaimable(keeper))
    const sinks = Array.from({ length: 4 }, () => new Sink(7_000))
    expect(offer(segments, sinks)).to.deep.equal(sinks.map(() => CHUNK.length))
    for (const sink of sinks) expectSameBytes(sink.taken, CHUNK)
    expect(reclaimed).to.deep.equal([])
  })

  for (const [what, rule] of [
    ['there are too few descriptors', { call: 'pipe2', errno: -E.EMFILE }],
    ['pipes may not grow', { call: 'fcntl', errno: -E.EPERM }],
  ] as const) {
    it(`need one pipe, and no other one is used or counted where ${what}`, () => {
      pipePool.drain()
      const segments = new Segments()
      segments.push(windowOf(pipeRaw(bytes(3, 100_000))))
      afterwards(() => segments.clear())
      const sinks = Array.from({ length: 4 }, () => new Sink(7_000))
      const before = counters.snapshot()
      addon?.script([{ ...rule, skip: 1, times: 1_000 }])
      afterwards(() => addon?.script(null))
      expect(offer(segments, sinks)).to.deep.equal(sinks.map(() => 100_000))
      addon?.script(null)
      const { degradedPipes, fallbacks } = counters.snapshot()
      expect({ degradedPipes, fallbacks }).to.deep.equal({
        degradedPipes: before.degradedPipes,
        fallbacks: before.fallbacks,
      })
      // The pipe that all were served through.
      expect(idlePipes()).to.equal(2)
    })
  }

  it('are whole packets, where a packet fits', () => {
    const whole = (lengthBytes: number): number => inWholePackets(lengthBytes, 65_483)
    expect([65_482, 65_483, 131_072, 1 << 20].map(whole)).to.deep.equal([
      65_482, 65_483, 130_966, 1_047_728,
    ])
    expect(inWholePackets(1 << 20, 0)).to.equal(1 << 20)
  })
})

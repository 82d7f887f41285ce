import { readFile } from 'node:fs/promises'
import { setImmediate as nextRound } from 'node:timers/promises'
import { expect } from 'chai'
import {
  AbortError,
  InvalidArgumentError,
  NoPagesError,
  ProducerRing,
  ReleasedError,
  type BufferList,
} from 'splicelist'
import { addon } from '#lib/native.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsPages } from '../support/needs.js'
import { destroyed, tcpPair } from '../support/socket-pairs.js'
import { script } from '../native/door.js'
import { accounted } from '../transfer/account.js'
import { Collector } from '../transfer/collector.js'
import { fileOf, taker } from '../transfer/places.js'

/** A ring that is closed after the test, once its lists are released. */
function ringOf(lengthBytes: number): ProducerRing {
  const ring = new ProducerRing({ bytes: lengthBytes })
  afterwards(() => {
    void ring.close()
  })
  return ring
}

/** Reserves, fills with the bytes of a seed, and commits all of it. */
async function produce(ring: ProducerRing, seed: number, length: number): Promise<BufferList> {
  const room = await ring.reserve(length)
  expect(room.length).to.equal(length)
  room.set(bytes(seed, length))
  const list = ring.commit(length)
  afterwards(() => list.release())
  return list
}

/** Whether a promise is settled when all that is ready has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  promise.then(
    () => (settled = true),
    () => (settled = true),
  )
  await nextRound()
  return settled
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe('A producer ring', () => {
  it('gives room, and a list of what was put there', async () => {
    const ring = ringOf(10_000)
    expect(ring.bytes).to.equal(10_000)
    using list = await produce(ring, 1, 4000)
    expectSameBytes(list.toBuffer(), bytes(1, 4000))
    expect(list.explain()).to.deep.equal([
      { kind: 'pages', length: 4000, pages: 'loan', refs: 1, looked: 0 },
    ])
  })

  it('makes a producer wait that is ahead, until what it needs has come back', async () => {
    const ring = ringOf(10_000)
    const first = await produce(ring, 1, 6000)
    const waiting = ring.reserve(6000)
    expect(await isSettled(waiting)).to.equal(false)
    const kept = first.substr(10, 10)
    first.release()
    expect(await isSettled(waiting)).to.equal(false)
    expectSameBytes(kept.toBuffer(), bytes(1, 6000).subarray(10, 20))
    kept.release()
    expect((await waiting).length).to.equal(6000)
    ring.commit(0)
  })

  it('is full to its last byte, and not one more', async () => {
    const ring = ringOf(10_000)
    const lists = [await produce(ring, 1, 6000), await produce(ring, 2, 4000)]
    const waiting = ring.reserve(1)
    expect(await isSettled(waiting)).to.equal(false)
    lists[0]?.release()
    expect((await waiting).length).to.equal(1)
    ring.commit(0).release()
    // All that the first had, in one piece, while the second is out.
    expect((await ring.reserve(6000)).length).to.equal(6000)
    ring.commit(0)
    expectSameBytes((lists[1] as BufferList).toBuffer(), bytes(2, 4000))
  })

  it('goes round, and leaves the end empty where a reservation does not fit', async () => {
    const ring = ringOf(10_000)
    const first = await produce(ring, 1, 5000)
    const second = await produce(ring, 2, 3000)
    // 2,000 are left at the end: too few.
    const waiting = ring.reserve(4000)
    expect(await isSettled(waiting)).to.equal(false)
    first.release()
    const room = await waiting
    expect(room.byteOffset).to.equal(0)
    room.set(bytes(3, 4000))
    using third = ring.commit(4000)
    expectSameBytes(second.toBuffer(), bytes(2, 3000))
    const next = ring.reserve(2000)
    expect(await isSettled(next)).to.equal(false)
    second.release()
    expect((await next).byteOffset).to.equal(4000)
    ring.commit(0)
    expectSameBytes(third.toBuffer(), bytes(3, 4000))
  })

  it('takes room back in order: what was committed first must have come back', async () => {
    const ring = ringOf(9000)
    const lists = [
      await produce(ring, 1, 3000),
      await produce(ring, 2, 3000),
      await produce(ring, 3, 3000),
    ]
    lists[1]?.release()
    const waiting = ring.reserve(6000)
    expect(await isSettled(waiting)).to.equal(false)
    lists[0]?.release()
    expect((await waiting).byteOffset).to.equal(0)
    ring.commit(0)
    expectSameBytes((lists[2] as BufferList).toBuffer(), bytes(3, 3000))
  })

  it('returns what was reserved and not committed at once', async () => {
    const ring = ringOf(1000)
    const room = await ring.reserve(1000)
    room.set(bytes(1, 1000))
    using list = ring.commit(10)
    expectSameBytes(list.toBuffer(), bytes(1, 10))
    expect((await ring.reserve(990)).byteOffset).to.equal(10)
    expect(ring.commit(0).length).to.equal(0)
    expect((await ring.reserve(0)).length).to.equal(0)
    ring.commit(0)
  })

  it('lets one producer write at a time, the others after it in order, the large before the small', async () => {
    const ring = ringOf(1000)
    const order: number[] = []
    const reservations = [600, 900, 5, 700].map(async (length, i) => {
      const room = await ring.reserve(length)
      order.push(i)
      await nextRound()
      room.set(bytes(i, length))
      using list = ring.commit(length)
      await nextRound()
      expectSameBytes(list.toBuffer(), bytes(i, length))
    })
    await Promise.all(reservations)
    expect(order).to.deep.equal([0, 1, 2, 3])
  })

  it('refuses what could never be, before anything is taken', async () => {
    for (const wrong of [0, -1, 1.5, '1', undefined]) {
      expect(() => new ProducerRing({ bytes: wrong as number })).to.throw(InvalidArgumentError)
    }
    expect(() => new ProducerRing(undefined as never)).to.throw(InvalidArgumentError)
    expect(() => new ProducerRing({ bytes: 2 ** 52 })).to.throw(NoPagesError)
    const ring = ringOf(1000)
    expect(() => ring.commit(0)).to.throw(InvalidArgumentError, 'Nothing is reserved')
    for (const wrong of [1001, -1, 0.5, NaN]) {
      expect(await rejection(ring.reserve(wrong)), String(wrong)).to.be.instanceOf(
        InvalidArgumentError,
      )
    }
    const room = await ring.reserve(10)
    room.fill(1)
    for (const wrong of [11, -1, NaN]) {
      expect(() => ring.commit(wrong), String(wrong)).to.throw(InvalidArgumentError)
    }
    // What was reserved is still there.
    using list = ring.commit(10)
    expect(list.byteAt(9)).to.equal(1)
    expect(() => ring.commit(1)).to.throw(InvalidArgumentError, 'Nothing is reserved')
  })

  it('ends a wait when its signal aborts, and serves those behind it', async () => {
    const ring = ringOf(1000)
    using first = await produce(ring, 1, 600)
    const aborting = new AbortController()
    const large = ring.reserve(900, { signal: aborting.signal })
    const small = ring.reserve(100)
    expect(await isSettled(small)).to.equal(false)
    aborting.abort()
    expect(await rejection(large)).to.be.instanceOf(AbortError)
    expect((await small).length).to.equal(100)
    ring.commit(0)
    expect(await rejection(ring.reserve(1, { signal: AbortSignal.abort() }))).to.be.instanceOf(
      AbortError,
    )
    // An abort after the grant changes nothing.
    const late = new AbortController()
    await ring.reserve(1, { signal: late.signal })
    late.abort()
    using list = ring.commit(1)
    expect(list.length + first.length).to.equal(601)
  })

  it('that is closed refuses who waits, waits for what is out, and is unmapped then', async () => {
    const slabs = addon?.live().slabs
    const ring = new ProducerRing({ bytes: 1000 })
    const list = await produce(ring, 1, 800)
    const waiting = rejection(ring.reserve(500))
    const closing = ring.close()
    expect(await waiting).to.be.instanceOf(AbortError)
    expect(await isSettled(closing)).to.equal(false)
    expect(ring.close()).to.equal(closing)
    expect(await rejection(ring.reserve(1))).to.be.instanceOf(ReleasedError)
    expect(() => ring.commit(0)).to.throw(ReleasedError, 'closed')
    expectSameBytes(list.toBuffer(), bytes(1, 800))
    list.release()
    await closing
    expect(addon?.live().slabs).to.equal(slabs)
  })

  it('that is closed with a reservation gives it up, and ends its view', async () => {
    const ring = new ProducerRing({ bytes: 1000 })
    const room = await ring.reserve(100)
    await ring.close()
    expect(room.length).to.equal(0)
  })

  it('is closed at the end of its block', async () => {
    let inside: Uint8Array
    {
      await using ring = new ProducerRing({ bytes: 1000 })
      inside = await ring.reserve(10)
    }
    expect(inside.length).to.equal(0)
  })

  for (const kind of ['tcp', 'unix', 'tmpfs file', 'stream'] as const) {
    it(`brings a long stream of messages to a ${kind}, each byte in its place`, async () => {
      const place = await taker(kind)
      const ring = ringOf(300_000)
      const sink = await place.open()
      const lengths = Array.from({ length: 60 }, (_, i) => ((i * 7919) % 90_000) + 1)
      const total = lengths.reduce((sum, length) => sum + length, 0)
      const taking = kind === 'tmpfs file' ? undefined : place.taken(total)
      let at = 'file' in (sink as object) ? (sink as { offset: number }).offset : 0
      const sends: Promise<unknown>[] = []
      for (const [i, length] of lengths.entries()) {
        const list = await produce(ring, i, length)
        const to = 'file' in (sink as object) ? { ...(sink as object), offset: at } : sink
        sends.push(list.spliceTo(to as never, { consume: true }))
        at += length
      }
      await Promise.all(sends)
      const arrived = await (taking ?? place.taken(total))
      let offset = 0
      for (const [i, length] of lengths.entries()) {
        expectSameBytes(arrived.subarray(offset, offset + length), bytes(i, length), `message ${i}`)
        offset += length
      }
    })
  }

  it('writes to files in place, from many messages at once', async function () {
    needsPages(this)
    const { handle, path } = await fileOf(new Uint8Array(0), 'tmpfs')
    const ring = ringOf(100_000)
    const { account } = await accounted(async () => {
      for (let i = 0; i < 10; i++) {
        using list = await produce(ring, i, 33_000)
        await list.spliceTo({ file: handle, offset: i * 33_000 })
      }
    })
    expect(account).to.deep.include({ copied: {}, kernelCopied: { 'page-cache-write': 330_000 } })
    const content = await readFile(path)
    expectSameBytes(content.subarray(330_000 - 33_000), bytes(9, 33_000))
  })
})

describe('A producer ring, and pages that never provably come back', () => {
  beforeEach(function () {
    needsPages(this)
  })

  it('puts others in their place, never under a producer that is writing', async () => {
    const ring = ringOf(40_000)
    const { client, server } = await tcpPair()
    const collector = new Collector(server)
    script({ call: 'recvmsg', errno: 11, times: 1e6 })
    const list = await produce(ring, 1, 20_001)
    await Promise.all([collector.take(20_001), list.spliceTo(client, { consume: true })])
    // The neighbour begins on the page that the first ended on.
    const room = await ring.reserve(15_000)
    room.set(bytes(2, 7000))
    const { account: during } = await accounted(() => destroyed(client))
    expect(during.copied).to.deep.equal({})
    room.set(bytes(2, 15_000))
    const { account } = await accounted(() => {
      const neighbour = ring.commit(15_000)
      expectSameBytes(neighbour.toBuffer(), bytes(2, 15_000))
      neighbour.release()
    })
    expect(account.copied).to.deep.include({ 'retired-pages': 20_001 })
    const again = await ring.reserve(40_000)
    again.fill(1)
    ring.commit(0)
  })

  it('breaks when there are none to put there', async () => {
    const ring = new ProducerRing({ bytes: 40_000 })
    const { client, server } = await tcpPair()
    const collector = new Collector(server)
    script({ call: 'recvmsg', errno: 11, times: 1e6 }, { call: 'mremap', errno: 12, times: 9 })
    const list = await produce(ring, 1, 20_000)
    await Promise.all([collector.take(20_000), list.spliceTo(client, { consume: true })])
    const waiting = rejection(ring.reserve(30_000))
    await destroyed(client)
    expect(await waiting).to.be.instanceOf(NoPagesError)
    expect(await rejection(ring.reserve(1))).to.be.instanceOf(NoPagesError)
    await ring.close()
  })
})

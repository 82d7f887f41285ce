import type { Socket } from 'node:net'
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import type { Descriptor, Slab } from '#lib/native.js'
import { NoticeWatch, runJob } from '#lib/reactor.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsAddon } from '../support/needs.js'
import { destroyed, fdOf, tcpPair } from '../support/socket-pairs.js'
import { Collector } from '../transfer/collector.js'
import { adopted, contentOf, door, E, fileOf, pipe, script, slab } from './door.js'

interface Pages {
  readonly made: Slab
  readonly view: Uint8Array
}

/** Private pages, and a view of them. Dropped after the test. */
function blank(length: number): Pages {
  const made = door().pages(length)
  if (typeof made === 'number') throw new Error(`The addon said ${made}`)
  afterwards(() => door().drop(made))
  const memory = door().view(made, length)
  if (typeof memory === 'number') throw new Error(`There is no view: ${memory}`)
  return { made, view: new Uint8Array(memory) }
}

/** Private pages with the bytes of a seed. */
function pages(seed: number, length: number): Pages {
  const filled = blank(length)
  filled.view.set(bytes(seed, length))
  return filled
}

/** Addresses: the first one, and the one behind the last. */
type Range = readonly [from: number, to: number]

/** What this process has mapped. */
function mapped(): Range[] {
  const lines = readFileSync('/proc/self/maps', 'latin1').matchAll(/^([0-9a-f]+)-([0-9a-f]+) /gm)
  return [...lines].map(([, from, to]) => [parseInt(from ?? '', 16), parseInt(to ?? '', 16)])
}

/** What is left of a range without some others. */
function without(range: Range, others: readonly Range[]): Range[] {
  let left = [range]
  for (const [from, to] of others) {
    left = left.flatMap(([first, end]): Range[] => {
      if (to <= first || end <= from) return [[first, end]]
      return [[first, from] as const, [to, end] as const].filter(([start, stop]) => start < stop)
    })
  }
  return left
}

const lengthOf = (ranges: readonly Range[]): number =>
  ranges.reduce((sum, [from, to]) => sum + (to - from), 0)

/** A socket that lends, and who reads from it. */
async function lending(): Promise<{ socket: Descriptor; client: Socket; collector: Collector }> {
  const { client, server } = await tcpPair()
  const socket = adopted(fdOf(client))
  expect(door().allowLending(socket)).to.equal(0)
  return { socket, client, collector: new Collector(server) }
}

describe('The door to the addon: private pages', () => {
  beforeEach(function () {
    needsAddon(this)
  })

  it('go into a pipe by reference: what is written to them afterwards shows', () => {
    const { made, view } = pages(1, 10_000)
    const into = pipe()
    expect(door().vmsplice(made, 0, 10_000, into)).to.equal(10_000)
    view[9_999] = 255 ^ (bytes(1, 10_000)[9_999] ?? 0)
    expectSameBytes(contentOf(into), view)
  })

  it('go in from any byte on, as many as there are slots', () => {
    const { made } = pages(2, 100_000)
    const into = pipe()
    expect(door().vmsplice(made, 4095, 5, into)).to.equal(5)
    expectSameBytes(contentOf(into), bytes(2, 4100).subarray(4095))
    expect(door().vmsplice(made, 10, 99_990, into)).to.equal(16 * 4096 - 10)
    expect(door().vmsplice(made, 0, 1, into)).to.equal(E.EAGAIN)
    expectSameBytes(contentOf(into), bytes(2, 65_536).subarray(10))
  })

  it('have an end', () => {
    const { made } = pages(3, 5000)
    const into = pipe()
    for (const [offset, length] of [
      [5001, 0],
      [0, 5001],
      [4999, 2],
    ] as const) {
      expect(door().vmsplice(made, offset, length, into)).to.equal(E.EINVAL)
      expect(door().renew(made, offset, length)).to.equal(E.EINVAL)
    }
    expect(door().vmsplice(made, 5000, 0, into)).to.equal(0)
    expect(door().renew(made, 5000, 0)).to.equal(0)
  })

  it('stay in the pipe when they are dropped, whatever is mapped afterwards', () => {
    const { made, view } = pages(4, 60_000)
    const into = pipe()
    expect(door().vmsplice(made, 0, 60_000, into)).to.equal(60_000)
    door().drop(made)
    expect(view.length).to.equal(0)
    for (let i = 0; i < 50; i++) pages(5, 60_000)
    expectSameBytes(contentOf(into), bytes(4, 60_000))
  })

  it('are unmapped at once when they are dropped', () => {
    const before = mapped()
    const { made, view } = blank(64 << 20)
    const during = mapped()
    // Where this slab lies, not how much there is: other threads map and unmap meanwhile. A part of it may
    // lie in a hole that one of them has left since.
    const fresh = during.flatMap((range) => without(range, before))
    const here = fresh.filter((range) => lengthOf([range]) >= 48 << 20)
    expect(here).to.not.have.lengthOf(0)
    door().drop(made)
    const after = mapped()
    const unmapped = here.flatMap((range) => without(range, after))
    // Others may have been given a little of the hole.
    expect(lengthOf(unmapped)).to.be.greaterThan(44 << 20)
    // Still held: once the collector has the view, its finalizer unmaps, a little later.
    expect(view.length).to.equal(0)
  })

  it('are renewed: whoever has the old ones keeps them as they are, and the view goes on', () => {
    const { made, view } = pages(7, 20_000)
    const into = pipe()
    expect(door().vmsplice(made, 0, 20_000, into)).to.equal(20_000)
    expect(door().renew(made, 5000, 5000)).to.equal(0)
    expectSameBytes(view, bytes(7, 20_000))
    view.fill(0)
    // Pages 1 and 2 are fresh; the others are the pipe's still.
    const held = contentOf(into)
    expectSameBytes(held.subarray(4096, 12_288), bytes(7, 20_000).subarray(4096, 12_288))
    expect(held.subarray(0, 4096).every((byte) => byte === 0)).to.equal(true)
    expect(held.subarray(12_288).every((byte) => byte === 0)).to.equal(true)
  })

  it('stay as they are when they cannot be renewed', () => {
    for (const call of ['mmap', 'mremap']) {
      const { made, view } = pages(8, 10_000)
      script({ call, errno: 12 })
      expect(door().renew(made, 0, 10_000)).to.equal(E.ENOMEM)
      expectSameBytes(view, bytes(8, 10_000))
    }
  })

  it('are written to a file from where they lie, and only what lies in a slab', async () => {
    const file = adopted(await fileOf(''))
    const { view } = pages(9, 100_000)
    const job = runJob((token) => door().lendAt(file, 0, view, 10, 99_990, token))
    expect(await job.done).to.deep.equal({ bytes: 99_990, errno: 0 })
    const target = new Uint8Array(99_990)
    const read = runJob((token) => door().readAt(file, 0, target, 0, 99_990, token))
    await read.done
    expectSameBytes(target, bytes(9, 100_000).subarray(10))
    const none = runJob((token) => door().lendAt(file, 0, new Uint8Array(5), 0, 5, token))
    expect(await none.done).to.deep.equal({ bytes: 0, errno: 22 })
  })

  it('stay mapped while a job writes them, though they are dropped', async () => {
    const file = adopted(await fileOf(''))
    const { made, view } = pages(10, 1 << 20)
    script({ call: 'pwrite', maxBytes: 4096, times: 1e6 })
    const job = runJob((token) => door().lendAt(file, 0, view, 0, 1 << 20, token))
    door().drop(made)
    expect(view.length).to.equal(0)
    expect(await job.done).to.deep.equal({ bytes: 1 << 20, errno: 0 })
    const target = new Uint8Array(1 << 20)
    await runJob((token) => door().readAt(file, 0, target, 0, 1 << 20, token)).done
    expectSameBytes(target, bytes(10, 1 << 20))
  })
})

describe('The door to the addon: lending to TCP', () => {
  beforeEach(function () {
    needsAddon(this)
  })

  it('sends from the memory, and tells by the number of the send when it is free', async () => {
    const { socket, client, collector } = await lending()
    const { view } = pages(11, 100_000)
    const told = new Promise<void>((resolve) => {
      const watch = new NoticeWatch(resolve)
      afterwards(() => watch.close())
      expect(watch.begin(socket)).to.equal(0)
    })
    const numbers = new Set<number>()
    let copied = 0
    expect(door().lend(socket, [view], 0, true)).to.equal(100_000)
    expect(door().lend(socket, [Buffer.from('x'), view], 50_001, false)).to.equal(50_000)
    expectSameBytes(await collector.take(100_000), bytes(11, 100_000))
    expectSameBytes(await collector.take(50_000), bytes(11, 100_000).subarray(50_000))
    await told
    while (numbers.size < 2) {
      const notices = door().notices(socket)
      if (typeof notices === 'number') throw new Error(`The addon said ${notices}`)
      for (let i = 0; i < notices.length; i += 3) {
        for (let n = notices[i] as number; n <= (notices[i + 1] as number); n++) numbers.add(n)
        copied += notices[i + 2] as number
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect([...numbers].sort()).to.deep.equal([0, 1])
    // Loopback's receiver would otherwise look into the sender's memory.
    expect(copied).to.be.greaterThan(0)
    expect(door().notices(socket)).to.deep.equal([])
    await destroyed(client)
  })

  it('needs a socket that allows it, which a file is not', async () => {
    const file = adopted(await fileOf('abc'))
    expect(door().allowLending(file)).to.equal(E.ENOTSOCK)
    expect(door().lend(file, [new Uint8Array(1)], 0, false)).to.equal(E.ENOTSOCK)
    expect(door().notices(file)).to.equal(E.ENOTSOCK)
    expect(door().watchNotices(file, 2 ** 44)).to.equal(E.EPERM)
    expect(door().vmsplice(slab(4096), 0, 1, pipe())).to.equal(1)
  })
})

import { expect } from 'chai'
import { counters } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsAddon } from '../support/needs.js'
import { pipeRaw, readParcel, sendRange } from './pipes.js'
import type { PipeRaw } from '#lib/raw/pipe.js'

const WINDOW = 65_536
const LENGTH = 1 << 20

/** Bytes that an action tees and drops. */
function cost(action: () => void): { teed: number; discarded: number } {
  const before = counters.snapshot()
  action()
  const after = counters.snapshot()
  return { teed: after.teed - before.teed, discarded: after.discarded - before.discarded }
}

describe('The teed reader of a pipe segment', () => {
  let raw: PipeRaw
  const content = bytes(1, LENGTH)

  beforeEach(function () {
    needsAddon(this)
    raw = pipeRaw(content)
  })
  afterEach(() => {
    // Released by the test or here.
    if ((raw as PipeRaw | undefined) !== undefined && raw.refs > 0) raw.release()
  })

  it('serves windows that follow each other: all pages are teed twice at the most', () => {
    const parts: Buffer[] = []
    const { teed, discarded } = cost(() => {
      for (let at = 0; at < LENGTH; at += WINDOW) parts.push(sendRange(raw, at, WINDOW))
    })
    expectSameBytes(Buffer.concat(parts), content)
    expect(teed).to.equal(LENGTH + WINDOW)
    expect(discarded).to.equal(WINDOW)
  })

  it('serves windows with gaps between them, by dropping the gap', () => {
    sendRange(raw, 0, 10)
    sendRange(raw, 10, 10)
    const { teed, discarded } = cost(() => {
      expectSameBytes(sendRange(raw, 1000, 50), content.subarray(1000, 1050))
    })
    expect({ teed, discarded }).to.deep.equal({ teed: 0, discarded: 980 })
  })

  it('begins anew for a window that lies before it', () => {
    sendRange(raw, 500_000, 10)
    const { teed } = cost(() => {
      expectSameBytes(sendRange(raw, 5, 20), content.subarray(5, 25))
    })
    expect(teed).to.equal(25)
  })

  it('tees only up to the end of a window that stands alone', () => {
    expect(cost(() => sendRange(raw, 100, 50))).to.deep.equal({ teed: 150, discarded: 100 })
  })

  it('serves looks and sends alike', () => {
    sendRange(raw, 0, 4096)
    const target = Buffer.alloc(4096)
    raw.copyOut(4096, 4096, target, 0, 'look')
    expectSameBytes(target, content.subarray(4096, 8192))
    const { teed } = cost(() => {
      expectSameBytes(sendRange(raw, 8192, 100_000), content.subarray(8192, 108_192))
      raw.copyOut(108_192, 4096, target, 0, 'look')
    })
    expectSameBytes(target, content.subarray(108_192, 112_288))
    expect(teed).to.equal(0)
  })

  it('is not shared by two sends that are under way', () => {
    sendRange(raw, 0, 10)
    const first = raw.parcel(10, 1000)
    const second = raw.parcel(10, 1000)
    expectSameBytes(readParcel(first, 400), content.subarray(10, 410))
    expectSameBytes(readParcel(second), content.subarray(10, 1010))
    expectSameBytes(sendRange(raw, 410, 600), content.subarray(410, 1010))
  })

  it('stands where a sink stopped, not where the window ended', () => {
    sendRange(raw, 0, 10)
    readParcel(raw.parcel(10, 100_000), 33)
    const { teed } = cost(() => {
      expectSameBytes(sendRange(raw, 43, 100), content.subarray(43, 143))
    })
    expect(teed).to.equal(0)
  })

  it('goes back to the pool with the segment', () => {
    const { live } = counters.snapshot()
    sendRange(raw, 0, 10)
    sendRange(raw, 10, 10)
    raw.release()
    const after = counters.snapshot().live
    const held = (of: typeof live): number => (of['pipes'] ?? 0) - (of['idlePipes'] ?? 0)
    expect(held(after)).to.equal(held(live) - 1)
  })
})

import { expect } from 'chai'
import { counters } from 'splicelist'
import { opened } from '#lib/reactor.js'
import { PipeParcel } from '#lib/raw/parcel.js'
import { SIZES } from '../list/kinds.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsAddon } from '../support/needs.js'
import { givenUp, heldPipes, pipeRaw, readParcel, sendRange } from './pipes.js'
import { PipeRaw } from '#lib/raw/pipe.js'

/** Windows in no order, some of them twice, at and across the borders of pages and pipes. */
const WINDOWS = [
  [1_048_570, 20],
  [0, 1],
  [4095, 2],
  [2_999_999, 1],
  [65_535, 65_538],
  [0, 3_000_000],
  [4096, 4096],
  [0, 1],
  [777_777, 1_500_000],
  [1_048_576, 1_048_576],
  [1_048_570, 20],
] as const
const LENGTH = 3_000_000

/** What a list of the sent windows would be: opening it must be the caller's to release. */
function made(content: Uint8Array): PipeRaw {
  const raw = pipeRaw(content)
  afterwards(() => {
    if (raw.refs > 0) raw.release()
  })
  return raw
}

describe('A window of a pipe segment', () => {
  beforeEach(function () {
    needsAddon(this)
  })

  it('is sent exactly, as often as asked, in any order', () => {
    const content = bytes(1, LENGTH)
    const raw = made(content)
    for (const [offset, length] of WINDOWS) {
      const sent = sendRange(raw, offset, length)
      expectSameBytes(sent, content.subarray(offset, offset + length), `${length} at ${offset}`)
    }
    expectSameBytes(sendRange(raw, 0, LENGTH), content, 'all, afterwards')
  })

  it('is sent by reference: no byte enters the process', () => {
    const raw = made(bytes(2, LENGTH))
    for (const [offset, length] of WINDOWS) {
      const { copied, inspected } = counters.snapshot()
      const parcel = raw.parcel(offset, length)
      expect(parcel).to.be.instanceOf(PipeParcel)
      parcel.close()
      expect(counters.snapshot().copied).to.deep.equal(copied)
      expect(counters.snapshot().inspected).to.equal(inspected)
    }
    expect(raw.looked).to.equal(0)
  })

  it('is sent and looked at by turns', () => {
    const content = bytes(3, LENGTH)
    const raw = made(content)
    for (const [offset, length] of WINDOWS) {
      const target = Buffer.alloc(length)
      raw.copyOut(offset, length, target, 0, 'to-buffer')
      expectSameBytes(target, content.subarray(offset, offset + length), 'looked at')
      const again = sendRange(raw, offset, length)
      expectSameBytes(again, content.subarray(offset, offset + length), 'sent')
    }
  })

  it('goes on where a sink stopped, at any byte', () => {
    const content = bytes(4, 200_000)
    const raw = made(content)
    const parts: Buffer[] = []
    let at = 0
    for (const accepted of [1, 4095, 4096, 0, 65_537, 3, 0, 100_000, 200_000]) {
      if (at === content.length) break
      const part = readParcel(raw.parcel(at, content.length - at), accepted)
      parts.push(part)
      at += part.length
    }
    expectSameBytes(Buffer.concat(parts), content)
  })

  it('is sent to several sinks at the same time', () => {
    const content = bytes(5, 300_000)
    const raw = made(content)
    const first = raw.parcel(10, 200_000)
    const second = raw.parcel(0, 50_000)
    const third = raw.parcel(10, 200_000)
    expect(raw.refs).to.equal(4)
    expectSameBytes(readParcel(second), content.subarray(0, 50_000))
    expectSameBytes(readParcel(third, 1000), content.subarray(10, 1010))
    expectSameBytes(readParcel(first), content.subarray(10, 200_010))
    expectSameBytes(sendRange(raw, 1010, 199_000), content.subarray(1010, 200_010))
    expect(raw.refs).to.equal(1)
  })

  it('outlives the segment, which is released while it is under way', () => {
    const content = bytes(6, 100_000)
    const raw = made(content)
    const parcel = raw.parcel(1, 99_000)
    raw.release()
    expectSameBytes(readParcel(parcel), content.subarray(1, 99_001))
    expect(raw.refs).to.equal(0)
  })

  for (const size of SIZES.filter((each) => each > 0)) {
    it(`is exact in a segment of ${size} bytes`, () => {
      const content = bytes(size, size)
      const raw = made(content)
      expect(raw.length).to.equal(size)
      expectSameBytes(sendRange(raw, 0, size), content)
      expectSameBytes(sendRange(raw, size - 1, 1), content.subarray(size - 1))
      const half = size >>> 1
      expectSameBytes(sendRange(raw, half, size - half), content.subarray(half))
    })
  }

  it('knows no bytes beyond the segment', () => {
    const raw = made(bytes(7, 100))
    expect(() => raw.parcel(100, 1)).to.throw(RangeError)
  })
})

describe('The last holder of a pipe segment', () => {
  beforeEach(function () {
    needsAddon(this)
  })

  it("gives up the segment's own pages: nothing is teed", () => {
    const content = bytes(8, 500_000)
    const raw = made(content)
    const before = counters.snapshot().teed
    const parts: Buffer[] = []
    for (let at = 0; at < content.length;) {
      const part = readParcel(givenUp(raw, at, content.length - at), 70_001)
      parts.push(part)
      at += part.length
    }
    expectSameBytes(Buffer.concat(parts), content)
    expect(counters.snapshot().teed).to.equal(before)
  })

  it('drops what lies before its window', () => {
    const content = bytes(9, 500_000)
    const raw = made(content)
    const parcel = givenUp(raw, 123_456, 100_000)
    expectSameBytes(readParcel(parcel, 100_000).subarray(0, 50), content.subarray(123_456, 123_506))
  })

  it('keeps what was not accepted, to be sent or looked at later', () => {
    const content = bytes(10, 200_000)
    const raw = made(content)
    const sent = readParcel(givenUp(raw, 0, 150_000), 5001)
    expectSameBytes(sent, content.subarray(0, 5001))
    const target = Buffer.alloc(100)
    raw.copyOut(5001, 100, target, 0, 'to-buffer')
    expectSameBytes(target, content.subarray(5001, 5101))
    expectSameBytes(sendRange(raw, 5001, 194_999), content.subarray(5001))
  })

  it('is not the last while another window is held, or under way', () => {
    const content = bytes(11, 200_000)
    const raw = made(content)
    raw.retain()
    expectSameBytes(readParcel(givenUp(raw, 0, 100_000)), content.subarray(0, 100_000))
    expectSameBytes(sendRange(raw, 0, 200_000), content)
    raw.release()
    const underWay = raw.parcel(0, 100_000)
    expectSameBytes(readParcel(givenUp(raw, 0, 200_000), 100_000), content.subarray(0, 100_000))
    expectSameBytes(readParcel(underWay), content.subarray(0, 100_000))
    expectSameBytes(sendRange(raw, 0, 200_000), content)
  })

  it('crosses from pipe to pipe', () => {
    const content = bytes(12, 2_500_000)
    const raw = new PipeRaw(heldPipes(content), 'foreign')
    const parts: Buffer[] = []
    for (let at = 0; at < content.length;) {
      const part = readParcel(givenUp(raw, at, content.length - at))
      parts.push(part)
      at += part.length
    }
    raw.release()
    expectSameBytes(Buffer.concat(parts), content)
    expect(opened().live().jobs).to.equal(0)
  })
})

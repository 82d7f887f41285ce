import { expect } from 'chai'
import { BufferList, counters, InvalidArgumentError, NoPagesError } from 'splicelist'
import { pipeList } from '../raw/pipes.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { hasAddon, needsAddon } from '../support/needs.js'

const PAGE = 4096
const copied = (): number => counters.snapshot().copied['cross-segment'] ?? 0
const slabs = (): number => counters.snapshot().live.slabs ?? 0
const lengths = (list: BufferList): number[] => list.explain().map((row) => row.length)

/** A list that is released after the test. */
function released(...parts: Uint8Array[]): BufferList {
  const list = new BufferList(...parts)
  afterwards(() => list.release())
  return list
}

describe('The alignment of a list', () => {
  it('is known of nothing but pages of ours; an empty list is aligned', function () {
    expect(new BufferList().isAligned(PAGE)).to.equal(true)
    expect(new BufferList().isAlignedSize(PAGE)).to.equal(true)
    expect(released(bytes(1, PAGE)).isAligned(1)).to.equal(false)
    expect(released(bytes(1, PAGE)).isAlignedSize(PAGE)).to.equal(true)
    expect(released(bytes(1, PAGE - 1)).isAlignedSize(PAGE)).to.equal(false)
  })

  it('is made by copying into pages, which are given back', function () {
    needsAddon(this)
    const before = slabs()
    const content = bytes(2, 3 * PAGE + 5)
    const list = released(
      content.subarray(0, 100),
      content.subarray(100, 9000),
      content.subarray(9000),
    )
    const counted = copied()
    expect(list.rebuildAligned(PAGE)).to.equal(true)
    expect(copied() - counted).to.equal(content.length)
    expect(list.isAligned(PAGE)).to.equal(true)
    expect(lengths(list)).to.deep.equal([content.length])
    expect(list.explain()[0]).to.include({ kind: 'pages', pages: 'owned', refs: 1 })
    expectSameBytes(list.toBuffer(), content)
    expect(slabs()).to.equal(before + 1)
    list.release()
    expect(slabs()).to.equal(before)
  })

  it('leaves segments that comply where they are', function () {
    needsAddon(this)
    const list = released(bytes(3, 2 * PAGE))
    list.rebuildAligned(PAGE)
    const view = list.cStr(0, 10)
    const { buffer, byteOffset } = view
    list
      .append(bytes(4, 100))
      .append(bytes(5, PAGE - 100))
      .append(bytes(6, 7))
    const counted = copied()
    expect(list.rebuildAligned(PAGE)).to.equal(true)
    expect(copied() - counted).to.equal(PAGE + 7)
    expect(lengths(list)).to.deep.equal([2 * PAGE, PAGE, 7])
    expect(list.cStr(0, 10).buffer).to.equal(buffer)
    expect(list.cStr(0, 10).byteOffset).to.equal(byteOffset)
    expectSameBytes(
      list.toBuffer(),
      Buffer.concat([bytes(3, 2 * PAGE), bytes(4, 100), bytes(5, PAGE - 100), bytes(6, 7)]),
    )
    expect(list.truncate(3 * PAGE).rebuildAligned(PAGE)).to.equal(false)
  })

  it('honours windows: a part of a page is aligned to what its offset is', function () {
    needsAddon(this)
    const list = released(bytes(7, 2 * PAGE))
    list.rebuildAligned(PAGE)
    list.consume(512)
    expect(list.isAligned(512)).to.equal(true)
    expect(list.isAligned(1024)).to.equal(false)
    expect(list.isAlignedSize(512)).to.equal(true)
    expect(list.rebuildAligned(512)).to.equal(false)
    expect(list.rebuildAligned(1024)).to.equal(true)
    expectSameBytes(list.toBuffer(), bytes(7, 2 * PAGE).subarray(512))
  })

  it('reads what lies in pipes and zeros, and sends what it made', async function () {
    needsAddon(this)
    const list = pipeList(bytes(8, 5000))
    list.appendZero(3192).appendUInt8(9)
    list.rebuildAligned(512)
    expect(list.isAligned(512)).to.equal(true)
    expectSameBytes(list.toBuffer(0, 5000), bytes(8, 5000))
    using zeros = list.substr(5000, 3192)
    expect(zeros.isZero()).to.equal(true)
    expect(await list.spliceTo({ file: '/dev/null' })).to.equal(8193)
  })

  it('ends the views of pages with the last list that holds them', function () {
    needsAddon(this)
    const list = released(bytes(9, 100))
    list.rebuildAligned(1)
    const part = list.substr(10, 10)
    const view = part.cStr()
    list.release()
    expectSameBytes(view, bytes(9, 100).subarray(10, 20))
    part.release()
    expect(view.length).to.equal(0)
  })

  it('is a power of two up to a page', () => {
    const list = released(bytes(1, 10))
    for (const wrong of [0, 3, -2, 8192, 1.5, NaN, '512', undefined]) {
      for (const call of ['isAligned', 'isAlignedSize', 'rebuildAligned'] as const) {
        expect(() => list[call](wrong as number)).to.throw(InvalidArgumentError, 'power of two')
      }
    }
    expectSameBytes(list.toBuffer(), bytes(1, 10))
  })

  it('cannot be made without the addon, and nothing changes', function () {
    if (hasAddon) this.skip()
    const list = released(bytes(1, 10))
    expect(() => list.rebuildAligned(16)).to.throw(NoPagesError)
    expectSameBytes(list.toBuffer(), bytes(1, 10))
  })
})

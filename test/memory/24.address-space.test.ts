import { expect } from 'chai'
import { BufferList, counters, NotLoadedError } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { hasAddon, needsAddon, needsPages } from '../support/needs.js'
import { pipeList } from '../raw/pipes.js'
import { accounted } from '../transfer/account.js'
import { fileOf, taker } from '../transfer/places.js'
import { filledPages } from './producers.js'

/** Slabs that are leased now. */
const leased = (): number => counters.snapshot().live['slabs'] ?? 0

/** Borders of a block, of a recycled slab, of a pipe, and several of each. */
const LENGTHS = [1, 4097, 65_536, 65_537, 1_048_577, 4_194_304, 4_194_305, 9_000_001]

describe('A list that is pushed into an address space, by cStr()', () => {
  for (const length of LENGTHS) {
    it(`is one view of its ${length} bytes in pipes, and can still be sent by reference`, async function () {
      needsPages(this)
      const content = bytes(length, length)
      const list = pipeList(content)
      const before = leased()
      const { account, result: view } = await accounted(() => list.cStr())
      expect(view.length).to.equal(length)
      expectSameBytes(view, content)
      // One mapping for all of it, of pages that begin at a page.
      expect(leased()).to.equal(before + 1)
      expect(view.byteOffset % 4096).to.equal(0)
      expect(Object.values(account.copied).reduce((sum, n) => sum + n, 0)).to.be.within(
        length,
        length + 65_536,
      )
      expect(list.explain().every(({ kind }) => kind === 'pipe')).to.equal(true)
      const place = await taker('unix')
      const { account: sent } = await accounted(async () => {
        const sink = await place.open()
        const [taken] = await Promise.all([place.taken(length), list.spliceTo(sink)])
        expectSameBytes(taken, content)
      })
      expect(sent.moved).to.be.at.least(length)
      expect(sent.copied).to.deep.equal({})
      // Sending ends no view.
      expectSameBytes(view, content)
      list.release()
      expect(view.length).to.equal(0)
      expect(leased()).to.equal(before)
    })
  }

  it('takes nothing until it is asked for, and then what was asked for', function () {
    needsAddon(this)
    const content = bytes(1, 5_000_000)
    const list = pipeList(content)
    const before = leased()
    const part = list.substr(1_048_570, 20)
    expect(leased()).to.equal(before)
    expectSameBytes(part.cStr(), content.subarray(1_048_570, 1_048_590))
    part.release()
    expectSameBytes(list.cStr(4_999_990, 10), content.subarray(4_999_990))
    const inspected = list.explain().reduce((sum, { looked }) => sum + looked, 0)
    expect(inspected).to.be.below(1_000_000)
    list.release()
    expect(leased()).to.equal(before)
  })

  it('of many segments of every kind is one view: pipes, pages, memory and zeros', () => {
    const parts = [
      bytes(1, 70_000),
      bytes(2, 100_000),
      Buffer.alloc(5000),
      bytes(3, 9),
      bytes(4, 300_000),
    ] as const
    const lent = filledPages(4, 300_000).loan()
    using list = new BufferList()
    if (hasAddon) list.claimAppend(pipeList(parts[0]))
    else list.append(parts[0])
    list.claimAppend(filledPages(2, 100_000).gift())
    list.appendZero(5000).append(parts[3]).claimAppend(lent.list)
    const all = Buffer.concat(parts)
    const view = list.cStr()
    expectSameBytes(view, all)
    for (const [from, n] of [
      [69_990, 20],
      [0, 1],
      [170_000, 5009],
      [175_000, 300_009],
    ] as const) {
      expectSameBytes(list.cStr(from, n), all.subarray(from, from + n))
    }
    // None of them ended another.
    expectSameBytes(view, all)
    if (hasAddon) {
      list.append('more')
      expect(view.length).to.equal(0)
    }
  })

  it('of a file is not read before it was loaded, and only what was', async () => {
    const content = bytes(5, 3_000_000)
    const { path } = await fileOf(content)
    using list = await BufferList.fromFile(path)
    expect(() => list.cStr()).to.throw(NotLoadedError)
    const before = leased()
    await list.load(1000, 10)
    expectSameBytes(list.cStr(1000, 10), content.subarray(1000, 1010))
    expect(() => list.cStr(1000, 11)).to.throw(NotLoadedError)
    expect(leased()).to.equal(before)
    await list.load()
    expectSameBytes(list.cStr(), content)
    using two = new BufferList(list, list)
    const view = two.cStr()
    expectSameBytes(view, Buffer.concat([content, content]))
    const { account } = await accounted(async () => {
      const place = await taker('unix')
      const sink = await place.open()
      const [taken] = await Promise.all([place.taken(6_000_000), two.spliceTo(sink)])
      expectSameBytes(taken, view)
    })
    if (hasAddon && process.env['SPLICELIST_MODE'] !== 'copy') {
      expect(account.moved).to.equal(6_000_000)
    }
  })

  it('of nothing is empty', () => {
    expect(new BufferList().cStr().length).to.equal(0)
  })
})

import { expect } from 'chai'
import {
  allocPages,
  InvalidArgumentError,
  NoPagesError,
  ReleasedError,
  SplicelistError,
} from 'splicelist'
import { addon } from '#lib/native.js'
import { needsAddon } from '../support/needs.js'
import { script } from '../native/door.js'
import { accounted } from '../transfer/account.js'
import { filledPages } from './producers.js'

describe('Pages of our own', () => {
  it('have the length that was asked for, and are zero and writable at first', () => {
    for (const length of [0, 1, 4095, 4096, 4097, 1_048_577]) {
      using pages = allocPages(length)
      expect(pages.bytes.length).to.equal(length)
      expect(pages.bytes.every((byte) => byte === 0)).to.equal(true)
      pages.bytes.fill(7)
    }
  })

  it('refuse a length that is none, before any memory is taken', () => {
    for (const wrong of [-1, 1.5, NaN, 2 ** 53, Infinity, '4096', undefined, null]) {
      expect(() => allocPages(wrong as number), String(wrong)).to.throw(InvalidArgumentError)
    }
  })

  it('refuse more than any machine has with an error of their own', () => {
    expect(() => allocPages(2 ** 52)).to.throw(NoPagesError)
  })

  it('are given back by release(), which ends the view, and once', () => {
    const before = addon?.live().slabs
    const pages = allocPages(10_000)
    const { bytes } = pages
    pages.release()
    pages.release()
    expect(bytes.length).to.equal(0)
    expect(addon?.live().slabs).to.equal(before)
    for (const use of [() => pages.gift(), () => pages.loan()]) {
      expect(use).to.throw(ReleasedError, 'given away or released')
    }
  })

  it('are given once, and not used again', () => {
    const pages = filledPages(1, 10_000)
    using list = pages.gift()
    expect(list.length).to.equal(10_000)
    expect(pages.bytes.length).to.equal(0)
    expect(() => pages.gift()).to.throw(ReleasedError, 'Allocate new pages')
    expect(() => pages.loan()).to.throw(ReleasedError)
    pages.release()
    expect(list.length).to.equal(10_000)
  })

  it('are not given or lent while they are lent', async () => {
    const pages = filledPages(2, 10_000)
    const { list, returned } = pages.loan()
    for (const use of [() => pages.gift(), () => pages.loan()]) {
      expect(use).to.throw(InvalidArgumentError, 'await `returned`')
      expect(use).to.throw(SplicelistError)
    }
    list.release()
    await returned
    pages.gift().release()
  })

  it('cannot be given when the program has moved the memory elsewhere', function () {
    const pages = filledPages(3, 10_000)
    const taken = moved(pages.bytes.buffer as ArrayBuffer)
    // Node 20 can move only memory of its own.
    if (pages.bytes.length > 0) this.skip()
    expect(() => pages.gift()).to.throw(ReleasedError, 'transferred')
    expect(() => pages.loan()).to.throw(ReleasedError, 'transferred')
    pages.release()
    // It is theirs, and stays.
    taken.fill(9)
    expect(taken[9_999]).to.equal(9)
  })

  it('are plain memory where none can be mapped, counted', async function () {
    needsAddon(this)
    script({ call: 'mmap', errno: 12 })
    const { result: pages, account } = await accounted(() => allocPages(5000))
    expect(account.fallbacks).to.deep.equal({ 'mmap:ENOMEM': 1 })
    pages.bytes.fill(5)
    const { bytes } = pages
    using list = pages.gift()
    expect(bytes.length).to.equal(0)
    expect(list.explain()).to.deep.equal([
      { kind: 'heap', length: 5000, pages: null, refs: null, looked: 0 },
    ])
    expect(list.byteAt(4999)).to.equal(5)
  })
})

/** The memory of a buffer, in another that takes its place, where the engine can do that. */
function moved(buffer: ArrayBuffer): Uint8Array {
  const { transfer } = buffer as { transfer?: () => ArrayBuffer }
  return new Uint8Array(transfer?.call(buffer) ?? structuredClone(buffer, { transfer: [buffer] }))
}

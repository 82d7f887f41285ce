import { expect } from 'chai'
import { BufferList, counters } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { KINDS } from './kinds.js'

const compacted = (): number => counters.snapshot().copied.compact ?? 0

describe('Memory that a list keeps alive', () => {
  it('is wasted where it is more than the list holds, each buffer counted once', () => {
    const large = bytes(1, 100_000)
    const list = new BufferList(
      large.subarray(0, 100),
      large.subarray(500, 600),
      new Uint8Array(10),
    )
    expect(list.wastedBytes()).to.equal(99_800)
    expect(new BufferList(large).wastedBytes()).to.equal(0)
    expect(new BufferList(large, large).wastedBytes()).to.equal(0)
    expect(new BufferList().wastedBytes()).to.equal(0)
  })

  it('is let go by compact, which copies the small views and those alone', () => {
    const large = bytes(1, 100_000)
    const half = bytes(2, 1000)
    const list = new BufferList('head')
    list
      .append(large.subarray(7, 107))
      .append(half.subarray(0, 500))
      .append(large.subarray(500, 600))
    const content = list.toBuffer()
    const before = compacted()
    list.compact()
    expect(compacted() - before).to.equal(4 + 100 + 100)
    expectSameBytes(list.toBuffer(), content)
    expect(list.wastedBytes()).to.equal(500)
    expect(list.cStr(104, 500).buffer).to.equal(half.buffer)
    list.append('tail')
    expect(list.toString('utf8', 704)).to.equal('tail')
  })

  it('compact copies nothing that fills half of its buffer', () => {
    const before = compacted()
    const memory = bytes(3, 1000)
    const list = new BufferList(memory.subarray(0, 500)).compact()
    expect(compacted()).to.equal(before)
    expect(list.cStr().buffer).to.equal(memory.buffer)
    new BufferList(memory.subarray(0, 499)).compact()
    expect(compacted() - before).to.equal(499)
  })

  for (const kind of KINDS) {
    it(`compact leaves the bytes and the references of ${kind.name} as they are`, async function () {
      kind.check(this)
      const content = bytes(4, 100_001)
      const list = await kind.make(content)
      const refs = (): number[] => list.explain().flatMap(({ refs: n }) => n ?? [])
      const before = refs()
      list.compact()
      expect(refs()).to.deep.equal(before)
      expectSameBytes(list.toBuffer(), content)
    })
  }
})

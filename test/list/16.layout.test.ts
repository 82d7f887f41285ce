import { expect } from 'chai'
import { BufferList, counters } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { KINDS } from './kinds.js'

describe('The layout of a list', () => {
  it('is contiguous with one segment or none', () => {
    expect(new BufferList().isContiguous()).to.equal(true)
    expect(new BufferList('a').isContiguous()).to.equal(true)
    expect(new BufferList(Buffer.from('a'), Buffer.from('b')).isContiguous()).to.equal(false)
    expect(new BufferList(Buffer.from('a'), Buffer.from('b')).consume(1).isContiguous()).to.equal(
      true,
    )
  })

  it('counts segments, none of which is empty', () => {
    const list = new BufferList(Buffer.from('ab'), Buffer.from('cd'), Buffer.from('ef'))
    expect(list.numBuffers).to.equal(3)
    list.splice(1, 4)
    expect(list.explain().map((row) => row.length)).to.deep.equal([1, 1])
    list.truncate(1)
    expect(list.numBuffers).to.equal(1)
    expect(list.consume(1).numBuffers).to.equal(0)
  })

  it('leaves nothing behind in an empty list that is rebuilt', () => {
    expect(new BufferList().rebuild().numBuffers).to.equal(0)
  })

  for (const kind of KINDS) {
    it(`rebuild makes one segment of memory out of ${kind.name}, counted`, async function () {
      kind.check(this)
      const content = bytes(30, 100_001)
      const list = await kind.make(content)
      const before = counters.snapshot().copied['cross-segment'] ?? 0
      list.rebuild()
      expect((counters.snapshot().copied['cross-segment'] ?? 0) - before).to.equal(100_001)
      expect(list.explain()).to.deep.equal([
        { kind: 'heap', length: 100_001, pages: null, refs: null, looked: 0 },
      ])
      expectSameBytes(list.cStr(), content)
    })
  }
})

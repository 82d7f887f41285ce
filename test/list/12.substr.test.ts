import { expect } from 'chai'
import { BufferList, counters, InvalidArgumentError } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { KINDS } from './kinds.js'

/** Ranges that begin and end at, before and behind the borders of pages, blocks and pipes. */
const RANGES = [
  [0, 0],
  [0, 1],
  [1, 4095],
  [4095, 2],
  [4096, 4096],
  [4097, 65536],
  [65535, 65537],
  [65537, 1],
  [1_048_575, 2],
  [1_048_000, 65_536],
  [3, 1_200_000],
  [1_199_999, 4],
] as const
const LENGTH = 1_200_003

describe('substr: a part of a list', () => {
  it('means all that follows without a length, and all without an offset', () => {
    const list = new BufferList('abc', 'def')
    expect(list.substr().toString()).to.equal('abcdef')
    expect(list.substr(2).toString()).to.equal('cdef')
    expect(list.substr(6).length).to.equal(0)
    expect(list.substr(3, 0).numBuffers).to.equal(0)
  })

  it('refuses a range that does not lie inside', () => {
    const list = new BufferList('abc')
    for (const [offset, length] of [[4], [0, 4], [3, 1], [2, 2]] as const) {
      expect(() => list.substr(offset, length)).to.throw(InvalidArgumentError)
    }
  })

  it('takes only the segments that it touches', () => {
    const list = new BufferList(
      Buffer.from('aa'),
      Buffer.from('bb'),
      Buffer.from('cc'),
      Buffer.from('dd'),
    )
    expect(list.substr(3, 2).numBuffers).to.equal(2)
    expect(list.substr(2, 4).numBuffers).to.equal(2)
    expect(
      list
        .substr(2, 1)
        .explain()
        .map((row) => row.length),
    ).to.deep.equal([1])
  })

  for (const kind of KINDS) {
    describe(`of a list in ${kind.name}`, () => {
      it('has exactly its bytes', async function () {
        kind.check(this)
        const content = bytes(12, LENGTH)
        const list = await kind.make(content)
        for (const [offset, length] of RANGES) {
          using part = list.substr(offset, length)
          expect(part.length).to.equal(length)
          const expected = content.subarray(offset, offset + length)
          expectSameBytes(part.toBuffer(), expected, `${length} bytes at ${offset}`)
        }
      })

      it('has exactly its bytes when it is cut out of a part of a part', async function () {
        kind.check(this)
        const content = bytes(13, LENGTH)
        const list = await kind.make(content)
        using half = list.substr(4095, 1_100_000)
        using third = half.substr(65_536, 900_001)
        using rest = third.substr(1)
        const from = 4095 + 65_536 + 1
        expectSameBytes(rest.toBuffer(), content.subarray(from, from + 900_000))
        expect(rest.byteAt(0)).to.equal(content[from])
      })

      it('outlives the list that it was cut out of', async function () {
        kind.check(this)
        const content = bytes(14, 100_000)
        const list = await kind.make(content)
        using part = list.substr(33, 70_000)
        list.release()
        expectSameBytes(part.toBuffer(), content.subarray(33, 70_033))
      })

      it('stays as it is when the list is changed, and the other way round', async function () {
        kind.check(this)
        const content = bytes(15, 100_000)
        const list = await kind.make(content)
        using part = list.substr(10, 50_000)
        list.consume(20_000).append('behind')
        part.truncate(49_999).prepend('before')
        expectSameBytes(part.toBuffer(6), content.subarray(10, 50_009))
        expectSameBytes(list.toBuffer(0, 80_000), content.subarray(20_000))
      })

      it('copies and reads nothing', async function () {
        kind.check(this)
        const list = await kind.make(bytes(16, LENGTH))
        const { copied, inspected, teed } = counters.snapshot()
        using part = list.substr(5, 1_000_000)
        part.substr(70_000).release()
        const after = counters.snapshot()
        expect(after.copied).to.deep.equal(copied)
        expect([after.inspected, after.teed]).to.deep.equal([inspected, teed])
      })
    })
  }
})

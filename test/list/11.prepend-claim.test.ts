import { expect } from 'chai'
import { BufferList } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { KINDS } from './kinds.js'

describe('Adding at the front, and moving lists', () => {
  it('prepends bytes, strings and lists in their order', () => {
    const list = new BufferList('d').prepend('c').prepend(new BufferList('a', 'b'))
    expect(list.toString()).to.equal('abcd')
    expect(list.numBuffers).to.equal(3)
  })

  it('prepends a list to itself', () => {
    const list = new BufferList('ab', 'cd')
    list.prepend(list)
    expect(list.toString()).to.equal('abcdabcd')
  })

  it('prepends into the room that consumed segments left', () => {
    const list = new BufferList('a', 'b', 'c', 'd')
    list.consume(3).prepend('C').prepend('B').prepend('A').prepend('0')
    expect(list.toString()).to.equal('0ABCd')
    expect([0, 1, 2, 3, 4].map((i) => list.byteAt(i))).to.deep.equal([...Buffer.from('0ABCd')])
    list.consume(4)
    expect(list.toString()).to.equal('d')
  })

  it('moves all of another list to the end by claimAppend, and empties it', () => {
    const other = new BufferList('cd', 'ef')
    const list = new BufferList('ab').claimAppend(other)
    expect(list.toString()).to.equal('abcdef')
    expect(other.length).to.equal(0)
    other.append('again')
    expect(other.toString()).to.equal('again')
    expect(list.toString()).to.equal('abcdef')
  })

  it('leaves a list that claims itself as it is', () => {
    const list = new BufferList('ab', 'cd')
    expect(list.claimAppend(list).toString()).to.equal('abcd')
  })

  it('ends the views of both lists by claimAppend', async function () {
    const pipes = KINDS[2]
    if (pipes === undefined) throw new Error('There are no pipes among the kinds')
    pipes.check(this)
    const [one, other] = [await pipes.make(bytes(1, 5000)), await pipes.make(bytes(2, 5000))]
    const views = [one.cStr(), other.cStr()]
    one.claimAppend(other)
    expect(views.map((view) => view.length)).to.deep.equal([0, 0])
    expectSameBytes(one.toBuffer(), Buffer.concat([bytes(1, 5000), bytes(2, 5000)]))
  })

  for (const kind of KINDS) {
    it(`moves ${kind.name} without a second reference`, async function () {
      kind.check(this)
      const content = bytes(6, 200_001)
      const from = await kind.make(content)
      const refs = from.explain().map((row) => row.refs)
      using to = new BufferList().claimAppend(from)
      expect(from.explain()).to.deep.equal([])
      expect(to.explain().map((row) => row.refs)).to.deep.equal(refs)
      to.prepend('x')
      expectSameBytes(to.toBuffer(1), content)
      from.release()
      expectSameBytes(to.toBuffer(1), content)
    })
  }
})

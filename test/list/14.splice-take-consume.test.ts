import { expect } from 'chai'
import { BufferList } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { KINDS } from './kinds.js'

describe('Cutting a list', () => {
  it('splice takes a range out, puts another in its place and returns what was there', () => {
    const list = new BufferList('abc', 'def', 'ghi')
    const removed = list.splice(2, 5, 'XY')
    expect(removed.toString()).to.equal('cdefg')
    expect(list.toString()).to.equal('abXYhi')
    expect(list.splice(6, 0, '!').length).to.equal(0)
    expect(list.splice(0, 0, new BufferList('<', '>')).length).to.equal(0)
    expect(list.toString()).to.equal('<>abXYhi!')
    expect(list.splice(0, list.length).toString()).to.equal('<>abXYhi!')
    expect(list.length).to.equal(0)
  })

  it('splice keeps the list that it puts in, also when that is the list itself', () => {
    const list = new BufferList('ab', 'cd')
    expect(list.splice(1, 2, list).toString()).to.equal('bc')
    expect(list.toString()).to.equal('aabcdd')
    const part = new BufferList('12')
    list.splice(0, 1, part)
    expect(part.toString()).to.equal('12')
  })

  it('splice puts in a list of more segments than a function takes arguments', () => {
    const many = new BufferList()
    for (let i = 0; i < 200_000; i++) many.append(Buffer.of(i & 255))
    const list = new BufferList('ab')
    list.splice(1, 0, many)
    expect(list.length).to.equal(200_002)
    expect(list.byteAt(200_001)).to.equal(0x62)
  })

  it('take moves bytes from the front, consume drops them, truncate drops the rest', () => {
    const list = new BufferList('abc', 'def', 'ghi')
    expect(list.take(4).toString()).to.equal('abcd')
    expect(list.consume(1).toString()).to.equal('fghi')
    expect(list.truncate(2).toString()).to.equal('fg')
    expect(list.take(0).length).to.equal(0)
    expect(list.consume(0).truncate(2).toString()).to.equal('fg')
    expect(list.consume(2).length).to.equal(0)
    expect(list.numBuffers).to.equal(0)
  })

  it('finds every byte after any number of segments were consumed and added', () => {
    const content = bytes(3, 20_000)
    const list = new BufferList()
    let consumed = 0
    for (let added = 0; added < content.length; added += 5) {
      list.append(Buffer.from(content.subarray(added, added + 5)))
      if (added % 3 === 0) {
        list.consume(3)
        consumed += 3
      }
      expect(list.byteAt(0)).to.equal(content[consumed])
      expect(list.byteAt(list.length - 1)).to.equal(content[added + 4])
    }
    expectSameBytes(list.toBuffer(), content.subarray(consumed))
  })

  for (const kind of KINDS) {
    describe(`in ${kind.name}`, () => {
      it('take returns the front and leaves the rest, at any length', async function () {
        kind.check(this)
        const content = bytes(20, 1_048_600)
        const list = await kind.make(content)
        let at = 0
        for (const length of [0, 1, 4095, 4096, 4097, 65_535, 65_537, 500_000]) {
          using taken = list.take(length)
          expectSameBytes(taken.toBuffer(), content.subarray(at, at + length), `${length} taken`)
          at += length
          expect(list.length).to.equal(content.length - at)
        }
        expectSameBytes(list.toBuffer(), content.subarray(at), 'the rest')
      })

      it('splice cuts a range out of the middle and puts another in', async function () {
        kind.check(this)
        const content = bytes(21, 300_000)
        const list = await kind.make(content)
        using cut = list.splice(65_535, 131_073, Buffer.from('between'))
        expectSameBytes(cut.toBuffer(), content.subarray(65_535, 196_608), 'what was cut out')
        const left = [
          content.subarray(0, 65_535),
          Buffer.from('between'),
          content.subarray(196_608),
        ]
        expectSameBytes(list.toBuffer(), Buffer.concat(left), 'what was left')
        list.splice(65_535, 7, cut)
        expectSameBytes(list.toBuffer(), content, 'what was put back')
      })

      it('consume and truncate leave the middle', async function () {
        kind.check(this)
        const content = bytes(22, 200_000)
        const list = await kind.make(content)
        list.consume(4097).truncate(100_000).consume(61_439)
        expectSameBytes(list.toBuffer(), content.subarray(65_536, 104_097))
      })
    })
  }
})

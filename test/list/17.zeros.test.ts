import { expect } from 'chai'
import { BufferList, InvalidArgumentError } from 'splicelist'
import { expectSameBytes } from '../support/first-difference.js'

describe('Zeros in a list', () => {
  it('are added at either end, and have no memory behind them', () => {
    const before = process.memoryUsage().arrayBuffers
    const list = new BufferList('ab').appendZero(2 ** 40).prependZero(2 ** 40)
    expect(list.length).to.equal(2 ** 41 + 2)
    expect(list.byteAt(2 ** 40 - 1)).to.equal(0)
    expect(list.byteAt(2 ** 40)).to.equal(0x61)
    expect(list.byteAt(2 ** 41 + 1)).to.equal(0)
    expect(list.explain().map((row) => row.kind)).to.deep.equal(['zero', 'heap', 'zero'])
    expect(process.memoryUsage().arrayBuffers - before).to.be.below(1 << 20)
  })

  it('join with the zeros beside them', () => {
    const list = new BufferList().appendZero(3).appendZero(4).prependZero(5)
    expect(list.numBuffers).to.equal(1)
    list.claimAppend(new BufferList().appendZero(1))
    expect(list.explain()).to.deep.equal([
      { kind: 'zero', length: 13, pages: null, refs: null, looked: 0 },
    ])
    expect(list.appendZero(0).numBuffers).to.equal(1)
  })

  it('read, cut and compare as bytes do', () => {
    const list = new BufferList('a').appendZero(200_000).append('b')
    const flat = Buffer.concat([Buffer.from('a'), Buffer.alloc(200_000), Buffer.from('b')])
    expectSameBytes(list.toBuffer(), flat)
    expect(list.equals(flat)).to.equal(true)
    expect(list.indexOf('\0\0b')).to.equal(199_999)
    expect(list.crc32c(7)).to.equal(new BufferList(flat).crc32c(7))
    using middle = list.substr(1, 200_000)
    expect(middle.isZero()).to.equal(true)
    expect(middle.numBuffers).to.equal(1)
    expect(list.isZero()).to.equal(false)
    expectSameBytes(list.cStr(199_999, 3), Buffer.from('\0\0b', 'latin1'))
    expect(Buffer.concat([...list]).equals(flat)).to.equal(true)
    expect(list.cursor(1).readUInt32LE()).to.equal(0)
  })

  it('that somebody writes into are no hole in another list', () => {
    const list = new BufferList().appendZero(100_000)
    list.cStr(0, 10).fill(1)
    for (const view of list) view.fill(2)
    expect(list.isZero()).to.equal(true)
    expect(new BufferList().appendZero(10).toBuffer().equals(Buffer.alloc(10))).to.equal(true)
  })

  it('are asked for in whole bytes', () => {
    const list = new BufferList('a')
    for (const wrong of [-1, 0.5, NaN, 2 ** 53, '4', undefined]) {
      expect(() => list.appendZero(wrong as number)).to.throw(InvalidArgumentError)
      expect(() => list.prependZero(wrong as number)).to.throw(InvalidArgumentError)
    }
    expect(list.toString()).to.equal('a')
  })

  it('isZero tells zeros of memory too, and of the first byte that is none', () => {
    expect(new BufferList().isZero()).to.equal(true)
    for (const size of [1, 7, 8, 9, 4096, 70_000]) {
      const memory = Buffer.alloc(size)
      const list = new BufferList(memory, Buffer.alloc(3))
      expect(list.isZero(), `${size}`).to.equal(true)
      memory[size - 1] = 1
      expect(list.isZero(), `${size}`).to.equal(false)
    }
  })
})

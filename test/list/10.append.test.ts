import { expect } from 'chai'
import { BufferList, counters } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { KINDS, SIZES } from './kinds.js'

describe('Building a list', () => {
  it('begins empty', () => {
    const list = new BufferList()
    expect(list.length).to.equal(0)
    expect(list.numBuffers).to.equal(0)
    expect(list.toBuffer()).to.have.length(0)
    expect([...list]).to.deep.equal([])
  })

  it('takes parts in order from the constructor, and from an iterable', () => {
    const parts = ['head', Buffer.from([0, 1]), new BufferList('tail')] as const
    expect(new BufferList(...parts).toString('latin1')).to.equal('head\0\x01tail')
    expect(BufferList.from(parts).toString('latin1')).to.equal('head\0\x01tail')
    expect(BufferList.from(new Set(['a', 'b'])).toString()).to.equal('ab')
    expect(BufferList.from([]).length).to.equal(0)
  })

  it('takes one part by from() as a whole: a string is no list of characters', () => {
    expect(BufferList.from('smörgås').numBuffers).to.equal(1)
    expect(BufferList.from(Buffer.from('ab')).toString()).to.equal('ab')
    const list = new BufferList('x', 'y')
    const again = BufferList.from(list)
    expect(again).not.to.equal(list)
    expect(again.toString()).to.equal('xy')
    expect(list.toString()).to.equal('xy')
  })

  it('takes more parts than a function takes arguments', () => {
    const parts = Array.from({ length: 200_000 }, (_, i) => Buffer.of(i & 255))
    const list = BufferList.from(parts)
    expect(list.length).to.equal(200_000)
    expect(list.byteAt(199_999)).to.equal(199_999 & 255)
  })

  describe('append', () => {
    it('shares the bytes that it is given: memory changed afterwards shows', () => {
      const shared = Buffer.from('before')
      const list = new BufferList().append(shared)
      shared.write('B', 0)
      expect(list.toString()).to.equal('Before')
      expect(list.cStr().buffer).to.equal(shared.buffer)
    })

    it('copies nothing', () => {
      const before = counters.snapshot().copied
      const list = new BufferList(bytes(1, 5 << 20))
      list.append(bytes(2, 1)).append(new BufferList(bytes(3, 70_000)))
      expect(counters.snapshot().copied).to.deep.equal(before)
    })

    it('encodes a string as UTF-8, and counts that', () => {
      const before = counters.snapshot().copied.encode ?? 0
      const list = new BufferList().append('Größe 😀')
      expectSameBytes(list.toBuffer(), Buffer.from('Größe 😀', 'utf8'))
      expect((counters.snapshot().copied.encode ?? 0) - before).to.equal(12)
    })

    it('honours a view that begins inside its memory', () => {
      const memory = bytes(4, 10_000)
      const list = new BufferList(memory.subarray(3, 4100), new Uint8Array(memory.buffer, 5, 2))
      expectSameBytes(
        list.toBuffer(),
        Buffer.concat([memory.subarray(3, 4100), memory.subarray(5, 7)]),
      )
    })

    it('leaves a list that is appended to its owner, and takes nothing from it', () => {
      const part = new BufferList('shared')
      const list = new BufferList('is ').append(part).append(part)
      expect(part.toString()).to.equal('shared')
      part.consume(3)
      expect(list.toString()).to.equal('is sharedshared')
      list.consume(5)
      expect(part.toString()).to.equal('red')
    })

    it('doubles a list that is appended to itself', () => {
      const list = new BufferList('ab', 'cd')
      list.append(list)
      expect(list.toString()).to.equal('abcdabcd')
      list.append(list)
      expect(list.length).to.equal(16)
    })

    it('adds no segment for nothing', () => {
      const list = new BufferList('', Buffer.alloc(0), new BufferList())
      expect(list.numBuffers).to.equal(0)
      list.append('x').append('').prepend(new Uint8Array(0)).claimAppend(new BufferList())
      expect(list.numBuffers).to.equal(1)
    })

    it('joins windows that follow each other in their segment', () => {
      const whole = new BufferList(bytes(5, 9000))
      const halves = new BufferList(whole.substr(0, 4097), whole.substr(4097))
      expect(halves.numBuffers).to.equal(1)
      expectSameBytes(halves.toBuffer(), bytes(5, 9000))
      const swapped = new BufferList(whole.substr(4097), whole.substr(0, 4097))
      expect(swapped.numBuffers).to.equal(2)
      const apart = new BufferList(whole.substr(0, 4096), whole.substr(4097))
      expect(apart.numBuffers).to.equal(2)
      expectSameBytes(apart.toBuffer(4090, 12), apart.toBuffer().subarray(4090, 4102))
    })

    for (const kind of KINDS) {
      it(`takes a list in ${kind.name}, of any size`, async function () {
        kind.check(this)
        for (const size of SIZES) {
          const part = await kind.make(bytes(size, size))
          using list = new BufferList('<').append(part).append('>')
          expect(list.length).to.equal(size + 2)
          expectSameBytes(list.toBuffer(1, size), bytes(size, size), `${size} bytes`)
          expect(list.byteAt(size + 1)).to.equal(0x3e)
          part.release()
        }
      })
    }
  })

  describe('appendCopy', () => {
    it('copies, so that a scratch buffer may be used again', () => {
      const scratch = Buffer.from('first')
      const list = new BufferList().appendCopy(scratch)
      scratch.write('other')
      list.appendCopy(scratch)
      expect(list.toString()).to.equal('firstother')
    })

    it('counts what it copies, by its cause', () => {
      const before = counters.snapshot().copied
      new BufferList().appendCopy(bytes(1, 12_345)).appendCopy('ü')
      const after = counters.snapshot().copied
      expect((after['append-copy'] ?? 0) - (before['append-copy'] ?? 0)).to.equal(12_345)
      expect((after.encode ?? 0) - (before.encode ?? 0)).to.equal(2)
    })

    it('is the way in for memory that append refuses', () => {
      const shared = new Uint8Array(new SharedArrayBuffer(4)).fill(7)
      const resizable = new Uint8Array(new ArrayBuffer(3, { maxByteLength: 9 })).fill(8)
      const list = new BufferList().appendCopy(shared).appendCopy(resizable)
      shared.fill(0)
      resizable.buffer.resize(1)
      expect(list.toString('hex')).to.equal('07070707080808')
    })
  })
})

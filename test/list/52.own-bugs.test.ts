/** What random sequences, and reading, have found in our own list: that it does not come back. */
import { expect } from 'chai'
import { BufferList, InvalidArgumentError, ReleasedError } from 'splicelist'
import { expectSameBytes } from '../support/first-difference.js'

describe('Memory that somebody wants back', () => {
  const block = (onRelease: () => void): BufferList =>
    BufferList.adopt(Buffer.from('abc'), onRelease)

  it('may be used for the same list again, as soon as it is back', () => {
    const list: BufferList = block(() => list.append(Buffer.from('more')))
    list.append(Buffer.from('x'))
    list.consume(3)
    expect(list.toString()).to.equal('xmore')
    expect(list.numBuffers).to.equal(list.explain().length)
  })

  it('is given back whatever another owner throws', () => {
    const back: number[] = []
    const list = new BufferList()
    for (let i = 0; i < 3; i++) {
      list.claimAppend(
        block(() => {
          if (i === 1) throw new Error('of an owner')
          back.push(i)
        }),
      )
      list.append(Buffer.from('-'))
    }
    expect(() => list.release()).to.throw('of an owner')
    expect(back).to.deep.equal([0, 2])
    expect(() => list.append('x')).to.throw('released')
  })
})

describe('A list whose tail and segments join', () => {
  it('finds the byte behind the place where it was last read, whatever was joined there', () => {
    const list = new BufferList().appendUInt8(1)
    expect(list.byteAt(0)).to.equal(1)
    list.appendUInt8(2).append(Buffer.of(9))
    expect([list.byteAt(1), list.byteAt(2)]).to.deep.equal([2, 9])
    expectSameBytes(list.toBuffer(), Buffer.of(1, 2, 9))
  })

  it('finds it also where zeros were joined, and where a list was claimed', () => {
    const list = new BufferList().appendZero(1)
    expect(list.byteAt(0)).to.equal(0)
    list.claimAppend(new BufferList().appendZero(1).append(Buffer.of(9)))
    expect([list.byteAt(1), list.byteAt(2)]).to.deep.equal([0, 9])
  })
})

describe('A list that was released', () => {
  it('says so, before it says what else is wrong', () => {
    const list = new BufferList('abc')
    list.release()
    const uses: readonly (() => unknown)[] = [
      () => list.take(1),
      () => list.consume(1),
      () => list.truncate(1),
      () => list.splice(0, 1),
      () => list.splice(7, 1, 'x'),
      () => list.wastedBytes(),
    ]
    for (const use of uses) expect(use, String(use)).to.throw(ReleasedError)
  })
})

describe('A list of very many bytes', () => {
  it('more bytes than can be counted exactly are refused, and nothing changes', () => {
    const most = Number.MAX_SAFE_INTEGER
    const list = new BufferList().appendZero(most - 1)
    expect(() => list.appendZero(2)).to.throw(InvalidArgumentError)
    expect(() => list.prependZero(2)).to.throw(InvalidArgumentError)
    expect(() => list.append(list)).to.throw(InvalidArgumentError)
    expect(() => list.append('ab')).to.throw(InvalidArgumentError)
    expect(() => list.claimAppend(new BufferList('ab'))).to.throw(InvalidArgumentError)
    expect(() => list.splice(0, 1, 'abc')).to.throw(InvalidArgumentError)
    expect(list.length).to.equal(most - 1)
    expect(list.appendZero(1).length).to.equal(most)
  })

  it('is cut, read and summed up like any other, where no number is small any more', () => {
    const list = new BufferList('a').appendZero(2 ** 50).append('xy')
    expect(list.splice(1, 2 ** 50, 'mid').length).to.equal(2 ** 50)
    expect(list.toString()).to.equal('amidxy')
    list.splice(1, 3, new BufferList().appendZero(2 ** 50)).release()
    expect(list.cursor(2 ** 50).readUInt16BE()).to.equal(0x0078)
    expect(
      list
        .consume(2 ** 49)
        .consume(2 ** 49)
        .toString('hex'),
    ).to.equal('007879')
  })

  it('takes changes at a thousand places, each where it was asked for', () => {
    const list = new BufferList().appendZero(2 ** 45)
    for (let i = 0; i < 1000; i++) list.splice(i * 2 ** 33, 3, 'abc').release()
    expect(list.length).to.equal(2 ** 45)
    for (let i = 0; i < 1000; i++) {
      expect(list.toString('utf8', i * 2 ** 33, 4)).to.equal('abc\0')
    }
  })
})

describe('A list in which offsets are guessed', () => {
  it('finds them where its segments have become of most different sizes since it was measured', () => {
    const list = new BufferList().appendZero(1).append(Buffer.of(7)).append(Buffer.of(8))
    expect(list.byteAt(2)).to.equal(8)
    // The zeros join those in front: the first segment grows, and no other is measured again.
    const zeros = 2 ** 31
    list.prependZero(zeros)
    expect(list.numBuffers).to.equal(3)
    // From behind, for what follows the segment found last is not looked for.
    for (const [index, byte] of [8, 7, 0].entries()) {
      expect(list.byteAt(zeros + 2 - index)).to.equal(byte)
    }
  })
})

import { expect } from 'chai'
import { BufferList, InvalidArgumentError, ReleasedError, UnfilledHoleError } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'

const lengthOf = (n: number): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(n)
  return length
}

describe('A hole', () => {
  it('is filled after what follows it', () => {
    const list = new BufferList('head')
    const hole = list.appendHole(4)
    list.append('payload').appendUInt8(0)
    expect(hole.length).to.equal(4)
    expect(list.length).to.equal(16)
    hole.fill(lengthOf(8))
    expect(list.toString('latin1')).to.equal('head\x08\0\0\0payload\0')
  })

  it('may be filled in pieces, in any order, each byte once', () => {
    const list = new BufferList()
    const hole = list.appendHole(6)
    hole.fill(Buffer.from('cd'), 2)
    expect(() => list.toString()).to.throw(UnfilledHoleError)
    for (const [text, at] of [
      ['x', 2],
      ['xx', 1],
      ['xxxxxx', 0],
    ] as const) {
      expect(() => hole.fill(Buffer.from(text), at)).to.throw(
        InvalidArgumentError,
        'filled already',
      )
    }
    hole.fill(Buffer.from('ef'), 4)
    hole.fill(Buffer.from('ab'))
    expect(list.toString()).to.equal('abcdef')
    expect(() => hole.fill(Buffer.from('z'), 5)).to.throw(InvalidArgumentError)
    expect(list.toString()).to.equal('abcdef')
  })

  it('checks its bounds', () => {
    const list = new BufferList()
    const hole = list.appendHole(4)
    list.append('next')
    expect(() => hole.fill(Buffer.alloc(5))).to.throw(InvalidArgumentError)
    expect(() => hole.fill(Buffer.alloc(1), 4)).to.throw(InvalidArgumentError)
    expect(() => hole.fill(Buffer.alloc(1), -1)).to.throw(InvalidArgumentError)
    expect(() => hole.fill('text' as unknown as Uint8Array)).to.throw(InvalidArgumentError)
    hole.fill(Buffer.alloc(4))
    expect(list.toString('latin1')).to.equal('\0\0\0\0next')
  })

  it('unfilled, stops every read, cut and send, and no append', () => {
    const list = new BufferList('abc')
    const hole = list.appendHole(1)
    const refused: readonly (() => unknown)[] = [
      () => list.byteAt(0),
      () => list.toBuffer(),
      () => list.toString(),
      () => list.cStr(),
      () => list.indexOf('a'),
      () => list.includes('a'),
      () => list.equals('a'),
      () => list.compare('a'),
      () => list.isZero(),
      () => list.crc32c(),
      () => list.cursor(),
      () => list.copyOut(0, Buffer.alloc(1)),
      () => [...list],
      () => list.substr(),
      () => list.splice(0, 1),
      () => list.take(1),
      () => list.consume(1),
      () => list.truncate(1),
      () => list.rebuild(),
      () => list.compact(),
      () => new BufferList(list),
      () => new BufferList().append(list),
      () => new BufferList().claimAppend(list),
      () => new BufferList('abc').equals(list),
    ]
    for (const call of refused) expect(call, String(call)).to.throw(UnfilledHoleError)
    list.append('d').appendUInt8(0x65).appendCopy('f').appendZero(1).prepend('0')
    expect(list.length).to.equal(9)
    hole.fill(Buffer.from('_'))
    expect(list.toString()).to.equal('0abc_def\0')
  })

  it('unfilled, rejects a send, and nothing has left', async () => {
    const list = new BufferList('abc')
    list.appendHole(1)
    const rejected = await list.spliceTo({ file: '/dev/null' }).then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(rejected).to.be.instanceOf(UnfilledHoleError)
  })

  it('nests: a length around a length', () => {
    const list = new BufferList()
    const outer = list.appendHole(4)
    list.append('a')
    const inner = list.appendHole(4)
    list.append('bc')
    inner.fill(lengthOf(2))
    outer.fill(lengthOf(7))
    expectSameBytes(list.toBuffer(), Buffer.from('\x07\0\0\0a\x02\0\0\0bc', 'latin1'))
  })

  it('of no bytes needs no filling', () => {
    const list = new BufferList('a')
    list.appendHole(0).fill(new Uint8Array(0))
    expect(list.toString()).to.equal('a')
  })

  for (const size of [4096, 32_768, 32_769, 100_000]) {
    it(`may have ${size} bytes`, () => {
      const list = new BufferList('a')
      const hole = list.appendHole(size)
      list.append('z')
      hole.fill(bytes(7, size))
      expectSameBytes(list.toBuffer(1, size), bytes(7, size))
      expect(list.byteAt(size + 1)).to.equal(0x7a)
    })
  }

  it('of a released list says so', () => {
    const list = new BufferList()
    const hole = list.appendHole(2)
    list.release()
    expect(() => hole.fill(Buffer.alloc(2))).to.throw(ReleasedError)
    for (const wrong of [-1, 1.5, NaN, '1']) {
      expect(() => new BufferList().appendHole(wrong as number)).to.throw(InvalidArgumentError)
    }
  })
})

import { expect } from 'chai'
import {
  BufferList,
  counters,
  EndOfBufferError,
  InvalidArgumentError,
  ReleasedError,
  type Cursor,
} from 'splicelist'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { cutUp, KINDS } from './kinds.js'

/** Every scalar: its name is the same on a cursor and on a Buffer, the width goes with it. */
const SCALARS = [
  ['readUInt8', 1],
  ['readInt8', 1],
  ['readUInt16LE', 2],
  ['readUInt16BE', 2],
  ['readInt16LE', 2],
  ['readInt16BE', 2],
  ['readUInt32LE', 4],
  ['readUInt32BE', 4],
  ['readInt32LE', 4],
  ['readInt32BE', 4],
  ['readBigUInt64LE', 8],
  ['readBigUInt64BE', 8],
  ['readBigInt64LE', 8],
  ['readBigInt64BE', 8],
  ['readFloatLE', 4],
  ['readFloatBE', 4],
  ['readDoubleLE', 8],
  ['readDoubleBE', 8],
] as const satisfies readonly (readonly [keyof Cursor & keyof Buffer, number])[]

/** A list of one segment per byte. */
function byteByByte(content: Uint8Array): BufferList {
  const list = new BufferList()
  for (const byte of content) list.append(Uint8Array.of(byte))
  return list
}

describe('A cursor', () => {
  for (const [name, width] of SCALARS) {
    it(`${name} reads what a Buffer reads, across borders at every place`, () => {
      const content = bytes(40, 64)
      const lists = [new BufferList(content), byteByByte(content), cutUp(content)]
      for (const list of lists) {
        for (let at = 0; at + width <= content.length; at++) {
          const cursor = list.cursor(at)
          expect(cursor[name](), `at ${at}`).to.deep.equal(content[name](at))
          expect(cursor.offset).to.equal(at + width)
          expect(cursor.remaining).to.equal(content.length - at - width)
        }
      }
    })
  }

  it('reads one value after the other', () => {
    const list = byteByByte(Buffer.from('0102030405060708ff0a48656c6c6f2e', 'hex'))
    const cursor = list.cursor()
    expect(cursor.readUInt8()).to.equal(1)
    expect(cursor.readUInt16BE()).to.equal(0x0203)
    expect(cursor.readUInt32LE()).to.equal(0x07060504)
    expect(cursor.skip(1).readInt8()).to.equal(-1)
    expect(cursor.seek(10).readString(5)).to.equal('Hello')
    expect(cursor.remaining).to.equal(1)
  })

  it('reads text in the encoding that is asked for', () => {
    const cursor = byteByByte(Buffer.from('grün😀')).cursor()
    expect(cursor.readString(5)).to.equal('grün')
    expect(cursor.readString(2, 'hex')).to.equal('f09f')
    expect(cursor.readString(0)).to.equal('')
  })

  it('throws past the end, and stays where it was', () => {
    const cursor = new BufferList('abc', 'd').cursor(1)
    expect(() => cursor.readUInt32LE()).to.throw(EndOfBufferError)
    expect(() => cursor.readBigUInt64BE()).to.throw(EndOfBufferError)
    expect(() => cursor.readString(4)).to.throw(EndOfBufferError)
    expect(() => cursor.readList(4)).to.throw(EndOfBufferError)
    expect(() => cursor.skip(4)).to.throw(EndOfBufferError)
    expect(() => cursor.seek(5)).to.throw(EndOfBufferError)
    expect(cursor.offset).to.equal(1)
    expect(cursor.readUInt16LE()).to.equal(0x6362)
    expect(cursor.skip(1).remaining).to.equal(0)
    expect(() => cursor.readUInt8()).to.throw(EndOfBufferError)
    expect(cursor.seek(4).offset).to.equal(4)
  })

  it('throws past the end of a window, whatever lies behind it in the segment', () => {
    const list = new BufferList(Buffer.from('abcdefgh')).substr(2, 3)
    const cursor = list.cursor()
    expect(cursor.readUInt8()).to.equal(0x63)
    expect(() => cursor.readUInt32LE()).to.throw(EndOfBufferError)
    expect(cursor.readUInt16BE()).to.equal(0x6465)
    expect(() => cursor.readUInt8()).to.throw(EndOfBufferError)
  })

  it('refuses lengths and offsets that are none', () => {
    const cursor = new BufferList('abcdef').cursor()
    for (const wrong of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
      expect(() => cursor.skip(wrong)).to.throw(InvalidArgumentError)
      expect(() => cursor.seek(wrong)).to.throw(InvalidArgumentError)
      expect(() => cursor.readList(wrong)).to.throw(InvalidArgumentError)
      expect(() => cursor.readString(wrong)).to.throw(InvalidArgumentError)
    }
    expect(cursor.offset).to.equal(0)
  })

  it('keeps its offset, not its bytes, while the list is changed', () => {
    const list = new BufferList('abcdef')
    const cursor = list.cursor()
    expect(cursor.readUInt16BE()).to.equal(0x6162)
    list.splice(2, 4, 'XYZ')
    expect(cursor.readString(3)).to.equal('XYZ')
    list.append('more')
    expect(cursor.remaining).to.equal(4)
    expect(cursor.readUInt8()).to.equal(0x6d)
    list.truncate(3)
    expect(cursor.remaining).to.equal(0)
    expect(() => cursor.readUInt8()).to.throw(EndOfBufferError)
  })

  it('sees bytes that were replaced by as many others', () => {
    const list = new BufferList(Buffer.from('abcdef'))
    const cursor = list.cursor()
    cursor.readUInt8()
    list.splice(0, 6, Buffer.from('ABCDEF'))
    expect(cursor.readUInt8()).to.equal(0x42)
  })

  it('throws once its list is released, also for bytes that it has at hand', () => {
    const list = new BufferList(Buffer.from('abcdef'))
    const cursor = list.cursor()
    cursor.readUInt8()
    list.release()
    expect(() => cursor.readUInt8()).to.throw(ReleasedError)
    expect(() => cursor.readString(1)).to.throw(ReleasedError)
    expect(() => cursor.readList(1)).to.throw(ReleasedError)
  })

  for (const kind of KINDS) {
    describe(`in ${kind.name}`, () => {
      it('reads what is there, in order and across borders', async function () {
        kind.check(this)
        const content = bytes(41, 200_000)
        const cursor = (await kind.make(content)).cursor()
        for (let at = 0; at + 8 <= content.length; at += 777) {
          cursor.seek(at)
          expect(cursor.readBigUInt64LE(), `at ${at}`).to.equal(content.readBigUInt64LE(at))
        }
        for (const border of [4096, 65_536, 131_072, 66_666, 133_332]) {
          for (let at = border - 4; at <= border; at++) {
            expect(cursor.seek(at).readUInt32BE(), `at ${at}`).to.equal(content.readUInt32BE(at))
          }
        }
      })

      it('reads lists that share the bytes and make nothing readable', async function () {
        kind.check(this)
        const content = bytes(42, 200_000)
        const cursor = (await kind.make(content)).cursor(5)
        const before = counters.snapshot()
        using list = cursor.readList(150_000)
        const after = counters.snapshot()
        expect(after.inspected).to.equal(before.inspected)
        expect(after.copied).to.deep.equal(before.copied)
        expect(cursor.offset).to.equal(150_005)
        expectSameBytes(list.toBuffer(), content.subarray(5, 150_005))
      })
    })
  }
})

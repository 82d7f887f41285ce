import { expect } from 'chai'
import {
  BufferList,
  counters,
  crc32c,
  EndOfBufferError,
  InvalidArgumentError,
  NotLoadedError,
  ReleasedError,
} from 'splicelist'
import { pipeList } from '../raw/pipes.js'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsAddon } from '../support/needs.js'
import { cutUp, extentList, KINDS } from './kinds.js'

const INTEGERS = ['readUIntLE', 'readUIntBE', 'readIntLE', 'readIntBE'] as const
/** The block that held bytes are made readable in. */
const BLOCK = 65_536

/** A list of one segment per byte. */
function byteByByte(content: Uint8Array): BufferList {
  return BufferList.from(Array.from(content, (byte) => Uint8Array.of(byte)))
}

/** Bytes copied so far, by cause, and made readable. */
function account(): { toBuffer: number; cross: number; inspected: number } {
  const { copied, inspected } = counters.snapshot()
  return { toBuffer: copied['to-buffer'] ?? 0, cross: copied['cross-segment'] ?? 0, inspected }
}

describe('A cursor over integers of any width', () => {
  for (const name of INTEGERS) {
    it(`${name} reads what a Buffer reads, across borders at every place`, () => {
      const content = Buffer.concat([bytes(50, 24), Buffer.alloc(6, 0xff), Buffer.alloc(7, 0x80)])
      for (const list of [new BufferList(content), byteByByte(content), cutUp(content)]) {
        for (let width = 1; width <= 6; width++) {
          for (let at = 0; at + width <= content.length; at++) {
            const cursor = list.cursor(at)
            expect(cursor[name](width), `${width} at ${at}`).to.equal(content[name](at, width))
            expect(cursor.offset).to.equal(at + width)
          }
        }
      }
    })
  }

  it('refuses widths that no number holds exactly, and stays where it was', () => {
    const cursor = new BufferList(Buffer.alloc(20)).cursor(1)
    for (const name of INTEGERS) {
      for (const wrong of [0, 7, 8, -1, 1.5, NaN, undefined, '2']) {
        expect(() => cursor[name](wrong as never), String(wrong)).to.throw(InvalidArgumentError)
      }
    }
    expect(cursor.offset).to.equal(1)
  })

  it('throws past the end, and stays where it was', () => {
    const cursor = byteByByte(Buffer.from([1, 2, 3])).cursor(1)
    for (const name of INTEGERS) expect(() => cursor[name](3)).to.throw(EndOfBufferError)
    expect(cursor.offset).to.equal(1)
    expect(cursor.readUIntBE(2)).to.equal(0x0203)
  })
})

describe('A cursor', () => {
  it('says whether it is at the end', () => {
    expect(new BufferList().cursor().isAtEnd).to.equal(true)
    const list = new BufferList('ab')
    const cursor = list.cursor(1)
    expect(cursor.isAtEnd).to.equal(false)
    cursor.readUInt8()
    expect(cursor.isAtEnd).to.equal(true)
    list.append('c')
    expect(cursor.isAtEnd).to.equal(false)
    list.truncate(0)
    expect(cursor.isAtEnd).to.equal(true)
  })

  it('shows the next byte without moving on', () => {
    const cursor = byteByByte(Buffer.from('ab')).cursor()
    expect(cursor.peekUInt8()).to.equal(0x61)
    expect(cursor.peekUInt8()).to.equal(0x61)
    expect(cursor.offset).to.equal(0)
    expect(cursor.skip(1).peekUInt8()).to.equal(0x62)
    expect(cursor.readUInt8()).to.equal(0x62)
    expect(() => cursor.peekUInt8()).to.throw(EndOfBufferError)
    expect(cursor.offset).to.equal(2)
  })

  it('moves apart from its clone', () => {
    const cursor = byteByByte(Buffer.from('abcdef')).cursor()
    cursor.readUInt16BE()
    const twin = cursor.clone()
    expect(twin.readUInt16BE()).to.equal(0x6364)
    expect(cursor.readUInt8()).to.equal(0x63)
    expect(twin.readUInt8()).to.equal(0x65)
    expect([cursor.offset, twin.offset]).to.deep.equal([3, 5])
    const second = new BufferList('abc', Buffer.from('defgh')).cursor(4)
    expect(second.readUInt8()).to.equal(0x65)
    expect(second.clone().readUInt8()).to.equal(0x66)
  })

  it('leaves its clone the held block that it stands in', function () {
    needsAddon(this)
    const content = bytes(61, 3 * BLOCK)
    const cursor = pipeList(content).cursor()
    cursor.readUInt8()
    const twin = cursor.clone()
    expect(twin.readUInt8()).to.equal(content[1])
    expect(twin.seek(2 * BLOCK).readUInt8()).to.equal(content[2 * BLOCK])
    const { inspected } = account()
    expect(cursor.readUInt8()).to.equal(content[1])
    expect(account().inspected).to.equal(inspected)
  })

  it('can be cloned where the list has become shorter', () => {
    const list = new BufferList('abcdef')
    const cursor = list.cursor(5)
    list.truncate(2)
    const twin = cursor.clone()
    expect([twin.offset, twin.remaining]).to.deep.equal([5, 0])
    expect(twin.seek(1).readUInt8()).to.equal(0x62)
  })

  it('reads wherever it is sent, also back', () => {
    const content = bytes(51, 300)
    const list = cutUp(content)
    const cursor = list.cursor()
    for (let i = 0, at = 7; i < 2000; i++, at = (at * 31 + i) % 297) {
      expect(cursor.seek(at).readUInt8(), `at ${at}`).to.equal(content[at])
      expect(cursor.readUInt16LE(), `behind ${at}`).to.equal(content.readUInt16LE(at + 1))
    }
  })

  it('reads text out of one segment after the other', () => {
    const list = new BufferList(Buffer.from('abcd'), Buffer.from('efgh'), Buffer.from('ijkl'))
    const cursor = list.cursor()
    const texts = [2, 2, 3, 1, 1, 2, 0, 1].map((length) => cursor.readString(length))
    expect(texts).to.deep.equal(['ab', 'cd', 'efg', 'h', 'i', 'jk', '', 'l'])
    expect(cursor.seek(3).readString(3)).to.equal('def')
    list.splice(4, 4, Buffer.from('EFGH'))
    expect(cursor.readString(2)).to.equal('GH')
  })

  it('reads scalars again in a held block that text has led it away from', function () {
    needsAddon(this)
    const content = bytes(62, 2 * BLOCK)
    const cursor = pipeList(content).cursor()
    expect(cursor.readUInt32LE()).to.equal(content.readUInt32LE(0))
    cursor.seek(BLOCK).readString(10, 'latin1')
    expect(cursor.seek(4).readUInt32LE()).to.equal(content.readUInt32LE(4))
  })

  it('stays where it was when a scalar ends in a file that is not in memory', async () => {
    using rest = await extentList(bytes(52, 100))
    using list = new BufferList('ab', 'c', rest)
    const cursor = list.cursor(1)
    expect(() => cursor.readUInt32LE()).to.throw(NotLoadedError)
    expect(() => cursor.readUIntBE(5)).to.throw(NotLoadedError)
    expect(cursor.offset).to.equal(1)
    expect(cursor.readUInt16BE()).to.equal(0x6263)
    expect(() => cursor.peekUInt8()).to.throw(NotLoadedError)
    expect(() => cursor.readStretch()).to.throw(NotLoadedError)
    expect(() => cursor.readBytes(1)).to.throw(NotLoadedError)
    expect(() => cursor.readInto(new Uint8Array(1))).to.throw(NotLoadedError)
    expect(() => cursor.crc32c()).to.throw(NotLoadedError)
    expect(cursor.offset).to.equal(3)
    await list.load()
    expect(cursor.readUInt8()).to.equal(bytes(52, 1)[0])
  })

  it('goes on in a held block after it came to bytes that are not in memory', async function () {
    needsAddon(this)
    const content = bytes(63, 100)
    using list = new BufferList(pipeList(content), await extentList(content))
    const cursor = list.cursor()
    cursor.readUInt32LE()
    expect(() => cursor.seek(98).readUInt32LE()).to.throw(NotLoadedError)
    expect(cursor.offset).to.equal(98)
    expect(cursor.seek(4).readUInt32LE()).to.equal(content.readUInt32LE(4))
    expect(cursor.seek(98).readUInt16LE()).to.equal(content.readUInt16LE(98))
  })

  it('sums up the bytes that follow, at most to the end, and moves behind them', () => {
    const content = bytes(53, 5000)
    const cursor = cutUp(content).cursor(10)
    expect(cursor.crc32c(1000, 7)).to.equal(crc32c(content.subarray(10, 1010), 7))
    expect(cursor.offset).to.equal(1010)
    expect(cursor.crc32c(1e9)).to.equal(crc32c(content.subarray(1010)))
    expect(cursor.isAtEnd).to.equal(true)
    expect(cursor.crc32c(5, 3)).to.equal(3)
    expect(cursor.seek(4000).crc32c()).to.equal(crc32c(content.subarray(4000)))
    for (const wrong of [-1, 0.5, NaN, '1']) {
      expect(() => cursor.crc32c(wrong as never)).to.throw(InvalidArgumentError)
    }
  })

  it('gives back what a sum held', function () {
    needsAddon(this)
    const list = pipeList(bytes(54, 1000))
    list.cursor().crc32c(100)
    expect(list.explain()[0]?.refs).to.equal(1)
  })

  it('throws once its list is released, whatever is asked for', () => {
    const list = new BufferList(Buffer.from('abcdef'))
    const cursor = list.cursor()
    cursor.readUInt8()
    list.release()
    const uses: (() => unknown)[] = [
      () => cursor.peekUInt8(),
      () => cursor.readUIntLE(2),
      () => cursor.readBytes(1),
      () => cursor.readInto(new Uint8Array(1)),
      () => cursor.readStretch(),
      () => cursor.readStretch(1),
      () => cursor.crc32c(),
      () => cursor.crc32c(1),
      () => cursor.remaining,
      () => cursor.isAtEnd,
      () => cursor.clone(),
    ]
    for (const use of uses) expect(use, use.toString()).to.throw(ReleasedError)
  })
})

describe('A cursor that copies', () => {
  it('reads bytes that are the caller’s own, counted as asked for', () => {
    const content = bytes(55, 1000)
    const list = cutUp(content)
    const cursor = list.cursor(5)
    const before = account()
    const read = cursor.readBytes(700)
    expect(read.equals(content.subarray(5, 705))).to.equal(true)
    expect(account().toBuffer - before.toBuffer).to.equal(700)
    expect(account().cross).to.equal(before.cross)
    read.fill(0)
    expect(list.equals(content)).to.equal(true)
    expect(cursor.offset).to.equal(705)
    expect(cursor.readBytes(0)).to.have.length(0)
    expect(() => cursor.readBytes(296)).to.throw(EndOfBufferError)
    expect(cursor.offset).to.equal(705)
  })

  it('fills memory, or throws and writes nothing', () => {
    const content = bytes(56, 100)
    const cursor = cutUp(content).cursor(3)
    const before = account()
    const target = Buffer.alloc(60)
    expect(cursor.readInto(target)).to.equal(cursor)
    expect(target.equals(content.subarray(3, 63))).to.equal(true)
    expect(account().toBuffer - before.toBuffer).to.equal(60)
    expect(cursor.offset).to.equal(63)
    target.fill(0xee)
    expect(() => cursor.readInto(target)).to.throw(EndOfBufferError)
    expect(target.every((byte) => byte === 0xee)).to.equal(true)
    expect(cursor.offset).to.equal(63)
    expect(cursor.readInto(new Uint8Array(37)).isAtEnd).to.equal(true)
    expect(cursor.readInto(new Uint8Array(0)).isAtEnd).to.equal(true)
    for (const wrong of [
      null,
      undefined,
      'abc',
      [1],
      new ArrayBuffer(1),
      new DataView(new ArrayBuffer(1)),
    ]) {
      expect(() => cursor.readInto(wrong as never)).to.throw(InvalidArgumentError)
    }
  })

  it('reads all that remains as a list, without being told how much', () => {
    const cursor = new BufferList('head', 'pay', 'load').cursor(4)
    expect(cursor.readList().toString()).to.equal('payload')
    expect(cursor.isAtEnd).to.equal(true)
    expect(cursor.readList().length).to.equal(0)
  })
})

describe('A cursor that shares pieces', () => {
  it('gives the rest of a segment, never more than one and never more than asked for', () => {
    const list = new BufferList(Buffer.from('abc'), Buffer.from('defgh'), Buffer.from('i'))
    const texts = (cursor = list.cursor(), max?: number): string[] => {
      const found: string[] = []
      while (!cursor.isAtEnd) found.push(Buffer.from(cursor.readStretch(max)).toString())
      return found
    }
    expect(texts()).to.deep.equal(['abc', 'defgh', 'i'])
    expect(texts(list.cursor(1), 2)).to.deep.equal(['bc', 'de', 'fg', 'h', 'i'])
    expect(list.cursor().readStretch(0)).to.have.length(0)
    expect(list.cursor(9).readStretch()).to.have.length(0)
    expect(list.cursor(9).readStretch(5)).to.have.length(0)
    for (const wrong of [-1, 0.5, NaN, '1']) {
      expect(() => list.cursor().readStretch(wrong as never)).to.throw(InvalidArgumentError)
    }
  })

  it('ends where the window ends, whatever lies behind it in the memory', () => {
    const cursor = new BufferList(Buffer.from('abcdefgh')).substr(2, 3).cursor()
    cursor.readUInt8()
    expect(Buffer.from(cursor.readStretch(100)).toString()).to.equal('de')
  })

  it('shares memory of the process, and goes on from there', () => {
    const memory = Buffer.from('abcdef')
    const cursor = new BufferList(memory).cursor(1)
    const before = account()
    const piece = cursor.readStretch(2)
    expect(account()).to.deep.equal(before)
    expect(piece.buffer).to.equal(memory.buffer)
    expect(piece.byteOffset).to.equal(memory.byteOffset + 1)
    expect(cursor.readUInt16BE()).to.equal(0x6465)
  })

  for (const kind of KINDS) {
    it(`gives every byte of ${kind.name} in pieces of one block at the most`, async function () {
      kind.check(this)
      const content = bytes(57, 400_000)
      const list = await kind.make(content)
      const cursor = list.cursor()
      const pieces: Uint8Array[] = []
      while (!cursor.isAtEnd) {
        const { offset } = cursor
        const piece = cursor.readStretch()
        expect(cursor.offset).to.equal(offset + piece.length)
        pieces.push(piece)
        if (kind.name === 'pipes') expect(piece.length).to.be.at.most(BLOCK)
      }
      // All of them at once: no piece goes with the next.
      expect(Buffer.concat(pieces).equals(content)).to.equal(true)
    })
  }

  it('looks at a held block once, for scalars and pieces together', function () {
    needsAddon(this)
    const content = bytes(58, 3 * BLOCK)
    const list = pipeList(content)
    const { inspected } = account()
    const cursor = list.cursor()
    expect(cursor.readUInt32LE()).to.equal(content.readUInt32LE(0))
    const first = cursor.readStretch(1000)
    expect(cursor.readUInt32LE()).to.equal(content.readUInt32LE(1004))
    const second = cursor.readStretch()
    expect(account().inspected - inspected).to.equal(BLOCK)
    expect(cursor.offset).to.equal(BLOCK)
    expect(cursor.readUInt8()).to.equal(content[BLOCK])
    expect(account().inspected - inspected).to.equal(2 * BLOCK)
    expect(content.subarray(4, 1004).equals(first)).to.equal(true)
    expect(content.subarray(1008, BLOCK).equals(second)).to.equal(true)
  })

  it('ends pieces of held blocks when the list is changed', function () {
    needsAddon(this)
    const list = pipeList(bytes(59, BLOCK))
    const cursor = list.cursor()
    const piece = cursor.readStretch(10)
    expect(piece.length).to.equal(10)
    list.append('x')
    expect(piece.length).to.equal(0)
    expect(cursor.readStretch(10)).to.have.length(10)
  })

  it('reads a scalar again where a piece of another block was read in between', function () {
    needsAddon(this)
    const content = bytes(61, 3 * BLOCK)
    using list = pipeList(content)
    const cursor = list.cursor()
    for (const back of [0, 100, BLOCK - 1]) {
      expect(cursor.seek(back).readUInt8()).to.equal(content[back])
      const piece = cursor.seek(BLOCK + 7).readStretch(1000)
      expectSameBytes(piece, content.subarray(BLOCK + 7, BLOCK + 1007))
      expect(cursor.seek(back).readUInt8()).to.equal(content[back])
      // Onwards from the piece, which its cursor keeps apart from the block of scalars.
      cursor.seek(BLOCK + 7).readStretch(10)
      expect(cursor.readUInt8()).to.equal(content[BLOCK + 17])
    }
  })

  it('keeps no more than one block readable for scalars', function () {
    needsAddon(this)
    const list = pipeList(bytes(60, 8 * BLOCK))
    const slabs = (): number => counters.snapshot().live['slabs'] as number
    const before = slabs()
    const cursor = list.cursor()
    for (let at = 0; at < list.length; at += 1000) cursor.seek(at).readUInt8()
    expect(slabs() - before).to.equal(1)
    cursor.seek(0)
    for (let i = 0; i < 8; i++) cursor.readStretch()
    expect(slabs() - before).to.equal(8)
    list.release()
    expect(slabs()).to.equal(before)
  })
})

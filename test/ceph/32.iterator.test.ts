/**
 * What Ceph's own tests say of a list's iterators, in our words: the groups BufferListIterator and
 * BufferListConstIterator of its src/test/bufferlist.cc. Ours is a cursor. What has no like here is
 * in CEPH.md.
 */
import { expect } from 'chai'
import { BufferList, EndOfBufferError, InvalidArgumentError } from 'splicelist'

/** Three segments: ABC, DE, FGHIJ. */
const make = (): BufferList =>
  BufferList.from(['ABC', 'DE', 'FGHIJ'].map((part) => Buffer.from(part)))
const LENGTH = 10

describe('BufferListIterator', () => {
  it('constructors: at the front by default, anywhere else, and at the end; not behind it', () => {
    const list = make()
    expect(list.cursor().offset).to.equal(0)
    expect(list.cursor(4).readString(2)).to.equal('EF')
    expect(list.cursor(LENGTH).isAtEnd).to.equal(true)
    expect(() => list.cursor(LENGTH + 1)).to.throw(InvalidArgumentError)
    expect(() => list.cursor(100)).to.throw(InvalidArgumentError)
  })

  it('empty_create_append_copy: a cursor of an empty list reads what is appended later', () => {
    const list = new BufferList()
    const cursor = list.cursor()
    expect(cursor.isAtEnd).to.equal(true)
    list.append('bar')
    expect(cursor.readString(3)).to.equal('bar')
  })

  it('operator_assign: a clone goes its own way', () => {
    const cursor = make().cursor(1)
    const twin = cursor.clone()
    expect(twin.readString(3)).to.equal('BCD')
    expect([cursor.offset, twin.offset]).to.deep.equal([1, 4])
  })

  it('get_off, get_remaining, end: they add up to the length at every place', () => {
    const cursor = make().cursor()
    for (let offset = 0; offset < LENGTH; offset++) {
      expect([cursor.offset, cursor.remaining, cursor.isAtEnd]).to.deep.equal([
        offset,
        LENGTH - offset,
        false,
      ])
      cursor.readUInt8()
    }
    expect([cursor.offset, cursor.remaining, cursor.isAtEnd]).to.deep.equal([LENGTH, 0, true])
  })

  it('advance: over borders, to the end and no further', () => {
    const cursor = make().cursor()
    expect(cursor.skip(3).peekUInt8()).to.equal(0x44)
    expect(cursor.skip(7).isAtEnd).to.equal(true)
    expect(() => cursor.skip(1)).to.throw(EndOfBufferError)
    expect(() => make().cursor(2).skip(200)).to.throw(EndOfBufferError)
  })

  it('iterate_with_empties: what is empty is not there to be stumbled over', () => {
    const list = new BufferList('', Buffer.alloc(0)).appendInt32LE(7)
    list.append(Buffer.alloc(0)).append(new BufferList()).appendZero(0)
    list.append(Buffer.from('end'))
    const cursor = list.cursor()
    expect(cursor.readInt32LE()).to.equal(7)
    expect(cursor.readString(3)).to.equal('end')
    expect(cursor.seek(4).readUInt8()).to.equal(0x65)
    expect(list.numBuffers).to.equal(2)
  })

  it('get_ptr_and_advance: never across a border: 3, 2, then as much as was asked for', () => {
    const cursor = make().cursor()
    const read = (max: number): string => Buffer.from(cursor.readStretch(max)).toString()
    expect(['ABC', 'DE'].map((stretch) => [stretch, read(11)])).to.deep.equal([
      ['ABC', 'ABC'],
      ['DE', 'DE'],
    ])
    expect(read(1)).to.equal('F')
    expect(read(4)).to.equal('GHIJ')
    expect(read(4)).to.equal('')
    expect(cursor.isAtEnd).to.equal(true)
  })

  it('get_ptr_and_advance: shows the memory where it lies', () => {
    const memory = Buffer.from('ABC')
    const view = new BufferList(memory, Buffer.from('D')).cursor(1).readStretch()
    expect([view.buffer, view.byteOffset, view.length]).to.deep.equal([
      memory.buffer,
      memory.byteOffset + 1,
      2,
    ])
  })

  it('iterator_crc32c: of every range as of the same bytes in one piece; at most what remains', () => {
    const list = make()
    for (let offset = 0; offset <= LENGTH; offset++) {
      for (let length = 0; length <= LENGTH + 3; length++) {
        const there = Math.min(length, LENGTH - offset)
        const flat = new BufferList(list.toBuffer(offset, there))
        const cursor = list.cursor(offset)
        expect(cursor.crc32c(length, 5), `${offset}, ${length}`).to.equal(flat.crc32c(5))
        expect(cursor.offset).to.equal(offset + there)
      }
    }
  })

  it('seek: forth and back, to the end and no further', () => {
    const cursor = make().cursor(9)
    expect(cursor.seek(1).readString(4)).to.equal('BCDE')
    expect(cursor.seek(0).readUInt8()).to.equal(0x41)
    expect(cursor.seek(LENGTH).isAtEnd).to.equal(true)
    expect(() => cursor.seek(LENGTH + 1)).to.throw(EndOfBufferError)
    expect(cursor.offset).to.equal(LENGTH)
  })

  it('operator_star: the byte at hand, without moving; at the end there is none', () => {
    const cursor = make().cursor(2)
    expect([cursor.peekUInt8(), cursor.peekUInt8(), cursor.offset]).to.deep.equal([0x43, 0x43, 2])
    expect(() => make().cursor(LENGTH).peekUInt8()).to.throw(EndOfBufferError)
    expect(() => new BufferList().cursor().peekUInt8()).to.throw(EndOfBufferError)
  })

  it('operator_plus_plus: byte by byte; behind the last it is the end of the buffer', () => {
    const cursor = new BufferList('ab').cursor()
    expect([cursor.readUInt8(), cursor.readUInt8()]).to.deep.equal([0x61, 0x62])
    expect(() => cursor.readUInt8()).to.throw(EndOfBufferError)
    expect(() => cursor.skip(1)).to.throw(EndOfBufferError)
  })

  it('get_current_ptr: what is left of the segment, shared', () => {
    const list = make()
    const cursor = list.cursor(4)
    expect(cursor.readStretch().length).to.equal(1)
    expect(cursor.readStretch().length).to.equal(5)
  })

  it('copy, to memory: exactly as much, or nothing', () => {
    const cursor = make().cursor(2)
    const target = Buffer.alloc(4)
    cursor.readInto(target)
    expect(target.toString()).to.equal('CDEF')
    const more = Buffer.alloc(5, '-')
    expect(() => cursor.readInto(more)).to.throw(EndOfBufferError)
    expect(more.toString()).to.equal('-----')
    expect(cursor.readString(4)).to.equal('GHIJ')
  })

  it('copy_deep: memory of its own, also of one segment', () => {
    const memory = Buffer.from('ABC')
    const bytes = new BufferList(memory).cursor().readBytes(3)
    memory.fill(0)
    expect(bytes.toString()).to.equal('ABC')
    expect(() => make().cursor(1).readBytes(LENGTH)).to.throw(EndOfBufferError)
  })

  it('copy_shallow, copy to a list, copy_all: shared, also over borders', () => {
    const memory = Buffer.from('ABCDEF')
    const list = new BufferList(memory, Buffer.from('GH'))
    const cursor = list.cursor(1)
    const one = cursor.readList(4)
    expect([one.cStr().buffer, one.toString()]).to.deep.equal([memory.buffer, 'BCDE'])
    const over = cursor.readList(2)
    expect([over.numBuffers, over.toString()]).to.deep.equal([2, 'FG'])
    expect(cursor.readList().toString()).to.equal('H')
    expect(cursor.readList().length).to.equal(0)
    expect(() => cursor.readList(1)).to.throw(EndOfBufferError)
  })

  it('copy, to a string', () => {
    const cursor = make().cursor()
    expect(cursor.readString(4)).to.equal('ABCD')
    expect(() => cursor.readString(7)).to.throw(EndOfBufferError)
    expect(cursor.readString(6)).to.equal('EFGHIJ')
  })

  it('copy: after a skip that failed the next read goes on where the cursor was', () => {
    const cursor = make().cursor(5)
    expect(() => cursor.skip(200)).to.throw(EndOfBufferError)
    expect(cursor.offset).to.equal(5)
    expect(cursor.readString(5)).to.equal('FGHIJ')
  })
})

describe('BufferListConstIterator', () => {
  it('++: cursors of one list do not disturb each other', () => {
    const list = make()
    const cursors = [list.cursor(), list.cursor(3), list.cursor(9)]
    expect(cursors.map((cursor) => cursor.readUInt8())).to.deep.equal([0x41, 0x44, 0x4a])
    expect(cursors.map((cursor) => cursor.remaining)).to.deep.equal([9, 6, 0])
  })
})

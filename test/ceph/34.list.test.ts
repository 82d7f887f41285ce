/**
 * What Ceph's own tests say of `buffer::list`, in our words: the groups BufferList and BufferHash of
 * its src/test/bufferlist.cc. What has no like here is in CEPH.md.
 */
import { closeSync, openSync } from 'node:fs'
import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { BufferList, EndOfBufferError, InvalidArgumentError, TransferError } from 'splicelist'
import { rejection } from '../list/rejection.js'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { tempFolder } from '../support/folders.js'
import { needsAddon } from '../support/needs.js'

/** What the kernel takes in one gathering write. */
const IOV_MAX = 1024

const lengthsOf = (list: BufferList): number[] => list.explain().map(({ length }) => length)

describe('BufferList: making and copying', () => {
  it('constructors: a list of parts, in order', () => {
    expect(new BufferList().length).to.equal(0)
    expect(new BufferList('ABC', Buffer.from('DEF')).toString()).to.equal('ABCDEF')
    expect(BufferList.from(['AB', new BufferList('CD')]).toString()).to.equal('ABCD')
  })

  it('append_after_move: what was moved into a list is added to as if it had grown there', () => {
    const list = new BufferList('AB')
    const moved = new BufferList().claimAppend(list)
    expect(moved.append('CD').toString()).to.equal('ABCD')
    expect(list.append('EF').toString()).to.equal('EF')
    expect(moved.toString()).to.equal('ABCD')
  })

  it('operator_equal: a copy shares, and goes its own way', () => {
    const list = new BufferList(Buffer.from('ABC'))
    const copy = new BufferList(list)
    list.append('D')
    copy.append('E')
    expect(list.toString()).to.equal('ABCD')
    expect(copy.toString()).to.equal('ABCE')
  })

  it('length, buffers: bytes and segments are counted', () => {
    const list = new BufferList(Buffer.from('A'), Buffer.from('BB'))
    expect(list.length).to.equal(3)
    expect(lengthsOf(list)).to.deep.equal([1, 2])
  })

  it('to_str: the bytes as a string', () => {
    expect(new BufferList('foo', Buffer.from('bar')).toString()).to.equal('foobar')
  })

  it('clear: empty, and to be used again', () => {
    const list = new BufferList('ABC')
    expect(list.truncate(0).length).to.equal(0)
    expect(list.numBuffers).to.equal(0)
    expect(list.append('D').toString()).to.equal('D')
  })
})

describe('BufferList: comparing', () => {
  it('contents_equal: A|BB is AB|B, and neither BB|A nor AB', () => {
    const split = (...parts: string[]): BufferList =>
      BufferList.from(parts.map((p) => Buffer.from(p)))
    expect(split('A', 'BB').equals(split('AB', 'B'))).to.equal(true)
    expect(split('A', 'BB').equals('ABB')).to.equal(true)
    expect(split('A', 'BB').equals(split('BB', 'A'))).to.equal(false)
    expect(split('A', 'BB').equals('AB')).to.equal(false)
    expect(new BufferList().equals(new BufferList())).to.equal(true)
  })

  it('compare: however it is cut, a list is ordered as its bytes are', () => {
    const content = bytes(1, 5000)
    const cut = new BufferList()
    for (let at = 0; at < content.length; at += 7) cut.append(content.subarray(at, at + 7))
    const flat = new BufferList(content)
    expect(cut.compare(flat)).to.equal(0)
    const greater = Buffer.from(content)
    greater[4999] = (content[4999] as number) ^ 0xff
    const order = Buffer.compare(content, greater)
    expect(cut.compare(greater)).to.equal(order)
    expect(new BufferList(greater).compare(cut)).to.equal(-order)
    expect(cut.compare(flat.substr(0, 4999))).to.equal(1)
  })

  it('is_zero: 1 to 256 zeros, and one that is none', () => {
    const list = new BufferList()
    expect(list.isZero()).to.equal(true)
    for (let n = 1; n <= 256; n++) list.append(Buffer.alloc(1))
    expect(list.isZero()).to.equal(true)
    expect(list.append(Buffer.of(1)).isZero()).to.equal(false)
  })

  it('operator_brackets: a byte across segments; past the end is an end of buffer', () => {
    const list = new BufferList(Buffer.from('A'), Buffer.from('B'))
    expect(list.byteAt(1)).to.equal(0x42)
    expect(() => list.byteAt(2)).to.throw(EndOfBufferError)
    expect(() => new BufferList().byteAt(0)).to.throw(EndOfBufferError)
  })
})

describe('BufferList: adding', () => {
  it('push_back, EmptyAppend: what is empty adds no segment', () => {
    const list = new BufferList('')
    list.append(Buffer.alloc(0)).append(new BufferList()).prepend('').appendZero(0).appendCopy('')
    expect(list.numBuffers).to.equal(0)
    list.append('A').append(Buffer.alloc(0))
    expect(list.numBuffers).to.equal(1)
  })

  it('append(ptr, off, len): a window that goes on where the last ended joins it', () => {
    const list = new BufferList(bytes(2, 100))
    const joined = list.substr(10, 20).append(list.substr(30, 5)).append(list.substr(40, 5))
    expect(lengthsOf(joined)).to.deep.equal([25, 5])
  })

  it('append: bytes that do not fit into the tail are there all the same', () => {
    const content = bytes(3, 12_288)
    const list = new BufferList().appendCopy(content.subarray(0, 4096))
    list.appendCopy(content.subarray(4096))
    expectSameBytes(list.toBuffer(), content)
    expect(list.numBuffers).to.be.at.most(2)
  })

  it('InternalCarriage: written, shared, written: three segments, and the written ones go on', () => {
    const shared = new BufferList(Buffer.from('shared'))
    const list = new BufferList().appendUInt32LE(1).append(shared).appendUInt32LE(2)
    expect(lengthsOf(list)).to.deep.equal([4, 6, 4])
    expect(lengthsOf(list.appendUInt32LE(3))).to.deep.equal([4, 6, 8])
  })

  it('claim_append: moves all, and leaves the other empty and usable', () => {
    const front = new BufferList(Buffer.from('AB'))
    const back = new BufferList(Buffer.from('CD'), Buffer.from('EF'))
    expect(front.claimAppend(back).toString()).to.equal('ABCDEF')
    expect(front.numBuffers).to.equal(3)
    expect(back.length).to.equal(0)
    expect(back.append('G').toString()).to.equal('G')
  })

  it('append_hole: filled after later appends, still one segment', () => {
    const list = new BufferList()
    const hole = list.appendHole(4)
    list.appendCopy('payload')
    hole.fill(Buffer.from('head'))
    expect(list.toString()).to.equal('headpayload')
    expect(list.numBuffers).to.equal(1)
  })

  it('append_zero, prepend_zero: zeros at either end', () => {
    const list = new BufferList('A').appendZero(2)
    list.prependZero(3)
    expect(list.toString('hex')).to.equal('000000410000')
  })

  it('ContiguousAppender: bytes, and lists among them by reference, in order', () => {
    const payload = new BufferList(Buffer.from('payload'))
    const list = new BufferList().appendUInt16LE(7).append(payload).appendUInt8(1)
    expect(list.numBuffers).to.equal(3)
    expect(list.toString('hex')).to.equal(`0700${Buffer.from('payload').toString('hex')}01`)
  })

  it('TestPtrAppend, TestDirectAppend: pieces of 0 to 999 bytes, to a million', () => {
    const content = bytes(4, 1_000_000)
    const shared = new BufferList()
    const copied = new BufferList()
    for (let at = 0, n = 0; at < content.length; at += n, n = (n * 7 + 13) % 1000) {
      shared.append(content.subarray(at, at + n))
      copied.appendCopy(content.subarray(at, at + n))
    }
    expectSameBytes(shared.toBuffer(), content)
    expectSameBytes(copied.toBuffer(), content)
  })
})

describe('BufferList: cutting', () => {
  const make = (): BufferList =>
    BufferList.from(['AB', 'CD', 'EF'].map((part) => Buffer.from(part)))

  it('substr_of: shares a range; what ends outside is refused', () => {
    const list = make()
    expect(list.substr(1, 4).toString()).to.equal('BCDE')
    expect(lengthsOf(list.substr(1, 4))).to.deep.equal([1, 2, 1])
    expect(list.substr(2, 2).numBuffers).to.equal(1)
    expect(() => list.substr(1, 6)).to.throw(InvalidArgumentError)
    expect(() => list.substr(7)).to.throw(InvalidArgumentError)
  })

  it('splice: takes a range out, and gives it by reference', () => {
    const list = make()
    const removed = list.splice(1, 3)
    expect(list.toString()).to.equal('AEF')
    expect(removed.toString()).to.equal('BCD')
    expect(lengthsOf(removed)).to.deep.equal([1, 2])
  })

  it('splice: of nothing changes nothing, even in an empty list', () => {
    const list = make()
    expect(list.splice(0, 0).length).to.equal(0)
    expect(new BufferList().splice(0, 0).length).to.equal(0)
    expect(lengthsOf(list)).to.deep.equal([2, 2, 2])
  })

  it('splice: a range that begins or ends inside a later segment', () => {
    const list = make()
    expect(list.splice(3, 1).toString()).to.equal('D')
    expect(list.toString()).to.equal('ABCEF')
    expect(list.splice(4, 1).toString()).to.equal('F')
    expect(() => list.splice(4, 1)).to.throw(InvalidArgumentError)
  })
})

describe('BufferList: one piece of memory', () => {
  it('is_contiguous: nothing and one segment are, two are not', () => {
    expect(new BufferList().isContiguous()).to.equal(true)
    expect(new BufferList('A').isContiguous()).to.equal(true)
    expect(new BufferList(Buffer.from('A'), Buffer.from('B')).isContiguous()).to.equal(false)
  })

  it('c_str: the bytes in one piece, and the segments stay as they are', () => {
    const list = new BufferList(Buffer.from('A'), Buffer.from('B'))
    expect(new BufferList().cStr().length).to.equal(0)
    expect(list.cStr().toString()).to.equal('AB')
    expect(list.numBuffers).to.equal(2)
  })

  it('TestIsProvidedBuffer: one segment is shown where it lies, two are not', () => {
    const memory = Buffer.from('ABC')
    const list = new BufferList(memory)
    expect(list.cStr().buffer).to.equal(memory.buffer)
    expect(list.cStr().byteOffset).to.equal(memory.byteOffset)
    expect(list.append('D').cStr().buffer).to.not.equal(memory.buffer)
  })

  it('rebuild: one segment of memory; then it can be added to, also when it was empty', () => {
    const list = new BufferList(Buffer.from('A'), Buffer.from('B')).rebuild()
    expect(list.numBuffers).to.equal(1)
    expect(list.append('C').toString()).to.equal('ABC')
    expect(new BufferList().rebuild().append('A').toString()).to.equal('A')
  })

  it('rebuild_page_aligned: segments that comply stay, runs of others are joined', function () {
    needsAddon(this)
    using aligned = new BufferList(bytes(5, 8192))
    aligned.rebuildAligned(4096)
    using list = new BufferList(bytes(6, 4095), bytes(7, 1), aligned, bytes(8, 100))
    const content = list.toBuffer()
    expect(list.rebuildAligned(4096)).to.equal(true)
    expect(lengthsOf(list)).to.deep.equal([4096, 8192, 100])
    expect(list.isAligned(4096)).to.equal(true)
    // It holds the very pages that it was given: two lists hold them now.
    expect(list.explain()[1]?.refs).to.equal(2)
    expectSameBytes(list.toBuffer(), content)
    expect(aligned.rebuildAligned(4096)).to.equal(false)
  })

  it('TestCopyAll: ten million bytes, all of them', () => {
    const content = bytes(9, 10_737_414)
    const list = new BufferList(content)
    expectSameBytes(list.cursor().readList(content.length).toBuffer(), content)
  })
})

describe('BufferList: as text', () => {
  it('encode_base64: with its padding, across segments', () => {
    expect(new BufferList(Buffer.from('A'), Buffer.from('B')).toString('base64')).to.equal('QUI=')
  })

  it('write: a range of it', () => {
    const list = new BufferList(Buffer.from('A'), Buffer.from('BCD'))
    expect(list.toString('utf8', 1, 2)).to.equal('BC')
  })
})

describe('BufferList: files', () => {
  it('read_file: of a file that is not there the error is what the system says', async () => {
    const none = await rejection(BufferList.fromFile(join(await tempFolder(), 'none')))
    expect(none).to.include({ code: 'ENOENT' })
  })

  it('read_file: and so it is of one that may not be read', async function () {
    // Nothing is forbidden to root.
    if (process.getuid?.() === 0) this.skip()
    const closed = join(await tempFolder(), 'closed')
    await writeFile(closed, 'ABC')
    await chmod(closed, 0)
    expect(await rejection(BufferList.fromFile(closed))).to.include({ code: 'EACCES' })
  })

  it('read_fd: a descriptor that is closed is refused, and the list stays as it was', async () => {
    const fd = openSync('/dev/null', 'r')
    closeSync(fd)
    const list = new BufferList('A')
    expect(await rejection(list.spliceFrom(fd, 1))).to.be.instanceOf(Error)
    expect(list.toString()).to.equal('A')
  })

  it('write_file: a file that was not there, with the bytes', async () => {
    const path = join(await tempFolder(), 'new')
    expect(await new BufferList('AB', Buffer.from('C')).spliceTo({ file: path })).to.equal(3)
    expect(await readFile(path, 'utf8')).to.equal('ABC')
    expect((await stat(path)).size).to.equal(3)
  })

  it('write_fd: more segments than one gathering write takes, each of one byte', async () => {
    const content = bytes(10, 2 * IOV_MAX)
    const list = new BufferList()
    for (const byte of content) list.append(Uint8Array.of(byte))
    expect(list.numBuffers).to.equal(2 * IOV_MAX)
    const path = join(await tempFolder(), 'many')
    expect(await list.spliceTo({ file: path })).to.equal(content.length)
    expectSameBytes(await readFile(path), content)
  })

  it('write_fd_offset: at an offset of a file, behind what is there', async () => {
    const path = join(await tempFolder(), 'at')
    await writeFile(path, 'x'.repeat(300))
    await new BufferList('ABC').spliceTo({ file: path, offset: 200 })
    const content = await readFile(path, 'utf8')
    expect(content).to.equal(`${'x'.repeat(200)}ABC${'x'.repeat(97)}`)
  })

  it('read_fd: fewer bytes than were asked for, at the end of the file', async () => {
    const path = join(await tempFolder(), 'short')
    await writeFile(path, 'ABC')
    using list = new BufferList()
    expect(await list.spliceFrom({ file: path }, 100)).to.equal(3)
    expect((await list.load()).toString()).to.equal('ABC')
  })

  it('read_fd: what fails in the middle is told with what had arrived', async () => {
    const failed = await rejection(new BufferList('A').spliceTo({ file: '/dev/full' }))
    expect(failed).to.be.instanceOf(TransferError).and.include({ code: 'ENOSPC', side: 'sink' })
  })
})

describe('BufferList: checksums', () => {
  it('crc32c: of A, and of A again, in the convention of Ceph', () => {
    const list = new BufferList('A')
    expect(list.crc32c(0)).to.equal(0xb3109ebf)
    expect(list.crc32c(list.crc32c(0))).to.equal(0x5fa5c0cc)
  })

  it('crc32c_append: what is known of one seed serves every other', () => {
    const seeds = new Uint32Array(bytes(11, 4 * 200).buffer, 0, 200)
    const joined = new BufferList()
    let flat = Buffer.alloc(0)
    seeds.forEach((seed, i) => {
      const piece = bytes(100 + i, 200)
      const list = new BufferList(piece)
      // Known of this seed from now on: the crc of the whole must not mind.
      list.crc32c(seed)
      joined.append(list)
      flat = Buffer.concat([flat, piece])
    })
    for (const seed of [0, 0xffffffff, 123_456]) {
      expect(joined.crc32c(seed)).to.equal(new BufferList(Buffer.from(flat)).crc32c(seed))
    }
  })

  it('crc32c_zeros: zeros without memory have the crc of zeros in memory', () => {
    for (const length of [1, 4096, 1000 * 4096]) {
      const there = new BufferList(Buffer.alloc(length))
      for (const seed of [0, 1, 0xffffffff]) {
        expect(new BufferList().appendZero(length).crc32c(seed)).to.equal(there.crc32c(seed))
      }
    }
  })

  it('crc32c_append_perf: of 256 MiB and more, out of the crcs of the parts', () => {
    const patterned = (mask: number): BufferList => {
      const list = new BufferList(Buffer.from(Array.from({ length: 256 }, (_, i) => i ^ mask)))
      for (let i = 0; i < 20; i++) {
        list.append(list)
        // Segments of a reasonable size: one by one, a million of them.
        if (list.length === 1 << 20) list.rebuild()
      }
      return list
    }
    const [a, b] = [patterned(73), patterned(123)]
    expect(a.length).to.equal(256 << 20)
    expect(a.crc32c(0)).to.equal(1_138_817_026)
    expect(a.crc32c(5)).to.equal(3_239_494_520)
    expect(b.crc32c(0)).to.equal(2_481_791_210)
    const ab = new BufferList(a, b)
    const ba = new BufferList(b, a)
    expect(ab.crc32c(0)).to.equal(2_988_268_779)
    expect(ba.crc32c(0)).to.equal(169_240_695)
    expect(ba.crc32c(5)).to.equal(1_265_464_778)
  })

  it('BufferHash: the crc of lists one after the other is that of all of them', () => {
    const lists = ['ABC', '', 'DEFGHI'].map((text) => new BufferList(text))
    const digest = lists.reduce((crc, list) => list.crc32c(crc), 0)
    expect(digest).to.equal(new BufferList('ABCDEFGHI').crc32c(0))
  })
})

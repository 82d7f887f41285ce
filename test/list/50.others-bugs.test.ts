/**
 * Bugs that other buffer lists have had, as found in their trackers and by trying them: that ours has
 * none of them. The name in brackets is where the bug was; what Ceph's list had is in the second half.
 */
import { expect } from 'chai'
import { BufferList, EndOfBufferError, InvalidArgumentError } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { needsAddon } from '../support/needs.js'

/** Each byte in a segment of its own. */
function bytewise(content: Uint8Array): BufferList {
  const list = new BufferList()
  for (const byte of content) list.append(Uint8Array.of(byte))
  return list
}

describe('Bugs that lists in JavaScript have had', () => {
  it('a list is appended to itself, once, and ends (bl, uint8arraylist: never came back)', () => {
    const list = new BufferList(Buffer.from('ab'), 'c')
    expect(list.append(list).toString()).to.equal('abcabc')
    expect(list.prepend(list).length).to.equal(12)
    expect(list.claimAppend(list).length).to.equal(12)
  })

  it('an empty list is read like any other (bl: get(0) was a TypeError)', () => {
    const list = new BufferList()
    expect(() => list.byteAt(0)).to.throw(EndOfBufferError)
    expect(() => list.cursor().readUInt8()).to.throw(EndOfBufferError)
    expect([list.toString(), list.indexOf('a'), list.indexOf(''), list.crc32c(7)]).to.deep.equal([
      '',
      -1,
      0,
      7,
    ])
    expect([...list]).to.deep.equal([])
    expect(list.compare('')).to.equal(0)
    expect(list.toBuffer().length + list.cStr().length + list.substr().length).to.equal(0)
  })

  it('consume takes no negative count (bl: CVE-2020-8244, it showed memory of others)', () => {
    const list = new BufferList(Buffer.from('hello'), Buffer.from('world'))
    for (const wrong of [-1, -5, -(2 ** 40), NaN, 1.5, 2 ** 53, '3', null, undefined]) {
      expect(() => list.consume(wrong as never), String(wrong)).to.throw(InvalidArgumentError)
    }
    expect(list.toString()).to.equal('helloworld')
    expect(list.consume(5).toString()).to.equal('world')
  })

  it('more than there is, is not consumed in silence (bl: it is)', () => {
    const list = new BufferList('abc')
    expect(() => list.consume(4)).to.throw(InvalidArgumentError)
    expect(list.length).to.equal(3)
  })

  it('an offset behind the end has an error of ours (bl: a TypeError from inside)', () => {
    const list = new BufferList('abc')
    expect(() => list.substr(2, 5)).to.throw(InvalidArgumentError)
    expect(() => list.substr(5, -3)).to.throw(InvalidArgumentError)
    expect(() => list.toBuffer(5)).to.throw(InvalidArgumentError)
  })

  it('lists are equal whose bytes are, however they are cut (uint8arraylist: compared the cuts)', () => {
    const content = bytes(1, 100)
    expect(bytewise(content).equals(new BufferList(content))).to.equal(true)
  })

  it('what a list tells of its segments is no door into it (bl: getBuffers() was its own array)', () => {
    const list = new BufferList(Buffer.from('ab'), Buffer.from('cd'))
    ;(list.explain() as unknown[]).length = 0
    expect(list.numBuffers).to.equal(2)
    expect(list.toString()).to.equal('abcd')
  })

  it('one segment is shown as it is: the same memory, no new view of other memory (bl)', () => {
    const memory = Buffer.from('abc')
    const view = new BufferList(memory).cStr()
    expect([view.buffer, view.byteOffset, view.length]).to.deep.equal([
      memory.buffer,
      memory.byteOffset,
      3,
    ])
  })

  it('a needle is found across three segments and more, wherever it lies', () => {
    const content = bytes(2, 64)
    const list = bytewise(content)
    for (let at = 0; at < 60; at++) {
      for (const length of [2, 3, 5]) {
        const needle = content.subarray(at, Math.min(64, at + length))
        expect(list.indexOf(needle), `${at}, ${length}`).to.equal(content.indexOf(needle))
      }
    }
  })

  it('a needle that begins anew inside its own beginning is found, and not found', () => {
    for (const [text, needle] of [
      ['aaab', 'aab'],
      ['abababac', 'ababac'],
      ['aabaabaaab', 'aabaaab'],
      ['aaaaaaaa', 'aaab'],
      ['abcabcabd', 'abcabd'],
    ] as const) {
      for (let cut = 1; cut < text.length; cut++) {
        const list = new BufferList(Buffer.from(text.slice(0, cut)), Buffer.from(text.slice(cut)))
        expect(list.indexOf(needle), `${needle} in ${text}, cut at ${cut}`).to.equal(
          text.indexOf(needle),
        )
      }
      expect(bytewise(Buffer.from(text)).indexOf(needle)).to.equal(text.indexOf(needle))
    }
  })

  it('characters that are split anywhere are whole again', () => {
    const text = 'a\u00e9\u20ac\u{1f600}z'
    const encoded = Buffer.from(text)
    for (let first = 0; first <= encoded.length; first++) {
      for (let second = first; second <= encoded.length; second++) {
        const list = new BufferList(
          encoded.subarray(0, first),
          encoded.subarray(first, second),
          encoded.subarray(second),
        )
        expect(list.toString()).to.equal(text)
        expect(list.cursor().readString(encoded.length)).to.equal(text)
      }
    }
  })

  it('a number is read wherever it is split', () => {
    const encoded = Buffer.from('0102030405060708', 'hex')
    for (let cut = 0; cut <= 8; cut++) {
      const list = new BufferList(encoded.subarray(0, cut), encoded.subarray(cut))
      expect(list.cursor().readBigUInt64BE()).to.equal(0x0102030405060708n)
      expect(list.cursor().skip(2).readUInt32LE()).to.equal(0x06050403)
    }
    expect(bytewise(encoded).cursor().readDoubleLE()).to.equal(encoded.readDoubleLE())
  })

  it('memory that is transferred away is missed, not read as zeros or as something else', () => {
    const memory = new Uint8Array(8).fill(1)
    const list = new BufferList('a', memory, 'b')
    structuredClone(memory, { transfer: [memory.buffer] })
    expect(() => list.toBuffer()).to.throw(InvalidArgumentError, 'detached')
    expect(() => list.byteAt(4)).to.throw(InvalidArgumentError, 'detached')
    expect(() => list.crc32c()).to.throw(InvalidArgumentError, 'detached')
    expect(list.byteAt(0)).to.equal(0x61)
    expect(list.substr(9).toString()).to.equal('b')
  })

  it('two lists do not write over each other, though their first bytes lie in one block', () => {
    const lists = Array.from({ length: 50 }, () => new BufferList())
    const models = lists.map(() => '')
    for (let i = 0; i < 5000; i++) {
      const which = (i * 31) % lists.length
      const text = `${i};`.repeat(1 + (i % 5))
      lists[which]?.append(text)
      models[which] = (models[which] ?? '') + text
    }
    lists.forEach((list, i) => expect(list.toString()).to.equal(models[i]))
  })
})

describe('Bugs that ceph::buffer::list has had', () => {
  it('a look changes no layout: c_str() under a reading lock rebuilt the list (#39406)', () => {
    const list = new BufferList(Buffer.from('ab'), Buffer.from('cd'))
    const before = list.explain()
    list.cStr()
    list.crc32c()
    list.toString()
    expect(list.explain()).to.deep.equal(before)
  })

  it('what is written into one list shows in no other that shares its memory (#25595, #21074)', () => {
    const list = new BufferList('shared')
    const copy = list.substr()
    const hole = list.appendHole(4)
    hole.fill(Buffer.from('more'))
    copy.append('else')
    expect(list.toString()).to.equal('sharedmore')
    expect(copy.toString()).to.equal('sharedelse')
  })

  it('a small window need not keep a large block alive (#5450: 266 bytes of 2 MB)', () => {
    const list = new BufferList(new Uint8Array(2_033_591)).substr(1000, 266)
    expect(list.wastedBytes()).to.equal(2_033_325)
    expect(list.compact().wastedBytes()).to.equal(0)
    expect(list.isZero()).to.equal(true)
  })

  it('no segment is empty, so that no rebuild can stumble over one (#5656, #42112, #69023)', function () {
    needsAddon(this)
    using list = new BufferList('', Buffer.alloc(0), Buffer.alloc(4096), '', Buffer.alloc(0))
    list.splice(4096, 0, new BufferList()).release()
    expect(list.numBuffers).to.equal(1)
    list.rebuildAligned(4096)
    expect(
      list
        .append('')
        .prepend('')
        .explain()
        .map(({ length }) => length),
    ).to.deep.equal([4096])
  })

  it('a claim of what is being computed does what it says in the order it is said (#32823)', () => {
    const list = new BufferList('a')
    expect(list.claimAppend(list.take(1)).append(list.substr()).toString()).to.equal('aa')
  })

  it('a cursor holds nothing of the list but its place: none is kept inside (#17661)', () => {
    const list = new BufferList(Buffer.from('abc'), Buffer.from('def'))
    const cursor = list.cursor(2)
    expect(cursor.readUInt8()).to.equal(0x63)
    list.splice(0, 6, 'ABCDEF').release()
    expect(cursor.readUInt8()).to.equal(0x44)
    list.truncate(2)
    expect(() => cursor.readUInt8()).to.throw(EndOfBufferError)
  })

  it('a crc that is known is of the bytes that are there (#3764, #26552)', () => {
    const content = bytes(3, 10_000)
    const list = new BufferList(content)
    const known = list.crc32c()
    list.splice(5000, 1, Buffer.of((content[5000] as number) ^ 1)).release()
    expect(list.crc32c()).to.not.equal(known)
    list.splice(5000, 1, content.subarray(5000, 5001)).release()
    expect(list.crc32c()).to.equal(known)
    expect(list.substr(100, 300).crc32c()).to.equal(
      new BufferList(Buffer.from(content.subarray(100, 400))).crc32c(),
    )
  })
})

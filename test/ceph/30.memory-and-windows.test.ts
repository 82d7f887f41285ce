/**
 * What Ceph's own tests say of `buffer::raw`, `buffer::ptr` and their factories, in our words: the
 * groups Buffer, BufferRaw and BufferPtr of its src/test/bufferlist.cc. Here memory is what is
 * appended, and a window of it is a list of one segment. What has no like here is in CEPH.md.
 */
import { expect } from 'chai'
import { BufferList, EndOfBufferError, InvalidArgumentError } from 'splicelist'
import { needsAddon } from '../support/needs.js'

/** Whether a list of one segment shows this very memory. */
function shows(list: BufferList, memory: Uint8Array): boolean {
  const view = list.cStr()
  return view.buffer === memory.buffer && view.byteOffset === memory.byteOffset
}

function refsOf(list: BufferList): (number | null)[] {
  return list.explain().map(({ refs }) => refs)
}

describe('Buffer: how memory comes into a list', () => {
  it('create_static: appended memory is shared, not copied', () => {
    const memory = Buffer.from('ABC')
    expect(shows(new BufferList(memory), memory)).to.equal(true)
  })

  it('copy: copied memory is another, with the same bytes, whatever becomes of the first', () => {
    const memory = Buffer.from('ABC')
    const list = new BufferList().appendCopy(memory)
    expect(shows(list, memory)).to.equal(false)
    memory.fill(0)
    expect(list.toString()).to.equal('ABC')
  })

  it('claim_buffer: adopted memory is given back once, with the last list that holds a part', () => {
    let returned = 0
    const list = BufferList.adopt(Buffer.from('ABCD'), () => returned++)
    const part = list.substr(1, 2)
    list.release()
    expect(returned).to.equal(0)
    expect(part.toString()).to.equal('BC')
    part.release()
    expect(returned).to.equal(1)
  })

  it('create_page_aligned: pages of ours begin at a page', function () {
    needsAddon(this)
    using list = new BufferList(Buffer.from('x'.repeat(5000)))
    expect(list.isAligned(4096)).to.equal(false)
    expect(list.rebuildAligned(4096)).to.equal(true)
    expect(list.isAligned(4096)).to.equal(true)
    expect(list.explain().map(({ kind }) => kind)).to.deep.equal(['pages'])
  })

  it('create(n, 0): zeros are there without memory', () => {
    const list = new BufferList().appendZero(4096)
    expect(list.explain().map(({ kind, length }) => [kind, length])).to.deep.equal([['zero', 4096]])
    expect(list.isZero()).to.equal(true)
  })
})

describe('BufferRaw: what memory tells of itself', () => {
  it('ostream: length and references are told without reading a byte', () => {
    using list = BufferList.adopt(Buffer.from('A'), () => undefined)
    expect(list.explain()).to.deep.equal([
      { kind: 'heap', length: 1, pages: null, refs: 1, looked: 0 },
    ])
  })
})

describe('BufferPtr: windows of memory', () => {
  const adopted = (text: string): BufferList => BufferList.adopt(Buffer.from(text), () => undefined)

  it('constructors: a window of a window shares the memory, and counts', () => {
    using list = adopted('ABCDEF')
    using part = list.substr(1, 4)
    using inner = part.substr(1, 2)
    expect(inner.toString()).to.equal('CD')
    expect(refsOf(list)).to.deep.equal([3])
  })

  it('constructors: a window that ends outside is refused', () => {
    const list = new BufferList('ABC')
    expect(() => list.substr(0, 4)).to.throw(InvalidArgumentError)
    expect(() => list.substr(4)).to.throw(InvalidArgumentError)
    expect(list.substr(3).length).to.equal(0)
  })

  it('constructors: moving takes the reference along, and leaves nothing', () => {
    using list = adopted('ABC')
    using moved = new BufferList().claimAppend(list)
    expect(list.length).to.equal(0)
    expect(list.numBuffers).to.equal(0)
    expect(refsOf(moved)).to.deep.equal([1])
  })

  it('assignment: a copy of a list is of the same memory', () => {
    const memory = Buffer.from('ABC')
    const list = new BufferList(memory)
    expect(shows(new BufferList(list), memory)).to.equal(true)
    expect(shows(list.substr(), memory)).to.equal(true)
  })

  it('release: the references go back to what they were', () => {
    using list = adopted('ABC')
    const part = list.substr(1)
    expect(refsOf(list)).to.deep.equal([2])
    part.release()
    part.release()
    expect(refsOf(list)).to.deep.equal([1])
  })

  it('is_n_page_sized: a length that is a multiple of a page, or not', () => {
    expect(new BufferList(Buffer.alloc(8192)).isAlignedSize(4096)).to.equal(true)
    expect(new BufferList(Buffer.alloc(8191)).isAlignedSize(4096)).to.equal(false)
    expect(new BufferList().isAlignedSize(4096)).to.equal(true)
  })

  it('wasted: what a window keeps alive and does not hold', () => {
    const memory = new Uint8Array(1000)
    const list = new BufferList(memory).substr(100, 300)
    expect(list.wastedBytes()).to.equal(700)
    expect(list.compact().wastedBytes()).to.equal(0)
  })

  it('accessors: a byte past the end is an end of buffer', () => {
    expect(new BufferList('ABC').byteAt(2)).to.equal(0x43)
    expect(() => new BufferList('ABC').byteAt(3)).to.throw(EndOfBufferError)
    expect(() => new BufferList().byteAt(0)).to.throw(EndOfBufferError)
  })

  it('cmp: nothing < A < AB < ACC < AF, and bytes are unsigned', () => {
    const ordered = ['', 'A', 'AB', 'ACC', 'AF', Buffer.of(0x41, 0x80)]
    const lists = ordered.map((part) => new BufferList(part))
    lists.forEach((a, i) => {
      lists.forEach((b, j) => expect(a.compare(b)).to.equal(Math.sign(i - j)))
    })
  })

  it('is_zero: every byte is asked', () => {
    expect(new BufferList(Buffer.alloc(42)).isZero()).to.equal(true)
    for (const at of [0, 21, 41]) {
      const bytes = Buffer.alloc(42)
      bytes[at] = 1
      expect(new BufferList(bytes).isZero(), `${at}`).to.equal(false)
    }
  })

  it('copy_out: from an offset, and never from past the end', () => {
    const list = new BufferList('ABC')
    const target = Buffer.alloc(2)
    expect(list.copyOut(1, target)).to.equal(2)
    expect(target.toString()).to.equal('BC')
    expect(() => list.copyOut(4, target)).to.throw(InvalidArgumentError)
    expect(() => list.cursor(1).readString(3)).to.throw(EndOfBufferError)
    expect(target.toString()).to.equal('BC')
  })

  it('append: small appends go on in memory that is there, without a segment each', () => {
    const hundred = (): number => {
      const list = new BufferList()
      for (let i = 0; i < 100; i++) list.appendUInt8(i)
      expect(list.toBuffer()).to.deep.equal(Buffer.from(Array.from({ length: 100 }, (_, i) => i)))
      return list.numBuffers
    }
    // Other tests may have left little of the block where first tails lie: the next list has a new one.
    expect(Math.min(hundred(), hundred())).to.equal(1)
  })
})

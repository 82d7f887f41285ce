import { expect } from 'chai'
import * as theirs from 'bl'
import * as ours from 'splicelist/bl'

/** What holds of bl, and so of the drop-in. */
for (const [name, { BufferList, BufferListStream }] of Object.entries({ ours, theirs })) {
  describe(`Buffers that a list shows (${name})`, () => {
    it('share the memory of a single segment', () => {
      const memory = Buffer.from('memory')
      const bl = new BufferList(memory)
      const [all, part] = [bl.slice(), bl.slice(1, 3)]
      memory.fill('x')
      expect([all, part].map(String)).to.deep.equal(['xxxxxx', 'xx'])
    })

    it('are the same object for all of a single segment, until the list changes', () => {
      const bl = new BufferList('memory')
      const all = bl.slice()
      expect(bl.slice()).to.equal(all)
      expect(bl.slice(0, 6)).to.equal(all)
      expect(bl.slice(-6)).to.equal(all)
      expect(bl.getBuffers()[0]).to.equal(all)
      expect(bl.consume(1).slice()).not.to.equal(all)
    })

    it('are the chunk itself where it alone was written', () => {
      const chunk = Buffer.from('chunk')
      const bl = new BufferListStream()
      bl.write(chunk)
      expect(bl.slice()).to.equal(chunk)
    })

    it('are Buffers, whatever was appended', () => {
      const bl = new BufferList([Uint8Array.of(97), 'b', new Uint8Array(5000)])
      expect(bl.getBuffers().every((each) => Buffer.isBuffer(each))).to.equal(true)
      expect(Buffer.isBuffer(bl.slice(0, 1))).to.equal(true)
      expect(Buffer.isBuffer(bl.slice(0, 2))).to.equal(true)
      expect(Buffer.isBuffer(new BufferList(Uint8Array.of(97)).slice())).to.equal(true)
    })

    it('are the segments, in order, for getBuffers and _bufs', () => {
      const bl = new BufferList(['abc', 'def', 'ghi']).consume(1)
      expect(bl.getBuffers().map(String)).to.deep.equal(['bc', 'def', 'ghi'])
      expect(bl._bufs).to.equal(bl.getBuffers())
      bl.prepend('<').append('>')
      expect(bl.getBuffers().map(String)).to.deep.equal(['<', 'bc', 'def', 'ghi', '>'])
      expect(bl.shallowSlice(2, 5).getBuffers().map(String)).to.deep.equal(['c', 'de'])
      expect(bl.consume(100).getBuffers()).to.deep.equal([])
    })

    it('outlive the list', () => {
      const bl = new BufferList(['abc', 'def'])
      const [within, across] = [bl.slice(0, 2), bl.slice(2, 4)]
      bl.consume(6).append('xxxxxx')
      expect([within, across].map(String)).to.deep.equal(['ab', 'cd'])
    })
  })
}

describe("Buffers that the drop-in's list shows", () => {
  it('come in a frozen array: what would not change the list cannot be done', () => {
    const bl = new ours.BufferList(['abc', 'def'])
    expect(() => bl.getBuffers().pop()).to.throw(TypeError)
    expect(() => bl._bufs.push(Buffer.alloc(1))).to.throw(TypeError)
    expect(() => bl._bufs.sort()).to.throw(TypeError)
    expect(bl.toString()).to.equal('abcdef')
  })

  it('belong to the moment: a later one has an array of its own', () => {
    const bl = new ours.BufferList('abc')
    const before = bl.getBuffers()
    bl.append('def')
    expect(before.map(String)).to.deep.equal(['abc'])
    expect(bl.getBuffers().map(String)).to.deep.equal(['abc', 'def'])
  })

  it('cannot be assigned, and neither can the length', () => {
    const bl = new ours.BufferListStream('abc') as { _bufs: Buffer[]; length: number }
    expect(() => (bl._bufs = [])).to.throw(TypeError)
    expect(() => (bl.length = 0)).to.throw(TypeError)
  })

  it('are never empty: the byte behind an empty part is found', () => {
    const parts = ['', Buffer.from('ab'), Buffer.alloc(0), 'cd']
    const bl = new ours.BufferList(parts)
    expect(bl.getBuffers().map(String)).to.deep.equal(['ab', 'cd'])
    expect(bl.get(0)).to.equal(97)
    expect(new theirs.BufferList(parts).get(0)).to.equal(undefined)
  })

  it('join again what was cut from one Buffer', () => {
    const bl = new ours.BufferList('abcdef')
    const joined = new ours.BufferList([bl.shallowSlice(0, 3), bl.shallowSlice(3)])
    expect(joined.getBuffers().map(String)).to.deep.equal(['abcdef'])
  })
})

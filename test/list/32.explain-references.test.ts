import { expect } from 'chai'
import { BufferList, counters } from 'splicelist'
import { pipeList, pipeRaw } from '../raw/pipes.js'
import { bytes } from '../support/bytes.js'
import { needsAddon } from '../support/needs.js'
import { extentList } from './kinds.js'

const refs = (list: BufferList): (number | null)[] => list.explain().map((row) => row.refs)
const pipes = (): number => {
  const { live } = counters.snapshot()
  return (live['pipes'] ?? 0) - (live['idlePipes'] ?? 0)
}

describe('explain', () => {
  it('has one row for each segment, front to back', async function () {
    needsAddon(this)
    using list = new BufferList('head', pipeList(bytes(1, 100_000)), await extentList(bytes(2, 9)))
    expect(list.explain()).to.deep.equal([
      { kind: 'heap', length: 4, pages: null, refs: null, looked: 0 },
      { kind: 'pipe', length: 100_000, pages: 'foreign', refs: 2, looked: 0 },
      { kind: 'file', length: 9, pages: 'loan', refs: 2, looked: 0 },
    ])
    expect(new BufferList().explain()).to.deep.equal([])
  })

  it('says who else can change the pages', function () {
    needsAddon(this)
    for (const pages of ['owned', 'loan', 'foreign'] as const) {
      using list = new BufferList()
      list.adoptRaw(pipeRaw(bytes(3, 10), pages))
      expect(list.explain()[0]?.pages).to.equal(pages)
    }
  })

  it('makes nothing readable', function () {
    needsAddon(this)
    const list = pipeList(bytes(4, 300_000))
    const before = counters.snapshot()
    list.explain()
    const after = counters.snapshot()
    expect(after.inspected).to.equal(before.inspected)
    expect(after.teed).to.equal(before.teed)
    expect(after.copied).to.deep.equal(before.copied)
    expect(list.explain()[0]?.looked).to.equal(0)
  })

  it('tells how much was made readable', function () {
    needsAddon(this)
    const list = pipeList(bytes(5, 300_000))
    list.cursor().readUInt8()
    expect(list.explain()[0]?.looked).to.equal(65_536)
    list.toBuffer(0, 100)
    expect(list.explain()[0]?.looked).to.equal(65_636)
  })
})

describe('References', () => {
  it('are counted for what owns something, and for nothing else', async function () {
    needsAddon(this)
    using list = new BufferList('memory')
    expect(refs(list)).to.deep.equal([null])
    expect(refs(pipeList(bytes(1, 5)))).to.deep.equal([1])
    expect(refs(await extentList(bytes(1, 5)))).to.deep.equal([1])
  })

  it('are one for each window: sharing adds, releasing takes away', function () {
    needsAddon(this)
    const list = pipeList(bytes(6, 100_000))
    const part = list.substr(10, 50)
    const both = new BufferList(list, 'x', part)
    expect(refs(list)).to.deep.equal([4])
    both.release()
    expect(refs(list)).to.deep.equal([2])
    part.release()
    part.release()
    expect(refs(list)).to.deep.equal([1])
  })

  it('join with the windows that join', function () {
    needsAddon(this)
    const list = pipeList(bytes(7, 100))
    using front = list.substr(0, 40)
    using back = list.substr(40)
    using joined = new BufferList(front, back)
    expect(joined.numBuffers).to.equal(1)
    expect(refs(list)).to.deep.equal([4])
  })

  it('stay as many when bytes move: take, splice, claimAppend', function () {
    needsAddon(this)
    const list = pipeList(bytes(8, 1000))
    using taken = list.take(400)
    expect(refs(list)).to.deep.equal([2])
    using removed = list.splice(100, 100)
    expect(refs(removed)).to.deep.equal([4])
    using all = new BufferList()
    all.claimAppend(taken).claimAppend(list).claimAppend(removed)
    // The rest of the list was two windows.
    expect(refs(all)).to.deep.equal([3, 3, 3])
    all.truncate(400)
    expect(refs(all)).to.deep.equal([1])
  })

  it('go with the bytes that are consumed, cut off or rebuilt', function () {
    needsAddon(this)
    const list = pipeList(bytes(9, 1000))
    using a = new BufferList(list, 'x')
    using b = new BufferList('x', list)
    using c = new BufferList(list, list)
    expect(refs(list)).to.deep.equal([5])
    a.consume(999)
    expect(refs(list)).to.deep.equal([5])
    a.consume(1)
    expect(refs(list)).to.deep.equal([4])
    b.truncate(1)
    expect(refs(list)).to.deep.equal([3])
    c.rebuild()
    expect(refs(list)).to.deep.equal([1])
  })

  it('are not taken by an operation that was refused', function () {
    needsAddon(this)
    const list = pipeList(bytes(10, 1000))
    using other = new BufferList(list)
    expect(() => list.splice(5, 2000, other)).to.throw()
    expect(() => list.substr(5, 2000)).to.throw()
    expect(() => other.splice(0, 1, 5 as never)).to.throw()
    const gone = new BufferList('gone')
    gone.release()
    expect(() => other.append(gone)).to.throw()
    expect(() => gone.append(other)).to.throw()
    expect(() => gone.claimAppend(other)).to.throw()
    expect(refs(list)).to.deep.equal([2])
    expect(other.length).to.equal(1000)
  })

  it('give the pipes back with the last one, and not before', function () {
    needsAddon(this)
    const before = pipes()
    const list = pipeList(bytes(11, 3 << 20))
    const held = pipes() - before
    expect(held).to.be.greaterThan(1)
    const part = list.substr(5, 5)
    list.release()
    expect(pipes() - before).to.equal(held)
    part.release()
    expect(pipes()).to.equal(before)
  })

  it('outlive what using gives back at the end of a block', function () {
    needsAddon(this)
    const list = pipeList(bytes(12, 100))
    {
      using inner = new BufferList(list)
      expect(refs(inner)).to.deep.equal([2])
    }
    expect(refs(list)).to.deep.equal([1])
  })
})

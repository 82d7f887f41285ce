import { expect } from 'chai'
import { needsAddon } from '../support/needs.js'
import { fdinfo } from './fdinfo.js'
import { door, E, slab, script } from './door.js'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'

const viewOf = (made: ReturnType<typeof slab>, length = 4096): ArrayBuffer => {
  const view = door().view(made, length)
  if (typeof view === 'number') throw new Error(`There is no view: ${view}`)
  return view
}

describe('The door to the addon: slabs', () => {
  beforeEach(function () {
    needsAddon(this)
  })

  it('are memory of the length that was asked for, empty at first', () => {
    for (const length of [1, 4095, 4096, 65_536, 1 << 20]) {
      const memory = new Uint8Array(viewOf(slab(length), length))
      expect(memory.length).to.equal(length)
      expect(memory.every((byte) => byte === 0)).to.equal(true)
      memory.fill(1)
    }
  })

  it('are shown to one at a time', () => {
    const made = slab(4096)
    viewOf(made)
    expect(door().view(made, 4096)).to.equal(E.EBUSY)
    door().detach(made)
    door().detach(made)
    viewOf(made)
  })

  it('keep their bytes from one view to the next', () => {
    const made = slab(100_000)
    const first = viewOf(made, 100_000)
    bytes(1, 100_000).copy(new Uint8Array(first))
    door().detach(made)
    expect(first.byteLength).to.equal(0)
    expectSameBytes(new Uint8Array(viewOf(made, 100_000)), bytes(1, 100_000))
  })

  it("show no more of themselves than is asked for: what lies behind is an earlier user's", () => {
    const made = slab(8192)
    expect(viewOf(made, 10).byteLength).to.equal(10)
    door().detach(made)
    expect(door().view(made, 8193)).to.equal(E.EINVAL)
  })

  it('end their view when they are dropped', () => {
    const made = slab(4096)
    const view = viewOf(made)
    door().drop(made)
    expect(view.byteLength).to.equal(0)
    expect(door().view(made, 4096)).to.equal(E.EBADF)
  })

  it('can be read into, from a pipe and by a disk job', () => {
    const made = slab(4096)
    const memory = new Uint8Array(viewOf(made))
    const from = door().pipe(1)
    if (typeof from === 'number') return
    door().writev(from, [bytes(2, 1000)], 0, false)
    expect(door().read(from, memory, 10, 1000)).to.equal(1000)
    expectSameBytes(memory.subarray(10, 1010), bytes(2, 1000))
    door().drop(from)
  })

  it('have no descriptor', () => {
    viewOf(slab(65_536))
    expect(fdinfo().filter(({ target }) => target.includes('memfd:splicelist'))).to.deep.equal([])
  })

  it('are made on kernels that do not know how to forbid running them', () => {
    script({ call: 'memfd_create', errno: 22, times: 1 })
    expect(new Uint8Array(viewOf(slab(4096))).length).to.be.at.least(4096)
    script({ call: 'memfd_create', errno: 22, times: 2 })
    expect(door().slab(4096)).to.equal(E.EINVAL)
  })

  it('have a length', () => {
    expect(() => door().slab(0)).to.throw(RangeError)
    expect(() => door().slab(-1)).to.throw(RangeError)
    expect(() => door().slab(2 ** 53)).to.throw(RangeError)
  })

  it('are counted while they live', () => {
    const before = door().live().slabs
    const made = slab(4096)
    expect(door().live().slabs).to.equal(before + 1)
    door().drop(made)
    expect(door().live().slabs).to.equal(before)
  })
})

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { BufferList, counters, InvalidArgumentError, ReleasedError } from 'splicelist'
import { addon } from '#lib/native.js'
import { pipeList, pipeRaw } from '../raw/pipes.js'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { tempFolder } from '../support/folders.js'
import { needsAddon } from '../support/needs.js'
import { KINDS, SIZES } from './kinds.js'

const slabs = (): number => counters.snapshot().live['slabs'] ?? 0

/** What a program can do to a list that changes it. */
const CHANGES: Record<string, (list: BufferList) => unknown> = {
  append: (list) => list.append('x'),
  appendCopy: (list) => list.appendCopy('x'),
  prepend: (list) => list.prepend('x'),
  'claimAppend, to it': (list) => list.claimAppend(new BufferList('x')),
  'claimAppend, from it': (list) => {
    new BufferList().claimAppend(list).release()
  },
  splice: (list) => {
    list.splice(1, 1).release()
  },
  take: (list) => {
    list.take(1).release()
  },
  consume: (list) => list.consume(1),
  truncate: (list) => list.truncate(1),
  rebuild: (list) => list.rebuild(),
  release: (list) => list.release(),
}

describe('Views of a list', () => {
  for (const kind of KINDS) {
    describe(`in ${kind.name}`, () => {
      it('cStr gives a range as one piece, of any size', async function () {
        kind.check(this)
        for (const size of SIZES) {
          const list = await kind.make(bytes(size, size))
          expectSameBytes(list.cStr(), bytes(size, size), `all ${size} bytes`)
          list.release()
        }
      })

      it('cStr gives exactly the range that was asked for', async function () {
        kind.check(this)
        const content = bytes(50, 1_100_000)
        const list = await kind.make(content)
        for (const [offset, length] of [
          [0, 1],
          [4095, 4098],
          [65_535, 2],
          [65_536, 65_536],
          [1_048_570, 20],
          [777, 1_050_000],
          [1_100_000, 0],
        ] as const) {
          const view = list.cStr(offset, length)
          expectSameBytes(view, content.subarray(offset, offset + length), `from ${offset}`)
        }
        list.release()
      })

      it('iterates over all bytes in order, once each', async function () {
        kind.check(this)
        const content = bytes(51, 300_001)
        const list = await kind.make(content)
        const parts: Buffer[] = []
        for (const view of list) parts.push(Buffer.from(view))
        expectSameBytes(Buffer.concat(parts), content)
        using middle = list.substr(100, 250_000)
        const again = Buffer.concat([...middle])
        expectSameBytes(again, content.subarray(100, 250_100))
      })

      it('byteAt gives each byte', async function () {
        kind.check(this)
        const content = bytes(52, 140_000)
        const list = await kind.make(content)
        for (const at of [0, 1, 4095, 4096, 46_666, 65_535, 65_536, 93_332, 139_999]) {
          expect(list.byteAt(at), `at ${at}`).to.equal(content[at])
        }
      })

      it('copyOut fills a target and says how much', async function () {
        kind.check(this)
        const content = bytes(53, 100_000)
        const list = await kind.make(content)
        const target = Buffer.alloc(70_000)
        expect(list.copyOut(5, target)).to.equal(70_000)
        expectSameBytes(target, content.subarray(5, 70_005))
        expect(list.copyOut(60_000, target)).to.equal(40_000)
        expectSameBytes(target.subarray(0, 40_000), content.subarray(60_000))
        expectSameBytes(target.subarray(40_000), content.subarray(40_005, 70_005), 'the rest')
        expect(list.copyOut(100_000, target)).to.equal(0)
      })

      it('toBuffer gives memory of its own, for ever', async function () {
        kind.check(this)
        const content = bytes(54, 70_000)
        const list = await kind.make(Buffer.from(content))
        const own = list.toBuffer()
        list.append('x').release()
        expectSameBytes(own, content)
        expect(own.buffer.byteLength).to.equal(own.length)
      })
    })
  }

  it('cStr of a segment in memory is the memory itself', () => {
    const memory = bytes(55, 5000)
    const view = new BufferList('x', memory).cStr(11, 100)
    expect(view.buffer).to.equal(memory.buffer)
    expect(view.byteOffset).to.equal(memory.byteOffset + 10)
  })

  it('a write into a view of anything but one segment of memory reaches no list', async function () {
    needsAddon(this)
    const content = bytes(61, 200_000)
    const made: Readonly<Record<string, () => BufferList>> = {
      'pages in pipes': () => pipeList(content),
      'several segments': () =>
        new BufferList(content.subarray(0, 99_999), content.subarray(99_999)),
      zeros: () => new BufferList().appendZero(200_000),
    }
    for (const [what, make] of Object.entries(made)) {
      using list = make()
      using shared = list.substr()
      const expected = what === 'zeros' ? Buffer.alloc(200_000) : content
      const path = join(await tempFolder(), 'sent')
      const stretches = [list.cStr(), list.cStr(70_000, 100_000)]
      // One segment of memory is that memory, also as a stretch.
      if (what !== 'several segments') stretches.push(...(list as Iterable<Buffer>))
      for (const view of stretches) view.fill(0xee)
      for (const each of [list, shared]) {
        expectSameBytes(each.cStr(), expected, `${what}: cStr`)
        expectSameBytes(each.toBuffer(), expected, `${what}: toBuffer`)
        expect(each.crc32c(), what).to.equal(new BufferList(expected).crc32c())
      }
      await list.spliceTo({ file: path })
      expectSameBytes(await readFile(path), expected, `${what}: what was sent`)
    }
  })

  it('several views of one list live side by side', function () {
    needsAddon(this)
    const content = bytes(56, 300_000)
    const list = pipeList(content)
    const views = [list.cStr(0, 100), list.cStr(1000, 200_000), list.cStr(50, 100)]
    expectSameBytes(views[0] as Buffer, content.subarray(0, 100))
    expectSameBytes(views[1] as Buffer, content.subarray(1000, 201_000))
    expectSameBytes(views[2] as Buffer, content.subarray(50, 150))
  })

  for (const [name, change] of Object.entries(CHANGES)) {
    it(`${name} ends them: their length is 0, and their memory goes back`, function () {
      needsAddon(this)
      const before = slabs()
      const list = pipeList(bytes(57, 100_000))
      const piece = list.cStr(10, 90_000)
      const [block] = list
      list.cursor().readUInt8()
      expect([piece.length, block?.length]).to.deep.equal([90_000, 65_536])
      expect(slabs()).to.be.greaterThan(before)
      change(list)
      expect([piece.length, block?.length]).to.deep.equal([0, 0])
      expect(slabs()).to.equal(before)
      list.release()
    })
  }

  it('reading ends none of them', function () {
    needsAddon(this)
    const content = bytes(58, 100_000)
    const list = pipeList(content)
    const view = list.cStr(10, 90_000)
    using part = list.substr(5)
    part.append('x').consume(1)
    list.toBuffer()
    list.toString('latin1', 0, 100)
    list.crc32c()
    list.indexOf('none')
    list.equals(part)
    list.byteAt(5)
    list.explain()
    list.cursor().readList(4).release()
    expectSameBytes(view, content.subarray(10, 90_010))
  })

  it('a view that was kept never shows the bytes of another list', function () {
    needsAddon(this)
    const list = pipeList(bytes(59, 60_000))
    const kept = list.cStr()
    const { buffer } = kept
    list.release()
    const other = pipeList(bytes(60, 60_000))
    expectSameBytes(other.cStr(), bytes(60, 60_000))
    expect(kept).to.have.length(0)
    expect(kept[0]).to.equal(undefined)
    expect(buffer.byteLength).to.equal(0)
    expect(() => new Uint8Array(buffer)).to.throw(TypeError, 'detached')
  })

  it('memory that was taken out of a view is not used again', function () {
    needsAddon(this)
    const list = pipeList(bytes(61, 60_000))
    const memory = list.cStr().buffer as { transfer?: () => ArrayBuffer }
    // Not on Node 20.
    if (memory.transfer === undefined) this.skip()
    const taken = Buffer.from(memory.transfer())
    list.release()
    for (let i = 0; i < 20; i++) {
      using other = pipeList(bytes(62, 60_000))
      expect(other.cStr()).to.have.length(60_000)
    }
    expectSameBytes(taken.subarray(0, 60_000), bytes(61, 60_000))
  })

  it('many bytes read one by one hold no more memory than one', function () {
    needsAddon(this)
    const list = pipeList(bytes(63, 100_000))
    const before = slabs()
    for (let i = 0; i < 500; i++) list.byteAt(i * 200)
    expect(slabs()).to.equal(before)
  })

  it('a list that is changed while it is iterated over says so', () => {
    const list = new BufferList('ab', 'cd')
    expect(() => {
      for (const view of list) list.append(view)
    }).to.throw(InvalidArgumentError, 'changed while')
  })

  it('a list that is released while it is iterated over says so', () => {
    const list = new BufferList(Buffer.from('ab'), Buffer.from('cd'))
    expect(() => {
      for (const view of list) {
        expect(view).to.have.length(2)
        list.release()
      }
    }).to.throw(ReleasedError)
  })

  it('leaves the loop early without keeping anything but what was shown', function () {
    needsAddon(this)
    const before = slabs()
    const list = pipeList(bytes(64, 300_000))
    for (const view of list) {
      expect(view).to.have.length(65_536)
      break
    }
    expect(slabs() - before).to.equal(1)
    list.release()
    expect(slabs()).to.equal(before)
  })

  it('of more bytes than there can be is refused, whatever the list shares', () => {
    const list = new BufferList()
    const part = new BufferList(Buffer.alloc(1 << 20))
    for (let i = 0; i < 1024; i++)
      part.append(new BufferList(Buffer.alloc(0), part.substr(0, 1 << 20)))
    for (let i = 0; i < 8192; i++) list.append(part)
    expect(list.length).to.be.greaterThan(8 * 2 ** 40)
    expect(() => list.cStr()).to.throw(RangeError)
    expect(() => list.toBuffer()).to.throw(RangeError)
    list.release()
  })

  it('works without slabs: a view is then ordinary memory', function () {
    needsAddon(this)
    addon?.script([{ call: 'memfd_create', times: 100, errno: 24 }])
    try {
      using list = new BufferList()
      list.adoptRaw(pipeRaw(bytes(65, 6 << 20)))
      expectSameBytes(list.cStr(), bytes(65, 6 << 20))
    } finally {
      addon?.script(null)
    }
  })
})

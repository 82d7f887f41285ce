import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { expect } from 'chai'
import { BufferList as List, counters, ReleasedError, UnfilledHoleError } from 'splicelist'
import { BufferList, BufferListStream, type Collector } from 'splicelist/bl'
import { pipeList } from '../raw/pipes.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { tempFolder } from '../support/folders.js'
import { needsAddon, needsPages } from '../support/needs.js'

const content = bytes(8, 200_000)

/** Released after the test. */
function kept<C extends Collector>(collector: C): C {
  afterwards(() => collector.list.release())
  return collector
}

for (const [name, Class] of Object.entries({ BufferList, BufferListStream })) {
  describe(`The list of a ${name}`, () => {
    it('is its own, not a copy: changes show on both sides', () => {
      const bl = new Class(['abc', 'def'])
      const { list } = bl
      expect(list).to.be.instanceOf(List)
      expect(bl.list).to.equal(list)
      list.append('ghi').consume(1)
      expect([bl.length, bl.toString()]).to.deep.equal([8, 'bcdefghi'])
      bl.consume(1).append('j')
      expect(list.toString()).to.equal('cdefghij')
    })

    it('shows its changes in everything that was asked before', () => {
      const bl = new Class('abc')
      const all = bl.slice()
      expect(bl.getBuffers()).to.deep.equal([all])
      const { list } = bl
      list.consume(1)
      expect([bl.slice(), ...bl.getBuffers()].map(String)).to.deep.equal(['bc', 'bc'])
      list.append(Buffer.from('d'))
      expect(bl.getBuffers().map(String)).to.deep.equal(['bc', 'd'])
      expect([bl.get(2), bl.readUInt8(2), bl.indexOf('d')]).to.deep.equal([100, 100, 2])
      list.truncate(0).append('xy')
      expect([bl.slice(), bl.readUInt16BE()]).to.deep.equal([Buffer.from('xy'), 0x7879])
    })

    it('sends what the object holds, and with consume empties it', async () => {
      const path = join(await tempFolder(), 'sent')
      const bl = new Class(['head', content])
      expect(await bl.list.spliceTo({ file: path })).to.equal(content.length + 4)
      expect(bl.length).to.equal(content.length + 4)
      await bl.list.spliceTo({ file: path }, { consume: true })
      expect(bl.length).to.equal(0)
      expectSameBytes(await readFile(path), Buffer.concat([Buffer.from('head'), content]))
    })

    it('may be released: the object is empty then, and takes nothing more', () => {
      const bl = new Class('abc')
      bl.list.release()
      expect([bl.length, bl.slice().length, bl.get(0)]).to.deep.equal([0, 0, undefined])
      expect(() => bl.append('d')).to.throw(ReleasedError)
      bl.consume(5)
      if (bl instanceof BufferListStream) bl.destroy()
    })

    it('may have holes, which nothing is read past', () => {
      const bl = new Class('abc')
      const hole = bl.list.appendHole(2)
      expect(() => bl.slice()).to.throw(UnfilledHoleError)
      hole.fill(Buffer.from('de'))
      expect(bl.slice().toString()).to.equal('abcde')
    })

    it('may hold memory that somebody wants back: what is shown of it is a copy', () => {
      const memory = Buffer.from('memory')
      let isReleased = false
      const adopted = List.adopt(memory, () => (isReleased = true))
      const bl = kept(new Class(['<', adopted]))
      adopted.release()
      const cut = kept(bl.shallowSlice(1))
      const [part, all] = [bl.slice(1, 4), [...bl.getBuffers(), cut.slice(3)]]
      expect(bl.readUInt16BE(1)).to.equal(0x6d65)
      bl.consume(7)
      expect(isReleased).to.equal(false)
      cut.consume(6)
      expect(isReleased).to.equal(true)
      memory.fill(0)
      expect([part, ...all].map(String)).to.deep.equal(['mem', '<', 'memory', 'ory'])
    })

    it('may hold zeros: what is shown of them can be written to', () => {
      const bl = new Class('a')
      bl.list.appendZero(5)
      bl.slice(1).fill('x')
      bl.getBuffers()[1]?.fill('x')
      expect(bl.toString()).to.equal('a\0\0\0\0\0')
    })

    it('still shares the memory that lies between other kinds', () => {
      const memory = Buffer.from('memory')
      const bl = new Class(memory)
      bl.list.appendZero(5)
      const part = bl.slice(0, 3)
      memory.fill('x')
      expect(part.toString()).to.equal('xxx')
    })
  })

  describe(`A ${name} of pages in pipes`, () => {
    beforeEach(function () {
      needsAddon(this)
    })
    const make = (): Collector => {
      const pages = pipeList(content)
      const bl = kept(new Class(['head', pages, 'tail']))
      pages.release()
      return bl
    }
    const model = Buffer.concat([Buffer.from('head'), content, Buffer.from('tail')])

    it('is read like any other', () => {
      const bl = make()
      expect(bl.length).to.equal(model.length)
      expectSameBytes(bl.slice(), model)
      expectSameBytes(bl.slice(2, 70_000), model.subarray(2, 70_000))
      expect(bl.get(100_000)).to.equal(model[100_000])
      expect(bl.readDoubleBE(1)).to.equal(model.readDoubleBE(1))
      expect(bl.readUIntLE(99_999, 6)).to.equal(model.readUIntLE(99_999, 6))
      expect(bl.indexOf(model.subarray(150_000, 150_020))).to.equal(150_000)
      expect(bl.toString('hex', 0, 10)).to.equal(model.toString('hex', 0, 10))
      expectSameBytes(bl.copy(Buffer.alloc(model.length)), model)
      expectSameBytes(Buffer.concat(bl.getBuffers()), model)
    })

    it('stays in its pipes, and is cut without a copy', () => {
      const bl = make()
      const before = counters.snapshot().copied
      const part = kept(bl.shallowSlice(3, 100_000))
      kept(bl.duplicate().append(part)).consume(50_000)
      expect(counters.snapshot().copied).to.deep.equal(before)
      expect(part.list.explain().map(({ kind }) => kind)).to.deep.equal(['heap', 'pipe'])
      part.slice()
      expect(part.list.explain().map(({ kind }) => kind)).to.deep.equal(['heap', 'pipe'])
    })

    it('shows Buffers that outlive it', () => {
      const bl = make()
      const shown = [bl.slice(10, 5000), bl.slice(0, 50), ...bl.getBuffers()]
      const before = shown.map((each) => each.toString('hex'))
      bl.list.release()
      pipeList(bytes(9, 200_000)).release()
      expect(shown.map((each) => each.toString('hex'))).to.deep.equal(before)
    })

    it('gives its pipes back when it is consumed', () => {
      const live = (): number => {
        const { pipes = 0, idlePipes = 0 } = counters.snapshot().live
        return pipes - idlePipes
      }
      const before = live()
      const bl = make()
      expect(live()).to.be.greaterThan(before)
      bl.consume(model.length)
      expect(live()).to.equal(before)
    })

    it('keeps nothing of an array with a part that is none', () => {
      const bl = new Class('a')
      const pages = pipeList(content)
      expect(() => bl.append([pages, Symbol('none') as never])).to.throw(TypeError)
      expect(() => bl.prepend([pages, Symbol('none') as never])).to.throw(TypeError)
      expect(pages.explain()[0]?.refs).to.equal(1)
      expect(bl.append([pages]).prepend([[pages]]).length).to.equal(2 * content.length + 1)
      expect(pages.explain()[0]?.refs).to.equal(3)
      bl.list.release()
      expect(pages.explain()[0]?.refs).to.equal(1)
      pages.release()
    })

    if (Class === BufferListStream) {
      it('streams, and gives its pipes back when it is destroyed', async () => {
        expectSameBytes(await buffer(make() as BufferListStream), model)
        const bl = make() as BufferListStream
        bl.destroy()
        expect(bl.length).to.equal(0)
      })
    }

    it('comes from a file and goes to a file by reference', async function () {
      needsPages(this)
      const folder = await tempFolder()
      await writeFile(join(folder, 'from'), content)
      const bl = kept(new Class('head'))
      const before = counters.snapshot().copied
      await bl.list.spliceFrom({ file: join(folder, 'from') }, content.length, { hold: 'pages' })
      const body = kept(bl.consume(4).shallowSlice(0, 150_000))
      await body.list.spliceTo({ file: join(folder, 'to') }, { mode: 'reference' })
      expect(counters.snapshot().copied).to.deep.equal(before)
      expectSameBytes(await readFile(join(folder, 'to')), content.subarray(0, 150_000))
    })
  })
}

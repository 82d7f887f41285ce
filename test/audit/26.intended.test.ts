import { createRequire } from 'node:module'
import { cp, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import {
  attach,
  audit,
  BufferList,
  counters,
  InvalidArgumentError,
  transfer,
  type CopyOptions,
  type CopyReport,
  type Cursor,
} from 'splicelist'
import type * as splicelist from 'splicelist'
import { INTENDED } from '#lib/audit/causes.js'
import { pipePool } from '#lib/raw/pipe-pool.js'
import { afterwards } from '../support/cleanup.js'
import { bytes } from '../support/bytes.js'
import { tempFolder } from '../support/folders.js'
import { hasAddon, needsAddon, needsPages } from '../support/needs.js'
import { script } from '../native/door.js'
import { listOfRaw, pipeList, pipeRaw } from '../raw/pipes.js'
import { tcpPair } from '../support/socket-pairs.js'
import { failure } from '../transfer/outcomes.js'
import { fileOf, freshPath, giver, taker } from '../transfer/places.js'

/** What an action copies: by accident, and intended. */
async function sumsOf(action: () => unknown): Promise<Pick<CopyReport, 'accidental' | 'intended'>> {
  const { accidental, intended } = (await audit(action)).report
  return { accidental, intended }
}

const accident = (length: number): object => ({ accidental: length, intended: 0 })
const b = (text: string): Buffer<ArrayBuffer> => Buffer.from(text)
/** Whether the operator, not the program, asks for copies. */
const isForced = hasAddon && process.env['SPLICELIST_MODE'] === 'copy'
const intent = (length: number): object => ({ accidental: 0, intended: length })

describe('What the program asks for in so many words is intended', () => {
  const content = bytes(1, 1000)
  const asked: Record<string, readonly [(list: BufferList) => unknown, number]> = {
    toBuffer: [(list) => list.toBuffer(5, 500), 500],
    copyOut: [(list) => list.copyOut(0, new Uint8Array(70)), 70],
    appendCopy: [(list) => list.appendCopy(content), 1000],
    'a string': [(list) => list.append('größer'), 8],
    'filling a hole': [(list) => list.appendHole(4).fill(content.subarray(0, 4)), 4],
  }
  for (const [name, [act, length]] of Object.entries(asked)) {
    it(name, async () => {
      const list = new BufferList(content.subarray(0, 1), content.subarray(1))
      expect(await sumsOf(() => act(list))).to.deep.equal(intent(length))
    })
  }
  it("load, and the mode 'copy'", async () => {
    const { path, handle } = await fileOf(content)
    using list = await BufferList.fromFile(path)
    expect(await sumsOf(() => list.load())).to.deep.equal(intent(1000))
    using other = new BufferList()
    const pull = (): unknown => other.spliceFrom({ file: handle, offset: 0 }, 500, { mode: 'copy' })
    expect(await sumsOf(pull)).to.deep.equal(intent(500))
  })
})

describe('What it does not is an accident, unless it says { intended: true }', () => {
  const two = (): BufferList => new BufferList(bytes(1, 300), bytes(2, 700))
  const meant = { intended: true } as const

  it('cStr across segments', async () => {
    expect(await sumsOf(() => two().cStr())).to.deep.equal(accident(1000))
    expect(await sumsOf(() => two().cStr(0, 1000, meant))).to.deep.equal(intent(1000))
    expect(await sumsOf(() => two().cStr(0, 1000, {}))).to.deep.equal(accident(1000))
    expect(await sumsOf(() => two().cStr(0, 1000, { intended: false }))).to.deep.equal(
      accident(1000),
    )
  })

  it('rebuild', async () => {
    expect(await sumsOf(() => two().rebuild())).to.deep.equal(accident(1000))
    expect(await sumsOf(() => two().rebuild(meant))).to.deep.equal(intent(1000))
  })

  it('rebuildAligned', async function () {
    needsAddon(this)
    const aligned = (options?: { intended: boolean }) => (): void => {
      using list = two()
      list.rebuildAligned(512, options)
    }
    expect(await sumsOf(aligned())).to.deep.equal(accident(1000))
    expect(await sumsOf(aligned(meant))).to.deep.equal(intent(1000))
  })

  it('cStr on pages, in one pipe and across segments', async function () {
    needsAddon(this)
    using held = pipeList(bytes(3, 200_000))
    expect(await sumsOf(() => held.cStr(0, 10))).to.deep.equal(accident(65_536))
    expect(await sumsOf(() => held.cStr(65_536, 10, meant))).to.deep.equal(intent(65_536))
    using mixed = new BufferList('head', held)
    expect(await sumsOf(() => mixed.cStr(0, 100))).to.deep.equal(accident(100))
    expect(await sumsOf(() => mixed.cStr(0, 100, meant))).to.deep.equal(intent(100))
    expect(await sumsOf(() => held.cursor().readUInt8())).to.deep.equal(accident(65_536))
  })

  it('a cursor on pages, and its clone: integers, text, stretches and checksums', async function () {
    needsAddon(this)
    const reads: Record<string, (cursor: Cursor) => unknown> = {
      integers: (cursor) => cursor.readUInt32LE(),
      'an integer over a border': (cursor) => cursor.seek(65_534).readUInt32LE(),
      text: (cursor) => cursor.readString(10),
      'text over a border': (cursor) => cursor.seek(65_534).readString(10),
      stretches: (cursor) => cursor.readStretch(),
      'a checksum': (cursor) => cursor.crc32c(),
      'by a clone': (cursor) => cursor.clone().readUInt8(),
    }
    for (const [name, read] of Object.entries(reads)) {
      for (const options of [undefined, {}, { intended: false }, meant]) {
        using held = pipeList(bytes(3, 200_000))
        const { accidental, intended } = await sumsOf(() => read(held.cursor(0, options)))
        const [told, untold] = options === meant ? [intended, accidental] : [accidental, intended]
        expect(told, name).to.be.greaterThan(0)
        expect(untold, name).to.equal(0)
      }
    }
  })

  it('iteration, text and checksums of pages', async function () {
    needsAddon(this)
    const reads: Record<string, (list: BufferList, options?: CopyOptions) => unknown> = {
      iteration: (list, options) => [...list.views(options)],
      text: (list, options) => list.toString('latin1', 0, list.length, options),
      'text of one segment': (list, options) => list.toString('latin1', 4, 300, options),
      'a checksum': (list, options) => list.crc32c(0, options),
    }
    for (const [name, read] of Object.entries(reads)) {
      using held = pipeList(bytes(3, 200_000))
      using list = new BufferList(b('head'), held)
      const accidents = await sumsOf(() => read(list))
      expect(accidents.accidental, name)
        .to.be.at.least(200)
        .and.to.equal((await sumsOf(() => read(list, meant))).intended)
      expect(accidents.intended, name).to.equal(0)
      expect((await sumsOf(() => read(list, meant))).accidental, name).to.equal(0)
    }
  })

  it('a byte, a search, a comparison, a test for zeros and a dump of pages', async function () {
    needsAddon(this)
    const content = bytes(3, 200_000)
    const looks: Record<string, (list: BufferList, options?: CopyOptions) => unknown> = {
      byteAt: (list, options) => list.byteAt(100_000, options),
      'indexOf a byte': (list, options) => list.indexOf(content[150_000] as number, 0, options),
      'indexOf bytes': (list, options) => list.indexOf(content.subarray(-9), 70_000, options),
      includes: (list, options) => list.includes(content.subarray(-9), 0, options),
      'equals, of the list': (list, options) => list.equals(content, options),
      'equals, of the other': (list, options) => new BufferList(content).equals(list, options),
      'compare, of the list': (list, options) => list.compare(content, options),
      'compare, of the other': (list, options) => new BufferList(content).compare(list, options),
      isZero: (list, options) => list.isZero(options),
      hexdump: (list, options) => list.hexdump(options),
    }
    for (const [name, look] of Object.entries(looks)) {
      for (const options of [undefined, {}, { intended: false }, meant]) {
        using list = pipeList(content)
        const { accidental, intended } = await sumsOf(() => look(list, options))
        const [told, untold] = options === meant ? [intended, accidental] : [accidental, intended]
        expect(told, name).to.be.at.least(8192)
        expect(untold, name).to.equal(0)
      }
    }
  })

  describe('what is copied because pipes are short', () => {
    const length = 500_000
    it('looks and copies out of a segment that cannot be teed', async function () {
      needsAddon(this)
      const looks: Record<string, (list: BufferList, options?: CopyOptions) => unknown> = {
        cStr: (list, options) => list.cStr(0, length, options),
        cursor: (list, options) => list.cursor(0, options).readString(length),
        iteration: (list, options) => [...list.views(options)],
        rebuild: (list, options) => list.rebuild(options),
      }
      for (const [name, look] of Object.entries(looks)) {
        for (const options of [undefined, meant]) {
          using list = new BufferList(listOfRaw(pipeRaw(bytes(1, length))))
          script({ call: 'tee', errno: 12, times: 1e6 })
          const { report } = await audit(() => look(list, options))
          script()
          const spilled = report.copies.find(({ cause }) => cause === 'no-scratch')
          expect(spilled, name).to.include({ bytes: length, intended: options === meant })
          const told = options === meant ? report.accidental : report.intended
          expect(told, name).to.equal(0)
        }
      }
    })

    for (const options of [{}, meant]) {
      const word = options === meant ? 'with the word' : 'without it'
      it(`spliceTo from a pipe and from a file, ${word}`, async function () {
        needsPages(this)
        const { handle } = await fileOf(bytes(2, length))
        using list = new BufferList()
        await list.spliceFrom({ file: handle, offset: 0 }, length)
        list.append(listOfRaw(pipeRaw(bytes(1, length))))
        const { client, server } = await tcpPair()
        server.resume()
        pipePool.drain()
        // Else one call from the file to the socket would do.
        const sendfile = { call: 'sendfile', errno: 22, times: 1e6 }
        script(sendfile, { call: 'pipe2', errno: 24, times: 1e6 })
        const { report } = await audit(() => list.spliceTo(client, options))
        const causes = report.copies.map(({ cause, intended }) => [cause, intended])
        const isMeant = options === meant
        expect(causes).to.have.deep.members([
          ['no-scratch', isMeant],
          ['budget', isMeant],
        ])
      })
    }
  })

  it('memory that its owner uses again is copied for a stream, which may keep it', async () => {
    for (const options of [{}, meant]) {
      const memory = Buffer.from('of the pool')
      const kept: Buffer[] = []
      const sink = new Writable({ write: (chunk: Buffer, _, done) => done(void kept.push(chunk)) })
      const list = BufferList.adopt(memory, () => memory.fill(0))
      await list.spliceTo(sink, { ...options, consume: true })
      list.release()
      expect(Buffer.concat(kept).toString()).to.equal('of the pool')
    }
  })

  it('cStr over a file’s bytes that were loaded in pieces', async () => {
    const { path } = await fileOf(bytes(4, 2000))
    using list = await BufferList.fromFile(path)
    await list.load(0, 1000)
    await list.load(1000, 1000)
    expect(await sumsOf(() => list.cStr(500, 1000))).to.deep.equal(accident(1000))
    expect(await sumsOf(() => list.cStr(500, 1000, meant))).to.deep.equal(intent(1000))
  })

  describe('every way of moving bytes', () => {
    const length = 1000
    for (const intended of [false, true]) {
      const expected = intended || isForced ? intent(length) : accident(length)
      const word = intended ? 'with the word' : 'without it'

      it(`spliceFrom, ${word}`, async () => {
        const source = await (await giver('stream')).give(bytes(5, length))
        using list = new BufferList()
        const sums = await sumsOf(() => list.spliceFrom(source, length, { intended }))
        expect(sums).to.deep.equal(expected)
      })

      it(`spliceTo, ${word}`, async function () {
        // Without the addon nothing is staged.
        needsAddon(this)
        const list = new BufferList(bytes(5, length))
        const path = await freshPath()
        const sums = await sumsOf(() => list.spliceTo({ file: path }, { intended }))
        expect(sums).to.deep.equal(intended ? intent(length) : accident(length))
      })

      it(`spliceTo a stream, from pages, ${word}`, async function () {
        needsAddon(this)
        using list = pipeList(bytes(5, length))
        const sink = await (await taker('stream')).open()
        const sums = await sumsOf(() => list.spliceTo(sink, { intended }))
        expect(sums).to.deep.equal(expected)
      })

      it(`transfer, ${word}`, async () => {
        const source = await (await giver('stream')).give(bytes(5, length))
        const sink = await (await taker('stream')).open()
        const sums = await sumsOf(() => transfer(source, sink, { length, intended }))
        expect(sums).to.deep.equal(expected)
      })

      it(`pull, peek and push of an endpoint, ${word}`, async () => {
        const { client, server } = await tcpPair()
        const end = attach(server)
        afterwards(() => end.detach())
        client.write(bytes(6, 2 * length))
        const pull = async (): Promise<void> => {
          using list = await end.pull(length, { intended })
          expect(list.length).to.equal(length)
        }
        const peek = async (): Promise<void> => {
          using list = await end.peek(length, { intended })
          expect(list.length).to.equal(length)
        }
        expect(await sumsOf(pull)).to.deep.equal(expected)
        expect(await sumsOf(peek)).to.deep.equal(expected)
      })
    }

    it('refuses another word than true or false, before it moves anything', async () => {
      const list = new BufferList()
      const error = await failure(
        list.spliceFrom({ file: 'nowhere' }, 5, { intended: 'yes' as never }),
      )
      expect(error).to.be.instanceOf(InvalidArgumentError)
      expect(error.message).to.include('intended')
    })
  })

  it('the counters of the process keep the two apart, by cause', () => {
    const before = counters.snapshot()
    two().cStr()
    two().cStr(0, 1000, meant)
    two().toBuffer()
    const after = counters.snapshot()
    const grown = (
      group: 'copied' | 'copiedByAccident' | 'copies',
      cause: 'cross-segment',
    ): number => (after[group][cause] ?? 0) - (before[group][cause] ?? 0)
    expect(grown('copied', 'cross-segment')).to.equal(2000)
    expect(grown('copiedByAccident', 'cross-segment')).to.equal(1000)
    expect(grown('copies', 'cross-segment')).to.equal(4)
    expect(after.accidental - before.accidental).to.equal(1000)
    expect(after.intended - before.intended).to.equal(2000)
    expect(after.copiedByAccident).to.not.have.any.keys(...INTENDED)
  })

  it('a list of another copy of the package: its bytes are copied, by us', async () => {
    const other = await anotherCopy()
    const list = new other.BufferList(bytes(7, 500))
    const { report } = await audit(() => new BufferList().append(list))
    expect(report.accidental).to.equal(500)
    expect(report.copies[0]).to.include({ cause: 'foreign-list', count: 1 })
    const compare = (options?: CopyOptions) => () => new BufferList().equals(list, options)
    expect(await sumsOf(compare())).to.deep.equal(accident(500))
    expect(await sumsOf(compare(meant))).to.deep.equal(intent(500))
  })
})

type Package = typeof splicelist

/** The package again, as another dependency might bring it. */
async function anotherCopy(): Promise<Package> {
  const here = createRequire(import.meta.url).resolve('splicelist/package.json')
  const root = join(here, '..')
  const folder = await tempFolder()
  for (const part of ['package.json', 'dist']) {
    await cp(join(root, part), join(folder, part), { recursive: true })
  }
  // Without the addon: one of them is enough for a process.
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  const { href } = pathToFileURL(join(folder, 'dist/index.js'))
  return (await import(href)) as Package
}

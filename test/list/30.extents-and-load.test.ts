import { truncate, writeFile, open } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  BufferList,
  counters,
  InvalidArgumentError,
  NotLoadedError,
  TransferError,
} from 'splicelist'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { FILE_SYSTEMS, tempFolder, type FileSystem } from '../support/folders.js'
import { rejection } from './rejection.js'
import { extentList, SIZES } from './kinds.js'

/** What reads bytes at once. */
const READS: Readonly<Record<string, (list: BufferList) => unknown>> = {
  byteAt: (list) => list.byteAt(5),
  copyOut: (list) => list.copyOut(0, new Uint8Array(9)),
  cStr: (list) => list.cStr(),
  toBuffer: (list) => list.toBuffer(),
  'toString()': (list) => list.toString(),
  iteration: (list) => [...list],
  indexOf: (list) => list.indexOf('x'),
  compare: (list) => list.compare('x'),
  equals: (list) => list.equals(new Uint8Array(list.length)),
  crc32c: (list) => list.crc32c(),
  rebuild: (list) => list.rebuild(),
  'a cursor': (list) => list.cursor().readUInt8(),
}

describe('Extents of files', () => {
  for (const fileSystem of Object.keys(FILE_SYSTEMS) as FileSystem[]) {
    it(`reads every size back, from ${fileSystem}`, async () => {
      const folder = await tempFolder(fileSystem)
      for (const size of SIZES) {
        const path = join(folder, String(size))
        await writeFile(path, bytes(size, size))
        using list = await BufferList.fromFile(path)
        expect(list.length).to.equal(size)
        await list.load()
        expectSameBytes(list.toBuffer(), bytes(size, size), `${size} bytes`)
      }
    })
  }

  it('is a range without its bytes: making and cutting it reads nothing', async () => {
    const { copied, inspected } = counters.snapshot()
    using list = await extentList(bytes(1, 100_000))
    list.substr(5, 50_000).release()
    expect(list.explain()).to.deep.equal([
      { kind: 'file', length: 100_000, pages: 'loan', refs: 1, looked: 0 },
    ])
    expect(counters.snapshot().inspected).to.equal(inspected)
    expect(counters.snapshot().copied).to.deep.equal(copied)
  })

  it('takes a range of the file, at most to its end', async () => {
    const path = join(await tempFolder(), 'file')
    await writeFile(path, 'abcdef')
    const texts = []
    for (const range of [{ offset: 2 }, { offset: 1, length: 3 }, { length: 0 }, { offset: 6 }]) {
      using list = await BufferList.fromFile(path, range)
      texts.push((await list.load()).toString())
    }
    expect(texts).to.deep.equal(['cdef', 'bcd', '', ''])
    for (const range of [{ length: 7 }, { offset: 5, length: 2 }, { offset: 9, length: 1 }]) {
      const error = await rejection(BufferList.fromFile(path, range))
      expect(error).to.be.instanceOf(InvalidArgumentError)
    }
  })

  it('takes an open file, and with the addon outlives it', async function () {
    const path = join(await tempFolder(), 'file')
    await writeFile(path, bytes(2, 10_000))
    const file = await open(path, 'r')
    using list = await BufferList.fromFile(file, { offset: 1 })
    await list.load(0, 10)
    await file.close()
    if (counters.snapshot().live['pipes'] === undefined) return
    await list.load()
    expectSameBytes(list.toBuffer(), bytes(2, 10_000).subarray(1))
  })

  for (const [name, read] of Object.entries(READS)) {
    it(`${name} throws NotLoadedError for bytes that are in the file, and names the remedy`, async () => {
      const list = await extentList(bytes(3, 1000))
      expect(() => read(list))
        .to.throw(NotLoadedError, /await list\.load\(\d+, \d+\)/)
        .with.property('code', 'ERR_SPLICELIST_NOT_LOADED')
      await list.load()
      read(list)
    })
  }

  it('names the offset in the list, not in the file, and a load that is enough', async () => {
    using list = new BufferList('head', await extentList(bytes(4, 1000)), 'tail')
    for (const [offset, length] of [
      [0, 20],
      [500, 504],
    ] as const) {
      let message = ''
      try {
        list.cStr(offset, length)
      } catch (error) {
        message = (error as Error).message
      }
      const [, at, n] = /load\((\d+), (\d+)\)/.exec(message) ?? []
      await list.load(Number(at), Number(n))
      expect(list.cStr(offset, length)).to.have.length(length)
    }
  })

  it('loads the part that is asked for, and no other', async () => {
    const content = bytes(5, 100_000)
    const list = await extentList(content)
    await list.load(1000, 500)
    expectSameBytes(list.cStr(1000, 500), content.subarray(1000, 1500))
    expectSameBytes(list.cStr(1100, 7), content.subarray(1100, 1107))
    expect(() => list.byteAt(999)).to.throw(NotLoadedError)
    expect(() => list.byteAt(1500)).to.throw(NotLoadedError)
    expect(list.explain()[0]?.looked).to.equal(500)
  })

  it('reads across parts that were loaded one after the other, in any order', async () => {
    const content = bytes(6, 3000)
    const list = await extentList(content)
    await list.load(1000, 1000)
    await list.load(0, 1000)
    await list.load(2000, 1000)
    expectSameBytes(list.toBuffer(500, 2000), content.subarray(500, 2500))
    expectSameBytes(list.cStr(), content)
    expect(list.toString('latin1', 999, 2)).to.equal(content.toString('latin1', 999, 1001))
    expectSameBytes(Buffer.concat([...list]), content)
  })

  it('reads nothing twice when it is loaded twice', async () => {
    const list = await extentList(bytes(7, 50_000))
    await list.load()
    const before = counters.snapshot().copied.load
    await list.load()
    await list.load(100, 5)
    expect(counters.snapshot().copied.load).to.equal(before)
  })

  it('leaves memory and empty ranges alone', async () => {
    const list = new BufferList('memory')
    expect(await list.load()).to.equal(list)
    expect(await list.load(6, 0)).to.equal(list)
    expect(await new BufferList().load()).to.have.property('length', 0)
  })

  it('loads through every list that shares the extent', async () => {
    const content = bytes(8, 1000)
    const list = await extentList(content)
    using part = list.substr(100, 50)
    await list.load()
    expectSameBytes(part.cStr(), content.subarray(100, 150))
  })

  it('goes on loading when the list is changed or released meanwhile', async () => {
    const list = await extentList(bytes(9, 100_000))
    const loading = list.load()
    list.consume(50_000)
    await loading
    const again = list.load()
    list.release()
    await again
  })

  it('says ENODATA for a file that has become shorter', async () => {
    const path = join(await tempFolder(), 'file')
    await writeFile(path, bytes(10, 10_000))
    using list = await BufferList.fromFile(path)
    await truncate(path, 5000)
    const error = await rejection(list.load())
    expect(error).to.be.instanceOf(TransferError)
    expect(error).to.include({ side: 'source', code: 'ENODATA', syscall: 'pread' })
    await list.load(0, 5000)
    expectSameBytes(list.cStr(0, 5000), bytes(10, 5000))
  })

  it('does not load for a signal that has fired, nor go on after one fires', async () => {
    using list = await extentList(bytes(11, 1 << 20))
    const fired = await rejection(list.load(0, 10, { signal: AbortSignal.abort('enough') }))
    expect(fired).to.include({ name: 'AbortError', code: 'ABORT_ERR', cause: 'enough' })
    const controller = new AbortController()
    const loading = list.load(0, 1 << 20, { signal: controller.signal })
    controller.abort()
    expect(await rejection(loading)).to.include({ name: 'AbortError' })
    expect(await list.load()).to.equal(list)
  })

  it('refuses ranges that are none before it reads', async () => {
    const list = await extentList(bytes(12, 100))
    for (const [offset, length] of [[101], [0, 101], [-1], [NaN], [0, 0.5]] as const) {
      expect(await rejection(list.load(offset, length))).to.be.instanceOf(InvalidArgumentError)
    }
  })

  it('keeps the file open until the last list that shares it is released', async () => {
    const list = await extentList(bytes(13, 1000))
    const part = list.substr(10)
    expect(list.explain()[0]?.refs).to.equal(2)
    list.release()
    expect(part.explain()[0]?.refs).to.equal(1)
    await part.load()
    part.release()
  })

  it('begins beyond two gigabytes', async () => {
    const path = join(await tempFolder(), 'sparse')
    const file = await open(path, 'w+')
    afterwards(() => file.close())
    const at = 5 * 2 ** 30 + 3
    await file.write(bytes(14, 5000), 0, 5000, at)
    using list = await BufferList.fromFile(file, { offset: at - 10 })
    await list.load()
    expectSameBytes(list.toBuffer(10), bytes(14, 5000))
    using all = await BufferList.fromFile(file)
    using end = all.substr(at, 100)
    await end.load()
    expectSameBytes(end.toBuffer(), bytes(14, 100))
  })
})

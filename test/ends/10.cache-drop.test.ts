import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { BufferList, transfer, TransferError, type FileEnd } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { tempFolder } from '../support/folders.js'
import { hasPages, needsAddon } from '../support/needs.js'
import { script } from '../native/door.js'
import { accounted } from '../transfer/account.js'
import { failure } from '../transfer/outcomes.js'
import { fileOf, freshPath } from '../transfer/places.js'
import { cachedBytes, cachedBytesAtLast, needsResidency } from './residency.js'

const MIB = 1 << 20
/** Three batches and an odd end, so that what lies behind is dropped while more is on its way. */
const LENGTH = 26 * MIB + 777
const EIO = 5
const EINVAL = 22

/** A file on the disk whose pages are all in the page cache, and clean. */
async function cachedFile(content: Uint8Array): Promise<string> {
  const { path, handle } = await fileOf(content)
  await handle.sync()
  return path
}

describe("cache: 'drop' at a sink", () => {
  it('leaves nothing of a large file in the page cache, and all of it on the disk', async function () {
    needsResidency(this)
    const content = bytes(1, LENGTH)
    const from = await cachedFile(content)
    const to = await freshPath()
    const result = await transfer({ file: from }, { file: to, cache: 'drop' })
    expect(result.bytesMoved).to.equal(LENGTH)
    expect(cachedBytes(to)).to.equal(0)
    expectSameBytes(await readFile(to), content)
    // The same without it does stay.
    await transfer({ file: from }, { file: to })
    expect(cachedBytes(to)).to.be.greaterThan(LENGTH - 1)
  })

  for (const [name, sink] of [
    ['at an offset', { offset: 12345 }],
    ['with flush: data', { flush: 'data' }],
    ['with flush: full', { flush: 'full' }],
    ['at the end of a file that is appended to', { flags: 'a' }],
  ] as const) {
    it(`drops what memory wrote ${name}`, async function () {
      needsResidency(this)
      const { path } = await fileOf(bytes(2, 50_000))
      const list = new BufferList(bytes(3, 3 * MIB))
      await list.spliceTo({ file: path, cache: 'drop', ...(sink as Partial<FileEnd>) })
      // What lies before was written by Node and is not asked about.
      expect(cachedBytes(path)).to.be.lessThan(65_536)
      const expected = Buffer.alloc(Math.max(50_000, 0))
      bytes(2, 50_000).copy(expected)
      const at = 'offset' in sink ? sink.offset : 'flags' in sink ? 50_000 : 0
      const kept = 'flush' in sink ? Buffer.alloc(0) : expected.subarray(0, at)
      expectSameBytes(await readFile(path), Buffer.concat([kept, bytes(3, 3 * MIB)]))
    })
  }

  it("uses a handle's own position, and leaves it behind what was written", async function () {
    needsResidency(this)
    const { path, handle } = await fileOf(Buffer.alloc(0))
    await handle.write(Buffer.alloc(10))
    await new BufferList(bytes(4, MIB)).spliceTo({ file: handle, cache: 'drop' })
    await new BufferList('end').spliceTo(handle)
    expect((await readFile(path)).length).to.equal(10 + MIB + 3)
    expectSameBytes((await readFile(path)).subarray(10, 10 + MIB), bytes(4, MIB))
  })

  it('changes no byte on a file system in memory, where the cache is the file', async () => {
    const path = await freshPath('tmpfs')
    await new BufferList(bytes(5, 100_001)).spliceTo({ file: path, cache: 'drop' })
    expectSameBytes(await readFile(path), bytes(5, 100_001))
  })

  it('tells of an error that only the disk met: it is written back, not only cached', async function () {
    needsAddon(this)
    const path = await freshPath()
    script({ call: 'sync_file_range', errno: EIO, times: 10 })
    const error = await failure(
      new BufferList(bytes(6, 5000)).spliceTo({ file: path, cache: 'drop' }),
    )
    expect(error).to.be.instanceOf(TransferError)
    expect(error).to.include({ side: 'sink', code: 'EIO', bytesMoved: 5000 })
  })

  it('flushes the whole file where ranges cannot be, counted', async function () {
    needsAddon(this)
    const path = await freshPath()
    script({ call: 'sync_file_range', errno: EINVAL, times: 10 })
    const { account } = await accounted(() =>
      new BufferList(bytes(6, 5000)).spliceTo({ file: path, cache: 'drop' }),
    )
    expect(account.fallbacks).to.deep.equal({ 'sync_file_range:EINVAL': 1 })
    script({ call: 'sync_file_range', errno: EINVAL }, { call: 'fdatasync', errno: EIO })
    const error = await failure(new BufferList('x').spliceTo({ file: path, cache: 'drop' }))
    expect(error).to.include({ side: 'sink', code: 'EIO' })
  })

  it('counts where the cache cannot be dropped, and goes on', async function () {
    needsAddon(this)
    const path = await freshPath()
    script({ call: 'posix_fadvise', errno: EINVAL, times: 10 })
    const { account } = await accounted(() =>
      new BufferList(bytes(6, 5000)).spliceTo({ file: path, cache: 'drop' }),
    )
    expect(account.fallbacks).to.deep.equal({ 'posix_fadvise:EINVAL': 1 })
    expectSameBytes(await readFile(path), bytes(6, 5000))
  })
})

describe("cache: 'drop' at a source", function () {
  // The kernel may keep a page that it is busy with: once in dozens of runs on a loaded machine.
  this.retries(2)
  for (const [name, sink] of [
    ['to a file', () => freshPath()],
    ['to nowhere', () => Promise.resolve('/dev/null')],
  ] as const) {
    it(`leaves nothing of a large file in the page cache, ${name}`, async function () {
      needsResidency(this)
      const from = await cachedFile(bytes(1, LENGTH))
      expect(cachedBytes(from)).to.be.greaterThan(LENGTH - 1)
      const result = await transfer({ file: from, cache: 'drop' }, { file: await sink() })
      expect(result.bytesMoved).to.equal(LENGTH)
      if (hasPages) expect(result.ways).to.include('splice')
      expect(await cachedBytesAtLast(from)).to.equal(0)
    })
  }

  it('drops what is copied', async function () {
    needsResidency(this)
    const from = await cachedFile(bytes(1, LENGTH))
    await transfer({ file: from, cache: 'drop' }, { file: '/dev/null' }, { mode: 'copy' })
    expect(await cachedBytesAtLast(from)).to.equal(0)
  })

  it('drops no more than the range that was read', async function () {
    needsResidency(this)
    const from = await cachedFile(bytes(1, 4 * MIB))
    using list = new BufferList()
    await list.spliceFrom({ file: from, cache: 'drop', offset: MIB }, MIB, { mode: 'copy' })
    expect(await cachedBytesAtLast(from, 3 * MIB)).to.be.within(2 * MIB, 3 * MIB)
    expectSameBytes(list.toBuffer(), bytes(1, 4 * MIB).subarray(MIB, 2 * MIB))
  })

  it('drops what a list holds of the file once nobody holds it any more', async function () {
    needsResidency(this)
    const from = await cachedFile(bytes(1, 4 * MIB))
    const list = new BufferList()
    await list.spliceFrom({ file: from, cache: 'drop' }, 4 * MIB)
    const to = await freshPath()
    await list.spliceTo({ file: to })
    expectSameBytes(await readFile(to), bytes(1, 4 * MIB))
    list.release()
    expect(await cachedBytesAtLast(from)).to.equal(0)
  })

  it('reads the same bytes', async () => {
    for (const on of ['disk', 'tmpfs'] as const) {
      const path = join(await tempFolder(on), 'file')
      await writeFile(path, bytes(7, 300_003))
      using list = new BufferList()
      await list.spliceFrom({ file: path, cache: 'drop', offset: 5 }, 400_000, { hold: 'pages' })
      expectSameBytes(list.toBuffer(), bytes(7, 300_003).subarray(5))
    }
  })
})

import { constants } from 'node:fs'
import { open, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { attach, BufferList, transfer } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { tempFolder } from '../support/folders.js'
import { needsAddon } from '../support/needs.js'
import { tcpPair } from '../support/socket-pairs.js'
import { script } from '../native/door.js'
import { accounted, copiedBytes } from '../transfer/account.js'
import { Collector } from '../transfer/collector.js'
import { failure } from '../transfer/outcomes.js'
import { fileOf, freshPath } from '../transfer/places.js'
import { needsDirect } from './direct.js'
import { cachedBytes, needsResidency } from './residency.js'

const MIB = 1 << 20
const { O_DIRECT } = constants
const EIO = 5
const EAGAIN = 11
const EINVAL = 22

describe("cache: 'direct' at a source", () => {
  for (const on of ['disk', 'tmpfs'] as const) {
    it(`gives pages that no later write changes, where pages of the cache do (${on})`, async function () {
      await needsDirect(this, on)
      const content = bytes(1, 2 * MIB + 100)
      const { path, handle } = await fileOf(content, on)
      using owned = new BufferList()
      using loan = new BufferList()
      await owned.spliceFrom({ file: path, cache: 'direct' }, content.length)
      await loan.spliceFrom(handle, content.length, { hold: 'pages' })
      await writeFile(path, bytes(2, content.length), { flag: 'r+' })
      expectSameBytes(owned.toBuffer(), content)
      expectSameBytes(loan.toBuffer(), bytes(2, content.length))
    })
  }

  it('says so: the pages are owned, and nothing was copied by anybody', async function () {
    await needsDirect(this)
    const { path } = await fileOf(bytes(1, 3 * MIB))
    using list = new BufferList()
    const { account } = await accounted(() =>
      list.spliceFrom({ file: path, cache: 'direct' }, 3 * MIB),
    )
    const rows = list.explain()
    expect(rows.every(({ kind, pages }) => kind === 'pipe' && pages === 'owned')).to.equal(true)
    expect(copiedBytes(account)).to.equal(0)
    expect(account).to.include({ moved: 3 * MIB, unknown: 0 })
    expect(account.kernelCopied).to.deep.equal({})
    expect(account.fallbacks).to.deep.equal({})
  })

  it('is stable by itself: nothing is copied for it', async function () {
    await needsDirect(this)
    const { path } = await fileOf(bytes(1, MIB))
    using list = new BufferList()
    const { account } = await accounted(() =>
      list.spliceFrom({ file: path, cache: 'direct' }, MIB, { mode: 'stable' }),
    )
    expect(copiedBytes(account)).to.equal(0)
    await writeFile(path, bytes(2, MIB))
    expectSameBytes(list.toBuffer(), bytes(1, MIB))
  })

  for (const [offset, length] of [
    [0, 0],
    [0, 16_384],
    [0, 16_385],
    [1, 16_384],
    [4095, 40_000],
    [4096, 40_960],
    [4097, 3 * MIB + 11],
    [5000, 20_000],
    [MIB, 3 * MIB + 1],
  ] as const) {
    it(`gives exactly ${length} bytes from ${offset}, by reference however they lie`, async function () {
      await needsDirect(this)
      const content = bytes(3, 5 * MIB)
      const { path } = await fileOf(content)
      using list = new BufferList()
      const place = { file: path, cache: 'direct', offset } as const
      const { result, account } = await accounted(() => list.spliceFrom(place, length))
      expect(result).to.equal(length)
      expect(copiedBytes(account)).to.equal(0)
      expectSameBytes(list.toBuffer(), content.subarray(offset, offset + length))
    })
  }

  for (const size of [0, 1, 4095, 4096, 4097, 3 * MIB + 513]) {
    it(`moves a file of ${size} bytes to its end and not past it`, async () => {
      for (const on of ['disk', 'tmpfs'] as const) {
        const { path } = await fileOf(bytes(4, size), on)
        const to = await freshPath(on)
        const result = await transfer({ file: path, cache: 'direct' }, { file: to })
        expect(result).to.include({ bytesMoved: size, eof: true })
        expectSameBytes(await readFile(to), bytes(4, size))
      }
    })
  }

  it('goes on from pull to pull wherever the last one ended', async () => {
    const content = bytes(5, 300_000)
    const { path } = await fileOf(content)
    await using end = attach({ file: path, cache: 'direct' })
    for (let at = 0, n = 20_001; at < content.length; at += n) {
      using list = await end.pull(n)
      expectSameBytes(list.toBuffer(), content.subarray(at, at + n))
      n = Math.min(n, content.length - at)
    }
  })

  it("never changes a handle's flags, and moves its position on", async function () {
    needsAddon(this)
    const content = bytes(6, 200_000)
    const { handle } = await fileOf(content)
    using list = new BufferList()
    await list.spliceFrom({ file: handle, cache: 'direct' }, 100_001)
    expectSameBytes(list.toBuffer(), content.subarray(0, 100_001))
    const rest = Buffer.alloc(10)
    await handle.read(rest, 0, 10, null)
    expectSameBytes(rest, content.subarray(100_001, 100_011))
    const info = await readFile(`/proc/self/fdinfo/${handle.fd}`, 'utf8')
    const flags = Number.parseInt(/flags:\s+([0-7]+)/.exec(info)?.[1] ?? '', 8)
    expect(flags & O_DIRECT).to.equal(0)
  })

  it('reads what was written a moment ago and is only in the cache', async () => {
    const { path, handle } = await fileOf(bytes(7, MIB))
    await handle.write(bytes(8, 5000), 0, 5000, 3000)
    const expected = bytes(7, MIB)
    bytes(8, 5000).copy(expected, 3000)
    using list = new BufferList()
    await list.spliceFrom({ file: path, cache: 'direct' }, MIB)
    await list.load()
    expectSameBytes(list.toBuffer(), expected)
  })

  it('reads holes as zeros', async () => {
    const { path } = await fileOf(Buffer.from('begin'))
    await truncate(path, 5 * MIB)
    using list = new BufferList()
    expect(await list.spliceFrom({ file: path, cache: 'direct' }, 6 * MIB)).to.equal(5 * MIB)
    await list.load()
    using hole = list.substr(5)
    expect(hole.isZero()).to.equal(true)
  })

  it('leaves the page cache alone', async function () {
    needsResidency(this)
    await needsDirect(this)
    const { path, handle } = await fileOf(bytes(9, 4 * MIB))
    await handle.sync()
    await transfer({ file: path, cache: 'drop' }, { file: '/dev/null' })
    await transfer({ file: path, cache: 'direct' }, { file: '/dev/null' })
    expect(cachedBytes(path)).to.equal(0)
  })

  it('goes to a socket by reference', async function () {
    await needsDirect(this)
    const content = bytes(10, 2 * MIB + 5)
    const { path } = await fileOf(content)
    const { client, server } = await tcpPair()
    const collector = new Collector(server)
    const { account } = await accounted(() => transfer({ file: path, cache: 'direct' }, client))
    expect(copiedBytes(account)).to.equal(0)
    expectSameBytes(await collector.take(content.length), content)
  })

  describe('where it cannot be', () => {
    it('reads through the cache, counted, when the file system opens nothing that way', async function () {
      needsAddon(this)
      // Files of /proc are of no device.
      const { account } = await accounted(async () => {
        using list = new BufferList()
        await list.spliceFrom({ file: '/proc/self/limits', cache: 'direct' }, 100_000)
        expect(list.toString()).to.match(/^Limit/)
      })
      expect(account.fallbacks).to.have.property('open:EINVAL', 1)
    })

    it('reads through the cache, counted, when the file says that it has no direct way', async function () {
      await needsDirect(this)
      const { path } = await fileOf(bytes(1, MIB))
      using list = new BufferList()
      const { account } = await accounted(() => {
        script({ call: 'statx', maxBytes: 0 })
        return list.spliceFrom({ file: path, cache: 'direct' }, MIB, { hold: 'pages' })
      })
      expectSameBytes(list.toBuffer(), bytes(1, MIB))
      expect(list.explain()[0]).to.include({ pages: 'loan' })
      expect(account.fallbacks).to.deep.equal({ 'statx:EOPNOTSUPP': 1 })
    })

    it('does not vouch for what the file system does not say', async function () {
      await needsDirect(this)
      const { path } = await fileOf(bytes(1, MIB))
      using list = new BufferList()
      const { account } = await accounted(() => {
        script({ call: 'statx', errno: 38 })
        return list.spliceFrom({ file: path, cache: 'direct' }, MIB)
      })
      expect(account).to.include({ moved: MIB, unknown: MIB })
    })

    it('copies, counted, what the device refuses', async function () {
      await needsDirect(this)
      const { path } = await fileOf(bytes(1, MIB))
      using list = new BufferList()
      const { account } = await accounted(async () => {
        script({ call: 'splice', errno: EINVAL })
        await list.spliceFrom({ file: path, cache: 'direct' }, MIB)
      })
      expectSameBytes(list.toBuffer(), bytes(1, MIB))
      expect(account.fallbacks).to.deep.equal({ 'splice:EINVAL': 1 })
      expect(account.copied).to.deep.equal({ 'fallback:EINVAL': MIB })
    })

    it('reads a block again where the bytes before the range could not be dropped', async function () {
      await needsDirect(this)
      const content = bytes(11, MIB)
      const { path } = await fileOf(content)
      using list = new BufferList()
      // The second call drops them, and is made twice.
      script({ call: 'splice', skip: 1, times: 2, errno: EAGAIN })
      await list.spliceFrom({ file: path, cache: 'direct', offset: 7 }, 100_001)
      expectSameBytes(list.toBuffer(), content.subarray(7, 100_008))
    })

    it('takes a device that stops within a block for no end of the file', async function () {
      await needsDirect(this)
      const content = bytes(12, MIB)
      const { path } = await fileOf(content)
      using list = new BufferList()
      // It gives one sector of the block, which lies before the range, and then fails.
      script({ call: 'splice', maxBytes: 512, times: 1 }, { call: 'splice', errno: EIO, times: 1 })
      const place = { file: path, cache: 'direct', offset: 1000 } as const
      expect(await list.spliceFrom(place, 100_001)).to.equal(100_001)
      expectSameBytes(list.toBuffer(), content.subarray(1000, 101_001))
    })

    it('gives the same bytes without the addon, and in every mode', async () => {
      const path = join(await tempFolder(), 'file')
      await writeFile(path, bytes(1, 100_001))
      for (const mode of ['auto', 'stable', 'copy'] as const) {
        using list = new BufferList()
        await list.spliceFrom({ file: path, cache: 'direct', offset: 7 }, 100_001, { mode })
        await list.load()
        expectSameBytes(list.toBuffer(), bytes(1, 100_001).subarray(7))
      }
    })

    it('refuses a handle that is closed', async () => {
      const { path } = await fileOf(Buffer.from('x'))
      const handle = await open(path)
      await handle.close()
      const error = await failure(
        new BufferList().spliceFrom({ file: handle, cache: 'direct' }, 10),
      )
      expect(error).to.have.property('code', 'ERR_SPLICELIST_INVALID_ARGUMENT')
    })
  })
})

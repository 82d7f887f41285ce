import { constants } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { expect } from 'chai'
import { BufferList, fanOut, transfer, TransferError } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { hasPages, needsAddon } from '../support/needs.js'
import { tcpPair } from '../support/socket-pairs.js'
import { script } from '../native/door.js'
import { accounted, copiedBytes } from '../transfer/account.js'
import { Collector } from '../transfer/collector.js'
import { failure } from '../transfer/outcomes.js'
import { fileOf, freshPath } from '../transfer/places.js'
import { needsDirect } from './direct.js'
import { cachedBytes, needsResidency } from './residency.js'

const MIB = 1 << 20
const EINVAL = 22
const ENOSPC = 28

describe("cache: 'direct' at a sink", () => {
  it('takes whole pages without a copy by anybody', async function () {
    await needsDirect(this)
    const { path } = await fileOf(bytes(1, 3 * MIB))
    const to = await freshPath()
    const { result, account } = await accounted(() =>
      transfer({ file: path }, { file: to, cache: 'direct' }),
    )
    expect(result.ways).to.deep.equal(['splice'])
    expect(copiedBytes(account)).to.equal(0)
    expect(account).to.include({ moved: 3 * MIB, unknown: 0 })
    expect(account.kernelCopied).to.deep.equal({})
    expectSameBytes(await readFile(to), bytes(1, 3 * MIB))
  })

  it('takes the odd end the next way, counted, and the file is as long as its bytes', async function () {
    await needsDirect(this)
    const { path } = await fileOf(bytes(1, 3 * MIB + 777))
    const to = await freshPath()
    const { account } = await accounted(() =>
      transfer({ file: path }, { file: to, cache: 'direct' }),
    )
    expect(account.kernelCopied).to.deep.equal({ 'page-cache-write': 777 })
    expect((await stat(to)).size).to.equal(3 * MIB + 777)
    expectSameBytes(await readFile(to), bytes(1, 3 * MIB + 777))
  })

  it('takes whole pages as one of several sinks, whatever the others put into a packet', async function () {
    await needsDirect(this)
    const { path } = await fileOf(bytes(4, 5 * MIB))
    const to = await freshPath()
    const { client, server } = await tcpPair()
    const arriving = new Collector(server).take(5 * MIB)
    const { account } = await accounted(() =>
      fanOut({ file: path }, [client, { file: to, cache: 'direct' }]),
    )
    expect(account.kernelCopied).to.deep.equal({})
    expectSameBytes(await readFile(to), bytes(4, 5 * MIB))
    expectSameBytes(await arriving, bytes(4, 5 * MIB))
  })

  it('takes an unaligned beginning the next way, and whole pages behind it directly', async function () {
    await needsDirect(this)
    // From 100 to 100: the pages of the one are the pages of the other.
    const { path } = await fileOf(bytes(2, 2 * MIB))
    const { path: to } = await fileOf(bytes(3, 50))
    const { account } = await accounted(() =>
      transfer({ file: path, offset: 100 }, { file: to, offset: 100, cache: 'direct' }),
    )
    expect(account.kernelCopied).to.deep.equal({ 'page-cache-write': 4096 - 100 })
    const expected = Buffer.concat([
      bytes(3, 50),
      Buffer.alloc(50),
      bytes(2, 2 * MIB).subarray(100),
    ])
    expectSameBytes(await readFile(to), expected)
  })

  for (const on of ['disk', 'tmpfs'] as const) {
    for (const [offset, length] of [
      [0, 1],
      [0, 4095],
      [0, 4096],
      [0, 65_537],
      [1, 65_536],
      [4095, 65_537],
      [4096, 1_000_000],
      [12_345, 1_234_567],
    ] as const) {
      it(`stores exactly ${length} bytes at ${offset}, whatever they are (${on})`, async () => {
        const content = bytes(4, length)
        const around = bytes(5, offset + length + 5000)
        const { path: from } = await fileOf(content, on)
        for (const kind of ['memory', 'pages', 'mixed'] as const) {
          const { path } = await fileOf(around, on)
          using list = new BufferList()
          const half = kind === 'memory' ? length : kind === 'mixed' ? length >> 1 : 0
          list.append(content.subarray(0, half))
          const place = { file: from, offset: half }
          await list.spliceFrom(place, length - half, { hold: 'pages' })
          await list.spliceTo({ file: path, offset, cache: 'direct' })
          const expected = Buffer.from(around)
          content.copy(expected, offset)
          expectSameBytes(await readFile(path), expected)
        }
      })
    }
  }

  it('leaves nothing in the page cache, neither directly nor the next way', async function () {
    needsResidency(this)
    const { path } = await fileOf(bytes(1, 10 * MIB + 13))
    const to = await freshPath()
    await transfer({ file: path }, { file: to, cache: 'direct' })
    expect(cachedBytes(to)).to.equal(0)
    const { client, server } = await tcpPair()
    client.end(bytes(1, 2 * MIB + 3))
    await transfer(server, { file: to, cache: 'direct' })
    expect(cachedBytes(to)).to.equal(0)
    expectSameBytes(await readFile(to), bytes(1, 2 * MIB + 3))
  })

  it('takes pages of a socket, which lie anywhere, the next way, and gives up trying', async function () {
    needsAddon(this)
    const to = await freshPath()
    const { client, server } = await tcpPair()
    client.end(bytes(6, 12 * MIB + 3))
    const { account } = await accounted(() => transfer(server, { file: to, cache: 'direct' }))
    expectSameBytes(await readFile(to), bytes(6, 12 * MIB + 3))
    expect(account.fallbacks['splice:EINVAL'] ?? 0).to.be.at.most(8)
    if (hasPages) expect(account.copied).to.deep.equal({})
  })

  it('goes the next way, counted, when the device refuses', async function () {
    await needsDirect(this)
    const to = await freshPath()
    using list = new BufferList()
    const { path } = await fileOf(bytes(1, MIB))
    await list.spliceFrom({ file: path }, MIB, { hold: 'pages' })
    const { account } = await accounted(() => {
      script({ call: 'splice', errno: EINVAL })
      return list.substr().spliceTo({ file: to, cache: 'direct' }, { consume: true })
    })
    expect(account.fallbacks).to.deep.equal({ 'splice:EINVAL': 1 })
    expect(account.kernelCopied).to.deep.equal({ 'page-cache-write': MIB })
    expectSameBytes(await readFile(to), bytes(1, MIB))
  })

  it('fails as the device fails, with what was not stored still in the list', async function () {
    await needsDirect(this)
    const to = await freshPath()
    using list = new BufferList()
    const { path } = await fileOf(bytes(1, MIB))
    await list.spliceFrom({ file: path }, MIB, { hold: 'pages' })
    script({ call: 'splice', errno: ENOSPC })
    const error = await failure(list.spliceTo({ file: to, cache: 'direct' }, { consume: true }))
    expect(error).to.be.instanceOf(TransferError)
    expect(error).to.include({ side: 'sink', code: 'ENOSPC', bytesMoved: 0 })
    expect(list.length).to.equal(MIB)
    await list.spliceTo({ file: to, cache: 'direct' })
    expectSameBytes(await readFile(to), bytes(1, MIB))
  })

  it('goes the next way in a file that has no direct way, counted, and leaves the cache', async function () {
    await needsDirect(this)
    const { path } = await fileOf(bytes(1, MIB))
    const to = await freshPath()
    const { account } = await accounted(() => {
      script({ call: 'statx', maxBytes: 0 })
      return transfer({ file: path }, { file: to, cache: 'direct' })
    })
    expect(account.fallbacks).to.deep.equal({ 'statx:EOPNOTSUPP': 1 })
    expect(account.kernelCopied).to.deep.equal({ 'page-cache-write': MIB })
    expectSameBytes(await readFile(to), bytes(1, MIB))
  })

  it("stores at a handle's own position, moves it on, and never changes its flags", async function () {
    needsAddon(this)
    const { path, handle } = await fileOf(new Uint8Array(0))
    const { path: from } = await fileOf(bytes(1, 100_001))
    await transfer({ file: from }, { file: handle, cache: 'direct' })
    await transfer({ file: from }, { file: handle, cache: 'direct' })
    await handle.write('end')
    const expected = [bytes(1, 100_001), bytes(1, 100_001), Buffer.from('end')]
    expectSameBytes(await readFile(path), Buffer.concat(expected))
    const info = await readFile(`/proc/self/fdinfo/${handle.fd}`, 'utf8')
    const flags = Number.parseInt(/flags:\s+([0-7]+)/.exec(info)?.[1] ?? '', 8)
    expect(flags & constants.O_DIRECT).to.equal(0)
  })

  it('goes from disk to disk without the page cache, and flushes', async function () {
    await needsDirect(this)
    const { path } = await fileOf(bytes(7, 5 * MIB + 1))
    const to = await freshPath()
    const { account } = await accounted(() =>
      transfer({ file: path, cache: 'direct' }, { file: to, cache: 'direct', flush: 'full' }),
    )
    expect(account.kernelCopied).to.deep.equal({ 'page-cache-write': 1 })
    expectSameBytes(await readFile(to), bytes(7, 5 * MIB + 1))
  })
})

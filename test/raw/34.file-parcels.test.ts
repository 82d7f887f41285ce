import { open, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { counters } from 'splicelist'
import { addon } from '#lib/native.js'
import { FileRaw } from '#lib/raw/file.js'
import { OpenFile } from '#lib/raw/open-file.js'
import { MemoryParcel, PipeParcel } from '#lib/raw/parcel.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { FILE_SYSTEMS, tempFolder, type FileSystem } from '../support/folders.js'
import { hasAddon, needsAddon } from '../support/needs.js'
import { readParcel } from './pipes.js'

async function extent(
  content: Uint8Array,
  on: FileSystem = 'disk',
): Promise<{ path: string; raw: FileRaw }> {
  const path = join(await tempFolder(on), 'file')
  await writeFile(path, content)
  const raw = new FileRaw(await OpenFile.open(path, 'r'), 0, content.length)
  afterwards(() => {
    if (raw.refs > 0) raw.release()
  })
  return { path, raw }
}

async function sendAll(raw: FileRaw, offset: number, length: number): Promise<Buffer> {
  const parts: Buffer[] = []
  for (let done = 0; done < length;) {
    const part = readParcel(await raw.parcel(offset + done, length - done))
    done += part.length
    parts.push(part)
  }
  return Buffer.concat(parts)
}

describe('A file extent on its way', () => {
  for (const fileSystem of Object.keys(FILE_SYSTEMS) as FileSystem[]) {
    it(`is exact from any offset, from ${fileSystem}`, async () => {
      const content = bytes(1, 3_000_001)
      const { raw } = await extent(content, fileSystem)
      for (const [offset, length] of [
        [0, 1],
        [4095, 2],
        [1, 1 << 20],
        [65_537, 2_000_000],
        [0, 3_000_001],
        [3_000_000, 1],
      ] as const) {
        const sent = await sendAll(raw, offset, length)
        expectSameBytes(sent, content.subarray(offset, offset + length), `${length} at ${offset}`)
      }
    })
  }

  it('is the pages of the file: what is overwritten meanwhile shows', async function () {
    needsAddon(this)
    const { raw, path } = await extent(bytes(2, 100_000), 'tmpfs')
    const { copied } = counters.snapshot()
    const parcel = await raw.parcel(0, 100_000)
    expect(parcel).to.be.instanceOf(PipeParcel)
    expect(counters.snapshot().copied).to.deep.equal(copied)
    const file = await open(path, 'r+')
    await file.write(Buffer.from('overwritten'), 0, 11, 5000)
    await file.close()
    expect(readParcel(parcel).toString('latin1', 5000, 5011)).to.equal('overwritten')
  })

  it('says when the kernel gives no pages of this file, and comes in memory, counted', async function () {
    needsAddon(this)
    const content = bytes(3, 200_000)
    const { raw } = await extent(content)
    const before = counters.snapshot().copied.fallback ?? 0
    addon?.script([{ call: 'splice', times: 1, errno: 22 }])
    afterwards(() => addon?.script(null))
    expect(await raw.parcel(1, 150_000)).to.equal(-22)
    const parcel = await raw.parcel(1, 150_000, 'fallback')
    expect(parcel).to.be.instanceOf(MemoryParcel)
    expectSameBytes(readParcel(parcel), content.subarray(1, 150_001))
    expect((counters.snapshot().copied.fallback ?? 0) - before).to.equal(150_000)
  })

  it('is as many bytes as one call moved, and no more', async function () {
    needsAddon(this)
    const content = bytes(4, 200_000)
    const { raw } = await extent(content)
    addon?.script([
      { call: 'splice', times: 1, maxBytes: 777 },
      { call: 'splice', times: 1, errno: 5 },
    ])
    afterwards(() => addon?.script(null))
    const parcel = await raw.parcel(100, 150_000)
    expectSameBytes(readParcel(parcel), content.subarray(100, 877))
  })

  it('is an error with the number of the call that failed', async function () {
    needsAddon(this)
    const { raw } = await extent(bytes(5, 200_000))
    addon?.script([{ call: 'splice', times: 1, errno: 5 }])
    afterwards(() => addon?.script(null))
    expect(await raw.parcel(0, 1000)).to.equal(-5)
  })

  it('is ENODATA when the file has become shorter', async () => {
    const { raw, path } = await extent(bytes(6, 200_000))
    await truncate(path, 100_000)
    expect(await raw.parcel(100_000, 1000)).to.equal(-61)
    expect(await raw.load(100_000, 1000)).to.equal(-61)
    expectSameBytes(await sendAll(raw, 0, 100_000), bytes(6, 100_000))
    if (hasAddon) expect(addon?.live().jobs).to.equal(0)
  })
})

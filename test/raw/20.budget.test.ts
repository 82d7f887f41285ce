import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { open } from 'node:fs/promises'
import { expect } from 'chai'
import { BufferList, counters } from 'splicelist'
import { addon } from '#lib/native.js'
import { MemoryParcel, PipeParcel } from '#lib/raw/parcel.js'
import { LARGE_PIPE_SLOTS, pipePool, SMALL_PIPE_SLOTS } from '#lib/raw/pipe-pool.js'
import { FileRaw } from '#lib/raw/file.js'
import { OpenFile } from '#lib/raw/open-file.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { tempFolder } from '../support/folders.js'
import { needsAddon, needsPages } from '../support/needs.js'
import { listOfRaw, pipeRaw, readParcel, sendRange, withBudget } from './pipes.js'

async function fileOf(content: Uint8Array): Promise<string> {
  const path = join(await tempFolder(), 'file')
  await writeFile(path, content)
  return path
}

describe('The budget of pipes', () => {
  beforeEach(function () {
    needsAddon(this)
  })

  it('counts slots, as the kernel does, and ends where it was told', () => {
    withBudget(2 * LARGE_PIPE_SLOTS + SMALL_PIPE_SLOTS)
    const from = pipePool.slotsReserved
    const held = [pipePool.borrow(1 << 20), pipePool.borrow(1 << 20), pipePool.borrow(1)]
    expect(held).not.to.include(undefined)
    expect(pipePool.slotsReserved - from).to.be.at.most(2 * LARGE_PIPE_SLOTS + SMALL_PIPE_SLOTS)
    expect(pipePool.borrow(1)).to.equal(undefined)
    expect(pipePool.borrow(1 << 20)).to.equal(undefined)
    for (const each of held) if (each !== undefined) pipePool.giveBack(each)
    const again = pipePool.borrow(1 << 20)
    expect(again).not.to.equal(undefined)
    if (again !== undefined) pipePool.giveBack(again)
  })

  it('closes idle small pipes to make a large one', () => {
    withBudget(LARGE_PIPE_SLOTS)
    const small = Array.from({ length: 16 }, () => pipePool.borrow(1))
    expect(pipePool.borrow(1)).to.equal(undefined)
    for (const each of small) if (each !== undefined) pipePool.giveBack(each)
    const large = pipePool.borrow(1 << 20)
    expect(large?.slots).to.equal(LARGE_PIPE_SLOTS)
    if (large !== undefined) pipePool.giveBack(large)
  })

  it('that is used up makes a file extent travel in memory, counted', async () => {
    const content = bytes(1, 300_000)
    const raw = new FileRaw(await OpenFile.open(await fileOf(content), 'r'), 0, content.length)
    afterwards(() => raw.release())
    withBudget(0)
    const before = counters.snapshot().copied.budget ?? 0
    // In small parcels: any of them may stall.
    for (let done = 0; done < 250_000;) {
      const parcel = await raw.parcel(5 + done, 250_000 - done)
      expect(parcel).to.be.instanceOf(MemoryParcel)
      const part = readParcel(parcel)
      expect(part.length).to.be.within(1, 65_536)
      expectSameBytes(part, content.subarray(5 + done, 5 + done + part.length))
      done += part.length
    }
    expect((counters.snapshot().copied.budget ?? 0) - before).to.equal(250_000)
  })

  it('that is used up makes a pull arrive in memory, counted', async function () {
    needsPages(this)
    const content = bytes(2, 300_000)
    const path = await fileOf(content)
    withBudget(0)
    const before = counters.snapshot().copied.budget ?? 0
    const list = new BufferList()
    afterwards(() => list.release())
    const pulled = await list.spliceFrom({ file: path }, content.length, { hold: 'pages' })
    expect(pulled).to.equal(content.length)
    expectSameBytes(list.toBuffer(), content)
    expect(new Set(list.explain().map((row) => row.kind))).to.deep.equal(new Set(['heap']))
    expect((counters.snapshot().copied.budget ?? 0) - before).to.equal(content.length)
  })

  it('that ends half-way leaves pages where they fit, and memory behind them', async function () {
    needsPages(this)
    const content = bytes(3, 3 << 20)
    const path = await fileOf(content)
    withBudget(LARGE_PIPE_SLOTS)
    const list = new BufferList()
    afterwards(() => list.release())
    await list.spliceFrom({ file: path }, content.length, { hold: 'pages' })
    const kinds = list.explain().map((row) => row.kind)
    expect(kinds[0]).to.equal('pipe')
    expect(kinds.at(-1)).to.equal('heap')
    // The last pages may have to be read for want of a scratch pipe; the bytes are the same.
    expectSameBytes(list.toBuffer(), content)
    await using sink = await open(`${path}.out`, 'w+')
    expect(await list.spliceTo(sink)).to.equal(content.length)
    const back = Buffer.alloc(content.length)
    await sink.read(back, 0, content.length, 0)
    expectSameBytes(back, content)
    await rm(`${path}.out`)
  })

  it('shrinks the pipes of segments before it refuses', () => {
    withBudget(2 * LARGE_PIPE_SLOTS)
    const contents = [bytes(4, 70_000), bytes(5, 70_001)]
    const raws = contents.map((content) => pipeRaw(content))
    const before = pipePool.slotsReserved
    const held = pipePool.borrow(1 << 20)
    expect(held?.slots).to.equal(LARGE_PIPE_SLOTS)
    // 70,000 bytes are 18 pages, so each now has 32 slots.
    expect(pipePool.slotsReserved).to.equal(before - 2 * (LARGE_PIPE_SLOTS - 32) + LARGE_PIPE_SLOTS)
    if (held !== undefined) pipePool.giveBack(held)
    raws.forEach((raw, i) => {
      expectSameBytes(sendRange(raw, 0, raw.length), contents[i] as Buffer)
      raw.release()
    })
  })

  it('takes kept readers back before it refuses', () => {
    const raws = [1, 2, 3].map((seed) => pipeRaw(bytes(seed, 1 << 20)))
    withBudget(LARGE_PIPE_SLOTS)
    for (let round = 0; round < 3; round++) {
      for (const [i, raw] of raws.entries()) {
        const content = bytes(i + 1, 1 << 20)
        const at = round * 100_000
        const parcel = raw.parcel(at, 100_000)
        expect(parcel).to.be.instanceOf(PipeParcel)
        expectSameBytes(readParcel(parcel), content.subarray(at, at + 100_000))
      }
    }
    for (const raw of raws) raw.release()
  })

  it('has one scratch pipe for looks, whatever else is used up', () => {
    const raws = [1, 2].map((seed) => pipeRaw(bytes(seed, 1 << 20)))
    withBudget(0)
    const before = counters.snapshot().copied['no-scratch']
    for (const [i, raw] of raws.entries()) {
      const target = Buffer.alloc(50_000)
      for (const at of [900_000, 5, 500_000]) {
        raw.copyOut(at, 50_000, target, 0, 'look')
        expectSameBytes(target, bytes(i + 1, 1 << 20).subarray(at, at + 50_000))
      }
    }
    expect(counters.snapshot().copied['no-scratch']).to.equal(before)
    for (const raw of raws) raw.release()
  })

  it('gives nothing where the system has no descriptors left, and counts that by its name', () => {
    pipePool.drain()
    const before = counters.snapshot().fallbacks['pipe2:EMFILE'] ?? 0
    addon?.script([{ call: 'pipe2', times: 2, errno: 24 }])
    afterwards(() => addon?.script(null))
    expect(pipePool.borrow(1)).to.equal(undefined)
    expect(pipePool.borrow(1 << 20)).to.equal(undefined)
    const held = pipePool.borrow(1)
    expect(held).not.to.equal(undefined)
    if (held !== undefined) pipePool.giveBack(held)
    expect((counters.snapshot().fallbacks['pipe2:EMFILE'] ?? 0) - before).to.equal(2)
  })

  it('is where it was once everything is released', () => {
    pipePool.drain()
    const { slotsReserved, livePipes } = pipePool
    for (let round = 0; round < 3; round++) {
      const list = listOfRaw(pipeRaw(bytes(6, 2_500_000)))
      list.crc32c()
      list.cStr(1_000_000, 100_000)
      list.release()
    }
    pipePool.drain()
    expect(pipePool.slotsReserved).to.equal(slotsReserved)
    expect(pipePool.livePipes).to.equal(livePipes)
  })
})

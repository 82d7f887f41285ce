import { expect } from 'chai'
import { counters, crc32c, type BufferList } from 'splicelist'
import { opened } from '#lib/reactor.js'
import { PipeParcel } from '#lib/raw/parcel.js'
import { PipeRaw } from '#lib/raw/pipe.js'
import type { Lease } from '#lib/raw/slabs.js'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsAddon } from '../support/needs.js'
import {
  givenUp,
  heldPipes,
  listOfRaw,
  pipeRaw,
  readParcel,
  sendRange,
  sparsePipeRaw,
} from './pipes.js'

/** All ways to look at bytes. */
const LOOKS: Readonly<Record<string, (list: BufferList) => unknown>> = {
  cStr: (list) => list.cStr(),
  byteAt: (list) => list.byteAt(70_000),
  'a cursor': (list) => list.cursor(65_530).readBigUInt64LE(),
  iteration: (list) => [...list],
  toBuffer: (list) => list.toBuffer(),
  copyOut: (list) => list.copyOut(5, Buffer.alloc(100)),
  'toString()': (list) => list.toString('latin1'),
  crc32c: (list) => list.crc32c(),
  indexOf: (list) => list.indexOf(Buffer.alloc(20)),
  equals: (list) => list.equals(Buffer.alloc(list.length)),
  explain: (list) => list.explain(),
}

describe('Looking at a pipe segment', () => {
  beforeEach(function () {
    needsAddon(this)
  })

  for (const [name, look] of Object.entries(LOOKS)) {
    it(`by ${name} leaves its pages in place: a send afterwards is by reference`, () => {
      const content = bytes(1, 1_500_000)
      const pipes = heldPipes(content)
      const pending = (): number[] => pipes.map(({ pipe }) => opened().pending(pipe))
      const before = pending()
      const raw = new PipeRaw(pipes, 'foreign')
      const list = listOfRaw(raw)
      look(list)
      look(list)
      expect(pending()).to.deep.equal(before)
      expect(list.explain()[0]).to.include({ kind: 'pipe', refs: 1 })
      const parcel = raw.parcel(3, 1000)
      expect(parcel).to.be.instanceOf(PipeParcel)
      expectSameBytes(readParcel(parcel), content.subarray(3, 1003))
      expectSameBytes(sendRange(raw, 0, content.length), content)
    })
  }

  it('makes whole blocks of 64 KiB readable, never the whole segment', () => {
    const list = listOfRaw(pipeRaw(bytes(2, 1_000_000)))
    const looks: [at: number, inspected: number][] = [
      [0, 65_536],
      [65_535, 65_536],
      [500_000, 65_536],
      [999_999, 1_000_000 - 15 * 65_536],
    ]
    for (const [at, expected] of looks) {
      const before = counters.snapshot().inspected
      list.cursor(at).readUInt8()
      expect(counters.snapshot().inspected - before, `at ${at}`).to.equal(expected)
    }
    const before = counters.snapshot().inspected
    list.cursor(65_535).readUInt16LE()
    expect(counters.snapshot().inspected - before).to.equal(131_072)
  })

  it('reads a block once while a cursor stays in it', () => {
    const list = listOfRaw(pipeRaw(bytes(3, 200_000)))
    const before = counters.snapshot().inspections
    const cursor = list.cursor()
    for (let i = 0; i < 8192; i++) cursor.readBigUInt64LE()
    expect(counters.snapshot().inspections - before).to.equal(1)
    cursor.readUInt8()
    expect(counters.snapshot().inspections - before).to.equal(2)
  })

  it('reads every byte once on the way through', () => {
    const list = listOfRaw(pipeRaw(bytes(4, 1_000_000)))
    const before = counters.snapshot()
    list.crc32c()
    expect(counters.snapshot().inspected - before.inspected).to.equal(1_000_000)
  })

  it('does not keep what it saw: the pages are not ours alone', () => {
    const list = listOfRaw(pipeRaw(bytes(5, 50_000)))
    const before = counters.snapshot().inspected
    list.toString()
    list.toString()
    expect(counters.snapshot().inspected - before).to.equal(100_000)
  })

  it('gives memory of a lease that the caller ends', () => {
    const content = bytes(6, 300_000)
    const raw = pipeRaw(content)
    const leases: Lease[] = []
    const view = raw.look(100_000, 150_000, leases)
    expectSameBytes(view, content.subarray(100_000, 250_000))
    const { bytes: block, start } = raw.stretch(299_999, leases)
    expectSameBytes(block, content.subarray(start, start + block.length))
    expect(start + block.length).to.equal(300_000)
    expect(leases).to.have.length(2)
    for (const lease of leases) lease.end()
    for (const lease of leases) lease.end()
    expect([view.length, block.length]).to.deep.equal([0, 0])
    raw.release()
  })

  it('reads across pipes', () => {
    const content = bytes(7, 5 << 20)
    const list = listOfRaw(pipeRaw(content))
    for (const at of [1 << 20, 2 << 20, 3 << 20]) {
      expectSameBytes(
        list.toBuffer(at - 70_000, 140_000),
        content.subarray(at - 70_000, at + 70_000),
      )
      expect(list.cursor(at - 3).readBigUInt64BE()).to.equal(content.readBigUInt64BE(at - 3))
    }
    expectSameBytes(list.cStr(), content)
  })

  it('reads what is left of a segment that was partly consumed', () => {
    const content = bytes(8, 300_000)
    const raw = pipeRaw(content)
    const list = listOfRaw(raw)
    readParcel(givenUp(raw, 0, 300_000), 100_001)
    list.consume(100_001)
    expect(list.byteAt(0)).to.equal(content[100_001])
    expectSameBytes(list.cStr(10, 100_000), content.subarray(100_011, 200_011))
    expectSameBytes(list.toBuffer(), content.subarray(100_001))
    expect(list.crc32c()).to.equal(crc32c(content.subarray(100_001), 0))
  })

  for (const [slots, slotBytes] of [
    [40, 1000],
    [200, 7],
    [256, 1],
    [250, 300],
  ] as const) {
    it(`keeps pages of which each holds ${slotBytes} bytes, ${slots} of them`, () => {
      const content = bytes(9, slots * slotBytes)
      const parts = Array.from({ length: slots }, (_, i) =>
        content.subarray(i * slotBytes, (i + 1) * slotBytes),
      )
      const raw = sparsePipeRaw(parts)
      const list = listOfRaw(raw)
      const before = counters.snapshot().copied['no-scratch']
      expect(list.cursor(5).readUInt16LE()).to.equal(content.readUInt16LE(5))
      expectSameBytes(list.toBuffer(), content)
      expect(raw.parcel(1, content.length - 1))
        .to.be.instanceOf(PipeParcel)
        .that.satisfies((parcel: PipeParcel) => {
          expectSameBytes(readParcel(parcel).subarray(0, 7), content.subarray(1, 8))
          return true
        })
      expectSameBytes(sendRange(raw, 0, content.length), content)
      expect(counters.snapshot().copied['no-scratch']).to.equal(before)
    })
  }
})

import { expect } from 'chai'
import { BufferList, crc32c } from 'splicelist'
import { crc32cByTable } from '#lib/list/crc32c-table.js'
import { crc32cWord, NATIVE_BYTES_MIN } from '#lib/list/crc32c.js'
import { addon } from '#lib/native.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { needsAddon } from '../support/needs.js'
import { KINDS, SIZES } from './kinds.js'

/** The definition, one bit at a time. */
function byDefinition(content: Uint8Array, seed: number): number {
  let crc = seed >>> 0
  for (const byte of content) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return crc >>> 0
}
/** The checksum as RFC 3720 (iSCSI) defines it: inverted before and after. */
const usual = (content: Uint8Array): number => ~crc32c(content, 0xffffffff) >>> 0

describe('crc32c', () => {
  it('gives the values of RFC 3720, inverted as there', () => {
    expect(usual(Buffer.from('123456789'))).to.equal(0xe3069283)
    expect(usual(Buffer.alloc(32))).to.equal(0x8a9136aa)
    expect(usual(Buffer.alloc(32, 0xff))).to.equal(0x62a8ab43)
    expect(usual(Buffer.from(Array.from({ length: 32 }, (_, i) => i)))).to.equal(0x46dd794e)
    expect(usual(Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)))).to.equal(0x113fdb5c)
  })

  it("inverts nothing by itself: Ceph's convention", () => {
    // ceph/src/test/common/test_crc32c.cc
    expect(crc32c(Buffer.from('foo bar baz'), 0)).to.equal(4119623852)
    expect(crc32c(Buffer.from('foo bar baz'), 1234)).to.equal(881700046)
    expect(crc32c(Buffer.from('whiz bang boom'), 0)).to.equal(2360230088)
    expect(crc32c(Buffer.from('whiz bang boom'), 5678)).to.equal(3743019208)
    expect(crc32c(Buffer.alloc(5, 1), 0)).to.equal(2715569182)
    expect(crc32c(Buffer.alloc(35, 1), 0)).to.equal(440531800)
    expect(crc32c(Buffer.alloc(4_096_000, 1), 0)).to.equal(31583199)
    expect(crc32c(Buffer.alloc(4_096_000, 1), 1234)).to.equal(1400919119)
    // ceph/src/test/bufferlist.cc, crc32c
    expect(crc32c(Buffer.from('A'), 0)).to.equal(0xb3109ebf)
    expect(crc32c(Buffer.from('A'), 0xb3109ebf)).to.equal(0x5fa5c0cc)
  })

  it("gives Ceph's values for 256 MiB", () => {
    // ceph/src/test/bufferlist.cc, crc32c_append_perf. What repeats every 256 bytes repeats every MiB.
    const a = new Uint8Array(1 << 20).map((_, i) => (i & 255) ^ 73)
    const b = new Uint8Array(1 << 20).map((_, i) => (i & 255) ^ 123)
    const of256 = (block: Uint8Array, seed: number): number => {
      let crc = seed
      for (let i = 0; i < 256; i++) crc = crc32cWord(block, crc)
      return crc >>> 0
    }
    expect(of256(a, 0)).to.equal(1138817026)
    expect(of256(a, 5)).to.equal(3239494520)
    expect(of256(b, 0)).to.equal(2481791210)
  })

  it('is 0 for zeros that follow a seed of 0, and the seed for nothing', () => {
    expect(crc32c(Buffer.alloc(100_000))).to.equal(0)
    expect(crc32c(new Uint8Array(0), 0xdeadbeef)).to.equal(0xdeadbeef)
    expect(new BufferList().crc32c(77)).to.equal(77)
  })

  it('agrees with its definition at every length and alignment', () => {
    const content = bytes(90, 700)
    for (let from = 0; from < 9; from++) {
      for (let length = 0; length <= 300; length++) {
        const run = content.subarray(from, from + length)
        expect(crc32c(run, 0x12345678), `${length} at ${from}`).to.equal(
          byDefinition(run, 0x12345678),
        )
      }
    }
  })

  it('takes and gives signed numbers inside the library, unsigned ones outside', () => {
    const content = bytes(94, 200)
    for (const length of [0, 1, 16, NATIVE_BYTES_MIN - 1, NATIVE_BYTES_MIN, 200]) {
      const run = content.subarray(0, length)
      const expected = byDefinition(run, 0xfedcba98)
      expect(crc32cWord(run, 0xfedcba98), `${length} bytes`).to.equal(expected | 0)
      expect(crc32cWord(run, 0xfedcba98 | 0), `${length} bytes`).to.equal(expected | 0)
      expect(crc32c(run, 0xfedcba98 | 0), `${length} bytes`).to.equal(expected)
    }
  })

  it('calls the addon from NATIVE_BYTES_MIN bytes on', function () {
    needsAddon(this)
    const lengths: number[] = []
    const native = addon as { crc32c: (bytes: Uint8Array, seed: number) => number }
    const { crc32c: original } = native
    afterwards(() => {
      native.crc32c = original
    })
    native.crc32c = (content, seed) => {
      lengths.push(content.length)
      return original(content, seed)
    }
    for (const length of [0, NATIVE_BYTES_MIN - 1, NATIVE_BYTES_MIN, NATIVE_BYTES_MIN + 1]) {
      crc32c(new Uint8Array(length))
    }
    expect(lengths).to.deep.equal([NATIVE_BYTES_MIN, NATIVE_BYTES_MIN + 1])
  })

  it('by tables agrees with its definition, whichever way bytes are loaded', () => {
    const content = bytes(91, 5000)
    // Sixteen bytes are a step; from 1024 on they are loaded as words.
    for (const length of [0, 1, 15, 16, 17, 31, 32, 1023, 1024, 1025, 1039, 1040, 1041, 4096]) {
      for (const from of [0, 1, 2, 3, 8]) {
        const run = content.subarray(from, from + length)
        const expected = byDefinition(run, 0x89abcdef)
        expect(crc32cByTable(run, 0x89abcdef), `${length} at ${from}`).to.equal(expected | 0)
      }
    }
  })

  it('is the same by tables and by the addon, at every size', function () {
    needsAddon(this)
    const content = bytes(91, (5 << 20) + 9)
    for (const size of SIZES) {
      for (const from of [0, 1, 7]) {
        const run = content.subarray(from, from + size)
        expect(addon?.crc32c(run, size), `${size} at ${from}`).to.equal(crc32cByTable(run, size))
      }
    }
  })

  it('goes on from an earlier result, at any cut', () => {
    const content = bytes(92, 3000)
    const whole = crc32c(content, 1)
    for (const cut of [0, 1, 63, 64, 65, 1024, 2999, 3000]) {
      const front = crc32c(content.subarray(0, cut), 1)
      expect(crc32c(content.subarray(cut), front), `cut at ${cut}`).to.equal(whole)
    }
  })

  for (const kind of KINDS) {
    it(`of a list is that of its bytes, in ${kind.name}`, async function () {
      kind.check(this)
      for (const size of SIZES) {
        const content = bytes(size, size)
        const list = await kind.make(content)
        expect(list.crc32c(0xffffffff), `${size} bytes`).to.equal(crc32c(content, 0xffffffff))
        list.release()
      }
    })
  }

  it('of a part is that of its bytes', async function () {
    const content = bytes(93, 200_000)
    for (const kind of KINDS) {
      if (kind.needsAddon && addon === null) continue
      const list = await kind.make(content)
      using part = list.substr(65_535, 70_000)
      const expected = crc32c(content.subarray(65_535, 135_535))
      expect(part.crc32c(), kind.name).to.equal(expected)
    }
  })
})

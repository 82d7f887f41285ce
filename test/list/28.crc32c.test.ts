import { expect } from 'chai'
import { BufferList, crc32c } from 'splicelist'
import { crc32cByTable } from '#lib/list/crc32c.js'
import { addon } from '#lib/native.js'
import { bytes } from '../support/bytes.js'
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

  it('is the same by the table and by the addon, at every size', function () {
    needsAddon(this)
    const content = bytes(91, (5 << 20) + 9)
    for (const size of [...SIZES, 255, 256, 257, 1023, 1024, 1025, 8191, 12_289, 24_577, 49_152]) {
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

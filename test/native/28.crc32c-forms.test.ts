import { readFileSync } from 'node:fs'
import { arch } from 'node:process'
import { expect } from 'chai'
import { crc32cByTable } from '#lib/list/crc32c-table.js'
import { addon } from '#lib/native.js'
import { bytes } from '../support/bytes.js'
import { needsAddon } from '../support/needs.js'
import { door } from './door.js'

const MiB = 1 << 20

/** What the processor says it can do. */
function processorHas(...flags: string[]): boolean {
  const found = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))
  const all = found?.[1]?.split(' ') ?? []
  return flags.every((flag) => all.includes(flag))
}

/** A run that ends where its memory ends, `offset` bytes from its beginning: a tool that watches
 * memory then sees a byte too many. */
function exactRun(content: Uint8Array, length: number, offset: number): Uint8Array {
  return Uint8Array.from(content.subarray(0, offset + length)).subarray(offset)
}

describe('The door to the addon: the forms of crc32c', () => {
  beforeEach(function () {
    needsAddon(this)
  })

  it('are those that the processor can run, the fastest first', () => {
    const x64 = arch === 'x64'
    const expected = [
      ...(x64 && processorHas('avx512f', 'avx512vl', 'vpclmulqdq', 'sse4_2') ? ['fold'] : []),
      ...((x64 && processorHas('sse4_2', 'pclmulqdq')) || processorHas('crc32', 'pmull')
        ? ['streams']
        : []),
      'portable',
    ]
    expect(door().crc32cForms()).to.deep.equal(expected)
  })

  for (const [index, form] of (addon?.crc32cForms() ?? []).entries()) {
    describe(form, () => {
      const by = (run: Uint8Array, seed: number): number => door().crc32cBy(index, run, seed)

      it('agrees with the reference at every length to 1100, wherever the bytes are', () => {
        const content = bytes(1, 1200)
        const seeds = new Uint32Array(bytes(2, 4 * 1101).buffer)
        for (let length = 0; length <= 1100; length++) {
          for (const offset of [0, 1 + (length % 63)]) {
            const run = exactRun(content, length, offset)
            const seed = seeds[length] ?? 0
            expect(by(run, seed), `${length} bytes at ${offset}`).to.equal(crc32cByTable(run, seed))
          }
        }
      })

      it('agrees with it around the lengths where its loops change', () => {
        const content = bytes(3, 20_000)
        // Three streams of four words, of 128; four blocks; memory asked for ahead; and several of each.
        for (const around of [96, 256, 512, 3072, 6144, 3072 + 4096, 6144 + 4096, 16_384]) {
          for (let length = around - 2; length <= around + 66; length++) {
            const run = exactRun(content, length, length & 15)
            const expected = crc32cByTable(run, around)
            expect(by(run, around), `${length} bytes`).to.equal(expected)
          }
        }
      })

      it('agrees with it for many megabytes', () => {
        const content = bytes(4, 9 * MiB + 100)
        for (const [offset, length] of [
          [0, 9 * MiB],
          [1, 5 * MiB + 77],
          [64, MiB - 1],
        ] as const) {
          const run = content.subarray(offset, offset + length)
          expect(by(run, 0xffffffff), `${length} bytes`).to.equal(crc32cByTable(run, 0xffffffff))
        }
      })

      it('sees every bit of the bytes and of the seed', () => {
        const content = bytes(5, 700)
        const before = by(content, 7)
        for (let bit = 0; bit < 32; bit++) {
          expect(by(content, 7 ^ (1 << bit)), `bit ${bit} of the seed`).to.not.equal(before)
        }
        for (let i = 0; i < content.length; i++) {
          content[i] = (content[i] as number) ^ 0x80
          expect(by(content, 7), `byte ${i}`).to.not.equal(before)
          content[i] = (content[i] as number) ^ 0x80
        }
      })
    })
  }

  it('take a seed as a signed and as an unsigned number', () => {
    const content = bytes(6, 300)
    const expected = crc32cByTable(content, -5)
    expect(door().crc32c(content, -5)).to.equal(expected)
    expect(door().crc32c(content, 0xfffffffb)).to.equal(expected)
  })

  it('refuse what is no form, no bytes and no number', () => {
    const forms = door().crc32cForms().length
    const content = new Uint8Array(4)
    expect(() => door().crc32cBy(forms, content, 0)).to.throw(RangeError, 'form')
    expect(() => door().crc32cBy(-1, content, 0)).to.throw(RangeError, 'form')
    expect(() => door().crc32cBy(0, 'text' as never, 0)).to.throw(TypeError, 'Uint8Array')
    expect(() => door().crc32c(content, 'text' as never)).to.throw(TypeError, 'seed')
  })
})

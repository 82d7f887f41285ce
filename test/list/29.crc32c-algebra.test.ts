import { expect } from 'chai'
import fc from 'fast-check'
import { combine, crc32cOfZeros, frontOf, REPEATS_MIN, reseed } from '#lib/list/crc32c-algebra.js'
import { crc32cByTable } from '#lib/list/crc32c-table.js'

const crc = crc32cByTable
const words = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const runs = fc.uint8Array({ maxLength: 5000 })
const lengths = fc.oneof(fc.nat(20), fc.nat(70_000), fc.maxSafeNat())
/** How many zero bytes change nothing. */
const ORDER = 2 ** 31 - 1

/** A length that is not used elsewhere in this file, so that its uses can be counted. */
let nextLength = 1_000_003
const freshLength = (): number => nextLength++

describe('The algebra of crc32c', () => {
  describe('combine', () => {
    it('is the checksum of one run after the other, whatever their lengths and the seed', () => {
      fc.assert(
        fc.property(runs, runs, words, (a, b, seed) => {
          const both = Buffer.concat([a, b])
          expect(combine(crc(a, seed), crc(b, 0), b.length)).to.equal(crc(both, seed))
        }),
      )
    })

    it('gives that of the second from those of the first and of both', () => {
      fc.assert(
        fc.property(runs, runs, words, (a, b, seed) => {
          const both = Buffer.concat([a, b])
          expect(combine(crc(a, seed), crc(both, seed), b.length)).to.equal(crc(b, 0))
        }),
      )
    })

    it('gives that of the first back, by frontOf, whatever the length of the second', () => {
      fc.assert(
        fc.property(runs, runs, words, (a, b, seed) => {
          const both = Buffer.concat([a, b])
          expect(frontOf(crc(both, seed), crc(b, 0), b.length)).to.equal(crc(a, seed))
        }),
      )
      for (const zeros of [2 ** 31 - 1, 2 ** 31, 2 ** 40 + 7]) {
        expect(frontOf(crc32cOfZeros(77, zeros), 0, zeros)).to.equal(77)
      }
    })

    it('joins many pieces of one length as few, past the use that gives them an operator', () => {
      const piece = Uint8Array.from({ length: 777 }, (_, i) => i * i)
      const ofPiece = crc(piece, 0)
      let combined = 5
      let direct = 5
      for (let i = 1; i <= 3 * REPEATS_MIN; i++) {
        combined = combine(combined, ofPiece, piece.length)
        direct = crc(piece, direct)
        expect(combined, `${i} pieces`).to.equal(direct)
      }
    })

    it('takes signed and unsigned numbers, and gives signed ones', () => {
      const a = 0x89abcdef
      const b = 0xfedcba98
      for (const length of [0, 1, 4096]) {
        const expected = combine(a | 0, b | 0, length)
        expect(combine(a, b, length)).to.equal(expected)
        expect(expected).to.equal(expected | 0)
      }
      expect(crc32cOfZeros(a, 0)).to.equal(a | 0)
    })

    it("gives Ceph's values for two runs of 256 MiB", () => {
      // ceph/src/test/bufferlist.cc, crc32c_append_perf: 256 bytes, doubled twenty times.
      const long = (flip: number): number => {
        let sum = crc(Uint8Array.from({ length: 256 }, (_, i) => i ^ flip), 0) // prettier-ignore
        for (let length = 256; length < 2 ** 28; length *= 2) sum = combine(sum, sum, length)
        return sum
      }
      const a = long(73)
      const b = long(123)
      const aAfter5 = reseed(a, 0, 5, 2 ** 28)
      const bAfter5 = reseed(b, 0, 5, 2 ** 28)
      expect(a >>> 0).to.equal(1138817026)
      expect(aAfter5 >>> 0).to.equal(3239494520)
      expect(b >>> 0).to.equal(2481791210)
      expect(combine(a, b, 2 ** 28) >>> 0).to.equal(2988268779)
      expect(combine(b, a, 2 ** 28) >>> 0).to.equal(169240695)
      expect(combine(bAfter5, a, 2 ** 28) >>> 0).to.equal(1265464778)
    })
  })

  describe('reseed', () => {
    it('is the checksum of the same bytes after another seed', () => {
      fc.assert(
        fc.property(runs, words, words, (run, from, to) => {
          expect(reseed(crc(run, from), from, to, run.length)).to.equal(crc(run, to))
        }),
      )
    })
  })

  describe('crc32cOfZeros', () => {
    it('is the checksum of so many zeros, at every digit of every place', () => {
      for (const place of [1, 16, 256, 4096, 65_536, 1 << 20]) {
        for (let digit = 1; digit < 16; digit++) {
          const length = digit * place
          if (length > 4 << 20) continue
          const expected = crc(new Uint8Array(length), 0xdeadbeef)
          expect(crc32cOfZeros(0xdeadbeef, length), `${length} zeros`).to.equal(expected)
        }
      }
    })

    it('is the same in one run and in two, to 2^53', () => {
      fc.assert(
        fc.property(words, lengths, lengths, (seed, first, second) => {
          fc.pre(first + second <= Number.MAX_SAFE_INTEGER)
          const inTwo = crc32cOfZeros(crc32cOfZeros(seed, first), second)
          expect(crc32cOfZeros(seed, first + second)).to.equal(inTwo)
        }),
        { numRuns: 1000 },
      )
    })

    it('is the seed again after 2^31 - 1 of them, and after no fewer', () => {
      expect(crc32cOfZeros(0x12345678, 0)).to.equal(0x12345678)
      expect(crc32cOfZeros(0x12345678, ORDER)).to.equal(0x12345678)
      const one = crc32cOfZeros(0x12345678, 1)
      expect(one).to.equal(crc(new Uint8Array(1), 0x12345678))
      expect(crc32cOfZeros(0x12345678, ORDER + 1)).to.equal(one)
      expect(crc32cOfZeros(one, ORDER - 1)).to.equal(0x12345678)
      // 2^31 - 1 is a prime: had anything less brought the seed back, one zero would.
      expect(one).to.not.equal(0x12345678)
    })

    it('is 0 for a seed of 0', () => {
      for (const length of [1, 4096, 2 ** 40]) expect(crc32cOfZeros(0, length)).to.equal(0)
    })
  })

  describe('an operator of its own', () => {
    for (const uses of [REPEATS_MIN - 1, REPEATS_MIN, REPEATS_MIN + 1]) {
      it(`makes no difference to a length that came ${uses} times in a row`, () => {
        const length = freshLength()
        const expected = crc32cOfZeros(crc32cOfZeros(77, length - 1), 1)
        for (let i = 0; i < uses; i++) expect(crc32cOfZeros(77, length)).to.equal(expected)
        const other = freshLength()
        expect(crc32cOfZeros(77, other)).to.equal(crc32cOfZeros(crc32cOfZeros(77, other - 1), 1))
        expect(crc32cOfZeros(77, length)).to.equal(expected)
      })
    }

    it('is not mistaken for that of a length between its uses', () => {
      const length = freshLength()
      const expected = crc32cOfZeros(crc32cOfZeros(9, length - 2), 2)
      const ofHeader = crc(new Uint8Array(32), 9)
      for (let i = 0; i < 2 * REPEATS_MIN; i++) {
        expect(crc32cOfZeros(9, length)).to.equal(expected)
        if (i % 600 === 599) expect(crc32cOfZeros(9, 32)).to.equal(ofHeader)
      }
    })
  })
})

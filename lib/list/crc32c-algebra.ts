/**
 * What can be said of CRC-32C without reading a byte again: the checksum of two runs from those of
 * each, of the same bytes after another seed, of zeros.
 *
 * All of it is one operation, a checksum after n more zero bytes. A checksum that nothing inverts is
 * linear in its bits, so that operation is an operator: a table for each of the checksum's four bytes,
 * applied by four loads. There is one for every hexadecimal digit of n at every place, and one more for
 * a length that keeps coming. So no sequence of lengths, however hostile, makes more than the 120 that
 * all lengths share, 4 KiB and some 3 µs each; or costs more than a step for each of eight digits.
 *
 * Checksums go in as 32 bits, signed or unsigned, and come out signed: small integers to the engine.
 * Nothing here allocates but new operators.
 */
import { timesX } from './crc32c-table.js'

/** So many zero bytes change nothing: it is the order of x, and so of x⁸, modulo the polynomial. */
const ORDER = 0x7fffffff
/** Digits of a length below ORDER. */
const PLACES = 8
/** Values of a digit. */
const DIGITS = 16
/** Uses in a row that make a length worth an operator of its own: 6 ns more for each of them. */
export const REPEATS_MIN = 512
/** The polynomial 1, reflected as checksums are. */
const ONE = 0x80000000 | 0

/** By place and digit; each is made when it is first wanted. */
const operators = new Array<Int32Array | null>(PLACES * DIGITS).fill(null)
/** The length that kept coming, and its operator. */
let repeatedBytes = 0
let repeatedOperator = makeOperator(ONE)
/** The length that came last, and how often in a row. */
let lastBytes = 0
let lastUses = 0

/**
 * The checksum of A followed by B, from that of A with any seed, that of B with seed 0, and the length
 * of B in bytes (Ceph: what `buffer::list::crc32c` does with cached ones). By the same sum, that of B
 * with seed 0 from those of A and of both: `combine(crcA, crcAB, lengthB)`.
 *
 * 4 ns where lengthB is that of the calls before, as with pages; else some 6 ns for each of its
 * hexadecimal digits that is not 0.
 */
export function combine(crcA: number, crcB: number, lengthB: number): number {
  return advance(crcA, lengthB) ^ crcB
}

/**
 * The checksum of A, with any seed, from that of A followed by B with the same seed, that of B with
 * seed 0, and the length of B in bytes. Costs what `combine` costs.
 */
export function frontOf(crcAB: number, crcB: number, lengthB: number): number {
  return advance(crcAB ^ crcB, ORDER - (lengthB % ORDER))
}

/**
 * The checksum with `toSeed` of `lengthBytes` bytes that have `crc` with `fromSeed` (Ceph: what
 * `buffer::get_cached_crc_adjusted` counts). Costs what `combine` costs.
 */
export function reseed(crc: number, fromSeed: number, toSeed: number, lengthBytes: number): number {
  return advance(fromSeed ^ toSeed, lengthBytes) ^ crc
}

/**
 * The checksum of `lengthBytes` zeros, a whole number below 2^53 (Ceph: `ceph_crc32c` of a null
 * pointer, `ceph_crc32c_zeros`). Costs what `combine` costs, whatever the length.
 */
export function crc32cOfZeros(seed: number, lengthBytes: number): number {
  return advance(seed, lengthBytes)
}

/** What `zeros` more zero bytes make of a checksum. */
function advance(crc: number, zeros: number): number {
  if (zeros !== repeatedBytes) {
    lastUses = zeros === lastBytes ? lastUses + 1 : 1
    lastBytes = zeros
    if (lastUses < REPEATS_MIN) return advanceByDigits(crc, zeros)
    repeatedOperator = makeOperator(advanceByDigits(ONE, zeros))
    repeatedBytes = zeros
  }
  return apply(repeatedOperator, crc)
}

function advanceByDigits(crc: number, zeros: number): number {
  let advanced = crc | 0
  let rest = zeros < ORDER ? zeros : zeros % ORDER
  for (let place = 0; rest !== 0; place++, rest >>>= 4) {
    const digit = rest & (DIGITS - 1)
    if (digit !== 0) advanced = apply(operatorOf(place, digit), advanced)
  }
  return advanced
}

function apply(operator: Int32Array, crc: number): number {
  return (
    entry(operator, crc & 255) ^
    entry(operator, 256 + ((crc >>> 8) & 255)) ^
    entry(operator, 512 + ((crc >>> 16) & 255)) ^
    entry(operator, 768 + (crc >>> 24))
  )
}

function entry(operator: Int32Array, index: number): number {
  return operator[index] as number
}

/** The operator of digit · 16^place zero bytes. */
function operatorOf(place: number, digit: number): Int32Array {
  return (operators[place * DIGITS + digit] ??= makeOperator(powerOfX(place, digit)))
}

/** 1 with digit · 16^place zero bytes after it. */
function powerOfX(place: number, digit: number): number {
  let power = ONE
  if (place === 0) {
    for (let bit = 0; bit < 8 * digit; bit++) power = timesX(power)
  } else {
    const sixteenth = operatorOf(place - 1, 1)
    for (let times = 0; times < DIGITS * digit; times++) power = apply(sixteenth, power)
  }
  return power
}

/** Multiplication by `factor`: a table for each byte of a checksum, the lowest first. */
function makeOperator(factor: number): Int32Array {
  const operator = new Int32Array(4 * 256)
  let product = factor
  for (let bit = 31; bit >= 0; bit--) {
    operator[(bit >>> 3) * 256 + (1 << (bit & 7))] = product
    product = timesX(product)
  }
  // What several bits make is the sum of what the lowest makes and of what the others do.
  for (let index = 0; index < operator.length; index++) {
    const byte = index & 255
    const others = byte & (byte - 1)
    if (others === 0) continue
    operator[index] = entry(operator, index - others) ^ entry(operator, index - byte + others)
  }
  return operator
}

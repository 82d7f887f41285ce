/**
 * Searching bytes that lie in stretches, without joining them: the engine's own search inside a
 * stretch, and an automaton (Knuth, Morris, Pratt) over its borders.
 *
 * The automaton's whole state is one number: how much of the needle the bytes so far end with. So a
 * border costs no copy, and a stretch may be gone once the next is there. O(bytes + needle), whatever
 * the stretches' sizes and whatever is in them.
 */
import { InvalidArgumentError } from '../errors.js'
import { describe } from '../arguments.js'
import { encode } from '../audit/ledger.js'
import type { Stretch } from '../raw/raw.js'
import { engine } from './engine.js'

/** Below this the automaton is through before a call into the engine has returned, in bytes. */
const ENGINE_BYTES_MIN = 128
/**
 * As much of a needle as the engine is asked for, in bytes: its Boyer-Moore knows the last 250 bytes
 * of a needle alone, and may compare all others again at every place.
 */
const PREFIX_BYTES_MAX = 240
/** How much of the prefix may be matched anew after a leap: a share of it. */
const PREFIX_GIVEN_UP_MAX = 0.75

/** A needle as bytes. */
export function needleBytes(needle: unknown): Uint8Array {
  if (typeof needle === 'string') return encode(needle)
  if (typeof needle === 'number') return Uint8Array.of(needle)
  if (needle instanceof Uint8Array) return needle
  throw new InvalidArgumentError(
    `A needle must be a Uint8Array, a string or a byte, not ${describe(needle)}`,
  )
}

/** The offset of the needle in a list of `length` bytes whose stretches from `from` on are given. */
export function indexOfIn(
  stretches: Iterable<Stretch>,
  needle: Uint8Array,
  from: number,
  length: number,
): number {
  if (needle.length === 0) return from
  if (from + needle.length > length) return -1
  if (needle.length === 1) return indexOfByte(stretches, needle[0] as number)
  const search = new Search(needle)
  for (const { bytes, start } of stretches) {
    const end = search.endIn(bytes)
    if (end >= 0) return start + end - needle.length
  }
  return -1
}

/** One byte crosses no border. */
function indexOfByte(stretches: Iterable<Stretch>, byte: number): number {
  for (const { bytes, start } of stretches) {
    if (bytes.length >= ENGINE_BYTES_MIN) {
      const found = engine.indexOf.call(bytes, byte, 0)
      if (found >= 0) return start + found
      continue
    }
    for (let i = 0; i < bytes.length; i++) if (bytes[i] === byte) return start + i
  }
  return -1
}

/** A search that is given its bytes stretch by stretch. */
class Search {
  readonly #needle: Uint8Array
  /** What the engine searches for: all of the needle, or its beginning. */
  readonly #prefix: Uint8Array
  /** What the engine needs before it, in bytes. */
  readonly #leapBytesMin: number
  /** A match that is further than this is not given up for a leap, in bytes. */
  readonly #leapMatchedMax: number
  #fallbacks: Int32Array | undefined
  /** Bytes of the needle that the bytes so far end with. */
  #matched = 0

  constructor(needle: Uint8Array) {
    const isWhole = needle.length <= PREFIX_BYTES_MAX
    this.#needle = needle
    this.#prefix = isWhole ? needle : needle.subarray(0, PREFIX_BYTES_MAX)
    this.#leapBytesMin = Math.max(ENGINE_BYTES_MIN, this.#prefix.length)
    // Of a whole needle one leap says all there is to say. A prefix may be found again just where
    // the match was: so a leap must gain something.
    this.#leapMatchedMax = isWhole ? needle.length : PREFIX_BYTES_MAX * PREFIX_GIVEN_UP_MAX
  }
  /** Where in these bytes, which follow the ones before, the needle ends; −1 where it does not. */
  endIn(bytes: Uint8Array): number {
    for (let at = 0; at < bytes.length;) {
      at = this.#leap(bytes, at)
      if (this.#matched < this.#needle.length) at = this.#step(bytes, at)
      if (this.#matched === this.#needle.length) return at
    }
    return -1
  }
  /**
   * Moves behind the next place that begins like the needle, or to where one may be cut off. Stays
   * where it is while a match is under way that began before these bytes, or when they are too few.
   */
  #leap(bytes: Uint8Array, at: number): number {
    const prefix = this.#prefix
    const start = at - this.#matched
    if (start < 0 || start + this.#leapBytesMin > bytes.length) return at
    const found = engine.indexOf.call(bytes, prefix, start)
    this.#matched = found < 0 ? 0 : prefix.length
    return found < 0 ? bytes.length - prefix.length + 1 : found + prefix.length
  }
  /** Moves byte by byte: to the needle's end, the bytes' end, or where a leap may be worth it. */
  #step(bytes: Uint8Array, from: number): number {
    const needle = this.#needle
    const first = needle[0]
    const fallbacks = (this.#fallbacks ??= fallbacksOf(needle))
    const leapMatchedMax = this.#leapMatchedMax
    const lastLeap = bytes.length - this.#leapBytesMin
    let matched = this.#matched
    let at = from
    while (at < bytes.length) {
      const byte = bytes[at]
      if (byte === needle[matched]) {
        at++
        if (++matched === needle.length) break
      } else if (matched === 0) {
        do at++
        while (at < bytes.length && bytes[at] !== first)
      } else {
        matched = fallbacks[matched] as number
        if (byte === needle[matched]) {
          matched++
          at++
        }
        const start = at - matched
        if (start >= 0 && start <= lastLeap && matched <= leapMatchedMax) break
      }
    }
    this.#matched = matched
    return at
  }
}

/**
 * For every count of matched bytes: how many are matched still when the next does not fit, that is,
 * the longest beginning of the needle that they end with.
 */
function fallbacksOf(needle: Uint8Array): Int32Array {
  const fallbacks = new Int32Array(needle.length)
  for (let at = 1, matched = 0; at + 1 < needle.length; at++) {
    while (matched > 0 && needle[matched] !== needle[at]) matched = fallbacks[matched] as number
    if (needle[matched] === needle[at]) matched++
    fallbacks[at + 1] = matched
  }
  return fallbacks
}

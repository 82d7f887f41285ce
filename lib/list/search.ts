/**
 * Searching bytes that lie in stretches: the engine's own search inside each, and, where a needle
 * may cross a border, in a small window around it. O(bytes), whatever the stretches' sizes.
 */
import { InvalidArgumentError } from '../errors.js'
import { describe } from '../arguments.js'
import { copy, encode } from '../audit/ledger.js'
import type { Stretch } from '../raw/raw.js'
import { viewOf } from './buffer-view.js'

/** A needle as bytes. */
export function needleBytes(needle: unknown): Uint8Array {
  if (typeof needle === 'string') return encode('append-copy', needle)
  if (typeof needle === 'number') return Uint8Array.of(needle)
  if (needle instanceof Uint8Array) return needle
  throw new InvalidArgumentError(
    `A needle must be a Uint8Array, a string or a byte, not ${describe(needle)}`,
  )
}

/**
 * The offset of the needle in a list of `length` bytes whose stretches from `from` on are given.
 * Of each border it keeps the last bytes that a needle could have begun in.
 */
export function indexOfIn(
  stretches: Iterable<Stretch>,
  needle: Uint8Array,
  from: number,
  length: number,
): number {
  if (needle.length === 0) return from
  if (from + needle.length > length) return -1
  let tail: Uint8Array = new Uint8Array(0)
  for (const { bytes, start } of stretches) {
    const across = searchBorder(tail, bytes, needle)
    if (across >= 0) return start - tail.length + across
    const within = viewOf(bytes).indexOf(needle)
    if (within >= 0) return start + within
    tail = keepTail(tail, bytes, needle.length - 1)
  }
  return -1
}

/** A match that begins in `tail` and ends in `bytes`. */
function searchBorder(tail: Uint8Array, bytes: Uint8Array, needle: Uint8Array): number {
  if (tail.length === 0) return -1
  return viewOf(join(tail, bytes.subarray(0, needle.length - 1))).indexOf(needle)
}

/** The last `count` bytes of all so far, as memory of its own: stretches do not last. */
function keepTail(tail: Uint8Array, bytes: Uint8Array, count: number): Uint8Array {
  if (count === 0) return tail
  if (bytes.length >= count) return join(bytes.subarray(bytes.length - count), new Uint8Array(0))
  const joined = join(tail, bytes)
  return joined.subarray(Math.max(0, joined.length - count))
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length)
  copy('cross-segment', a, joined, 0)
  copy('cross-segment', b, joined, a.length)
  return joined
}

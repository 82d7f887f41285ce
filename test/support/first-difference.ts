/**
 * Comparing large runs of bytes. Chai's deep equality takes milliseconds a MiB and prints both
 * sides; these take microseconds and name the first byte that differs.
 */
import { AssertionError } from 'chai'

/** The offset of the first byte that differs (an end counts), or −1 where there is none. */
export function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const common = Math.min(a.length, b.length)
  let low = 0
  let high = common
  if (Buffer.compare(a.subarray(0, common), b.subarray(0, common)) === 0) {
    return a.length === b.length ? -1 : common
  }
  // Halving, so that every step is one memcmp: the first difference lies in [low, high).
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if (Buffer.compare(a.subarray(low, middle), b.subarray(low, middle)) === 0) low = middle
    else high = middle
  }
  return low
}

/** Throws, naming the first difference, unless both hold the same bytes. */
export function expectSameBytes(
  actual: Uint8Array,
  expected: Uint8Array,
  what = 'the bytes',
): void {
  const at = firstDifference(actual, expected)
  if (at < 0) return
  const shown = (bytes: Uint8Array): string =>
    at < bytes.length ? Buffer.from(bytes.subarray(at, at + 16)).toString('hex') : 'the end'
  throw new AssertionError(
    `${what} differ first at ${at}: ${shown(actual)} (of ${actual.length}) ` +
      `instead of ${shown(expected)} (of ${expected.length})`,
  )
}

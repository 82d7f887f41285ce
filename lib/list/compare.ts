/**
 * Comparing bytes that lie in stretches, without joining or copying them: the engine compares the
 * longest run that both sides have at hand. Unsigned, as bytes are. O(bytes up to the difference).
 */
import type { Stretch } from '../raw/raw.js'
import { engine } from './engine.js'

/** Below this a loop is through before a call into the engine has returned, in bytes. */
const ENGINE_BYTES_MIN = 32
/** What zeros are compared with; as large as the stretch that held pages are read in, in bytes. */
const ZEROS = new Uint8Array(65536)
const NOTHING = new Uint8Array(0)

/** The order of two lists' bytes: a list that is the beginning of another comes before it. */
export function compareStretches(a: Iterable<Stretch>, b: Iterable<Stretch>): -1 | 0 | 1 {
  const left = new Side(a)
  const right = new Side(b)
  try {
    while (left.hasMore() && right.hasMore()) {
      const n = Math.min(left.bytes.length - left.at, right.bytes.length - right.at)
      const order = compareRuns(left.bytes, left.at, right.bytes, right.at, n)
      if (order !== 0) return order
      left.at += n
      right.at += n
    }
    return left.hasMore() ? 1 : right.hasMore() ? -1 : 0
  } finally {
    left.close()
    right.close()
  }
}

/** Whether all bytes are zero. True where there are none. */
export function areZero(stretches: Iterable<Stretch>): boolean {
  for (const { bytes } of stretches) {
    for (let at = 0; at < bytes.length; at += ZEROS.length) {
      const n = Math.min(ZEROS.length, bytes.length - at)
      if (compareRuns(bytes, at, ZEROS, 0, n) !== 0) return false
    }
  }
  return true
}

/** One side of a comparison: a stretch, and how far in it the comparison is. */
class Side {
  readonly #stretches: Iterator<Stretch>
  bytes: Uint8Array = NOTHING
  at = 0

  constructor(stretches: Iterable<Stretch>) {
    this.#stretches = stretches[Symbol.iterator]()
  }
  /** Whether there is a byte at `at`; moves on to the next stretch where one is through. */
  hasMore(): boolean {
    while (this.at === this.bytes.length) {
      const step = this.#stretches.next()
      // The stretch that is through may be gone by now, and its length with it.
      this.bytes = step.done === true ? NOTHING : step.value.bytes
      this.at = 0
      if (step.done === true) return false
    }
    return true
  }
  close(): void {
    this.#stretches.return?.()
  }
}

/** The order of `n` bytes of each. */
function compareRuns(
  a: Uint8Array,
  aAt: number,
  b: Uint8Array,
  bAt: number,
  n: number,
): -1 | 0 | 1 {
  if (n >= ENGINE_BYTES_MIN) return engine.compare.call(a, b, bAt, bAt + n, aAt, aAt + n)
  for (let i = 0; i < n; i++) {
    const difference = (a[aAt + i] as number) - (b[bAt + i] as number)
    if (difference !== 0) return difference < 0 ? -1 : 1
  }
  return 0
}

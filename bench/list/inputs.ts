/**
 * What the cases work on: the same bytes and offsets for every library, also for the C++ program,
 * which has a copy of these few lines.
 */

/** A gap between segments: nobody may join two of them because their memory adjoins. */
const GAP_BYTES = 64
/** Beyond this many bytes of memory, segments are windows of the same memory again. */
const ARENA_BYTES_MAX = 72 * 1024 * 1024
/** How many offsets are made: enough that neither caches nor branch predictors learn them. */
const OFFSETS = 1 << 16
const SEED = 0x9e3779b9

/** Marsaglia's xorshift of 32 bits: three lines in any language. */
function randomNumbers(seed: number): () => number {
  let x = seed
  return () => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return x >>> 0
  }
}

/** Random bytes; the same for the same length. */
export function randomBytes(length: number, seed = SEED): Buffer {
  const next = randomNumbers(seed)
  const words = new Uint32Array(Math.ceil(length / 4))
  for (let i = 0; i < words.length; i++) words[i] = next()
  return Buffer.from(words.buffer, 0, length)
}

/** So many Buffers of random bytes, none of which adjoins the next. */
export function segments(count: number, lengthBytes: number): Buffer[] {
  return windowsOf(randomBytes(arenaBytes(count, lengthBytes)), count, lengthBytes)
}

/** So many Buffers of zeros, none of which adjoins the next. */
export function zeroSegments(count: number, lengthBytes: number): Buffer[] {
  return windowsOf(Buffer.alloc(arenaBytes(count, lengthBytes)), count, lengthBytes)
}

function arenaBytes(count: number, lengthBytes: number): number {
  const stride = lengthBytes + GAP_BYTES
  return Math.max(1, Math.min(count, Math.floor(ARENA_BYTES_MAX / stride))) * stride
}

function windowsOf(arena: Buffer, count: number, lengthBytes: number): Buffer[] {
  const stride = lengthBytes + GAP_BYTES
  const places = arena.length / stride
  return Array.from({ length: count }, (_, i) => {
    const at = (i % places) * stride
    return arena.subarray(at, at + lengthBytes)
  })
}

/** Random offsets below `end`, over and over again. */
export function offsetsBelow(end: number): () => number {
  const next = randomNumbers(SEED)
  const offsets = new Float64Array(OFFSETS)
  for (let i = 0; i < offsets.length; i++) offsets[i] = next() % end
  let i = 0
  return () => offsets[i++ & (OFFSETS - 1)] as number
}

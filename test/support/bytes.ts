/**
 * Bytes to test with: the same for the same seed, different everywhere, and incompressible, so that
 * a byte in the wrong place shows.
 */

/** `length` bytes of the stream that `seed` names. A shorter run is the beginning of a longer one. */
export function bytes(seed: number, length: number): Buffer<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4))
  // xorshift32: one word in three shifts; its only bad seed is 0.
  let state = Math.imul(seed + 1, 0x9e3779b1) || 1
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[i] = state
  }
  return Buffer.from(words.buffer, 0, length)
}

/**
 * Memory that small reads share: one block, filled from the front, replaced when it is used up. An
 * allocation for each small message would cost as much as the message.
 *
 * A message that is kept keeps the whole block; `BufferList.compact()` frees it.
 */

/** Large enough to make an allocation rare, small enough to be pinned, in bytes. */
const BLOCK_BYTES = 32768
/**
 * The most that a read may ask of the shared block, in bytes. Pulls of 2, 4 and 8 KiB took 0.82 to 0.85 of
 * what they take with memory of their own, and so did those of 16; but half of a block would waste, and
 * keep, too much of it.
 */
export const SHARED_READ_BYTES_MAX = 8192

let block = Buffer.alloc(0)
let used = 0

/**
 * One read of at most `lengthBytes` (no more than {@link SHARED_READ_BYTES_MAX}) into the block:
 * `read` is given where, and returns how many bytes came, or −errno.
 */
export function readIntoBlock(
  lengthBytes: number,
  read: (target: Uint8Array, at: number) => number,
): Uint8Array | number {
  if (block.length - used < lengthBytes) {
    block = Buffer.allocUnsafeSlow(BLOCK_BYTES)
    used = 0
  }
  const at = used
  const n = read(block, at)
  if (n < 0) return n
  // Eight bytes aligned, so that what follows is read as fast as memory of its own.
  used = at + ((n + 7) & ~7)
  return block.subarray(at, at + n)
}

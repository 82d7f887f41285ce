/**
 * Where a list writes what is appended byte by byte: headers, integers, small copies (Ceph: the
 * `carriage` of a list, and its appenders).
 *
 * A list's first tail is a place in one arena of the process, so that a message with a header of 32
 * bytes costs no block of its own; the arena's place ends where the next list's begins. A list that
 * outgrows it gets blocks of its own, from 4 KiB, each twice the last, to 256 KiB. Bytes that are
 * written are never written again.
 */

/** The arena that first tails lie in, in bytes. */
const ARENA_BYTES = 65536
/** The smallest block of a list's own, in bytes. Ceph's is a page too. */
const BLOCK_BYTES_MIN = 4096
/** The largest, in bytes: beyond it the block is no longer a noticeable part of the cost. */
const BLOCK_BYTES_MAX = 262144

/** A place to write at. Fields, not methods: every integer that is appended passes here. */
export class Tail {
  readonly bytes: Buffer
  readonly view: DataView
  /** The first byte that is not yet part of the list's segments. */
  start: number
  /** The next byte to write. */
  at: number
  /** Where writing must stop and ask; in front of `at` while the tail is closed. */
  limit: number
  /** Where the place ends. */
  end: number
  /** Whether the block is the list's own. */
  readonly isOwn: boolean

  constructor(bytes: Buffer, at: number, isOwn: boolean) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.start = at
    this.at = at
    this.limit = bytes.length
    this.end = bytes.length
    this.isOwn = isOwn
  }
  /** Makes the next write ask. */
  close(): void {
    this.limit = this.at - 1
  }
}

/** The tail of a list that has none: nothing fits. */
export const NO_TAIL = new Tail(Buffer.alloc(0), 0, true)
NO_TAIL.close()

let arena = NO_TAIL

/** A place for at least so many bytes, for a list whose tail is `last`. */
export function nextTail(last: Tail, lengthBytes: number): Tail {
  if (last === NO_TAIL && lengthBytes < BLOCK_BYTES_MIN) return inArena(lengthBytes)
  const twice = last.isOwn ? last.bytes.length * 2 : BLOCK_BYTES_MIN
  const blockBytes = Math.min(Math.max(twice, BLOCK_BYTES_MIN), BLOCK_BYTES_MAX)
  return new Tail(Buffer.allocUnsafeSlow(Math.max(blockBytes, lengthBytes)), 0, true)
}

/** A place in the arena, behind what the list that wrote there last has written. */
function inArena(lengthBytes: number): Tail {
  const { at } = arena
  if (at + lengthBytes > arena.bytes.length) {
    arena = new Tail(Buffer.allocUnsafeSlow(ARENA_BYTES), 0, false)
    return arena
  }
  arena.end = at
  arena.close()
  arena = new Tail(arena.bytes, at, false)
  return arena
}

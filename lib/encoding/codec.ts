import type { BufferList } from '../list/buffer-list.js'
import type { Cursor } from '../list/cursor.js'

/**
 * How one type lies on the wire.
 *
 * Write your own as an object literal, out of the codecs that there are; it can then be an element, a
 * field or a key like any other. `encode` appends to the list; `decode` leaves the cursor behind what
 * it read. For input that does not hold, throw `MalformedInputError`: the composite around it adds
 * the path, puts the cursor back and releases the lists that were decoded already.
 */
export interface Codec<T> {
  /**
   * The fewest bytes that a value takes, at least 1; 1 where it is not given. A count of elements is
   * checked against it before anything is allocated.
   */
  readonly bytesMin?: number
  /**
   * Appends a value. Throws `InvalidArgumentError` for one that does not fit the type. Let errors pass:
   * what was appended is taken back by the composite around it, inside a struct by the struct.
   */
  encode(list: BufferList, value: T): void
  /**
   * Reads a value and moves the cursor behind it. Throws `EndOfBufferError` where more bytes may help,
   * `MalformedInputError` where they cannot; the cursor is then where it was.
   */
  decode(cursor: Cursor): T
}

/** The type of a codec's values: `type Op = ValueOf<typeof op>`. */
export type ValueOf<C> = C extends Codec<infer T> ? T : never

/** The fewest bytes that a codec's values take. */
export function bytesMinOf(codec: Codec<unknown>): number {
  return codec.bytesMin ?? 1
}

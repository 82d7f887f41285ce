/// <reference types="node" preserve="true" />
/**
 * `splicelist/bl`: a drop-in for the package `bl`, version 7, over Splicelist's list. A program moves by
 * its imports alone, and the `list` of each object is the way on, to `spliceTo` and all the rest.
 *
 * ```ts
 * import { BufferListStream } from 'splicelist/bl' // was: 'bl'
 * const bl = new BufferListStream()
 * bl.append('head').append([Buffer.from('pay'), 'load'])
 * console.log(bl.length, bl.slice(4, 7).toString()) // 11 pay
 * await bl.list.spliceTo({ file: 'to.bin' }, { consume: true })
 * console.log(bl.length) // 0
 * ```
 *
 * **Use it** where bl is used now: where lists get long (an offset is found without walking the list), or
 * where the bytes go on to sockets and files. **Do not use it** in a new program: `BufferList` of
 * `splicelist` has more, and throws for wrong arguments, which bl guesses about. Nor where lists stay at
 * a few Buffers that are sliced and dropped: there bl is faster.
 *
 * bl's own tests pass as they are. These differences are known:
 *
 * - **What is shown of the inside.** `length` and `_bufs` can be read, not assigned. `getBuffers()` is a
 *   frozen array of that moment, not the list's own array. Of bl's other internals only `_new`,
 *   `_write`, `_read` and `_destroy` are here. `assert.deepEqual` and `JSON.stringify` see no bytes in an
 *   object: compare and print its `slice()`.
 * - **Segments.** Empty parts are not kept (behind one, bl's `get` misses a byte), and parts of a list
 *   that were cut from one Buffer are one segment again once they are neighbours: `getBuffers()` can be
 *   shorter.
 * - **Memory.** A SharedArrayBuffer, a resizable ArrayBuffer, and one of another realm (`node:vm`) are
 *   copied, counted as 'append-copy', where bl shares them. Memory that is detached after it was appended
 *   throws `InvalidArgumentError` when it is read; bl reads other bytes in its place.
 * - **All or nothing.** When one part of an array is none, nothing is appended; bl appends those before
 *   it. A list can be appended to itself; bl does not come back.
 * - **Ranges.** A range that ends before it begins is empty; bl's slices may hold bytes from elsewhere,
 *   and its `shallowSlice` may throw a TypeError. `shallowSlice` draws in offsets that are further from
 *   the end than the list is long, as `slice` does; begins at 0 where its start is no number; and throws
 *   a RangeError where it ends at NaN, as `slice` does. Fractions are cut off everywhere.
 * - **Single values.** `get` of an empty list is undefined, where bl throws. NaN is a RangeError in an
 *   empty list too. An empty needle is found at whole numbers. A bigint counts as a number.
 * - **`copy`** returns the target itself; bl returns a part of it now and then. A `targetStart` that is no
 *   number counts as one.
 * - **Errors** of wrong types are TypeErrors as in bl, with other messages and always with a `code`.
 * - **Reading the stream** gives segments of 4 KiB and more as they are, shared, where bl joins all that
 *   fits in a chunk: chunks are cut elsewhere, and hold the same bytes.
 * - **`require`** works, which bl 7 refuses, and returns the `BufferListStream` class with `BufferList`
 *   and `isBufferList` on it, as bl 6 did. As in bl 7 the classes want `new`.
 *
 * @module bl
 */
import './transfer/list-moves.js'

export { BufferList } from './bl/buffer-list.js'
export {
  BufferListStream,
  BufferListStream as default,
  // What `require` returns.
  BufferListStream as 'module.exports',
  type CollectedCallback,
} from './bl/buffer-list-stream.js'
export type { Collector } from './bl/collector.js'
export { isBufferList, type BufferListAcceptedTypes } from './bl/parts.js'
export type { Scalars } from './bl/scalars.js'

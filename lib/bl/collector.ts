import { BufferList as List } from '../list/buffer-list.js'
import { HELD, Held } from './held.js'
import {
  addMemory,
  BRAND,
  bytesOf,
  gather,
  isBufferList,
  type BufferListAcceptedTypes,
} from './parts.js'
import { fromEnd, invalidType, numberOf, outOfRange, rangeOf, wholeNumber } from './ranges.js'
import { Scalars } from './scalars.js'

/**
 * What `BufferList` and `BufferListStream` have in common: bl's methods over a Splicelist list.
 *
 * Bytes are shared by `append`, `prepend`, `shallowSlice`, `duplicate` and `consume`, and copied by
 * `copy`, and by `slice` and `toString` where a range lies in several segments; the ledger counts
 * that. Offsets count bytes.
 */
export abstract class Collector extends Scalars {
  /** @internal */
  abstract readonly [BRAND]: true
  /** Another, empty, of the same class. @internal */
  abstract _new(part?: BufferListAcceptedTypes): Collector

  /** Bytes held. Read-only. O(1). */
  get length(): number {
    return this[HELD].length
  }
  /**
   * The list that holds the bytes, to move on with: `spliceTo`, `spliceFrom`, `crc32c`, `explain`,
   * and everything else. It is no copy: what is done to it shows here, and the other way round. When it
   * holds pipes or files, release it. O(1).
   */
  get list(): List {
    return this[HELD].lend()
  }

  /**
   * Adds a part at the end, or the parts of an array of arrays. Memory is shared, never copied: do not
   * change it afterwards. Strings are encoded as UTF-8, numbers as their decimal digits. Nothing is added
   * when one of the parts is none: a TypeError. O(segments of the part).
   */
  append(part: BufferListAcceptedTypes): this {
    if (part instanceof Uint8Array) addMemory(this[HELD], part)
    else if (typeof part === 'object') this[HELD].claimAppend(gathered(part))
    else gather(this[HELD], part)
    return this
  }
  /** Adds a part at the front, as `append` does at the end; parts of an array keep their order. */
  prepend(part: BufferListAcceptedTypes): this {
    this[HELD].claimPrepend(gathered(part))
    return this
  }
  /** Drops bytes at the front: at most all, none for what is no positive number. O(segments dropped). */
  consume(bytes: number): this {
    const length = Math.min(wholeNumber(bytes), this.length)
    if (length > 0) this[HELD].consume(length)
    return this
  }
  /** Another of the same class with the same bytes, shared. O(segments). */
  duplicate(): this {
    return sharing(this, 0, this.length)
  }
  /**
   * Another of the same class with the bytes from `start` to before `end`, shared. Negative offsets
   * count from the end. O(log segments + segments of the range).
   */
  shallowSlice(start?: number, end?: number): this {
    const total = this.length
    const { from, length } = rangeOf(
      fromEnd(numberOf(start) || 0, total),
      fromEnd(end, total),
      total,
    )
    return sharing(this, from, length)
  }

  /** The byte at an index, or undefined where there is none. O(log segments). */
  get(index: number): number | undefined {
    const at = numberOf(index)
    const isInside = Number.isInteger(at) && at >= 0 && at < this.length
    return isInside ? this[HELD].list.byteAt(at) : undefined
  }
  /**
   * The bytes from `start` to before `end` as one Buffer; negative offsets count from the end. Shared
   * where they lie in one piece of memory (do not write to them), else a copy, counted as
   * 'cross-segment'. O(log segments), and O(bytes) for a copy.
   */
  override slice(start?: number, end?: number): Buffer {
    const total = this.length
    const { from, length } = rangeOf(fromEnd(start, total), fromEnd(end, total), total)
    return this[HELD].buffer(from, length)
  }
  /**
   * Copies the bytes from `start` to before `end` into a target from `targetStart` on, as many as fit,
   * and returns the target. Without a target it is `slice` of offsets that are not negative. A copy,
   * counted as 'to-buffer'.
   */
  copy(target: Buffer | null, targetStart?: number, start?: number, end?: number): Buffer {
    const { from, length } = rangeOf(start, end, this.length)
    if (!target) return this[HELD].buffer(from, length)
    if (length === 0) return target
    if (!(target instanceof Uint8Array))
      throw invalidType('The target must be a Buffer or a Uint8Array')
    if (numberOf(targetStart) < 0)
      throw outOfRange('The target cannot be written to before its start')
    const at = wholeNumber(targetStart)
    this[HELD].list.copyOut(from, target.subarray(at, at + length))
    return target
  }
  /** `slice(start, end)` as text. Copies nothing but the text where `slice` would share. */
  override toString(encoding?: BufferEncoding, start?: number, end?: number): string {
    const total = this.length
    const { from, length } = rangeOf(fromEnd(start, total), fromEnd(end, total), total)
    return this[HELD].list.toString(encoding, from, length)
  }
  /**
   * The first place of bytes, text or one byte at or after `offset`, or −1. A negative offset counts
   * from the end; an encoding may stand in its place. O(bytes), whatever the segments' sizes.
   */
  indexOf(
    search: string | number | Collector | List | Uint8Array,
    offset?: number | string,
    encoding?: BufferEncoding,
  ): number {
    const isEncoding = encoding === undefined && typeof offset === 'string'
    const needle = needleOf(search, isEncoding ? offset : encoding)
    const at = isEncoding ? 0 : numberOf(offset) || 0
    const from = Math.min(wholeNumber(fromEnd(at, this.length)), this.length)
    return this[HELD].list.indexOf(needle, from)
  }

  /** The segments as Buffers, shared: a frozen array, of this moment. O(segments) after a change. */
  getBuffers(): Buffer[] {
    return this[HELD].buffers() as Buffer[]
  }
  /** `getBuffers()`, under the name that it has inside bl. Read-only. */
  get _bufs(): Buffer[] {
    return this.getBuffers()
  }
}

/** Parts, gathered apart from where they will go: a part may be, or hold, the place itself. */
function gathered(part: unknown): Held {
  const held = new Held()
  try {
    gather(held, part)
    return held
  } catch (error) {
    held.release()
    throw error
  }
}

function sharing<C extends Collector>(collector: C, from: number, length: number): C {
  // bl makes one of the same class, which a class that extends it says by a _new of its own.
  const made = collector._new() as C
  made[HELD] = collector[HELD].share(from, length)
  return made
}

/** What is searched for, as bl takes it. */
function needleOf(search: unknown, encoding: string | undefined): Uint8Array | string | number {
  if (typeof search === 'number') return search
  if (typeof search === 'string') return encoding === undefined ? search : bytesOf(search, encoding)
  if (search instanceof Uint8Array) return search
  if (isBufferList(search)) return (search as Collector).slice()
  if (List.isBufferList(search)) return search.cStr()
  if (typeof search === 'function' || Array.isArray(search)) {
    throw invalidType('What is searched for must be a string, a byte, a Buffer or a list')
  }
  return bytesOf(search)
}

/**
 * The list behind an object of the drop-in, and what the object's user is shown of it.
 *
 * A Buffer that bl hands out is its holder's for ever, and the same object again while nothing has
 * changed. So memory is shown in place; whatever else the user put into the list is copied to be
 * shown, because the list's own views of it end with its next change.
 */
import { BufferList as List } from '../list/buffer-list.js'

/** Where an object of the drop-in keeps what it holds. @internal */
export const HELD: unique symbol = Symbol('splicelist.bl.held')

/** An object of the drop-in. @internal */
export interface Holder {
  [HELD]: Held
}

/**
 * From this length on a segment goes through a stream as chunks of its own; shorter ones are joined,
 * because a chunk's way through a stream costs more than copying it. In bytes.
 */
const CHUNK_SHARED_BYTES_MIN = 4096

/** Where the bytes of a number are put together. The widest has eight. */
const scalar = new DataView(new ArrayBuffer(8))

/** See the head of this file. @internal */
export class Held {
  readonly #list: List
  /** All of it is memory of the process, and nobody but this object changes it. */
  #isOurs: boolean
  /** The segments as Buffers, once shown and until the next change. */
  #shown: Buffer[] | null = null

  constructor(list = new List(), isOurs = true) {
    this.#list = list
    this.#isOurs = isOurs
  }
  get length(): number {
    return this.#list.length
  }
  /** The list, to read. */
  get list(): List {
    return this.#list
  }
  /** The list, for the user: from now on it may change, and hold anything, behind our back. */
  lend(): List {
    this.#isOurs = false
    this.#shown = null
    return this.#list
  }

  /** Adds memory at the end, shared. */
  append(bytes: Uint8Array): void {
    const isAll = this.#isOurs && this.#list.length === 0 && bytes.length > 0
    this.#list.append(bytes)
    this.#shown = isAll && Buffer.isBuffer(bytes) ? [bytes] : null
  }
  /** Adds a list at the end, shared, that may hold anything. */
  appendList(list: List): void {
    this.#list.append(list)
    this.#isOurs = false
    this.#shown = null
  }
  /** Adds at the end what another holds, shared. The other may be this one. */
  appendHeld(other: Held): void {
    this.#list.append(other.#list)
    this.#changeWith(other)
  }
  /** Moves all that another holds to the end. */
  claimAppend(other: Held): void {
    this.#list.claimAppend(other.#list)
    this.#changeWith(other)
  }
  /** Moves all that another holds to the front. */
  claimPrepend(other: Held): void {
    this.#list.prepend(other.#list)
    other.release()
    this.#changeWith(other)
  }
  /** Gives back what it holds, for good. */
  release(): void {
    this.#list.release()
  }
  /** A part of it, shared. The range must lie inside. */
  share(from: number, length: number): Held {
    return new Held(this.#list.substr(from, length), this.#isOurs)
  }
  /** Drops bytes at the front, at most all. */
  consume(length: number): void {
    this.#list.consume(length)
    this.#shown = null
  }

  /** The range as one Buffer, its holder's for ever: in place where it is one piece of memory. */
  buffer(from: number, length: number): Buffer {
    if (length === 0) return Buffer.alloc(0)
    if (this.#isOurs) {
      const isOne = length === this.length && this.#list.numBuffers === 1
      return isOne ? (this.#segments()[0] as Buffer) : this.#list.cStr(from, length)
    }
    return this.#isMemory(from, length)
      ? this.#list.cStr(from, length)
      : this.#list.toBuffer(from, length)
  }
  /** Every segment as a Buffer. Frozen, because it is shown again. */
  buffers(): readonly Buffer[] {
    return Object.freeze(this.#segments())
  }
  /**
   * The bytes of a number that lies inside; undefined where it does not, or where a byte at a time is
   * not the way to read. Valid until the next is asked for, of whatever list.
   */
  scalarAt(offset: number, width: number): DataView | undefined {
    const isInside = Number.isInteger(offset) && offset >= 0 && offset + width <= this.length
    if (!isInside || !this.#isOurs) return undefined
    for (let i = 0; i < width; i++) scalar.setUint8(i, this.#list.byteAt(offset + i))
    return scalar
  }
  /** The length of a stream's next chunk: part of a long segment, or the short ones before one. */
  chunkLength(lengthMax: number): number {
    const most = Math.min(lengthMax, this.length)
    if (!this.#isOurs || this.#list.numBuffers === 1) return most
    let joined = 0
    for (const { length } of this.#list) {
      if (length >= CHUNK_SHARED_BYTES_MIN) return joined > 0 ? joined : Math.min(length, most)
      joined += length
      if (joined >= most) break
    }
    return most
  }

  #segments(): Buffer[] {
    if (this.#shown !== null) return this.#shown
    let at = 0
    const segments: Buffer[] = []
    for (const { length } of this.#list.explain()) {
      segments.push(this.#isOurs ? this.#list.cStr(at, length) : this.buffer(at, length))
      at += length
    }
    if (this.#isOurs) this.#shown = segments
    return segments
  }
  /** Whether a range lies in memory that is the collector's, whatever else the list holds. */
  #isMemory(from: number, length: number): boolean {
    const part = this.#list.substr(from, length)
    try {
      return part.explain().every(({ kind, refs }) => kind === 'heap' && refs === null)
    } finally {
      part.release()
    }
  }
  #changeWith(other: Held): void {
    this.#isOurs &&= other.#isOurs
    this.#shown = null
  }
}

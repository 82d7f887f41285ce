import { EndOfBufferError } from '../errors.js'
import { checkLength } from '../arguments.js'
import type { Stretch } from '../raw/raw.js'
import type { BufferList } from './buffer-list.js'

/** What a cursor asks of its list. @internal */
export interface Readable {
  readonly length: number
  /** Changes whenever the list's bytes or views do. */
  readonly version: number
  stretchAt(offset: number): Stretch
}

const NOTHING: Stretch = { bytes: new Uint8Array(0), start: 0 }
/** The widest scalar, in bytes. */
const SCALAR_BYTES_MAX = 8

/**
 * A reading position in a list (Ceph: `buffer::list::iterator`).
 *
 * Use it to decode headers and messages. Scalars are read across segment borders without allocating.
 * Of a segment outside the heap it makes one 64 KiB block readable at a time: an inspection, which the
 * ledger counts, and which leaves the pages where they are. Reading past the end throws
 * `EndOfBufferError` and leaves the cursor where it was. It stays usable while the list is changed:
 * it keeps its offset, not its bytes.
 */
export class Cursor {
  readonly #list: BufferList
  readonly #readable: Readable
  #offset: number
  #stretch = NOTHING
  #view = new DataView(NOTHING.bytes.buffer)
  #version = -1
  readonly #scratch = new Uint8Array(SCALAR_BYTES_MAX)
  readonly #scratchView = new DataView(this.#scratch.buffer)

  /** @internal */
  constructor(list: BufferList, readable: Readable, offset: number) {
    this.#list = list
    this.#readable = readable
    this.#offset = offset
  }
  /** Bytes from the list's start. */
  get offset(): number {
    return this.#offset
  }
  /** Bytes from here to the list's end. */
  get remaining(): number {
    return Math.max(0, this.#readable.length - this.#offset)
  }

  /** Reads an unsigned 8-bit integer. */
  readUInt8(): number {
    return this.#scalar(1).getUint8(this.#at)
  }
  /** Reads a signed 8-bit integer. */
  readInt8(): number {
    return this.#scalar(1).getInt8(this.#at)
  }
  /** Reads an unsigned 16-bit integer, little-endian. */
  readUInt16LE(): number {
    return this.#scalar(2).getUint16(this.#at, true)
  }
  /** Reads an unsigned 16-bit integer, big-endian. */
  readUInt16BE(): number {
    return this.#scalar(2).getUint16(this.#at, false)
  }
  /** Reads a signed 16-bit integer, little-endian. */
  readInt16LE(): number {
    return this.#scalar(2).getInt16(this.#at, true)
  }
  /** Reads a signed 16-bit integer, big-endian. */
  readInt16BE(): number {
    return this.#scalar(2).getInt16(this.#at, false)
  }
  /** Reads an unsigned 32-bit integer, little-endian. */
  readUInt32LE(): number {
    return this.#scalar(4).getUint32(this.#at, true)
  }
  /** Reads an unsigned 32-bit integer, big-endian. */
  readUInt32BE(): number {
    return this.#scalar(4).getUint32(this.#at, false)
  }
  /** Reads a signed 32-bit integer, little-endian. */
  readInt32LE(): number {
    return this.#scalar(4).getInt32(this.#at, true)
  }
  /** Reads a signed 32-bit integer, big-endian. */
  readInt32BE(): number {
    return this.#scalar(4).getInt32(this.#at, false)
  }
  /** Reads an unsigned 64-bit integer, little-endian. */
  readBigUInt64LE(): bigint {
    return this.#scalar(8).getBigUint64(this.#at, true)
  }
  /** Reads an unsigned 64-bit integer, big-endian. */
  readBigUInt64BE(): bigint {
    return this.#scalar(8).getBigUint64(this.#at, false)
  }
  /** Reads a signed 64-bit integer, little-endian. */
  readBigInt64LE(): bigint {
    return this.#scalar(8).getBigInt64(this.#at, true)
  }
  /** Reads a signed 64-bit integer, big-endian. */
  readBigInt64BE(): bigint {
    return this.#scalar(8).getBigInt64(this.#at, false)
  }
  /** Reads a 32-bit float, little-endian. */
  readFloatLE(): number {
    return this.#scalar(4).getFloat32(this.#at, true)
  }
  /** Reads a 32-bit float, big-endian. */
  readFloatBE(): number {
    return this.#scalar(4).getFloat32(this.#at, false)
  }
  /** Reads a 64-bit float, little-endian. */
  readDoubleLE(): number {
    return this.#scalar(8).getFloat64(this.#at, true)
  }
  /** Reads a 64-bit float, big-endian. */
  readDoubleBE(): number {
    return this.#scalar(8).getFloat64(this.#at, false)
  }

  /** Reads `length` bytes as text. Copies. */
  readString(length: number, encoding: BufferEncoding = 'utf8'): string {
    this.#need(length)
    const text = this.#list.toString(encoding, this.#offset, length)
    this.#offset += length
    return text
  }
  /** Reads `length` bytes as a list that shares them. Makes nothing readable. */
  readList(length: number): BufferList {
    this.#need(length)
    const list = this.#list.substr(this.#offset, length)
    this.#offset += length
    return list
  }
  /** Moves on by `length` bytes, at most to the end. */
  skip(length: number): this {
    this.#need(length)
    this.#offset += length
    return this
  }
  /** Moves to an offset, at most the list's length. */
  seek(offset: number): this {
    checkLength('offset', offset)
    if (offset > this.#readable.length) throw pastTheEnd(offset, 0, this.#readable.length)
    this.#offset = offset
    return this
  }

  /** Where in the view that `#scalar` returned the scalar lies. */
  #at = 0
  /** A view that holds the next `width` bytes at `#at`; moves on by them. */
  #scalar(width: number): DataView {
    const within = this.#offset - this.#stretch.start
    if (this.#version === this.#readable.version && within >= 0) {
      if (within + width <= this.#stretch.bytes.length) {
        this.#at = within
        this.#offset += width
        return this.#view
      }
    }
    return this.#straddling(width)
  }
  #straddling(width: number): DataView {
    this.#need(width)
    this.#enter(this.#offset)
    const within = this.#offset - this.#stretch.start
    if (within + width <= this.#stretch.bytes.length) {
      this.#at = within
      this.#offset += width
      return this.#view
    }
    for (let i = 0; i < width; i++) {
      this.#enter(this.#offset + i)
      this.#scratch[i] = this.#stretch.bytes[this.#offset + i - this.#stretch.start] as number
    }
    this.#at = 0
    this.#offset += width
    return this.#scratchView
  }
  /** Makes the stretch around an offset the current one. */
  #enter(offset: number): void {
    const within = offset - this.#stretch.start
    const isCurrent = this.#version === this.#readable.version
    if (isCurrent && within >= 0 && within < this.#stretch.bytes.length) return
    this.#stretch = this.#readable.stretchAt(offset)
    const { buffer, byteOffset, byteLength } = this.#stretch.bytes
    this.#view = new DataView(buffer, byteOffset, byteLength)
    this.#version = this.#readable.version
  }
  #need(length: number): void {
    checkLength('length', length)
    if (this.#offset + length > this.#readable.length) {
      throw pastTheEnd(this.#offset, length, this.#readable.length)
    }
  }
}

function pastTheEnd(offset: number, length: number, total: number): EndOfBufferError {
  return new EndOfBufferError(
    `Reading ${length} bytes at offset ${offset} goes past the end of a list of ${total} bytes`,
  )
}

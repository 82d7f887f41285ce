import { EndOfBufferError, InvalidArgumentError } from '../errors.js'
import { checkLength, checkWidth, describe } from '../arguments.js'
import type { CopyOptions } from '../contract.js'
import type { Stretch } from '../raw/raw.js'
import type { BufferList } from './buffer-list.js'
import { viewOf } from './buffer-view.js'

/** What a cursor asks of its list. @internal */
export interface Readable {
  readonly length: number
  /** Changes whenever the list's bytes or views do. */
  readonly version: number
  /** The stretch around an offset. It lives until the next is asked for, or the version changes. */
  stretchAt(offset: number): Stretch
  /** Lets the stretch that was asked for last live until the version changes, as the list's views do. */
  keepStretch(): void
}

const NOTHING: Stretch = { bytes: new Uint8Array(0), start: 0 }
/** The widest scalar, in bytes. */
const SCALAR_BYTES_MAX = 8
/** Where a scalar that crosses borders is collected, to be read at once. */
const SCRATCH = new DataView(new ArrayBuffer(SCALAR_BYTES_MAX))
/** What is read from where there is nothing to read from. */
const NO_VIEW = new DataView(NOTHING.bytes.buffer)

/**
 * A reading position in a list (Ceph: `buffer::list::iterator`).
 *
 * Use it to decode headers and messages: a scalar inside a segment costs a few nanoseconds, one across
 * borders allocates nothing for it, and payloads come out as lists that share their bytes. To search
 * or to sum up a whole list use the list's own methods. It owns nothing and needs no release.
 *
 * Of a segment outside the heap it makes one 64 KiB block readable at a time: an inspection, which the
 * ledger counts (as intended with `list.cursor(0, { intended: true })`), and which leaves the pages where
 * they are. Reading past the end throws
 * `EndOfBufferError`, bytes of a file that are not in memory `NotLoadedError`; either leaves the cursor
 * where it was. (Ceph's moves to the end.) It stays usable while the list is changed: it keeps its
 * offset, not its bytes. Once the list is released every read throws `ReleasedError`.
 *
 * ```ts
 * import { BufferList } from 'splicelist'
 * const list = new BufferList(Buffer.from([0, 0, 0, 4]), 'ab', 'cd', 'rest')
 * const cursor = list.cursor()
 * const payload = cursor.readList(cursor.readUInt32BE())
 * console.log(payload.toString(), cursor.remaining) // abcd 4
 * ```
 */
export class Cursor {
  readonly #list: BufferList
  readonly #readable: Readable
  readonly #options: CopyOptions | undefined
  /** The stretch that was asked for last. */
  #stretch = NOTHING
  #isKept = false
  /** The stretch as a Buffer, once text was read from it. */
  #text: Buffer | undefined
  #version = -1
  /** A view of the stretch, once a scalar was read from it; where it starts in the list, its length. */
  #view = NO_VIEW
  #start = 0
  #end = 0
  /** Where the cursor is, from `#start`: the next byte to read. It may lie behind the view. */
  #at: number
  /** Where in the view that `#take` returned the taken bytes lie. */
  #taken = 0

  /** @internal */
  constructor(
    list: BufferList,
    readable: Readable,
    offset: number,
    options: CopyOptions | undefined,
  ) {
    this.#list = list
    this.#readable = readable
    this.#options = options
    this.#at = offset
  }
  /** Bytes from the list's start (Ceph: `get_off`). */
  get offset(): number {
    return this.#start + this.#at
  }
  /** Bytes from here to the list's end (Ceph: `get_remaining`). */
  get remaining(): number {
    return Math.max(0, this.#readable.length - this.offset)
  }
  /** Whether there is nothing more to read (Ceph: `end`). */
  get isAtEnd(): boolean {
    return this.remaining === 0
  }
  /** Another cursor at the same place, which moves by itself. */
  clone(): Cursor {
    const twin = this.#list.cursor(0, this.#options)
    twin.#at = this.offset
    return twin
  }

  /** The next byte, without moving on (Ceph: `*it`). */
  peekUInt8(): number {
    const byte = this.readUInt8()
    this.#at -= 1
    return byte
  }

  /** Reads an unsigned 8-bit integer. */
  readUInt8(): number {
    return this.#take(1).getUint8(this.#taken)
  }
  /** Reads a signed 8-bit integer. */
  readInt8(): number {
    return this.#take(1).getInt8(this.#taken)
  }
  /** Reads an unsigned 16-bit integer, little-endian. */
  readUInt16LE(): number {
    return this.#take(2).getUint16(this.#taken, true)
  }
  /** Reads an unsigned 16-bit integer, big-endian. */
  readUInt16BE(): number {
    return this.#take(2).getUint16(this.#taken, false)
  }
  /** Reads a signed 16-bit integer, little-endian. */
  readInt16LE(): number {
    return this.#take(2).getInt16(this.#taken, true)
  }
  /** Reads a signed 16-bit integer, big-endian. */
  readInt16BE(): number {
    return this.#take(2).getInt16(this.#taken, false)
  }
  /** Reads an unsigned 32-bit integer, little-endian. */
  readUInt32LE(): number {
    return this.#take(4).getUint32(this.#taken, true)
  }
  /** Reads an unsigned 32-bit integer, big-endian. */
  readUInt32BE(): number {
    return this.#take(4).getUint32(this.#taken, false)
  }
  /** Reads a signed 32-bit integer, little-endian. */
  readInt32LE(): number {
    return this.#take(4).getInt32(this.#taken, true)
  }
  /** Reads a signed 32-bit integer, big-endian. */
  readInt32BE(): number {
    return this.#take(4).getInt32(this.#taken, false)
  }
  /** Reads an unsigned 64-bit integer, little-endian. */
  readBigUInt64LE(): bigint {
    return this.#take(8).getBigUint64(this.#taken, true)
  }
  /** Reads an unsigned 64-bit integer, big-endian. */
  readBigUInt64BE(): bigint {
    return this.#take(8).getBigUint64(this.#taken, false)
  }
  /** Reads a signed 64-bit integer, little-endian. */
  readBigInt64LE(): bigint {
    return this.#take(8).getBigInt64(this.#taken, true)
  }
  /** Reads a signed 64-bit integer, big-endian. */
  readBigInt64BE(): bigint {
    return this.#take(8).getBigInt64(this.#taken, false)
  }
  /** Reads a 32-bit float, little-endian. */
  readFloatLE(): number {
    return this.#take(4).getFloat32(this.#taken, true)
  }
  /** Reads a 32-bit float, big-endian. */
  readFloatBE(): number {
    return this.#take(4).getFloat32(this.#taken, false)
  }
  /** Reads a 64-bit float, little-endian. */
  readDoubleLE(): number {
    return this.#take(8).getFloat64(this.#taken, true)
  }
  /** Reads a 64-bit float, big-endian. */
  readDoubleBE(): number {
    return this.#take(8).getFloat64(this.#taken, false)
  }
  /** Reads an unsigned integer of 1 to 6 bytes, little-endian. */
  readUIntLE(byteLength: number): number {
    checkWidth(byteLength)
    const view = this.#take(byteLength)
    let value = 0
    for (let i = byteLength - 1; i >= 0; i--) value = value * 256 + view.getUint8(this.#taken + i)
    return value
  }
  /** Reads an unsigned integer of 1 to 6 bytes, big-endian. */
  readUIntBE(byteLength: number): number {
    checkWidth(byteLength)
    const view = this.#take(byteLength)
    let value = 0
    for (let i = 0; i < byteLength; i++) value = value * 256 + view.getUint8(this.#taken + i)
    return value
  }
  /** Reads a signed integer of 1 to 6 bytes, little-endian. */
  readIntLE(byteLength: number): number {
    return signed(this.readUIntLE(byteLength), byteLength)
  }
  /** Reads a signed integer of 1 to 6 bytes, big-endian. */
  readIntBE(byteLength: number): number {
    return signed(this.readUIntBE(byteLength), byteLength)
  }

  /** Reads `length` bytes as text. Characters may be split between segments. Copies. */
  readString(length: number, encoding: BufferEncoding = 'utf8'): string {
    this.#need(length)
    if (length === 0) return ''
    const offset = this.offset
    const { bytes, start } = this.#reach(offset)
    const isHere = offset + length <= start + bytes.length
    const text = isHere
      ? (this.#text ??= viewOf(bytes)).toString(encoding, offset - start, offset - start + length)
      : this.#list.toString(encoding, offset, length, this.#options)
    this.#at += length
    return text
  }
  /**
   * Reads `length` bytes, by default all that remain, as a list that shares them (Ceph: `copy` into a
   * list). Makes nothing readable. Release it where it may hold pipes or files.
   */
  readList(length: number = this.remaining): BufferList {
    this.#need(length)
    const list = this.#list.substr(this.offset, length)
    this.#at += length
    return list
  }
  /**
   * Reads `length` bytes into a Buffer of its own, yours for ever (Ceph: `copy_deep`). A copy, counted,
   * as intended.
   */
  readBytes(length: number): Buffer<ArrayBuffer> {
    this.#need(length)
    const bytes = this.#list.toBuffer(this.offset, length)
    this.#at += length
    return bytes
  }
  /**
   * Reads as many bytes as `target` holds into it (Ceph: `copy` to memory). A copy, counted, as
   * intended. When there are fewer, throws `EndOfBufferError` and writes nothing.
   */
  readInto(target: Uint8Array): this {
    if (!(target instanceof Uint8Array)) {
      throw new InvalidArgumentError(`The target must be a Uint8Array, not ${describe(target)}`)
    }
    this.#need(target.length)
    if (target.length > 0) this.#at += this.#list.copyOut(this.offset, target)
    return this
  }
  /**
   * Reads what can be had in one piece without a copy, at most `maxBytes` (Ceph:
   * `get_ptr_and_advance`): the rest of a segment in memory, or of a 64 KiB block of one outside it.
   * Nothing at the end. Do not write to it: `cStr` says what comes of that. It lives until the list is
   * changed or released, and then its length is 0 where it was not the heap's.
   */
  readStretch(maxBytes: number = this.remaining): Uint8Array {
    checkLength('maxBytes', maxBytes)
    const n = Math.min(maxBytes, this.remaining)
    if (n === 0) return NOTHING.bytes
    const offset = this.offset
    this.#reach(offset)
    if (!this.#isKept) this.#readable.keepStretch()
    this.#isKept = true
    const { bytes, start } = this.#stretch
    const view = bytes.subarray(offset - start, offset - start + n)
    this.#at += view.length
    return view
  }
  /**
   * CRC-32C of the next `length` bytes, by default and at most all that remain, in Ceph's convention
   * (see `crc32c`; Ceph: `iterator::crc32c`). Moves behind them.
   */
  crc32c(length: number = this.remaining, seed = 0): number {
    checkLength('length', length)
    const n = Math.min(length, this.remaining)
    const range = this.#list.substr(this.offset, n)
    try {
      const crc = range.crc32c(seed, this.#options)
      this.#at += n
      return crc
    } finally {
      range.release()
    }
  }
  /** Moves on by `length` bytes, no further than the end (Ceph: `+=`). Makes nothing readable. */
  skip(length: number): this {
    this.#need(length)
    this.#at += length
    return this
  }
  /** Moves to an offset, no further than the end (Ceph: `seek`). Makes nothing readable. */
  seek(offset: number): this {
    checkLength('offset', offset)
    if (offset > this.#readable.length) throw pastTheEnd(offset, 0, this.#readable.length)
    this.#moveTo(offset)
    return this
  }

  /** A view that holds the next `width` bytes at `#taken`; moves behind them. */
  #take(width: number): DataView {
    const next = this.#at + width
    if (next > this.#end || this.#version !== this.#readable.version) return this.#takeAnew(width)
    this.#taken = this.#at
    this.#at = next
    return this.#view
  }
  #takeAnew(width: number): DataView {
    this.#need(width)
    const offset = this.offset
    const { bytes, start } = this.#reach(offset)
    if (offset + width > start + bytes.length) return this.#gather(offset, width)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#start = start
    this.#end = bytes.length
    this.#taken = offset - start
    this.#at = this.#taken + width
    return this.#view
  }
  /** Collects a scalar that crosses borders, byte by byte. */
  #gather(offset: number, width: number): DataView {
    for (let i = 0; i < width; i++) {
      const { bytes, start } = this.#reach(offset + i)
      SCRATCH.setUint8(i, bytes[offset + i - start] as number)
    }
    this.#taken = 0
    this.#moveTo(offset + width)
    return SCRATCH
  }
  /** Makes the stretch around an offset the current one. */
  #reach(offset: number): Stretch {
    const { bytes, start } = this.#stretch
    const isIn = offset >= start && offset < start + bytes.length
    if (isIn && this.#version === this.#readable.version) return this.#stretch
    // Before the next is asked for, because that ends the last, also where it throws.
    this.#forgetView()
    this.#stretch = NOTHING
    this.#isKept = false
    this.#text = undefined
    this.#stretch = this.#readable.stretchAt(offset)
    this.#version = this.#readable.version
    return this.#stretch
  }
  #moveTo(offset: number): void {
    if (offset < this.#start) this.#forgetView()
    this.#at = offset - this.#start
  }
  #forgetView(): void {
    this.#at += this.#start
    this.#start = 0
    this.#end = 0
  }
  #need(length: number): void {
    checkLength('length', length)
    if (this.offset + length > this.#readable.length) {
      throw pastTheEnd(this.offset, length, this.#readable.length)
    }
  }
}

/** Two's complement. */
function signed(value: number, byteLength: number): number {
  const half = 2 ** (8 * byteLength - 1)
  return value < half ? value : value - 2 * half
}

function pastTheEnd(offset: number, length: number, total: number): EndOfBufferError {
  return new EndOfBufferError(
    `Reading ${length} bytes at offset ${offset} goes past the end of a list of ${total} bytes`,
  )
}

import { checkBytes, checkLength, checkRange, checkSeed, describe } from '../arguments.js'
import { beforeCopy, encode, ledger } from '../audit/ledger.js'
import { lookReason, reasonOf, type CopyReason } from '../audit/causes.js'
import type { CopyOptions } from '../contract.js'
import { EndOfBufferError, InvalidArgumentError, NotLoadedError } from '../errors.js'
import type { Stretch } from '../raw/raw.js'
import { leaseMemory, type Lease } from '../raw/slabs.js'
import { Appender } from './appender.js'
import { endAll, isBranded } from './body.js'
import { bufferOf, viewOf } from './buffer-view.js'
import { crcOf } from './checksum.js'
import { areZero, compareStretches } from './compare.js'
import type { Part } from './endpoint.js'
import { hexdump } from './hexdump.js'
import { indexOfIn, needleBytes } from './search.js'
import { MemoryWindow } from './window.js'
import { ZeroWindow } from './zero-window.js'

/** The bytes of a part, whatever it is. */
let stretchesOf: (
  part: Part,
  options: CopyOptions | undefined,
) => { length: number; stretches: Iterable<Stretch> }

/**
 * What is read out of a list. Looking leaves pages where they are; what it copies is counted. A
 * storey of `BufferList`; not for use by itself.
 */
export abstract class Reader extends Appender implements Iterable<Uint8Array> {
  /**
   * The byte at an index. O(log segments). Throws `EndOfBufferError` past the end. Makes the block
   * around it readable where it lies outside the heap, counted; as intended with `{ intended: true }`.
   */
  byteAt(index: number, options?: CopyOptions): number {
    this.reading()
    if (!Number.isSafeInteger(index) || index < 0 || index >= this.segments.length)
      throw noByte(index, this.length)
    const window = this.segments.at(index)
    if (window instanceof MemoryWindow) return window.byteAt(this.segments.within)
    return this.byteOutside(index, options)
  }
  /**
   * Copies bytes from `offset` into `target`, as many as fit; returns how many. Counted, as intended.
   */
  copyOut(offset: number, target: Uint8Array): number {
    this.reading()
    checkRange(offset, 0, this.length)
    if (!(target instanceof Uint8Array)) {
      throw new InvalidArgumentError(`The target must be a Uint8Array, not ${describe(target)}`)
    }
    const length = Math.min(target.length, this.length - offset)
    this.copyRange(offset, length, target, 'to-buffer')
    return length
  }
  /**
   * The first place of a needle at or after `from`, or −1. A string is UTF-8, a number one byte.
   * O(bytes). Makes segments outside the heap readable, a block at a time, counted; as intended with
   * `{ intended: true }`.
   */
  indexOf(needle: Uint8Array | string | number, from = 0, options?: CopyOptions): number {
    this.reading()
    checkRange(from, 0, this.length)
    const stretches = this.stretches(lookReason(options), from)
    return indexOfIn(stretches, needleBytes(needle), from, this.length)
  }
  /** Whether a needle is there at or after `from`: see `indexOf`, also for what is counted. */
  includes(needle: Uint8Array | string | number, from = 0, options?: CopyOptions): boolean {
    // eslint-disable-next-line @typescript-eslint/prefer-includes -- It would call itself.
    return this.indexOf(needle, from, options) >= 0
  }
  /**
   * Whether another list, bytes or string hold the same bytes, however they are cut. O(bytes) up to the
   * first that differs. Makes what lies outside the heap readable on both sides, counted; as intended
   * with `{ intended: true }`.
   */
  equals(other: Part, options?: CopyOptions): boolean {
    this.reading()
    const { length, stretches } = stretchesOf(other, options)
    return (
      length === this.length &&
      compareStretches(this.stretches(lookReason(options)), stretches) === 0
    )
  }
  /**
   * The order of the bytes, unsigned; a list that is the start of another comes before it. Cost and
   * copies as those of `equals`.
   */
  compare(other: Part, options?: CopyOptions): -1 | 0 | 1 {
    this.reading()
    const own = this.stretches(lookReason(options))
    return compareStretches(own, stretchesOf(other, options).stretches)
  }
  /**
   * Whether all bytes are 0. O(bytes) at worst; appended zeros cost nothing. Makes segments outside the
   * heap readable, counted; as intended with `{ intended: true }`. Ceph: `is_zero`.
   */
  isZero(options?: CopyOptions): boolean {
    this.reading()
    const reason = lookReason(options)
    let at = 0
    for (const window of this.segments.windows()) {
      if (!(window instanceof ZeroWindow)) {
        if (!areZero(this.stretches(reason, at, window.length))) return false
      }
      at += window.length
    }
    return true
  }
  /**
   * The range as one readable piece of memory (Ceph: `c_str`). In place where it lies in one heap
   * segment; else a copy, counted, and the pages stay where they are: the list can be sent by
   * reference afterwards. It lives until the list is changed or released; then its length is 0 where
   * it lay in a slab. Throws `NotLoadedError` for a file's bytes. Say `{ intended: true }` where the
   * copy is meant.
   *
   * Do not write to it: nothing refuses that, for JavaScript has no read-only memory. A range in one
   * segment of memory is that memory: a write changes this list and all that share the bytes, and
   * leaves their kept checksums untrue. Of a file's loaded bytes it changes what lists show, not what
   * they send by reference. Of all else (pages in pipes, several segments, zeros) it changes the copy
   * alone, which no list sees.
   */
  cStr(offset = 0, length = this.length - offset, options?: CopyOptions): Buffer {
    this.reading()
    checkRange(offset, length, this.length)
    if (length === 0) return Buffer.alloc(0)
    const isIntended = options?.intended === true
    const window = this.segments.at(offset)
    const { within } = this.segments
    if (within + length <= window.length) {
      if (window instanceof MemoryWindow) return bufferOf(window.view(within, length))
      const cause = isIntended ? 'intended:cStr' : 'cStr'
      const bytes = window.look(within, length, this.ownLeases(), cause)
      if (bytes === undefined) throw new NotLoadedError(offset, length)
      return viewOf(bytes)
    }
    const reason = reasonOf('cross-segment', isIntended)
    if (this.isMemory(offset, length)) return this.copyOf(reason, offset, length)
    const lease = leaseMemory(length)
    this.ownLeases().push(lease)
    this.copyRange(offset, length, lease.bytes, reason)
    return viewOf(lease.bytes)
  }
  /** The range as a Buffer of its own, yours for ever. A copy, counted, as intended. */
  toBuffer(offset = 0, length = this.length - offset): Buffer<ArrayBuffer> {
    this.reading()
    checkRange(offset, length, this.length)
    return this.copyOf('to-buffer', offset, length)
  }
  /**
   * The range as text. Characters may be split between segments. A copy where it lies in several, or
   * outside the heap, counted; as intended with `{ intended: true }`.
   */
  override toString(
    encoding: BufferEncoding = 'utf8',
    offset = 0,
    length = this.length - offset,
    options?: CopyOptions,
  ): string {
    this.reading()
    checkRange(offset, length, this.length)
    if (length === 0) return ''
    // Half a character more is not shown; nodejs/node#64697 would write it past the string's end.
    if (length % 2 === 1 && isUtf16(encoding)) {
      return this.toString(encoding, offset, length - 1, options)
    }
    const leases: Lease[] = []
    try {
      const window = this.segments.at(offset)
      const { within } = this.segments
      const isOne = within + length <= window.length
      const bytes = isOne ? window.look(within, length, leases, lookReason(options)) : undefined
      if (bytes !== undefined) return viewOf(bytes).toString(encoding)
      const joined = Buffer.allocUnsafe(length)
      this.copyRange(offset, length, joined, reasonOf('cross-segment', options?.intended))
      return joined.toString(encoding)
    } finally {
      endAll(leases)
    }
  }
  /**
   * The bytes as `hexdump -C` prints them: offset, bytes, text, and `*` for rows that repeat. For
   * people: some 80 characters of text for 16 bytes. Makes segments outside the heap readable,
   * counted; as intended with `{ intended: true }`. Ceph: `hexdump`.
   */
  hexdump(options?: CopyOptions): string {
    this.reading()
    return hexdump(this.stretches(lookReason(options)))
  }
  /**
   * CRC-32C of all bytes after `seed`, in Ceph's convention (see `crc32c`), as an unsigned number.
   * Reads each segment once: its checksum is kept with it, in every list that shares it, and joined
   * with the others' by arithmetic. Zeros are never read; of loans and foreign pages, which others can
   * change, nothing is kept. Making them readable is counted; as intended with `{ intended: true }`.
   * O(bytes) at first, then O(segments). Ceph: `crc32c`.
   */
  crc32c(seed = 0, options?: CopyOptions): number {
    this.reading()
    checkSeed('seed', seed)
    return crcOf(this.segments, seed, lookReason(options)) >>> 0
  }
  /** As `views()`, for a loop over the list itself. */
  [Symbol.iterator](): Iterator<Uint8Array> {
    return this.views()
  }
  /**
   * The segments as views, not to be written to; one outside the heap a block at a time, which is a
   * copy, counted; as intended with `{ intended: true }`. See `cStr`.
   */
  *views(options?: CopyOptions): Generator<Uint8Array, undefined> {
    this.reading()
    const cause = lookReason(options)
    const { version } = this
    // So that an append is noticed as every other change is.
    this.tail.close()
    for (let at = 0; at < this.length;) {
      const { bytes, start } = this.stretchAt(at, this.ownLeases(), cause)
      yield at === start ? bytes : bytes.subarray(at - start)
      this.reading()
      if (this.version !== version) {
        throw new InvalidArgumentError('The list was changed while it was iterated over')
      }
      at = start + bytes.length
    }
    return undefined
  }

  /** Copies a range that lies inside. */
  protected copyRange(offset: number, length: number, target: Uint8Array, cause: CopyReason): void {
    let done = 0
    this.segments.visit(offset, length, (window, within, n) => {
      if (!window.copyOut(within, n, target, done, cause))
        throw new NotLoadedError(offset + done, n)
      done += n
      return true
    })
  }
  /** A range as memory of its own, counted under a cause. */
  protected copyOf(cause: CopyReason, offset: number, length: number): Buffer<ArrayBuffer> {
    const bytes = Buffer.allocUnsafeSlow(length)
    this.copyRange(offset, length, bytes, cause)
    return bytes
  }
  /** Whether a range lies in memory of the process: then a view of it need not be ended. */
  private isMemory(offset: number, length: number): boolean {
    let isMemory = true
    this.segments.visit(offset, length, ({ kind }) => {
      isMemory = kind === 'heap' || kind === 'zero'
      return isMemory
    })
    return isMemory
  }
  private byteOutside(index: number, options: CopyOptions | undefined): number {
    checkLength('index', index)
    const leases: Lease[] = []
    try {
      const { bytes, start } = this.stretchAt(index, leases, lookReason(options))
      return bytes[index - start] as number
    } finally {
      endAll(leases)
    }
  }
  static {
    stretchesOf = (part, options) => {
      if (part instanceof Reader) {
        part.reading()
        return { length: part.length, stretches: part.stretches(lookReason(options)) }
      }
      const bytes = bytesOf(part, options)
      return { length: bytes.length, stretches: bytes.length > 0 ? [{ bytes, start: 0 }] : [] }
    }
  }
}

/** What is not a list of this copy of the package, as bytes. */
export function bytesOf(part: Part, options?: CopyOptions): Uint8Array {
  if (typeof part === 'string') return encode(part)
  // Another copy of the package has lists of its own kind: only bytes can be told across.
  if (isBranded(part)) {
    const { length } = part as Reader
    const reason = reasonOf('foreign-list', options?.intended)
    beforeCopy(reason, length)
    const bytes = (part as Reader).toBuffer()
    ledger.countCopied(reason, length)
    return bytes
  }
  checkBytes(part)
  return part
}

function isUtf16(encoding: BufferEncoding): boolean {
  return /^(utf-?16le|ucs-?2)$/i.test(encoding)
}

function noByte(index: number, length: number): Error {
  checkLength('index', index)
  return new EndOfBufferError(`There is no byte ${index} in a list of ${length} bytes`)
}

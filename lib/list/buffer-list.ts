import type { FileHandle } from 'node:fs/promises'
import { inspect } from 'node:util'
import {
  checkAttached,
  checkBytes,
  checkLength,
  checkRange,
  checkSignal,
  describe,
} from '../arguments.js'
import { copy, encode } from '../audit/ledger.js'
import type { CopyCause } from '../audit/causes.js'
import type { PullOptions, PushOptions } from '../contract.js'
import {
  AbortError,
  EndOfBufferError,
  InvalidArgumentError,
  NotLoadedError,
  ReleasedError,
  TransferError,
} from '../errors.js'
import { FileRaw } from '../raw/file.js'
import { HeapRaw } from '../raw/heap.js'
import { OpenFile } from '../raw/open-file.js'
import type { BufferRaw, PageOwnership, SegmentKind, Stretch } from '../raw/raw.js'
import { leaseMemory, type Lease, type LeaseHolder } from '../raw/slabs.js'
import { viewOf } from './buffer-view.js'
import { areZero, compareStretches } from './compare.js'
import { crc32c } from './crc32c.js'
import { Cursor, type Readable } from './cursor.js'
import type { Part, Sink, Source } from './endpoint.js'
import { hexdump } from './hexdump.js'
import { inspectText } from './inspect.js'
import { mover } from './mover.js'
import { indexOfIn, needleBytes } from './search.js'
import { Segments, Window } from './segments.js'

const BRAND = Symbol.for('splicelist.list')

/** A list's segments, for the floors that move them. Ends the list's views. @internal */
export let segmentsOf: (list: BufferList) => Segments
/** A list's bytes as memory of its own, counted under a cause of the caller's. @internal */
export let copyOf: (
  list: BufferList,
  cause: CopyCause,
  offset?: number,
  length?: number,
) => Buffer<ArrayBuffer>
/** Whether a list was released. @internal */
export let isReleased: (list: BufferList) => boolean

/** What a cursor asks of a list. */
let Reading: new (list: BufferList) => Readable

/** One segment of a list, as `explain()` tells it. */
export interface SegmentRow {
  /** Where the bytes are. */
  readonly kind: SegmentKind
  /** Bytes of this segment. */
  readonly length: number
  /** Who else can change the bytes; null for memory of the process. */
  readonly pages: PageOwnership | null
  /** Windows and operations that hold what the segment owns; null where nothing is counted. */
  readonly refs: number | null
  /** Bytes of what it is a window of that were made readable so far. */
  readonly looked: number
}

/**
 * A list of byte segments that are shared, cut and joined without touching the bytes (Ceph:
 * `ceph::buffer::list`). Its segments may lie in memory, in a file, or inside kernel pipes.
 *
 * **Use it** for payloads that pass through a program: pull them from a socket or a file, cut them,
 * put headers before them, send them on. **Do not use it** for bytes that are built and read in one
 * place (a Buffer is simpler), for messages of a few hundred bytes, or through TLS, where every byte
 * is in memory anyway.
 *
 * **Ownership.** `append` and the constructor share: do not change bytes afterwards. A function that
 * is given a list borrows it; only `claimAppend`, `take`, `splice`'s result and `consume` move. A list
 * that holds pipes or files must be released (`using list = …`); one that holds only memory need not.
 *
 * **Cost.** Appending and taking from the front: O(1). Finding an offset: O(log segments). A cut in
 * the middle: O(segments moved). No operation here copies bytes but those that say so.
 *
 * ```ts
 * import { BufferList } from 'splicelist'
 * using list = new BufferList('head', Buffer.from('payload'))
 * list.substr(4, 3).toString() // 'pay'
 * ```
 */
export class BufferList implements Iterable<Uint8Array>, Disposable {
  readonly #segments = new Segments()
  #leases: LeaseSet | null = null
  #isReleased = false
  #version = 0
  /** @internal */
  readonly [BRAND] = true

  /** A list of the given parts, shared. Strings are encoded as UTF-8. */
  constructor(...parts: readonly Part[]) {
    for (const part of parts) this.append(part)
  }
  /** A list of one part, or of many, shared. */
  static from(parts: Part | Iterable<Part>): BufferList {
    if (typeof parts === 'string' || parts instanceof Uint8Array) return new BufferList(parts)
    if (isList(parts)) return new BufferList(parts)
    if (typeof parts !== 'object' || (parts as unknown) === null || !(Symbol.iterator in parts)) {
      throw new InvalidArgumentError(
        `Expected a BufferList, a Uint8Array, a string, or many of them, not ${describe(parts)}`,
      )
    }
    const list = new BufferList()
    for (const part of parts) list.append(part)
    return list
  }
  /**
   * A list of one extent of a file: no bytes are read and no pages held (Ceph has no like). The
   * file stays open, for this list, until it is released. Rejects when the path cannot be opened.
   */
  static async fromFile(
    file: FileHandle | string,
    range: { readonly offset?: number; readonly length?: number } = {},
  ): Promise<BufferList> {
    const { offset = 0, length } = range
    checkLength('offset', offset)
    if (length !== undefined) checkLength('length', length)
    const open = typeof file === 'string' ? await OpenFile.open(file, 'r') : OpenFile.adopt(file)
    const there = Math.max(0, open.sizeBytes() - offset)
    if (length !== undefined && length > there) {
      open.release()
      throw new InvalidArgumentError(
        `The file has ${there} bytes at offset ${offset}, not ${length}. Ask for fewer`,
      )
    }
    const list = new BufferList()
    list.adoptRaw(new FileRaw(open, offset, length ?? there))
    return list
  }
  /** Whether a value is a list, also one of another copy of this package. */
  static isBufferList(x: unknown): x is BufferList {
    return isList(x)
  }

  /** Bytes in the list. O(1). */
  get length(): number {
    return this.#segments.length
  }
  /** Segments in the list; none is empty (Ceph: `get_num_buffers`). O(1). */
  get numBuffers(): number {
    return this.#segments.count
  }

  // ---- build

  /**
   * Adds a part at the end. Shares the bytes: do not change them afterwards. A list stays the
   * caller's. A string is encoded as UTF-8. O(segments of the part).
   */
  append(part: Part): this {
    this.#change()
    this.#segments.pushAll(this.#shared(part, 'append-copy'))
    return this
  }
  /** Adds a copy of bytes that will change afterwards (a scratch buffer). Counted, as intended. */
  appendCopy(bytes: Uint8Array | string): this {
    if (typeof bytes === 'string') return this.append(bytes)
    if (!(bytes instanceof Uint8Array)) {
      throw new InvalidArgumentError(`Expected a Uint8Array or a string, not ${describe(bytes)}`)
    }
    checkAttached(bytes)
    const copied = Buffer.allocUnsafe(bytes.length)
    copy('append-copy', bytes, copied, 0)
    return this.append(copied)
  }
  /** Adds a part at the front. Shares as `append` does. O(segments of the list at worst). */
  prepend(part: Part): this {
    this.#change()
    this.#segments.unshiftAll(this.#shared(part, 'append-copy'))
    return this
  }
  /** Moves all of another list to the end of this one (Ceph: `claim_append`). The other is empty. */
  claimAppend(other: BufferList): this {
    this.#change()
    if (!isList(other)) throw new InvalidArgumentError(`Expected a list, not ${describe(other)}`)
    if (!(#segments in other)) {
      this.append(other)
      ;(other as BufferList).consume((other as BufferList).length)
    } else if (other !== this) this.#segments.pushAll(segmentsOf(other).moveOut())
    return this
  }

  // ---- cut

  /**
   * A list of a range of this one that shares its bytes and outlives it (Ceph: `substr_of`). The
   * end by default. Release it where it may hold pipes or files. O(log segments + segments touched).
   */
  substr(offset = 0, length = this.length - offset): BufferList {
    this.#use()
    checkRange(offset, length, this.length)
    return listOf(this.#segments.share(offset, length))
  }
  /**
   * Takes a range out, puts `replacement` in its place, and returns what was there (Ceph: `splice`).
   * O(segments behind the range).
   */
  splice(offset: number, length: number, replacement?: Part): BufferList {
    this.#change()
    checkRange(offset, length, this.length)
    const added = replacement === undefined ? undefined : this.#shared(replacement, 'append-copy')
    return listOf(this.#segments.cut(offset, length, added))
  }
  /** Moves bytes at the front into a list of their own. */
  take(length: number): BufferList {
    return this.splice(0, length)
  }
  /** Releases bytes at the front. O(segments consumed). */
  consume(length: number): this {
    this.#change()
    checkRange(0, length, this.length)
    this.#segments.dropFront(length)
    return this
  }
  /** Releases all behind the first `length` bytes. */
  truncate(length: number): this {
    this.#change()
    checkRange(length, 0, this.length)
    this.#segments.cut(length, this.length - length).clear()
    return this
  }

  // ---- read

  /** The byte at an index. O(log segments). Throws `EndOfBufferError` past the end. */
  byteAt(index: number): number {
    this.#use()
    checkLength('index', index)
    if (index >= this.length) {
      throw new EndOfBufferError(`There is no byte ${index} in a list of ${this.length} bytes`)
    }
    const leases: Lease[] = []
    try {
      const { bytes, start } = this.#stretchAt(index, leases)
      return bytes[index - start] as number
    } finally {
      endAll(leases)
    }
  }
  /**
   * Copies bytes from `offset` into `target`, as many as fit; returns how many. Counted, as intended.
   */
  copyOut(offset: number, target: Uint8Array): number {
    this.#use()
    checkRange(offset, 0, this.length)
    if (!(target instanceof Uint8Array)) {
      throw new InvalidArgumentError(`The target must be a Uint8Array, not ${describe(target)}`)
    }
    const length = Math.min(target.length, this.length - offset)
    this.#copyRange(offset, length, target, 'to-buffer')
    return length
  }
  /**
   * The first place of a needle at or after `from`, or −1. A string is UTF-8, a number one byte.
   * O(bytes). Makes segments outside the heap readable, a block at a time.
   */
  indexOf(needle: Uint8Array | string | number, from = 0): number {
    this.#use()
    checkRange(from, 0, this.length)
    return indexOfIn(this.#stretches(from), needleBytes(needle), from, this.length)
  }
  /** Whether a needle is there at or after `from`. */
  includes(needle: Uint8Array | string | number, from = 0): boolean {
    // eslint-disable-next-line @typescript-eslint/prefer-includes -- It would call itself.
    return this.indexOf(needle, from) >= 0
  }
  /** Whether another list, bytes or string hold the same bytes, however they are cut. */
  equals(other: Part): boolean {
    this.#use()
    const shared = listOf(this.#shared(other, 'append-copy'))
    try {
      return shared.length === this.length && this.compare(shared) === 0
    } finally {
      shared.release()
    }
  }
  /** The order of the bytes, unsigned; a list that is the start of another comes before it. */
  compare(other: Part): -1 | 0 | 1 {
    this.#use()
    const shared = listOf(this.#shared(other, 'append-copy'))
    try {
      return compareStretches(this.#stretches(0), shared.#stretches(0))
    } finally {
      shared.release()
    }
  }
  /** Whether all bytes are zero (Ceph: `is_zero`); true of an empty list. O(bytes). */
  isZero(): boolean {
    this.#use()
    return areZero(this.#stretches(0))
  }
  /**
   * The range as one readable piece of memory (Ceph: `c_str`). In place where it lies in one heap
   * segment; else a copy, counted, and the pages stay where they are: the list can be sent by
   * reference afterwards. Do not write to it. It lives until the list is changed or released; then
   * its length is 0 where it lay in a slab. Throws `NotLoadedError` for a file's bytes.
   */
  cStr(offset = 0, length = this.length - offset): Buffer {
    this.#use()
    checkRange(offset, length, this.length)
    if (length === 0) return Buffer.alloc(0)
    const { window, within } = this.#segments.find(offset)
    if (within + length <= window.length) {
      const at = window.offset + within
      const bytes = window.raw.look(at, length, this.#ownLeases(), 'cStr')
      if (bytes === undefined) throw new NotLoadedError(offset, length)
      return viewOf(bytes)
    }
    if (this.#isMemory(offset, length)) return copyOf(this, 'cross-segment', offset, length)
    const lease = leaseMemory(length)
    this.#ownLeases().push(lease)
    this.#copyRange(offset, length, lease.bytes, 'cross-segment')
    return viewOf(lease.bytes)
  }
  /** The range as a Buffer of its own, yours for ever. A copy, counted, as intended. */
  toBuffer(offset = 0, length = this.length - offset): Buffer<ArrayBuffer> {
    this.#use()
    checkRange(offset, length, this.length)
    const bytes = Buffer.allocUnsafeSlow(length)
    this.#copyRange(offset, length, bytes, 'to-buffer')
    return bytes
  }
  /** The range as text. Characters may be split between segments. Copies. */
  toString(encoding: BufferEncoding = 'utf8', offset = 0, length = this.length - offset): string {
    this.#use()
    checkRange(offset, length, this.length)
    if (length === 0) return ''
    const leases: Lease[] = []
    try {
      const { window, within } = this.#segments.find(offset)
      const isOne = within + length <= window.length
      const bytes = isOne ? window.raw.look(window.offset + within, length, leases) : undefined
      if (bytes !== undefined) return viewOf(bytes).toString(encoding)
      const joined = Buffer.allocUnsafe(length)
      this.#copyRange(offset, length, joined, 'cross-segment')
      return joined.toString(encoding)
    } finally {
      endAll(leases)
    }
  }
  /**
   * What `hexdump -C` prints of the bytes (Ceph: `hexdump`): a line for every 16, five times the bytes
   * where none repeat. Joins nothing; makes segments outside the heap readable, a block at a time.
   */
  hexdump(): string {
    this.#use()
    return hexdump(this.#stretches(0))
  }
  /** What `console.log` shows: the segments and who holds them, never a byte. O(segments). */
  [inspect.custom](): string {
    return this.#isReleased ? 'BufferList(released)' : inspectText(this.explain())
  }
  /** A reading position, at the front by default. */
  cursor(offset = 0): Cursor {
    this.#use()
    checkRange(offset, 0, this.length)
    return new Cursor(this, new Reading(this), offset)
  }
  /** CRC-32C of all bytes in Ceph's convention (see `crc32c`). Not cached yet. O(bytes). */
  crc32c(seed = 0): number {
    this.#use()
    let crc = seed >>> 0
    for (const { bytes } of this.#stretches(0)) crc = crc32c(bytes, crc)
    return crc
  }
  /**
   * Brings bytes that are in a file into memory, so that they can be read synchronously. They still
   * leave by reference. Waits for the disk; holds no thread of Node's.
   */
  async load(
    offset = 0,
    length = this.length - offset,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<this> {
    this.#use()
    checkRange(offset, length, this.length)
    checkSignal(options.signal)
    const range = this.#segments.share(offset, length)
    try {
      for (const { raw, offset: at, length: n } of range.windows()) {
        const failed = (await raw.load?.(at, n)) ?? 0
        if (failed < 0) {
          throw new TransferError({
            side: 'source',
            errno: failed,
            syscall: 'pread',
            bytesMoved: 0,
          })
        }
        if (options.signal?.aborted === true) throw new AbortError(0, options.signal.reason)
      }
    } finally {
      range.clear()
    }
    return this
  }
  /** The segments as read-only views; one outside the heap a block at a time. See `cStr`. */
  *[Symbol.iterator](): Iterator<Uint8Array> {
    this.#use()
    const version = this.#version
    for (let at = 0; at < this.length;) {
      const { bytes, start } = this.#stretchAt(at, this.#ownLeases())
      yield bytes.subarray(at - start)
      this.#use()
      if (this.#version !== version) {
        throw new InvalidArgumentError('The list was changed while it was iterated over')
      }
      at = start + bytes.length
    }
  }

  // ---- layout

  /** Whether all bytes lie in at most one segment (Ceph: `is_contiguous`). */
  isContiguous(): boolean {
    return this.numBuffers <= 1
  }
  /** Joins all segments into one piece of memory: a copy, counted. */
  rebuild(): this {
    this.#change()
    if (this.numBuffers === 0) return this
    const bytes = Buffer.allocUnsafeSlow(this.length)
    this.#copyRange(0, bytes.length, bytes, 'cross-segment')
    this.#segments.clear()
    this.#segments.push(new Window(new HeapRaw(bytes), 0, bytes.length))
    return this
  }
  /** What the list is made of, front to back. Makes nothing readable. */
  explain(): readonly SegmentRow[] {
    this.#use()
    const rows: SegmentRow[] = []
    for (const { raw, length } of this.#segments.windows()) {
      const { kind, pages, refs, looked } = raw
      rows.push({ kind, length, pages, refs, looked })
    }
    return rows
  }

  // ---- move

  /**
   * Takes up to `length` bytes from a source to the end of this list. Resolves with the bytes that
   * came: all of them, at least `atLeast`, or fewer at the end of the stream. On an error or an
   * abort what arrived is in the list. By reference where that is possible.
   */
  spliceFrom(source: Source, length: number, options: PullOptions = {}): Promise<number> {
    return mover().spliceFrom(this, source, length, options)
  }
  /**
   * Sends the list as it is at the call; resolves with the bytes that the sink accepted. The list
   * keeps them, and can be sent again. With `consume` the list gives them up: it is empty while they
   * are under way, and what was not accepted is back at its front when the promise settles.
   */
  spliceTo(sink: Sink, options: PushOptions = {}): Promise<number> {
    return mover().spliceTo(this, sink, options)
  }

  /**
   * Gives back what the list holds, and ends its views. Final and idempotent; later use throws
   * `ReleasedError`. A list that holds only memory needs none.
   */
  release(): void {
    if (this.#isReleased) return
    this.#endViews()
    this.#segments.clear()
    this.#isReleased = true
    // So that cursors do not go on reading what they have at hand.
    this.#version++
  }
  /** `using list = …` releases it at the end of the block. */
  [Symbol.dispose](): void {
    this.release()
  }

  /** Takes over a raw's first reference. @internal */
  adoptRaw(raw: BufferRaw): void {
    this.#change()
    this.#segments.push(new Window(raw, 0, raw.length))
  }

  static {
    // One class, not an object per cursor: the getters of literals are each a shape of their own.
    Reading = class implements Readable {
      readonly #list: BufferList
      /** Of the stretch that was asked for last. A cursor needs no more than the block it stands in. */
      #leases: Lease[] = []
      constructor(list: BufferList) {
        this.#list = list
      }
      get length(): number {
        this.#list.#use()
        return this.#list.length
      }
      get version(): number {
        return this.#list.#version
      }
      stretchAt(offset: number): Stretch {
        const list = this.#list
        list.#use()
        list.#endSome(this.#leases)
        this.#leases = []
        const stretch = list.#stretchAt(offset, this.#leases)
        for (const lease of this.#leases) list.#ownLeases().add(lease)
        return stretch
      }
      keepStretch(): void {
        this.#leases = []
      }
    }
    segmentsOf = (list) => {
      if (!(#segments in list)) throw ofAnotherCopy()
      list.#change()
      return list.#segments
    }
    isReleased = (list) => list.#isReleased
    copyOf = (list, cause, offset = 0, length = list.length - offset) => {
      const bytes = Buffer.allocUnsafeSlow(length)
      list.#copyRange(offset, length, bytes, cause)
      return bytes
    }
  }

  #use(): void {
    if (this.#isReleased) throw new ReleasedError()
  }
  #change(): void {
    this.#use()
    this.#version++
    if (this.#leases !== null) this.#endViews()
  }
  #endViews(): void {
    if (this.#leases !== null) endAll(this.#leases)
    this.#leases = null
  }
  #ownLeases(): LeaseSet {
    return (this.#leases ??= new LeaseSet())
  }
  #endSome(leases: readonly Lease[]): void {
    for (const lease of leases) this.#leases?.delete(lease)
    endAll(leases)
  }
  /** Whether a range lies in memory of the process: then a view of it need not be ended. */
  #isMemory(offset: number, length: number): boolean {
    for (let at = offset; at < offset + length;) {
      const { window, within } = this.#segments.find(at)
      if (window.raw.kind !== 'heap') return false
      at += window.length - within
    }
    return true
  }
  /** A part's bytes as segments that share them. */
  #shared(part: Part, cause: CopyCause): Segments {
    if (isList(part)) {
      // Another copy of the package has lists of its own kind: only bytes can be told across.
      if (!(#segments in part)) return this.#shared((part as BufferList).toBuffer(), cause)
      part.#use()
      return part.#segments.share(0, part.length)
    }
    const bytes = typeof part === 'string' ? encode(cause, part) : part
    checkBytes(bytes)
    const segments = new Segments()
    if (bytes.length > 0) segments.push(new Window(new HeapRaw(bytes), 0, bytes.length))
    return segments
  }
  #stretchAt(offset: number, leases: LeaseHolder): Stretch {
    const { window, within } = this.#segments.find(offset)
    const stretch = window.raw.stretch(window.offset + within, leases)
    if (stretch === undefined) throw new NotLoadedError(offset, window.length - within)
    // The raw's stretch, cut to this window, in the list's offsets.
    const from = Math.max(window.offset, stretch.start)
    const to = Math.min(window.offset + window.length, stretch.start + stretch.bytes.length)
    const bytes = stretch.bytes.subarray(from - stretch.start, to - stretch.start)
    return { bytes, start: offset - within + from - window.offset }
  }
  /** Readable stretches from an offset on, each valid until the next is asked for. */
  *#stretches(from: number): Generator<Stretch> {
    for (let at = from; at < this.length;) {
      const leases: Lease[] = []
      try {
        const { bytes, start } = this.#stretchAt(at, leases)
        yield { bytes: at === start ? bytes : bytes.subarray(at - start), start: at }
        at = start + bytes.length
      } finally {
        endAll(leases)
      }
    }
  }
  #copyRange(offset: number, length: number, target: Uint8Array, cause: CopyCause): void {
    let done = 0
    while (done < length) {
      const { window, within } = this.#segments.find(offset + done)
      const n = Math.min(length - done, window.length - within)
      if (!window.raw.copyOut(window.offset + within, n, target, done, cause)) {
        throw new NotLoadedError(offset + done, n)
      }
      done += n
    }
  }
}

/** A list that takes over segments. @internal */
export function listOf(segments: Segments): BufferList {
  const list = new BufferList()
  segmentsOf(list).pushAll(segments)
  return list
}

function isList(x: unknown): x is BufferList {
  return typeof x === 'object' && x !== null && BRAND in x
}

/** The leases behind a list's views. Looks add to it as to an array. */
class LeaseSet extends Set<Lease> implements LeaseHolder {
  push(lease: Lease): void {
    this.add(lease)
  }
}

function ofAnotherCopy(): InvalidArgumentError {
  return new InvalidArgumentError(
    'This list belongs to another copy of splicelist. Make one of this copy: new BufferList(list)',
  )
}

function endAll(leases: Iterable<Lease>): void {
  for (const lease of leases) lease.end()
}

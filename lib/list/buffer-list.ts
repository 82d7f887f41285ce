import type { FileHandle } from 'node:fs/promises'
import { inspect } from 'node:util'
import {
  checkBytes,
  checkLength,
  checkMemory,
  checkRange,
  checkSignal,
  describe,
} from '../arguments.js'
import { lookReason, reasonOf, type CopyReason, type LookReason } from '../audit/causes.js'
import type { CopyOptions, PullOptions, PushOptions } from '../contract.js'
import { AbortError, InvalidArgumentError, TransferError } from '../errors.js'
import { AdoptedRaw } from '../raw/adopted.js'
import { FileRaw } from '../raw/file.js'
import { OpenFile } from '../raw/open-file.js'
import type { BufferRaw, PageOwnership, SegmentKind, Stretch } from '../raw/raw.js'
import type { Lease } from '../raw/slabs.js'
import { areAligned, areOfSize, checkAlignment, realigned } from './alignment.js'
import { carryCrc } from './checksum.js'
import { isBranded } from './body.js'
import { Cursor, type Readable } from './cursor.js'
import type { Part, Sink, Source } from './endpoint.js'
import { inspectText } from './inspect.js'
import { mover } from './mover.js'
import { bytesOf, Reader } from './reader.js'
import { Segments } from './segments.js'
import { NO_TAIL } from './tail.js'
import { compacted, wastedBytes } from './waste.js'
import { windowOf, windowOfMemory } from './window.js'
import { ZeroWindow } from './zero-window.js'

/** A list's segments, for the floors that add to them. Ends the list's views. @internal */
export let segmentsOf: (list: BufferList) => Segments
/** Moves the first bytes of a list out, for the floors that send them. @internal */
export let takeSegments: (list: BufferList, length: number) => Segments
/** What a cursor asks of a list. */
let Reading: new (list: BufferList, cause: LookReason) => Readable
/** A list's bytes as segments that share them. */
let sharedOf: (list: BufferList) => Segments
/** A list's bytes as memory of its own, counted under a cause of the caller's. @internal */
export let copyOf: (
  list: BufferList,
  cause: CopyReason,
  offset?: number,
  length?: number,
) => Buffer<ArrayBuffer>

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
 * **Cost.** Appending and taking from the front: O(1). Finding an offset, cutting and inserting
 * anywhere: O(log segments + segments touched). No operation here copies bytes but those that say so.
 * An appended segment of memory takes about 70 bytes of heap.
 *
 * ```ts
 * import { BufferList } from 'splicelist'
 * using list = new BufferList('head', Buffer.from('payload'))
 * list.substr(4, 3).toString() // 'pay'
 * ```
 */
export class BufferList extends Reader implements Disposable {
  /** A list of the given parts, shared. Strings are encoded as UTF-8. */
  constructor(...parts: readonly Part[])
  /** Takes over segments. @internal */
  constructor(segments: Segments)
  constructor(...parts: readonly (Part | Segments)[]) {
    const [first] = parts
    if (first instanceof Segments) {
      super(first)
      return
    }
    super(new Segments())
    for (const part of parts) this.append(part as Part)
  }
  /** A list of one part, or of many, shared. */
  static from(parts: Part | Iterable<Part>): BufferList {
    if (typeof parts === 'string' || parts instanceof Uint8Array) return new BufferList(parts)
    if (isBranded(parts)) return new BufferList(parts as BufferList)
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
   * file stays open, for this list, until it is released. Rejects when the path cannot be opened,
   * or the file has no size to be told by (/proc, /sys: `spliceFrom` reads those).
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
    if (there === 0 && !open.statesSize) {
      open.release()
      throw new InvalidArgumentError(
        'A file that is made up when it is read, as those of /proc and /sys, has no size. Read it by ' +
          'spliceFrom',
      )
    }
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
    return isBranded(x)
  }

  /**
   * A list of memory that somebody wants back: `onRelease` is called once, when the last list that
   * holds a part of it was released. Shares the bytes (Ceph: `claim_buffer`). Release such a list.
   */
  static adopt(bytes: Uint8Array, onRelease: () => void): BufferList {
    checkBytes(bytes)
    if (typeof onRelease !== 'function') {
      throw new InvalidArgumentError(`onRelease must be a function, not ${describe(onRelease)}`)
    }
    const list = new BufferList()
    list.adoptRaw(new AdoptedRaw(bytes, onRelease))
    return list
  }

  // ---- build

  /**
   * Adds a part at the end. Shares the bytes: do not change them afterwards. A list stays the
   * caller's. A string is encoded as UTF-8 into the list's tail. O(segments of the part).
   */
  append(part: Part): this {
    if (part instanceof Uint8Array) {
      checkMemory(part)
      this.adding(part.length)
      if (part.length > 0) this.segments.push(windowOfMemory(part))
      return this
    }
    if (typeof part === 'string') return this.appendCopy(part)
    const shared = this.admitted(part)
    this.changing()
    this.settle()
    this.segments.pushAll(shared)
    return this
  }
  /** Adds a part at the front. Shares as `append` does. O(segments of the part). */
  prepend(part: Part): this {
    const shared = this.admitted(part)
    this.changing()
    this.settle()
    this.segments.unshiftAll(shared)
    return this
  }
  /** Adds zeros at the end, without memory behind them. Ceph: `append_zero2`. */
  appendZero(length: number): this {
    checkLength('length', length)
    this.adding(length)
    this.segments.push(new ZeroWindow(length))
    return this
  }
  /** Adds zeros at the front, without memory behind them. Ceph: `prepend_zero`. */
  prependZero(length: number): this {
    checkLength('length', length)
    this.adding(length)
    this.segments.unshift(new ZeroWindow(length))
    return this
  }
  /**
   * Moves all of another list to the end of this one (Ceph: `claim_append`). The other is empty and
   * can be used again. O(1) for a list of few segments, else O(segments / 128).
   */
  claimAppend(other: BufferList): this {
    if (!(other instanceof BufferList)) return this.claimForeign(other)
    if (other === this) return this
    this.alive()
    other.reading()
    this.adding(other.segments.length)
    other.ending()
    this.segments.pushAll(other.segments)
    return this
  }

  // ---- cut

  /**
   * A list of a range of this one that shares its bytes and outlives it (Ceph: `substr_of`). The
   * end by default. Release it where it may hold pipes or files. O(log segments + segments touched).
   */
  substr(offset = 0, length = this.length - offset): BufferList {
    this.reading()
    checkRange(offset, length, this.length)
    return listOf(this.segments.share(offset, length))
  }
  /**
   * Takes a range out, puts `replacement` in its place, and returns what was there (Ceph: `splice`).
   * O(log segments + segments touched).
   */
  splice(offset: number, length: number, replacement?: Part): BufferList {
    this.reading()
    checkRange(offset, length, this.length)
    const added = replacement === undefined ? undefined : this.admitted(replacement, length)
    this.ending()
    return listOf(this.segments.cut(offset, length, added))
  }
  /** Moves bytes at the front into a list of their own. O(segments taken). */
  take(length: number): BufferList {
    this.reading()
    checkRange(0, length, this.segments.length)
    this.ending()
    return listOf(this.segments.cut(0, length))
  }
  /** Releases bytes at the front. O(segments consumed). */
  consume(length: number): this {
    this.reading()
    checkRange(0, length, this.segments.length)
    this.ending()
    this.segments.dropFront(length)
    return this
  }
  /** Releases all behind the first `length` bytes. */
  truncate(length: number): this {
    this.reading()
    checkRange(length, 0, this.segments.length)
    this.ending()
    this.segments.cut(length, this.length - length).clear()
    return this
  }

  // ---- read

  /**
   * A reading position, at the front by default. With `{ intended: true }` what it makes readable
   * counts as intended.
   */
  cursor(offset = 0, options?: CopyOptions): Cursor {
    this.reading()
    checkRange(offset, 0, this.length)
    return new Cursor(this, new Reading(this, lookReason(options)), offset, options)
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
    this.reading()
    checkRange(offset, length, this.length)
    checkSignal(options.signal)
    const range = this.segments.share(offset, length)
    try {
      for (const window of range.windows()) {
        const failed = await window.load(0, window.length)
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

  // ---- layout

  /** The list in one line, for `util.inspect` and `console.log`. Reads no byte. */
  [inspect.custom](): string {
    return this.isReleased ? 'BufferList(released)' : inspectText(this.explain())
  }
  /** Whether all bytes lie in at most one segment (Ceph: `is_contiguous`). */
  isContiguous(): boolean {
    return this.numBuffers <= 1
  }
  /**
   * Joins all segments into one piece of memory: a copy, counted; as intended with
   * `{ intended: true }`. Ceph: `rebuild`.
   */
  rebuild(options?: CopyOptions): this {
    this.reading()
    if (this.numBuffers === 0) return this
    const bytes = this.copyOf(reasonOf('cross-segment', options?.intended), 0, this.length)
    const rebuilt = new Segments()
    rebuilt.push(windowOfMemory(bytes))
    this.replace(rebuilt)
    return this
  }
  /**
   * Whether every segment is known to begin at an address that is a multiple of `alignBytes`, a power
   * of two up to 4096 (Ceph: `is_aligned`, `is_page_aligned`). Memory of V8's is never known to be;
   * an empty list is. O(segments).
   */
  isAligned(alignBytes: number): boolean {
    this.reading()
    checkAlignment(alignBytes)
    return areAligned(this.segments, alignBytes)
  }
  /** Whether the length of every segment is a multiple (Ceph: `is_n_align_sized`). O(segments). */
  isAlignedSize(alignBytes: number): boolean {
    this.reading()
    checkAlignment(alignBytes)
    return areOfSize(this.segments, alignBytes)
  }
  /**
   * Makes every segment begin at an aligned address with a length that is a multiple, but for the
   * last one's (Ceph: `rebuild_aligned_size_and_memory`), as `O_DIRECT` asks for it. Segments that
   * comply stay where they are; runs of others are copied into pages of ours, counted; as intended
   * with `{ intended: true }`. Release the list afterwards. Throws `NoPagesError` without the addon.
   * Returns whether anything was copied.
   */
  rebuildAligned(alignBytes: number, options?: CopyOptions): boolean {
    this.reading()
    checkAlignment(alignBytes)
    let copied = false
    const reason = reasonOf('cross-segment', options?.intended)
    const aligned = realigned(this.segments, alignBytes, (offset, target) => {
      this.copyRange(offset, target.length, target, reason)
      copied = true
    })
    this.replace(aligned)
    return copied
  }
  /**
   * Bytes of memory that this list keeps alive and does not hold (Ceph: `get_wasted_space`): a view
   * of 100 bytes keeps the whole buffer behind it. O(segments).
   */
  wastedBytes(): number {
    this.alive()
    this.settle()
    return wastedBytes(this.segments)
  }
  /**
   * Copies the segments that keep far more memory alive than they hold (more than twice as much)
   * into memory of their own size. Counted, as intended. Others stay where they are. O(segments).
   */
  compact(): this {
    this.reading()
    const small = compacted(this.segments)
    // Its block may be among those that were left.
    this.tail = NO_TAIL
    this.replace(small)
    return this
  }
  /**
   * Gives this list the CRC-32C (from seed 0) that its producer has computed and sent along, so that
   * nobody need read the bytes for it: a frame can pass from wire to wire, cut and joined, with
   * `crc32c()` told by arithmetic. It is kept by the segment that is not in memory, in all lists that
   * share the segment as a whole; what memory (a header that the checksum covers) and segments with a
   * checksum of their own have in it is taken out. Several segments keep it together: for exactly the
   * range from the first to the last, wherever all of them follow each other, whole and as far apart
   * as they were. That of a part is read. O(segments); memory is summed up.
   *
   * It is believed, also of pages that others can change: it says what the bytes were, to be checked by
   * whoever uses them. What `crc32c()` itself computes of a file's pages, or of a socket's, is
   * not kept, for the bytes that are sent later may be others; pull with mode 'stable' to check and
   * then forward the very same bytes. Throws `InvalidArgumentError` for several segments that are all
   * in memory, and for ones that are in the list twice.
   */
  carryCrc32c(crc: number): this {
    this.reading()
    carryCrc(this.segments, crc)
    return this
  }
  /** What the list is made of, front to back. Makes nothing readable. */
  explain(): readonly SegmentRow[] {
    this.alive()
    this.settle()
    const rows: SegmentRow[] = []
    for (const { kind, length, pages, refs, looked } of this.segments.windows()) {
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
    if (this.isReleased) return
    this.endViews()
    this.tail = NO_TAIL
    this.isReleased = true
    // So that cursors do not go on reading what they have at hand.
    this.version++
    this.segments.clear()
  }
  /** `using list = …` releases it at the end of the block. */
  [Symbol.dispose](): void {
    this.release()
  }

  /** Takes over a raw's first reference. @internal */
  adoptRaw(raw: BufferRaw): void {
    this.changing()
    this.settle()
    this.segments.push(windowOf(raw))
  }

  static {
    // One class, not an object for each cursor: the getters of literals are each a shape of their own.
    Reading = class implements Readable {
      readonly #list: BufferList
      readonly #cause: LookReason
      /** Of the stretch that was asked for last: a cursor needs no more than the block it stands in. */
      #leases: Lease[] = []

      constructor(list: BufferList, cause: LookReason) {
        this.#list = list
        this.#cause = cause
      }
      get length(): number {
        this.#list.reading()
        return this.#list.length
      }
      get version(): number {
        return this.#list.version
      }
      stretchAt(offset: number): Stretch {
        const list = this.#list
        list.reading()
        list.endSome(this.#leases)
        this.#leases = []
        const stretch = list.stretchAt(offset, this.#leases, this.#cause)
        for (const lease of this.#leases) list.ownLeases().add(lease)
        return stretch
      }
      keepStretch(): void {
        this.#leases = []
      }
    }
    segmentsOf = (list) => {
      if (!(list instanceof BufferList)) throw ofAnotherCopy()
      list.changing()
      list.settle()
      return list.segments
    }
    takeSegments = (list, length) => {
      if (!(list instanceof BufferList)) throw ofAnotherCopy()
      list.cutting()
      return list.segments.cut(0, length)
    }
    copyOf = (list, cause, offset = 0, length = list.length - offset) => {
      list.reading()
      return list.copyOf(cause, offset, length)
    }
    sharedOf = (list) => {
      list.reading()
      return list.segments.share(0, list.segments.length)
    }
  }

  /** The same bytes in other segments; those that it had are released last. */
  private replace(segments: Segments): void {
    this.cutting()
    const before = this.segments
    this.segments = segments
    before.clear()
  }
  /** A part's bytes as segments that share them, where there is room for them, less what is cut. */
  private admitted(part: Part, cutBytes = 0): Segments {
    this.alive()
    const shared = sharedBy(part)
    try {
      this.growing(shared.length - cutBytes)
    } catch (error) {
      shared.clear()
      throw error
    }
    return shared
  }
  private claimForeign(other: unknown): this {
    if (!isBranded(other)) {
      throw new InvalidArgumentError(`Expected a list, not ${describe(other)}`)
    }
    this.append(other as BufferList)
    ;(other as BufferList).consume((other as BufferList).length)
    return this
  }
}

/** A part's bytes as segments that share them. */
function sharedBy(part: Part): Segments {
  if (part instanceof BufferList) return sharedOf(part)
  const segments = new Segments()
  segments.push(windowOfMemory(bytesOf(part)))
  return segments
}

/** A list that takes over segments. @internal */
export function listOf(segments: Segments): BufferList {
  return new BufferList(segments)
}

function ofAnotherCopy(): InvalidArgumentError {
  return new InvalidArgumentError(
    'This list belongs to another copy of splicelist. Make one of this copy: new BufferList(list)',
  )
}

/**
 * What every raw answers. A raw is one block of bytes that windows share; a new kind is one file.
 */
import type { CopyReason, LookReason } from '../audit/causes.js'
import type { Eventually } from '../eventually.js'
import type { Parcel } from './parcel.js'
import type { LeaseHolder } from './slabs.js'

/** Where a segment's bytes are. */
export type SegmentKind = 'heap' | 'zero' | 'file' | 'pipe' | 'pages'
/**
 * Who else can change pages: `owned`: nobody, they are ours alone. `loan`: whoever writes to the
 * file they come from. `foreign`: the sender, when it is on this host.
 */
export type PageOwnership = 'owned' | 'loan' | 'foreign'

/** A readable stretch, and where it starts. */
export interface Stretch {
  readonly bytes: Uint8Array
  readonly start: number
}

/**
 * One block of bytes that windows share (Ceph: `buffer::raw`). Raws that own something (a pipe, a
 * file) count references, and `release()` of the last gives it back; memory is the collector's.
 */
export interface BufferRaw {
  readonly kind: SegmentKind
  /** Bytes. */
  readonly length: number
  /** Null for memory of the process. */
  readonly pages: PageOwnership | null
  /** Windows and operations that hold it; null where nothing is counted. */
  readonly refs: number | null
  /** Bytes that were made readable so far. */
  readonly looked: number
  /** To how many bytes the address of its first is known to be aligned. Absent: it is not known. */
  readonly alignmentBytes?: number
  retain(): void
  release(): void
  /**
   * A view of exactly this range, or undefined when it is not in memory and reading it would wait
   * for a disk. Memory that had to be leased for it is added to `leases`, which the caller ends; what
   * was copied into it is counted under `cause`, by default 'look'.
   */
  look(
    offset: number,
    length: number,
    leases: LeaseHolder,
    cause?: LookReason,
  ): Uint8Array | undefined
  /**
   * The stretch around an offset that is cheapest to read: all of a heap segment, a block of a held
   * one, what was loaded of a file. Undefined, `leases` and `cause` as for `look`.
   */
  stretch(offset: number, leases: LeaseHolder, cause?: LookReason): Stretch | undefined
  /** Copies a range out; false when it is not in memory and reading it would wait for a disk. */
  copyOut(
    offset: number,
    length: number,
    target: Uint8Array,
    at: number,
    cause: CopyReason,
  ): boolean
  /**
   * The range's front part, on its way: as many bytes as one parcel holds, at most `length`. With a
   * cause the bytes come in memory, counted under it. What is copied without one, because no pipe is
   * left, is counted as meant where `isIntended`. A negative number is −errno of the source; bytes that
   * end early are −ENODATA.
   */
  parcel(
    offset: number,
    length: number,
    copyCause?: CopyReason,
    isIntended?: boolean,
  ): Eventually<Parcel | number>
  /** Brings a range into memory, where it is not: 0, or −errno. Absent where that is never needed. */
  load?(offset: number, length: number): Promise<number>
}

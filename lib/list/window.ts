/**
 * Windows: what a list is a row of (Ceph: `buffer::ptr`). A window is immutable and shares its
 * bytes. One over plain memory needs nothing else, so that the heap list pays for nothing else; one
 * over a raw holds one of the raw's references, which whoever drops the window gives back.
 */
import { copy } from '../audit/ledger.js'
import type { CopyReason, LookReason } from '../audit/causes.js'
import { InvalidArgumentError } from '../errors.js'
import type { Eventually } from '../eventually.js'
import { MemoryParcel, type Parcel } from '../raw/parcel.js'
import type { BufferRaw, PageOwnership, SegmentKind, Stretch } from '../raw/raw.js'
import type { LeaseHolder } from '../raw/slabs.js'
import { combine } from './crc32c-algebra.js'
import type { JointShare } from './joint-sum.js'

/**
 * A run of bytes of a list: it answers what a raw answers, for its own bytes and in offsets of its own.
 * Its length is never 0 inside a list.
 */
export interface Window extends Omit<BufferRaw, 'alignmentBytes' | 'load'> {
  /** CRC-32C of the bytes from seed 0, once it is known and while they cannot change. */
  crc: number | undefined
  /** A part of this window, with a reference of its own. */
  part(offset: number, length: number): Window
  /** This window and one that goes on where it ends, as one that takes over both references. */
  joined(next: Window): Window | undefined
  /** See `BufferRaw.load`; 0 where that is never needed. */
  load(offset: number, length: number): Eventually<number>
}

/** A window of memory of the process: the collector's, nothing counted. */
export class MemoryWindow implements Window {
  readonly bytes: Uint8Array
  readonly offset: number
  readonly length: number
  crc: number | undefined = undefined

  constructor(bytes: Uint8Array, offset: number, length: number) {
    this.bytes = bytes
    this.offset = offset
    this.length = length
  }
  /* eslint-disable @typescript-eslint/class-literal-property-style -- Fields take memory in each. */
  get kind(): 'heap' {
    return 'heap'
  }
  get pages(): null {
    return null
  }
  get refs(): null {
    return null
  }
  get looked(): number {
    return 0
  }
  /* eslint-enable @typescript-eslint/class-literal-property-style */
  part(offset: number, length: number): MemoryWindow {
    if (length === this.length) return this
    return new MemoryWindow(this.bytes, this.offset + offset, length)
  }
  joined(next: Window): MemoryWindow | undefined {
    if (!(next instanceof MemoryWindow) || next.bytes !== this.bytes) return undefined
    if (this.offset + this.length !== next.offset) return undefined
    return new MemoryWindow(this.bytes, this.offset, this.length + next.length)
  }
  retain(): void {
    // The collector counts.
  }
  release(): void {
    // The collector counts.
  }
  /** The bytes where they lie. */
  view(offset: number, length: number): Uint8Array {
    const { bytes } = this
    // Not `length`: V8's optimized code may give the one before the detaching.
    if (bytes.byteLength === 0) throw detached()
    const start = this.offset + offset
    return length === bytes.length ? bytes : bytes.subarray(start, start + length)
  }
  byteAt(offset: number): number {
    const byte = this.bytes[this.offset + offset]
    if (byte === undefined) throw detached()
    return byte
  }
  look(offset: number, length: number): Uint8Array {
    return this.view(offset, length)
  }
  stretch(): Stretch {
    return { bytes: this.view(0, this.length), start: 0 }
  }
  copyOut(
    offset: number,
    length: number,
    target: Uint8Array,
    at: number,
    cause: CopyReason,
  ): boolean {
    copy(cause, this.view(offset, length), target, at)
    return true
  }
  parcel(offset: number, length: number): MemoryParcel {
    return new MemoryParcel([this.view(offset, length)])
  }
  load(): number {
    return 0
  }
}

/** A window of a raw that owns something. Holds one of its references. */
export class RawWindow implements Window {
  readonly raw: BufferRaw
  readonly offset: number
  readonly length: number
  crc: number | undefined = undefined
  /** The checksum that this window has together with others. */
  joint: JointShare | undefined = undefined

  /** Takes over one reference of `raw`. */
  constructor(raw: BufferRaw, offset: number, length: number) {
    this.raw = raw
    this.offset = offset
    this.length = length
  }
  get kind(): SegmentKind {
    return this.raw.kind
  }
  get pages(): PageOwnership | null {
    return this.raw.pages
  }
  get refs(): number | null {
    return this.raw.refs
  }
  get looked(): number {
    return this.raw.looked
  }
  part(offset: number, length: number): RawWindow {
    this.raw.retain()
    return length === this.length ? this : this.of(this.offset + offset, length)
  }
  joined(next: Window): RawWindow | undefined {
    if (!(next instanceof RawWindow) || next.raw !== this.raw) return undefined
    if (this.offset + this.length !== next.offset) return undefined
    next.raw.release()
    const both = this.of(this.offset, this.length + next.length)
    if (this.crc !== undefined && next.crc !== undefined) {
      both.crc = combine(this.crc, next.crc, next.length)
    }
    return both
  }
  retain(): void {
    this.raw.retain()
  }
  release(): void {
    this.raw.release()
  }
  look(
    offset: number,
    length: number,
    leases: LeaseHolder,
    cause?: LookReason,
  ): Uint8Array | undefined {
    return this.raw.look(this.offset + offset, length, leases, cause)
  }
  stretch(offset: number, leases: LeaseHolder, cause?: LookReason): Stretch | undefined {
    const stretch = this.raw.stretch(this.offset + offset, leases, cause)
    if (stretch === undefined) return undefined
    const from = Math.max(this.offset, stretch.start)
    const to = Math.min(this.offset + this.length, stretch.start + stretch.bytes.length)
    const bytes = stretch.bytes.subarray(from - stretch.start, to - stretch.start)
    return { bytes, start: from - this.offset }
  }
  copyOut(
    offset: number,
    length: number,
    target: Uint8Array,
    at: number,
    cause: CopyReason,
  ): boolean {
    return this.raw.copyOut(this.offset + offset, length, target, at, cause)
  }
  parcel(
    offset: number,
    length: number,
    copyCause?: CopyReason,
    isIntended?: boolean,
  ): Eventually<Parcel | number> {
    return this.raw.parcel(this.offset + offset, length, copyCause, isIntended)
  }
  load(offset: number, length: number): Eventually<number> {
    return this.raw.load?.(this.offset + offset, length) ?? 0
  }
  protected of(offset: number, length: number): RawWindow {
    return new RawWindow(this.raw, offset, length)
  }
}

/**
 * A window of a file extent: a class of its own, because offsets from 2^31 up turn the fields of
 * every object of one class into boxed doubles.
 */
export class ExtentWindow extends RawWindow {
  protected override of(offset: number, length: number): ExtentWindow {
    return new ExtentWindow(this.raw, offset, length)
  }
}

/** All of some memory. Shares it. */
export function windowOfMemory(bytes: Uint8Array): MemoryWindow {
  return new MemoryWindow(bytes, 0, bytes.length)
}

/** All of a raw. Takes over its first reference. */
export function windowOf(raw: BufferRaw): RawWindow {
  if (raw.kind === 'file') return new ExtentWindow(raw, 0, raw.length)
  return new RawWindow(raw, 0, raw.length)
}

function detached(): InvalidArgumentError {
  return new InvalidArgumentError(
    'The ArrayBuffer behind bytes of this list was detached after they were appended. Append a ' +
      'copy (appendCopy) of memory that you transfer later',
  )
}

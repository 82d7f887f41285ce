import { ledger } from '../audit/ledger.js'
import type { CopyReason } from '../audit/causes.js'
import { MemoryParcel } from '../raw/parcel.js'
import type { Stretch } from '../raw/raw.js'
import { BLOCK_BYTES } from '../raw/slabs.js'
import type { Window } from './window.js'

/** Blocks of zeros that one parcel sends: together a turn of 1 MiB. */
const PARCEL_BLOCKS_MAX = 16

/**
 * Zeros, any number of them, without memory behind them (Ceph: the zeros of `append_zero2`).
 *
 * Use it for padding and for holes of sparse objects: cutting, comparing and checksumming it cost
 * nothing. Readers are given fresh blocks of zeros, 64 KiB at a time: JavaScript cannot make memory
 * read-only, and one stray write into a block shared by all would be a hole in every list.
 */
export class ZeroWindow implements Window {
  readonly kind = 'zero'
  readonly pages = null
  readonly refs = null
  readonly looked = 0
  readonly length: number
  crc: number | undefined = undefined

  constructor(length: number) {
    this.length = length
  }
  part(_offset: number, length: number): ZeroWindow {
    return length === this.length ? this : new ZeroWindow(length)
  }
  joined(next: Window): ZeroWindow | undefined {
    return next instanceof ZeroWindow ? new ZeroWindow(this.length + next.length) : undefined
  }
  retain(): void {
    // Nothing is owned.
  }
  release(): void {
    // Nothing is owned.
  }
  look(_offset: number, length: number): Uint8Array {
    return new Uint8Array(length)
  }
  stretch(offset: number): Stretch {
    const bytes = new Uint8Array(Math.min(BLOCK_BYTES, this.length - offset))
    return { bytes, start: offset }
  }
  copyOut(
    _offset: number,
    length: number,
    target: Uint8Array,
    at: number,
    cause: CopyReason,
  ): boolean {
    target.fill(0, at, at + length)
    ledger.countCopied(cause, length)
    return true
  }
  parcel(_offset: number, length: number): MemoryParcel {
    const block = new Uint8Array(Math.min(BLOCK_BYTES, length))
    const parts: Uint8Array[] = []
    for (let left = length; left > 0 && parts.length < PARCEL_BLOCKS_MAX; left -= block.length) {
      parts.push(left < block.length ? block.subarray(0, left) : block)
    }
    return new MemoryParcel(parts)
  }
  load(): number {
    return 0
  }
}

import { copy } from '../audit/ledger.js'
import type { CopyReason } from '../audit/causes.js'
import { CountedRaw, type Owned } from './counted.js'
import { MemoryParcel } from './parcel.js'
import type { Stretch } from './raw.js'

/** Owned memory of the process. */
export interface OwnedMemory extends Owned {
  readonly bytes: Uint8Array
}

/** A counted raw whose bytes lie in memory and can be read in place, for its kinds to build on. */
export abstract class MemoryRaw<O extends OwnedMemory> extends CountedRaw<O> {
  /** Bytes. */
  readonly length: number

  protected constructor(kind: string, owned: O) {
    super(kind, owned)
    this.length = owned.bytes.length
  }
  look(offset: number, length: number): Uint8Array {
    return this.owned.bytes.subarray(offset, offset + length)
  }
  stretch(): Stretch {
    return { bytes: this.owned.bytes, start: 0 }
  }
  copyOut(
    offset: number,
    length: number,
    target: Uint8Array,
    at: number,
    cause: CopyReason,
  ): boolean {
    copy(cause, this.look(offset, length), target, at)
    return true
  }
  parcel(offset: number, length: number): MemoryParcel {
    return new MemoryParcel([this.look(offset, length)])
  }
}

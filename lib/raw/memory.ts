import { copy } from '../audit/ledger.js'
import { causeOf, type CopyCause, type CopyReason } from '../audit/causes.js'
import { InvalidArgumentError } from '../errors.js'
import { CountedRaw, type Owned } from './counted.js'
import { MemoryParcel } from './parcel.js'
import type { Stretch } from './raw.js'

/** Owned memory of the process. */
export interface OwnedMemory extends Owned {
  readonly bytes: Uint8Array
}

/** Causes by which memory goes to a stream, which may keep what it is given for as long as it likes. */
const KEPT_BY_SINK: ReadonlySet<CopyCause> = new Set(['stream', 'no-addon', 'copy-mode'])

/** A counted raw whose bytes lie in memory and can be read in place, for its kinds to build on. */
export abstract class MemoryRaw<O extends OwnedMemory> extends CountedRaw<O> {
  /** Bytes. */
  readonly length: number

  protected constructor(kind: string, owned: O) {
    super(kind, owned)
    this.length = owned.bytes.length
  }
  look(offset: number, length: number): Uint8Array {
    return this.#bytes().subarray(offset, offset + length)
  }
  stretch(): Stretch {
    return { bytes: this.#bytes(), start: 0 }
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
  parcel(offset: number, length: number, copyCause?: CopyReason): MemoryParcel {
    const bytes = this.look(offset, length)
    if (copyCause === undefined || !KEPT_BY_SINK.has(causeOf(copyCause)))
      return this.parcelOf(bytes)
    return this.copyFor(copyCause, bytes)
  }
  /** The bytes where they lie, on their way. */
  protected parcelOf(bytes: Uint8Array): MemoryParcel {
    return new MemoryParcel([bytes])
  }
  /** Bytes for a sink that may keep them: the memory here is its owner's again one day. */
  protected copyFor(cause: CopyReason, bytes: Uint8Array): MemoryParcel {
    const copied = Buffer.allocUnsafeSlow(bytes.length)
    copy(cause, bytes, copied, 0)
    return new MemoryParcel([copied])
  }
  #bytes(): Uint8Array {
    const { bytes } = this.owned
    if (bytes.byteLength !== this.length) throw detached()
    return bytes
  }
}

function detached(): InvalidArgumentError {
  return new InvalidArgumentError(
    'The ArrayBuffer behind bytes of this list was detached while the list held them. Transfer such ' +
      'memory when the list has been released',
  )
}

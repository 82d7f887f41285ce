import { copy } from '../audit/ledger.js'
import type { CopyCause } from '../audit/causes.js'
import { CountedRaw, type Owned } from './counted.js'
import { MemoryParcel } from './parcel.js'
import type { BufferRaw, Stretch } from './raw.js'

/** The memory and whoever wants it back, apart from the raw. */
class Holdings implements Owned {
  readonly bytes: Uint8Array
  readonly #onRelease: () => void

  constructor(bytes: Uint8Array, onRelease: () => void) {
    this.bytes = bytes
    this.#onRelease = onRelease
  }
  close(): void {
    this.#onRelease()
  }
}

/**
 * Memory of the process that somebody wants back: a pool's block, a registered buffer. Use it where
 * the memory must not be used again before the last list has let go of it; for all other memory,
 * counting references costs more than the collector does. Views of it are not ended: its owner must
 * be told by the release alone.
 */
export class AdoptedRaw extends CountedRaw<Holdings> implements BufferRaw {
  readonly kind = 'heap'
  readonly pages = null
  readonly length: number

  constructor(bytes: Uint8Array, onRelease: () => void) {
    super('adopted memory', new Holdings(bytes, onRelease))
    this.length = bytes.length
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
    cause: CopyCause,
  ): boolean {
    copy(cause, this.look(offset, length), target, at)
    return true
  }
  parcel(offset: number, length: number): MemoryParcel {
    return new MemoryParcel([this.look(offset, length)])
  }
}

import { copy } from '../audit/ledger.js'
import type { CopyCause } from '../audit/causes.js'
import { InvalidArgumentError } from '../errors.js'
import { MemoryParcel } from './parcel.js'
import type { BufferRaw, Stretch } from './raw.js'

/**
 * Memory of the process, wrapped, never copied. Use it for headers and for all that the program
 * reads or computes. It owns nothing, counts nothing and needs no release: the collector's. Whoever
 * wraps memory must not change it afterwards.
 */
export class HeapRaw implements BufferRaw {
  readonly kind = 'heap'
  readonly pages = null
  readonly refs = null
  readonly looked = 0
  readonly length: number
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.length = bytes.length
  }
  /** The memory itself. */
  get bytes(): Uint8Array {
    // Not `length`: see checkAttached.
    if (this.#bytes.byteLength !== this.length) throw detached()
    return this.#bytes
  }
  retain(): void {
    // The collector counts.
  }
  release(): void {
    // The collector counts.
  }
  look(offset: number, length: number): Uint8Array {
    const { bytes } = this
    return length === this.length ? bytes : bytes.subarray(offset, offset + length)
  }
  stretch(): Stretch {
    return { bytes: this.bytes, start: 0 }
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

function detached(): InvalidArgumentError {
  return new InvalidArgumentError(
    'The ArrayBuffer behind bytes of this list was detached after they were appended. Append a ' +
      'copy (appendCopy) of memory that you transfer later',
  )
}

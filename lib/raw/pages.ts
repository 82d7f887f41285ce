import { copy } from '../audit/ledger.js'
import type { CopyCause } from '../audit/causes.js'
import { CountedRaw, type Owned } from './counted.js'
import { MemoryParcel } from './parcel.js'
import { PAGE_BYTES } from './pipe-pool.js'
import type { BufferRaw, Stretch } from './raw.js'
import { leaseMemory, type Lease } from './slabs.js'

/** The lease, apart from the raw. */
class Holdings implements Owned {
  readonly lease: Lease

  constructor(lease: Lease) {
    this.lease = lease
  }
  close(): void {
    this.lease.end()
  }
}

/**
 * Memory whose address is known: it begins at a page. Use it where the kernel or a device asks for
 * alignment (`O_DIRECT`), and not otherwise: it is counted, and must be released. Views of it end
 * with the last list that holds it.
 */
export class PagesRaw extends CountedRaw<Holdings> implements BufferRaw {
  readonly kind = 'pages'
  readonly pages = 'owned'
  readonly length: number
  readonly alignmentBytes = PAGE_BYTES

  /** Pages for so many bytes, to be written before anybody reads; undefined where none can be had. */
  static make(lengthBytes: number): PagesRaw | undefined {
    const lease = leaseMemory(lengthBytes)
    if (lease.isMapped) return new PagesRaw(lease)
    lease.end()
    return undefined
  }

  private constructor(lease: Lease) {
    super('pages', new Holdings(lease))
    this.length = lease.bytes.length
  }
  /** The memory itself: for its maker to fill. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.owned.lease.bytes
  }
  look(offset: number, length: number): Uint8Array {
    return this.bytes.subarray(offset, offset + length)
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

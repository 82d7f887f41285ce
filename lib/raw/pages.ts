import { MemoryRaw, type OwnedMemory } from './memory.js'
import { PAGE_BYTES } from './pipe-pool.js'
import type { BufferRaw } from './raw.js'
import { leaseMemory, type Lease } from './slabs.js'

/** The lease, apart from the raw. */
class Holdings implements OwnedMemory {
  readonly #lease: Lease

  constructor(lease: Lease) {
    this.#lease = lease
  }
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#lease.bytes
  }
  close(): void {
    this.#lease.end()
  }
}

/**
 * Memory whose address is known: it begins at a page. Use it where the kernel or a device asks for
 * alignment (`O_DIRECT`), and not otherwise: it is counted, and must be released. Views of it end
 * with the last list that holds it.
 */
export class PagesRaw extends MemoryRaw<Holdings> implements BufferRaw {
  readonly kind = 'pages'
  readonly pages = 'owned'
  readonly alignmentBytes = PAGE_BYTES

  /** Pages for so many bytes, to be written before anybody reads; undefined where none can be had. */
  static make(lengthBytes: number): PagesRaw | undefined {
    const lease = leaseMemory(lengthBytes)
    if (lease.isMapped) return new PagesRaw(lease)
    lease.end()
    return undefined
  }

  /** Takes over mapped memory that was filled already. */
  static of(lease: Lease): PagesRaw {
    return new PagesRaw(lease)
  }

  private constructor(lease: Lease) {
    super('pages', new Holdings(lease))
  }
  /** The memory itself: for its maker to fill. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.owned.bytes
  }
}

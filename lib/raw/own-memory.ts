import { ledger } from '../audit/ledger.js'
import { NoPagesError, ReleasedError, systemError } from '../errors.js'
import { addon, type Pipe, type Slab } from '../native.js'
import { opened } from '../reactor.js'
import type { Lease } from './slabs.js'

/**
 * Memory of ours for a producer to fill: pages that are mapped for it alone, so that they can be given
 * or lent to the kernel. Plain memory where there is no addon, or the engine forbids external memory
 * (Electron, −ENOTSUP): it works the same, and is copied by whoever takes it.
 *
 * Mapping costs what fresh pages cost, some 340 µs a MiB. They are never recycled: of pages that the
 * kernel has seen nobody can say when it would be safe.
 */
export class OwnMemory implements Lease {
  /** All of it. Length 0 once it was ended. */
  bytes: Uint8Array<ArrayBuffer>
  readonly lengthBytes: number
  readonly #slab: Slab | undefined

  /** Throws `NoPagesError` when there is no memory left. */
  static make(lengthBytes: number): OwnMemory {
    const slab = addon === null || lengthBytes === 0 ? undefined : mapPages(lengthBytes)
    if (slab === undefined) return new OwnMemory(undefined, plainMemory(lengthBytes))
    const memory = opened().view(slab, lengthBytes)
    if (typeof memory !== 'number') return new OwnMemory(slab, new Uint8Array(memory))
    ledger.countFallback('view', systemError(memory)[0])
    opened().drop(slab)
    return new OwnMemory(undefined, plainMemory(lengthBytes))
  }

  private constructor(slab: Slab | undefined, bytes: Uint8Array<ArrayBuffer>) {
    this.#slab = slab
    this.bytes = bytes
    this.lengthBytes = bytes.length
  }
  /** Whether these are pages that the kernel can refer to. */
  get isMapped(): boolean {
    return this.#slab !== undefined
  }
  /** Throws where the program has taken the memory out of the view (`ArrayBuffer.prototype.transfer`). */
  check(): void {
    if (this.bytes.byteLength === this.lengthBytes) return
    throw new ReleasedError(
      undefined,
      'The ArrayBuffer behind this memory was detached or transferred. Fill it in place, and give or ' +
        'lend it before it is moved elsewhere',
    )
  }
  /** Refers a pipe to the pages from `offset` on: bytes, or −errno. Only for mapped memory. */
  vmsplice(offset: number, lengthBytes: number, pipe: Pipe): number {
    return opened().vmsplice(this.#slab as Slab, offset, lengthBytes, pipe)
  }
  /** Ends the views that the program has; the bytes stay, in a view of our own. */
  takeOver(): void {
    const { buffer } = this.bytes
    if (this.#slab === undefined) {
      this.bytes = new Uint8Array(structuredClone(buffer, { transfer: [buffer] }))
      return
    }
    opened().detach(this.#slab)
    const memory = opened().view(this.#slab, this.lengthBytes)
    if (typeof memory === 'number') throw new Error(`Mapped memory cannot be shown (${memory})`)
    this.bytes = new Uint8Array(memory)
  }
  /**
   * Makes a range ours again of which the kernel may still hold the pages: it keeps those, and the
   * same bytes lie in fresh ones. False when there are none: the range must not be written to again.
   */
  renew(offset: number, lengthBytes: number): boolean {
    const failed = opened().renew(this.#slab as Slab, offset, lengthBytes)
    if (failed < 0) {
      ledger.countFallback('mremap', systemError(failed)[0])
      return false
    }
    ledger.countCopied('retired-pages', lengthBytes)
    return true
  }
  /** Detaches the view, and unmaps: what the kernel refers to stays with it. Idempotent. */
  end(): void {
    if (this.#slab !== undefined) return opened().drop(this.#slab)
    const { buffer } = this.bytes
    if (buffer.byteLength > 0) structuredClone(buffer, { transfer: [buffer] })
  }
}

function mapPages(lengthBytes: number): Slab | undefined {
  const slab = opened().pages(lengthBytes)
  if (typeof slab !== 'number') return slab
  ledger.countFallback('mmap', systemError(slab)[0])
  return undefined
}

function plainMemory(lengthBytes: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(lengthBytes)
  } catch {
    throw new NoPagesError()
  }
}

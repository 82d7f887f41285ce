import type { CopyReason } from '../audit/causes.js'
import { MemoryRaw, type OwnedMemory } from './memory.js'
import { MemoryParcel } from './parcel.js'
import { PAGE_BYTES } from './pipe-pool.js'
import type { BufferRaw } from './raw.js'

/**
 * How lent memory came back: `released`: nothing refers to it any more; `copied`: the same, and some
 * of its bytes were copied instead of being lent on; `lost`: the kernel may refer to its pages still.
 */
export type LoanEnd = 'released' | 'copied' | 'lost'

/**
 * The account of one loan: who still refers to the memory. Windows, lists and transfers do by the
 * raw's references; the kernel by what was `lent` to it and has not come back.
 */
export class Loan implements OwnedMemory {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Whether these are pages that the kernel can refer to. */
  readonly isMapped: boolean
  readonly #onEnd: (end: LoanEnd) => void
  #isHeld = true
  #lent = 0
  #isCopied = false
  #isLost = false

  /** `onEnd` is called once, when nothing can refer to the memory any more, or may for ever. */
  constructor(bytes: Uint8Array<ArrayBuffer>, isMapped: boolean, onEnd: (end: LoanEnd) => void) {
    this.bytes = bytes
    this.isMapped = isMapped
    this.#onEnd = onEnd
  }
  /** Some of the bytes were copied by whoever took them. */
  copied(): void {
    this.#isCopied = true
  }
  /** The kernel refers to the pages from now on, until `cameBack`. */
  lent(): void {
    this.#lent += 1
  }
  /** What was `lent` is no more: the kernel has said so, or will never say (`lost`). */
  cameBack(how: LoanEnd): void {
    this.#lent -= 1
    if (how === 'copied') this.#isCopied = true
    if (how === 'lost') this.#isLost = true
    this.#settle()
  }
  /** The last window was released. */
  close(): void {
    this.#isHeld = false
    this.#settle()
  }
  #settle(): void {
    if (this.#isHeld || this.#lent > 0) return
    this.#onEnd(this.#isLost ? 'lost' : this.#isCopied ? 'copied' : 'released')
  }
}

/** Lent memory on its way. A sink that can prove when it is done with it sends from the memory itself. */
export class LoanParcel extends MemoryParcel {
  readonly loan: Loan

  constructor(bytes: Uint8Array, loan: Loan) {
    super([bytes])
    this.loan = loan
  }
  /** What is left of it. */
  get bytes(): Uint8Array {
    return (this.parts[0] as Uint8Array).subarray(this.skip)
  }
}

/**
 * Memory that a producer lends: it reads it meanwhile, and writes to it again once it was told that
 * nobody refers to it any more. So its bytes are a `loan`, and nothing is kept of a look at them.
 */
export class LoanRaw extends MemoryRaw<Loan> implements BufferRaw {
  readonly kind = 'pages'
  readonly pages = 'loan'
  readonly alignmentBytes: number

  constructor(loan: Loan, alignmentBytes: number) {
    super('lent memory', loan)
    this.alignmentBytes = alignmentBytes
  }
  protected override parcelOf(bytes: Uint8Array): LoanParcel {
    return new LoanParcel(bytes, this.owned)
  }
  protected override copyFor(cause: CopyReason, bytes: Uint8Array): MemoryParcel {
    this.owned.copied()
    return super.copyFor(cause, bytes)
  }
}

/** To how many bytes the address at an offset of page-aligned memory is aligned, up to a page. */
export function alignmentAt(offset: number): number {
  return offset === 0 ? PAGE_BYTES : Math.min(PAGE_BYTES, offset & -offset)
}

/**
 * The ledger: the account of every byte that moved by reference, was looked at, or was copied.
 *
 * This floor is the only one that copies bytes ({@link copy}); lint bans the others from doing so.
 * Copies made by a system call on the library's behalf (`read` into memory) are counted where the
 * call is made. Counters are plain numbers: a count costs an addition, and exact to 2^53 bytes.
 */
import { INTENDED, type CopyCause, type KernelCause } from './causes.js'

/** The account of one process. Bytes, unless a name says otherwise. */
export interface Snapshot {
  /** Accepted by a sink or taken into a list by reference: no byte entered the process. */
  readonly moved: number
  /** Pages referenced a second time by `tee`, so that a window could be read or sent again. */
  readonly teed: number
  /** Dropped from a teed pipe to reach a window's start. */
  readonly discarded: number
  /** Made readable from a pipe or a file, in whole blocks. Each is in `copied` as well. */
  readonly inspected: number
  /** How many times bytes were made readable. A count, not bytes. */
  readonly inspections: number
  /** Copied into or within the process's memory, by cause. */
  readonly copied: Readonly<Partial<Record<CopyCause, number>>>
  /** Of the copies, those that the program asked for in so many words. */
  readonly intended: number
  /** Of the copies, all others: worth a look with `copied` beside it. */
  readonly accidental: number
  /** Copies that the kernel is known to have made, by cause. */
  readonly kernelCopied: Readonly<Partial<Record<KernelCause, number>>>
  /** Moved where it is not known whether the kernel copied (socket to pipe: linear packets). */
  readonly unknown: number
  /** Refusals of a system call that sent bytes the next way, by `call:CODE`. Counts, not bytes. */
  readonly fallbacks: Readonly<Record<string, number>>
  /** Pipes that got fewer slots than were asked for. A count. */
  readonly degradedPipes: number
  /** Pipes whose pages were so empty that they were read rather than held. A count. */
  readonly sparsePipes: number
  /** Held pipes that were shrunk to fit when pipes were short. A count. */
  readonly shrunkPipes: number
  /** Owning segments that were collected without release(). A count. */
  readonly leaks: number
  /** What lives now; gauges of the parts that register one. */
  readonly live: Readonly<Record<string, number>>
}

class Ledger {
  moved = 0
  teed = 0
  discarded = 0
  inspected = 0
  inspections = 0
  unknown = 0
  degradedPipes = 0
  sparsePipes = 0
  shrunkPipes = 0
  leaks = 0
  readonly copied: Partial<Record<CopyCause, number>> = {}
  readonly kernelCopied: Partial<Record<KernelCause, number>> = {}
  readonly fallbacks: Record<string, number> = {}
  readonly #gauges = new Map<string, () => number>()

  /** Counts bytes that a system call or a runtime function has copied. */
  countCopied(cause: CopyCause, bytes: number): void {
    if (bytes > 0) this.copied[cause] = (this.copied[cause] ?? 0) + bytes
  }
  countKernelCopied(cause: KernelCause, bytes: number): void {
    if (bytes > 0) this.kernelCopied[cause] = (this.kernelCopied[cause] ?? 0) + bytes
  }
  /** Counts bytes made readable: one inspection. The copy itself is counted where it is made. */
  countInspected(bytes: number): void {
    this.inspected += bytes
    this.inspections += 1
  }
  countFallback(call: string, code: string): void {
    const name = `${call}:${code}`
    this.fallbacks[name] = (this.fallbacks[name] ?? 0) + 1
  }
  /** Adds a gauge to the snapshot's `live`. */
  addGauge(name: string, read: () => number): void {
    this.#gauges.set(name, read)
  }
  snapshot(): Snapshot {
    const live: Record<string, number> = {}
    const { intended, accidental } = this.#sums()
    for (const [name, read] of this.#gauges) live[name] = read()
    return {
      moved: this.moved,
      teed: this.teed,
      discarded: this.discarded,
      inspected: this.inspected,
      inspections: this.inspections,
      copied: { ...this.copied },
      intended,
      accidental,
      kernelCopied: { ...this.kernelCopied },
      unknown: this.unknown,
      fallbacks: { ...this.fallbacks },
      degradedPipes: this.degradedPipes,
      sparsePipes: this.sparsePipes,
      shrunkPipes: this.shrunkPipes,
      leaks: this.leaks,
      live,
    }
  }
  /** The copies in two sums: asked for, and not. */
  #sums(): { intended: number; accidental: number } {
    const sums = { intended: 0, accidental: 0 }
    for (const [cause, bytes] of Object.entries(this.copied)) {
      sums[INTENDED.has(cause as CopyCause) ? 'intended' : 'accidental'] += bytes
    }
    return sums
  }
}

/** The one ledger of this environment (a worker thread has its own). @internal */
export const ledger = new Ledger()

/** Copies `source` to `target` at `at`. The only byte copy that the library makes by itself. */
export function copy(cause: CopyCause, source: Uint8Array, target: Uint8Array, at: number): void {
  target.set(source, at)
  ledger.countCopied(cause, source.length)
}

/** A string as bytes. */
export function encode(cause: CopyCause, text: string): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.from(text, 'utf8')
  ledger.countCopied(cause, bytes.length)
  return bytes
}

/** A string as UTF-8 at `at` of a target that has room for it; returns its bytes. */
export function encodeInto(cause: CopyCause, text: string, target: Buffer, at: number): number {
  const lengthBytes = target.write(text, at, 'utf8')
  ledger.countCopied(cause, lengthBytes)
  return lengthBytes
}

/** The counters that a program reads. */
export const counters: {
  /** The account of this process (of this worker thread) so far. Costs microseconds. */
  snapshot(): Snapshot
} = { snapshot: () => ledger.snapshot() }

import {
  causeOf,
  INTENDED,
  isMeant,
  type CopyCause,
  type CopyReason,
  type KernelCause,
} from './causes.js'
import type { CopyReport, CopyRow, KernelCopyRow } from './report.js'

/** What is summed up besides copies. */
export type Figure =
  | 'moved'
  | 'teed'
  | 'discarded'
  | 'inspected'
  | 'unknown'
  | 'retries'
  | 'shortTransfers'
  | 'degradedPipes'

/** So many copies of one reason have their places taken down each; of those after them, one in as many. */
const SITES_EACH_MAX = 64
/** Copies from this size on have it always: they are dearer than a stack trace, in bytes. */
const LARGE_COPY_BYTES = 65536

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

interface Sum {
  amount: number
  times: number
}

/** Whether a reason is that of a copy which the program asked for. */
export function isIntended(reason: CopyReason): boolean {
  return isMeant(reason) || INTENDED.has(reason as CopyCause)
}

/** The account of one audit, while it runs. What it counts its parents count as well. */
export class Scope {
  /** The audit that this one began in, if any. */
  readonly parent: Scope | undefined
  readonly #sums = new Map<Figure, Sum>()
  readonly #rows = new Map<string, Mutable<CopyRow>>()
  readonly #kernelRows = new Map<KernelCause, Mutable<KernelCopyRow>>()
  readonly #seen = new Map<CopyReason, number>()

  constructor(parent: Scope | undefined) {
    this.parent = parent
  }
  add(figure: Figure, amount: number): void {
    const sum = this.#sums.get(figure)
    if (sum === undefined) this.#sums.set(figure, { amount, times: 1 })
    else {
      sum.amount += amount
      sum.times += 1
    }
  }
  /** Whether the place of the next copy should be taken down. */
  wantsSite(reason: CopyReason, bytes: number): boolean {
    const seen = this.#seen.get(reason) ?? 0
    this.#seen.set(reason, seen + 1)
    return bytes >= LARGE_COPY_BYTES || seen < SITES_EACH_MAX || seen % SITES_EACH_MAX === 0
  }
  addCopy(reason: CopyReason, bytes: number, site: string | undefined): void {
    const key = `${reason} ${site ?? ''}`
    const row = this.#rows.get(key)
    if (row !== undefined) {
      row.bytes += bytes
      row.count += 1
      return
    }
    const about = { cause: causeOf(reason), bytes, count: 1, intended: isIntended(reason) }
    this.#rows.set(key, site === undefined ? about : { ...about, site })
  }
  addKernelCopy(cause: KernelCause, bytes: number): void {
    const row = this.#kernelRows.get(cause)
    if (row === undefined) this.#kernelRows.set(cause, { cause, bytes, count: 1 })
    else {
      row.bytes += bytes
      row.count += 1
    }
  }
  report(): CopyReport {
    const copies = [...this.#rows.values()].sort(
      (a, b) => Number(a.intended) - Number(b.intended) || b.bytes - a.bytes,
    )
    const kernelCopies = [...this.#kernelRows.values()].sort((a, b) => b.bytes - a.bytes)
    return {
      moved: this.#amount('moved'),
      moves: this.#times('moved'),
      teed: this.#amount('teed'),
      discarded: this.#amount('discarded'),
      inspected: this.#amount('inspected'),
      inspections: this.#times('inspected'),
      accidental: bytesOf(copies.filter(({ intended }) => !intended)),
      intended: bytesOf(copies.filter(({ intended }) => intended)),
      kernelCopied: bytesOf(kernelCopies),
      unknown: this.#amount('unknown'),
      retries: this.#amount('retries'),
      shortTransfers: this.#amount('shortTransfers'),
      degradedPipes: this.#amount('degradedPipes'),
      copies: copies.map((row) => ({ ...row })),
      kernelCopies: kernelCopies.map((row) => ({ ...row })),
    }
  }
  #amount(figure: Figure): number {
    return this.#sums.get(figure)?.amount ?? 0
  }
  #times(figure: Figure): number {
    return this.#sums.get(figure)?.times ?? 0
  }
}

function bytesOf(rows: readonly { readonly bytes: number }[]): number {
  return rows.reduce((sum, { bytes }) => sum + bytes, 0)
}

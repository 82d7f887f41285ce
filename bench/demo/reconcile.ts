/**
 * Does the ledger add up? Of all the bytes of a file, the library may have copied the headers and
 * what somebody looked at, and nothing else.
 */
import { HEADER_BYTES } from './frame.js'
import type { Side } from './job.js'
import type { PlanTotals } from './plan.js'
import { sumOf, type SideFigures } from './figures.js'

export interface Reconciliation {
  readonly copiedBytes: number
  readonly headerBytes: number
  readonly lookedAtBytes: number
  /** Copied, and neither a header nor looked at. Zero unless bytes went by copy. */
  readonly otherBytes: number
}

export function reconcile(side: Side, figures: SideFigures, totals: PlanTotals): Reconciliation {
  const copiedBytes = sumOf(figures.copied)
  const lookedAtBytes = figures.inspected
  const headerBytes = HEADER_BYTES * headersRead(side, totals)
  const otherBytes = copiedBytes - headerBytes - lookedAtBytes
  return { copiedBytes, headerBytes, lookedAtBytes, otherBytes }
}

/** The receiver reads a header of every message and of the end; the sender its one answer. */
function headersRead(side: Side, { messages }: PlanTotals): number {
  return side === 'receiver' ? messages + 1 : 1
}

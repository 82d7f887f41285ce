/** What the library's ledger says about one transfer. */
import { counters } from 'splicelist'
import { growth } from '../harness/account.js'
import type { Ledger } from './job.js'

type Snapshot = ReturnType<typeof counters.snapshot>
/** The account since an earlier snapshot. */
export function ledgerSince(before: Snapshot): Ledger {
  const now = counters.snapshot()
  return {
    moved: now.moved - before.moved,
    inspected: now.inspected - before.inspected,
    copied: growth(now.copied, before.copied),
    kernelCopied: growth(now.kernelCopied, before.kernelCopied),
  }
}

/** What the ledger says of one transfer. */
import { counters, type Snapshot } from 'splicelist'
import { growth } from '../harness/account.js'
import type { Said } from './errand.js'

/** The account since an earlier snapshot, in bytes. */
export function ledgerSince(before: Snapshot): Omit<Said, 'ways'> {
  const now = counters.snapshot()
  return {
    moved: now.moved - before.moved,
    unknown: now.unknown - before.unknown,
    copied: growth(now.copied, before.copied),
    kernelCopied: growth(now.kernelCopied, before.kernelCopied),
  }
}

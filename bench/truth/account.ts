/** What the ledger says of one transfer. */
import { counters, type Snapshot } from 'splicelist'
import type { Said } from './errand.js'

type ByCause = Readonly<Record<string, number | undefined>>

/** The account since an earlier snapshot, in bytes. */
export function ledgerSince(before: Snapshot): Omit<Said, 'ways'> {
  const now = counters.snapshot()
  return {
    moved: now.moved - before.moved,
    unknown: now.unknown - before.unknown,
    copied: difference(now.copied, before.copied),
    kernelCopied: difference(now.kernelCopied, before.kernelCopied),
  }
}

function difference(now: ByCause, before: ByCause): Record<string, number> {
  const grown = Object.entries(now).map(
    ([cause, bytes]) => [cause, (bytes ?? 0) - (before[cause] ?? 0)] as const,
  )
  return Object.fromEntries(grown.filter(([, bytes]) => bytes > 0))
}

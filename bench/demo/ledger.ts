/** What the library's ledger says about one transfer. */
import { counters } from 'splicelist'
import type { Ledger } from './job.js'

type Snapshot = ReturnType<typeof counters.snapshot>
type ByCause = Readonly<Record<string, number | undefined>>

/** The account since an earlier snapshot. */
export function ledgerSince(before: Snapshot): Ledger {
  const now = counters.snapshot()
  return {
    moved: now.moved - before.moved,
    inspected: now.inspected - before.inspected,
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

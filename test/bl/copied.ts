import { counters } from 'splicelist'

/** Bytes that an action copies, by cause, as the ledger has it. */
export function copied(action: () => unknown): Record<string, number> {
  const before = counters.snapshot().copied
  action()
  const after = Object.entries(counters.snapshot().copied)
  const grown = after.map(([cause, n]) => [cause, n - (before[cause as keyof typeof before] ?? 0)])
  return Object.fromEntries(grown.filter(([, n]) => n !== 0)) as Record<string, number>
}

/**
 * What the ledger wrote during a piece of work: the difference of two snapshots, without zeros.
 */
import { counters } from 'splicelist'

/** The ledger's entries of one piece of work. Bytes by name; what is not there is zero. */
export interface Account {
  readonly moved: number
  readonly teed: number
  readonly unknown: number
  readonly copied: Record<string, number>
  readonly kernelCopied: Record<string, number>
  readonly fallbacks: Record<string, number>
}

/** Does the work and returns its result with what the ledger wrote meanwhile. */
export async function accounted<T>(
  work: () => Promise<T> | T,
): Promise<{ readonly result: T; readonly account: Account }> {
  const before = counters.snapshot()
  const result = await work()
  const after = counters.snapshot()
  const account = {
    moved: after.moved - before.moved,
    teed: after.teed - before.teed,
    unknown: after.unknown - before.unknown,
    copied: difference(before.copied, after.copied),
    kernelCopied: difference(before.kernelCopied, after.kernelCopied),
    fallbacks: difference(before.fallbacks, after.fallbacks),
  }
  return { result, account }
}

/** All bytes that were copied into or within the process's memory. */
export function copiedBytes({ copied }: Account): number {
  return Object.values(copied).reduce((sum, bytes) => sum + bytes, 0)
}

type Counts = Readonly<Partial<Record<string, number>>>

function difference(before: Counts, after: Counts): Record<string, number> {
  const changed = Object.entries(after).map(
    ([name, count = 0]) => [name, count - (before[name] ?? 0)] as const,
  )
  return Object.fromEntries(changed.filter(([, count]) => count !== 0))
}

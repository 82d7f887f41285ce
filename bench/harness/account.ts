/** What grew of an account by cause, in bytes. */
export type ByCause = Readonly<Record<string, number | undefined>>

/** The causes that have grown since an earlier account, and by how much. */
export function growth(now: ByCause, before: ByCause): Record<string, number> {
  const grown = Object.entries(now).map(
    ([cause, bytes]) => [cause, (bytes ?? 0) - (before[cause] ?? 0)] as const,
  )
  return Object.fromEntries(grown.filter(([, bytes]) => bytes > 0))
}

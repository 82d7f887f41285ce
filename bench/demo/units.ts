/** Figures as people read them. */
export const MIB = 1024 * 1024

/** Whole MiB look as such; small counts are exact, because they have to add up. */
export function formatBytes(bytes: number): string {
  if (bytes < MIB) return `${bytes.toLocaleString('en-US')} B`
  return `${formatFixed(bytes / MIB, 1)} MiB`
}

export function formatFixed(value: number | null, digits: number): string {
  if (value === null) return '–'
  return value.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
}

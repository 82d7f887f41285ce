/** What half of the figures do not pass. */
export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b)
  const middle = sorted.length >>> 1
  const upper = sorted[middle] ?? NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2
}

/** Where the middle half of the figures begins and ends. */
export function middleHalf(figures: readonly number[]): readonly [number, number] {
  const sorted = [...figures].sort((a, b) => a - b)
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? NaN
  return [at(0.25), at(0.75)]
}

/**
 * Index of the first of some ascending ends that lies behind a position, from `low` to `high`, one of
 * which must. `guess` is where it would be if all were of one size, as segments mostly are; it need not be
 * a whole number. A search by halves alone would have the processor guess wrongly at every second step.
 */
export function search(
  ends: readonly number[],
  low: number,
  high: number,
  guess: number,
  position: number,
): number {
  const first = Math.min(high, guess) | 0
  if ((ends[first] as number) <= position) return searchHalves(ends, first + 1, high, position)
  if (first === low || (ends[first - 1] as number) <= position) return first
  return searchHalves(ends, low, first - 1, position)
}

/** The same by halves, from the side where the guess has been. */
function searchHalves(
  ends: readonly number[],
  low: number,
  high: number,
  position: number,
): number {
  let from = low
  let to = high
  while (from < to) {
    const middle = (from + to) >>> 1
    if ((ends[middle] as number) <= position) from = middle + 1
    else to = middle
  }
  return from
}

/**
 * Index of the first of some ascending ends that lies behind a position, from `low` to `high`, one of
 * which must. The first guess is where it would be if all were of one size, as segments mostly are:
 * `share` is how much of the whole lies before the position. A search by halves alone would have the
 * processor guess wrongly at every second step.
 */
export function search(
  ends: readonly number[],
  low: number,
  high: number,
  share: number,
  position: number,
): number {
  const guess = Math.min(high, low + ((share * (high - low + 1)) | 0))
  if ((ends[guess] as number) <= position) return searchHalves(ends, guess + 1, high, position)
  if (guess === low || (ends[guess - 1] as number) <= position) return guess
  return searchHalves(ends, low, guess - 1, position)
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

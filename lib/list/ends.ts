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
  let from = low
  let to = high
  let middle = Math.min(high, low + Math.floor(share * (high - low + 1)))
  // The guess, the one beside it, and then halves.
  for (let guesses = 1; ; guesses++) {
    if ((ends[middle] as number) <= position) {
      from = middle + 1
      middle = guesses === 1 ? from : (from + to) >>> 1
    } else if (middle > low && (ends[middle - 1] as number) > position) {
      to = middle - 1
      middle = guesses === 1 ? to : (from + to) >>> 1
    } else return middle
  }
}

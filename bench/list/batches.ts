/** Operations in a batch: enough that calling it costs nothing, few enough that it is called often. */
const BATCH = 500

/**
 * Does a run's operations in batches. What does a batch should call one function, the same in all runs.
 *
 * A run that uses up its input is a few milliseconds long, and before each is a collection. V8 keeps
 * its code for a function that is called often. Its code for a loop that it has replaced while the
 * loop ran goes with the collection, and that of a function that was made for one run goes with the
 * run: most of each run would be over before V8 has compiled it again.
 */
export function inBatches(
  operations: number,
  doBatch: (from: number, to: number) => number,
): number {
  let sum = 0
  for (let from = 0; from < operations; from += BATCH) {
    sum += doBatch(from, Math.min(operations, from + BATCH))
  }
  return sum
}

/**
 * Makes a failing sequence small (delta debugging): takes out all that it fails without, then makes
 * what is left plain. fast-check's own shrinking keeps the end of a sequence and would try its steps
 * one after the other; of a hundred steps that is thousands of runs.
 */
import { PART_KINDS, type Step } from './step.js'

/** Whether a sequence fails, and after how many of its steps; 0 where it does not. */
export type Fails = (steps: readonly Step[]) => Promise<number>

/** Plain values of a place, the plainest first. */
const PLAIN_PLACES = [0, 1, 2, 3, 4, 8, -1]
/** The operation that needs the least explaining. */
const PLAINEST = 'append'
/** How often everything is tried anew, because what became plain may now be left out. */
const ROUNDS_MAX = 4

/** The smallest sequence that was found to fail. */
export async function reduce(steps: readonly Step[], fails: Fails): Promise<readonly Step[]> {
  let smallest: readonly Step[] = steps.slice(0, await fails(steps))
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const before = JSON.stringify(smallest)
    smallest = await leaveOut(smallest, fails)
    smallest = await makePlain(smallest, fails)
    if (JSON.stringify(smallest) === before) break
  }
  return smallest
}

/** Leaves out runs of steps, long ones first. */
async function leaveOut(steps: readonly Step[], fails: Fails): Promise<readonly Step[]> {
  let left = steps
  for (let run = steps.length >>> 1; run > 0; run >>>= 1) {
    for (let at = left.length - run; at >= 0; at -= run) {
      const fewer = left.toSpliced(at, run)
      const count = await fails(fewer)
      if (count > 0) left = fewer.slice(0, count)
      at = Math.min(at, left.length)
    }
  }
  return left
}

/** Gives every step the plainest values with which the sequence still fails. */
async function makePlain(steps: readonly Step[], fails: Fails): Promise<readonly Step[]> {
  let plain = steps
  for (let at = 0; at < plain.length; at++) {
    for (const candidate of plainer(plain[at] as Step)) {
      const changed = plain.with(at, { ...(plain[at] as Step), ...candidate })
      const count = await fails(changed)
      if (count > 0) plain = changed.slice(0, count)
      if (at >= plain.length) break
    }
  }
  return withNamesInOrder(plain, fails)
}

/** Changes of a step, each to try by itself. From the plainest value to less plain ones and back. */
function* plainer(step: Step): Generator<Partial<Step>> {
  if (step.name !== PLAINEST) yield { name: PLAINEST }
  for (const part of PART_KINDS.slice(0, PART_KINDS.indexOf(step.part)).reverse()) yield { part }
  for (const field of ['choice', 'a', 'b'] as const) {
    for (let value = Math.min(step[field] - 1, 8); value >= 0; value--) yield { [field]: value }
  }
  for (const field of ['p', 'q', 'r', 's'] as const) {
    const value = step[field]
    if (value === PLAIN_PLACES[0]) continue
    for (let half = value >> 1; half > 8; half >>= 1) yield { [field]: half }
    for (const place of PLAIN_PLACES.toReversed()) yield { [field]: place }
  }
}

/** Names the lists a, b, … in the order in which they come. */
async function withNamesInOrder(steps: readonly Step[], fails: Fails): Promise<readonly Step[]> {
  const order = [...new Set(steps.flatMap(({ a, b }) => [a, b]))]
  const renamed = steps.map((step) => {
    return { ...step, a: order.indexOf(step.a), b: order.indexOf(step.b) }
  })
  const count = await fails(renamed)
  return count > 0 ? renamed.slice(0, count) : steps
}

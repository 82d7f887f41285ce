/** Running sequences of steps, and telling what failed so that a person can follow it. */
import fc from 'fast-check'
import { OPERATIONS, WEIGHTED_NAMES } from './operations/index.js'
import { reduce } from './reduce.js'
import { sequences, type Step } from './step.js'
import { Turn } from './turn.js'
import { LISTS, World, type ContentFile } from './world.js'

/** Steps of a sequence at the most: enough for a list to become intricate. */
const STEPS_MAX = 160
/** How long a sequence may take before it counts as hanging, in milliseconds. */
const SEQUENCE_MS_MAX = 20_000

/** How far a run goes. */
export interface Extent {
  readonly operations: number
  readonly minutes: number
}

/** Where a run begins: a seed, and, of a failure, the way to it that fast-check names. */
export interface Start {
  readonly seed: number
  readonly path: string
}

/**
 * Runs random sequences until so many operations were done, or so much time has passed. Throws what
 * failed first, shrunk. Returns how many operations were done.
 */
export async function runSequences(
  file: ContentFile,
  extent: Extent,
  start: Start,
  names: readonly string[] = WEIGHTED_NAMES,
): Promise<number> {
  let done = 0
  const property = fc.asyncProperty(sequences(names, LISTS, STEPS_MAX), async (steps) => {
    if (done >= extent.operations) return
    done += steps.length
    await new Run(file, steps).go()
  })
  const details = await fc.check(property, {
    seed: start.seed,
    path: start.path,
    // More than enough: sequences beyond what was asked for do nothing.
    numRuns: Math.min(2 ** 31 - 1, Math.ceil(extent.operations / 20) + 1),
    timeout: SEQUENCE_MS_MAX,
    interruptAfterTimeLimit: extent.minutes * 60_000,
    markInterruptAsFailure: false,
    // See reduce.ts.
    endOnFailure: true,
  })
  if (details.failed) throw await tell(file, details)
  return done
}

/** One sequence on its way. */
class Run {
  readonly #file: ContentFile
  readonly #steps: readonly Step[]
  /** Steps that were begun. */
  begun = 0
  /** What was done, as lines of code. */
  readonly trace: string[] = []

  constructor(file: ContentFile, steps: readonly Step[]) {
    this.#file = file
    this.#steps = steps
  }
  /** Does it. `isThorough`: looks at everything after every step, and writes down each. */
  async go(isThorough = false): Promise<void> {
    const world = await World.make(this.#file, isThorough ? this.trace : null)
    try {
      for (const step of this.#steps) {
        this.begun += 1
        const pending = OPERATIONS[step.name]?.run(new Turn(world, step))
        if (pending !== undefined) await pending
        world.check(isThorough)
      }
      world.checkAll()
      world.checkReferences()
    } finally {
      world.end()
    }
  }
  /** After how many steps it fails, 0 where it does not; and why. */
  async failure(isThorough: boolean): Promise<[count: number, error: unknown]> {
    try {
      await this.go(isThorough)
      return [0, undefined]
    } catch (error) {
      return [Math.max(1, this.begun), error]
    }
  }
}

/** What a person needs to know of a failure: the fewest steps that lead to it, and how to repeat it. */
async function tell(file: ContentFile, details: fc.RunDetails<[Step[]]>): Promise<Error> {
  const [steps] = details.counterexample ?? [[]]
  const [thorough] = await new Run(file, steps).failure(true)
  const isThorough = thorough > 0
  const fails = async (some: readonly Step[]): Promise<number> =>
    (await new Run(file, some).failure(isThorough))[0]
  const fewest = await reduce(steps, fails)
  const run = new Run(file, fewest)
  const [count, again] = await run.failure(true)
  const cause = count > 0 ? again : details.errorInstance
  const lines = run.trace.map((line) => `    ${line}\n`).join('')
  const why = cause instanceof Error ? cause.message : String(cause)
  const unsure =
    count > 0 ? '' : '    // (Done alone, this does not fail: it needs what was before.)\n'
  return new Error(
    `Lists are not what they must be after these steps (of ${steps.length}):\n` +
      `${lines}    // ${why}\n${unsure}` +
      `  To run this again, alone: SPLICELIST_SEED=${details.seed}:${details.counterexamplePath ?? ''}`,
    { cause },
  )
}

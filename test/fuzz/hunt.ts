/** Looking for a sequence of steps that fails, and telling it so that a person can follow it. */
import fc from 'fast-check'
import { reduce } from './reduce.js'
import { sequences, type Step } from './step.js'

/** How long a sequence may take before it counts as hanging, in milliseconds. */
const SEQUENCE_MS_MAX = 20_000
/** What a run of the suite takes time for. */
const OPERATIONS_BY_DEFAULT = 10_000
/** How long a run by operations may take, in minutes. */
const MINUTES_MAX = 24 * 60
/** A sequence has more steps than that on average: so many sequences are always enough. */
const STEPS_MEAN_MIN = 20

/** How far a hunt goes. */
export interface Extent {
  readonly operations: number
  readonly minutes: number
}

/** Where it begins: a seed, and, of a failure, the way to it that fast-check names. */
export interface Start {
  readonly seed: number
  readonly path: string
}

/** One run of a sequence. */
export interface Run {
  /** Steps that were begun. */
  begun: number
  /** Whether everything is to be looked at after every step, whatever that takes. */
  readonly isThorough: boolean
  /** What was done, as lines of code; null where nobody reads them. */
  readonly trace: string[] | null
}

/** What is hunted in. */
export interface Ground {
  /** The operations, each as often as it is to come. */
  readonly names: readonly string[]
  /** How many lists there are. */
  readonly lists: number
  /** Steps of a sequence at the most. */
  readonly stepsMax: number
  /** Does the steps. Rejects where something is not as it must be. */
  run(steps: readonly Step[], run: Run): Promise<void>
}

/** What `SPLICELIST_FUZZ` asks for: operations ('1000000') or minutes ('480m'). */
export function askedExtent(): Extent {
  const [, count, unit] = /^(\d+)(m?)$/.exec(process.env['SPLICELIST_FUZZ'] ?? '') ?? []
  if (count === undefined) return { operations: OPERATIONS_BY_DEFAULT, minutes: MINUTES_MAX }
  return unit === 'm'
    ? { operations: Infinity, minutes: Number(count) }
    : { operations: Number(count), minutes: MINUTES_MAX }
}

/** What `SPLICELIST_SEED` asks for, as a hunt printed it ('17' or '17:4:0'); a seed of now by default. */
export function askedStart(): Start {
  const [seed, ...path] = (process.env['SPLICELIST_SEED'] ?? '').split(':')
  const given = Number(seed === '' ? NaN : seed)
  return { seed: Number.isInteger(given) ? given : Date.now() | 0, path: path.join(':') }
}

/**
 * Tries random sequences until so many operations were done, or so much time has passed. Rejects with
 * what failed first, made small. Returns how many operations were done.
 */
export async function hunt(ground: Ground, extent: Extent, start: Start): Promise<number> {
  let done = 0
  const { names, lists, stepsMax } = ground
  const property = fc.asyncProperty(sequences(names, lists, stepsMax), async (steps) => {
    if (done >= extent.operations) return
    done += steps.length
    await ground.run(steps, { begun: 0, isThorough: false, trace: null })
  })
  const details = await fc.check(property, {
    seed: start.seed,
    path: start.path,
    // Sequences beyond what was asked for do nothing.
    numRuns: Math.min(2 ** 31 - 1, Math.ceil(extent.operations / STEPS_MEAN_MIN) + 1),
    timeout: SEQUENCE_MS_MAX,
    interruptAfterTimeLimit: extent.minutes * 60_000,
    markInterruptAsFailure: false,
    // See reduce.ts.
    endOnFailure: true,
  })
  if (details.failed) throw await tell(ground, details)
  return done
}

/** What a person needs to know of a failure: the fewest steps that lead to it, and how to repeat it. */
async function tell(ground: Ground, details: fc.RunDetails<[Step[]]>): Promise<Error> {
  const [steps] = details.counterexample ?? [[]]
  // Then nothing stays only for the failure to be noticed. Unless looking undoes it.
  const isThorough = (await failure(ground, steps, true)).count > 0
  const fails = async (some: readonly Step[]): Promise<number> =>
    (await failure(ground, some, isThorough)).count
  const fewest = await reduce(steps, fails)
  const { count, error, trace } = await failure(ground, fewest, isThorough)
  const cause = count > 0 ? error : details.errorInstance
  const lines = trace.map((line) => `    ${line}\n`).join('')
  const why = cause instanceof Error ? cause.message : String(cause)
  const unsure =
    count > 0 ? '' : '    // (Done alone, this does not fail: it needs what was before.)\n'
  const seed = `${details.seed}:${details.counterexamplePath ?? ''}`
  return new Error(
    `Lists are not what they must be after these steps (of ${steps.length}):\n` +
      `${lines}    // ${why}\n${unsure}  To run this again, alone: SPLICELIST_SEED=${seed}`,
    { cause },
  )
}

/** After how many steps a sequence fails, 0 where it does not; why; and what was done. */
async function failure(
  ground: Ground,
  steps: readonly Step[],
  isThorough: boolean,
): Promise<{ count: number; error?: unknown; trace: readonly string[] }> {
  const trace: string[] = []
  const run = { begun: 0, isThorough, trace }
  try {
    await ground.run(steps, run)
    return { count: 0, trace }
  } catch (error) {
    return { count: Math.max(1, run.begun), error, trace }
  }
}

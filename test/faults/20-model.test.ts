/**
 * Random interleavings of readiness, partial counts, errors, aborts, edits in flight and `unpull`, of
 * pulls, pushes, transfers, loops over lists and fan-outs that wait for each other, against a plain
 * queue of bytes; and of proxies, one after another between two connections, against one each way.
 *
 * `SPLICELIST_FUZZ` says how long: a number of steps ('1000000'), or minutes ('480m').
 * `SPLICELIST_SEED` repeats a run, or a failure, by what it printed.
 */
import fc from 'fast-check'
import { addon } from '#lib/native.js'
import { cleanedUp } from '../support/cleanup.js'
import { needsPages } from '../support/needs.js'
import { askedExtent, askedStart, type Start } from '../fuzz/hunt.js'
import { proxyScenarios } from './proxy-steps.js'
import { ProxyWorld } from './proxy-world.js'
import { scenarios } from './steps.js'
import { World } from './world.js'

/** Steps of a run at the most. */
const STEPS_MAX = 30
/** What a run of the suite takes time for: some ten seconds. */
const RUNS_BY_DEFAULT = 400
/** How long a run may take before it counts as hanging, in milliseconds. */
const RUN_MS_MAX = 30_000

let hasFailed = false

/** A failure that is being made smaller need not be told from a slow machine with care. */
const pace = (): 'shrinking' | 'usual' => (hasFailed ? 'shrinking' : 'usual')

/** Where steps are done. */
interface Ground<Step> {
  do(step: Step): Promise<void>
  /** Lets all come to its end, and compares it with a queue. */
  end(): Promise<void>
  close(): Promise<void>
}

/** One run: the steps, the rest, and the comparison. */
async function run<Step>(
  ground: () => Promise<Ground<Step>>,
  steps: readonly Step[],
): Promise<void> {
  await cleanedUp(async () => {
    try {
      const world = await ground()
      try {
        for (const step of steps) await world.do(step)
        await world.end()
      } finally {
        await world.close()
      }
    } catch (error) {
      hasFailed = true
      throw error
    } finally {
      addon?.script(null)
    }
  })
}

/** As many runs as were asked for. */
async function runAll<S>(
  runs: fc.Arbitrary<S>,
  { seed, path }: Start,
  one: (scenario: S) => Promise<void>,
): Promise<void> {
  const { operations, minutes } = askedExtent()
  const isAsked = process.env['SPLICELIST_FUZZ'] !== undefined
  await fc.assert(fc.asyncProperty(runs, one), {
    seed,
    path,
    numRuns: isAsked ? Math.ceil(Math.min(operations, 2 ** 31) / STEPS_MAX) : RUNS_BY_DEFAULT,
    timeout: RUN_MS_MAX,
    interruptAfterTimeLimit: minutes * 60_000,
    markInterruptAsFailure: false,
  })
}

describe('The machine, whatever happens in whatever order', () => {
  beforeEach(function () {
    needsPages(this)
  })
  const start = askedStart()
  it(`does what a queue of bytes does, from seed ${start.seed}`, async function () {
    this.timeout(0)
    await runAll(scenarios(STEPS_MAX), start, (scenario) =>
      run(() => World.of(scenario, pace()), scenario.steps),
    )
  })
  it(`does what a queue each way does, of proxies, from seed ${start.seed}`, async function () {
    this.timeout(0)
    await runAll(proxyScenarios(STEPS_MAX), start, (scenario) =>
      run(() => ProxyWorld.of(scenario, pace()), scenario.steps),
    )
  })
})

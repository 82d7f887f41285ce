/**
 * Random interleavings of readiness, partial counts, errors, aborts, edits in flight and `unpull`, of
 * pulls, pushes and transfers that wait for each other, against a plain queue of bytes.
 *
 * `SPLICELIST_FUZZ` says how long: a number of steps ('1000000'), or minutes ('480m').
 * `SPLICELIST_SEED` repeats a run, or a failure, by what it printed.
 */
import fc from 'fast-check'
import { addon } from '#lib/native.js'
import { cleanedUp } from '../support/cleanup.js'
import { needsPages } from '../support/needs.js'
import { askedExtent, askedStart } from '../fuzz/hunt.js'
import { scenarios, type Scenario } from './steps.js'
import { World } from './world.js'

/** Steps of a run at the most. */
const STEPS_MAX = 30
/** What a run of the suite takes time for: some ten seconds. */
const RUNS_BY_DEFAULT = 400
/** How long a run may take before it counts as hanging, in milliseconds. */
const RUN_MS_MAX = 30_000

let hasFailed = false

/** One run: the steps, the rest, and the comparison. */
async function run(scenario: Scenario): Promise<void> {
  await cleanedUp(async () => {
    try {
      const world = await World.of(scenario, hasFailed ? 'shrinking' : 'usual')
      try {
        for (const step of scenario.steps) await world.do(step)
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

describe('The machine, whatever happens in whatever order', () => {
  beforeEach(function () {
    needsPages(this)
  })
  const { seed, path } = askedStart()
  it(`does what a queue of bytes does, from seed ${seed}`, async function () {
    this.timeout(0)
    const { operations, minutes } = askedExtent()
    const isAsked = process.env['SPLICELIST_FUZZ'] !== undefined
    const runs = isAsked ? Math.ceil(Math.min(operations, 2 ** 31) / STEPS_MAX) : RUNS_BY_DEFAULT
    await fc.assert(fc.asyncProperty(scenarios(STEPS_MAX), run), {
      seed,
      path,
      numRuns: runs,
      timeout: RUN_MS_MAX,
      interruptAfterTimeLimit: minutes * 60_000,
      markInterruptAsFailure: false,
    })
  })
})

// Mocha's spec reporter, with a closing line that .ci/run adds up, and an end to runs that have none.
import Mocha from 'mocha'

/** How long Node may take to close what it closes by itself, in milliseconds. */
const SETTLING_MS = 10_000

export default class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = runner.stats
      console.log(`mocha: ${passes} passed, ${failures} failed, ${pending} skipped`)
      setTimeout(() => {
        console.error('The tests are over, but this keeps the process alive:')
        console.error(process.getActiveResourcesInfo().join(', '))
        process.exit(1)
      }, SETTLING_MS).unref()
    })
  }
}

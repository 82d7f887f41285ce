// Mocha's spec reporter, with a closing line that .ci/run adds up.
import Mocha from 'mocha'

export default class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = runner.stats
      console.log(`mocha: ${passes} passed, ${failures} failed, ${pending} skipped`)
    })
  }
}

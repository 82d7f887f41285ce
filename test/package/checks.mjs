/** Counts checks, prints each as it ends, and closes with a line that says how many held. */
export class Checks {
  #passed = 0
  #failed = 0
  #skipped = 0

  /** A part of the checks, in the output. */
  heading(text) {
    console.log(`\n  ${text}`)
  }

  /** Runs one check, which fails by throwing. */
  async check(name, run) {
    try {
      await run()
      this.#passed++
      console.log(`    ✔ ${name}`)
    } catch (error) {
      this.#failed++
      console.log(`    ✗ ${name}\n${String(error?.message ?? error).replace(/^/gm, '        ')}`)
    }
  }

  /** Says that something was not checked, and why. */
  skip(name, reason) {
    this.#skipped++
    console.log(`    - ${name}: ${reason}`)
  }

  /** Prints the counts, and fails the process if a check has failed. */
  end() {
    console.log(`\n${this.#passed} passed, ${this.#failed} failed, ${this.#skipped} skipped`)
    if (this.#failed > 0) process.exitCode = 1
  }
}

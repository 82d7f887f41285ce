/**
 * What a smoke run comes to: each case once, without figures, and the line at the end that test runners
 * end with.
 */
export class SmokeTally {
  #passed = 0
  #failed = 0
  #skipped = 0

  /** Runs a case. What it fails with is printed, and says whose it is. */
  async attempt(run: () => Promise<unknown>): Promise<void> {
    try {
      await run()
      this.pass()
    } catch (error) {
      this.fail((error as Error).message)
    }
  }
  pass(): void {
    this.#passed += 1
  }
  fail(why: string): void {
    this.#failed += 1
    process.stdout.write(`${why}\n`)
  }
  /** A case that cannot be run here. */
  skip(why: string): void {
    this.#skipped += 1
    process.stdout.write(`${why}\n`)
  }
  /** Prints the sum; returns an exit code. */
  end(): number {
    process.stdout.write(
      `bench: ${this.#passed} passed, ${this.#failed} failed, ${this.#skipped} skipped\n`,
    )
    return this.#failed === 0 ? 0 : 1
  }
}

/**
 * What a smoke run comes to: each case once, without figures, and the line at the end that test runners
 * end with.
 */
export class SmokeTally {
  #passed = 0
  #failed = 0
  #skipped = 0

  /** Runs a case. What it fails with is printed; `about` says whose it is, where that does not. */
  async attempt(run: () => Promise<unknown>, about = ''): Promise<void> {
    try {
      await run()
      this.#passed += 1
    } catch (error) {
      this.#failed += 1
      process.stdout.write(`${about}${(error as Error).message}\n`)
    }
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

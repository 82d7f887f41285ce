/** The ways in which a benchmark ends badly, each with its exit code. */

/** The command line asks for something that cannot be done. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** A process died, or did not do what it was to do: answers or files differ. Exit code 1. */
export class RunError extends Error {
  override readonly name = 'RunError'
}

/** Says on stderr what went wrong: an error that is nobody's fault but ours keeps its stack. */
export function exitCodeOf(error: unknown): number {
  const isExpected = error instanceof UsageError || error instanceof RunError
  process.stderr.write(`${isExpected ? error.message : String((error as Error).stack)}\n`)
  return error instanceof UsageError ? 2 : 1
}

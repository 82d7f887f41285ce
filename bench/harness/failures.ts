/** The ways in which a benchmark ends badly, each with its exit code. */

/** The command line asks for something that cannot be done. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** A process died, or did not do what it was to do: answers or files differ. Exit code 1. */
export class RunError extends Error {
  override readonly name = 'RunError'
}

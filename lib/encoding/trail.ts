/**
 * Where in a value something failed. The names and indexes are gathered from the inside out, while
 * the error passes through the levels, so that a value that holds pays for none of it.
 */
import { EndOfBufferError, InvalidArgumentError, MalformedInputError } from '../errors.js'

/** The name of a field, or the index of an element. */
export type Step = string | number

interface Trail {
  /** From the inside out. */
  readonly steps: Step[]
  /** Where the innermost thing that failed begins, in the cursor's list; none while encoding. */
  readonly offset: number | undefined
}

const trails = new WeakMap<Error, Trail>()

/** Notes the step at which an error left a level. Errors of other kinds pass without one. */
export function addStep(error: unknown, step: Step | undefined, offset?: number): void {
  if (!isOurs(error)) return
  let trail = trails.get(error)
  if (trail === undefined) trails.set(error, (trail = { steps: [], offset }))
  if (step !== undefined) trail.steps.push(step)
}

/** The same failure as malformed input, where no more bytes can help. */
export function asMalformed(error: EndOfBufferError): MalformedInputError {
  const malformed = new MalformedInputError(error.message)
  const trail = trails.get(error)
  if (trail !== undefined) trails.set(malformed, trail)
  return malformed
}

/** The error that a caller gets: with the whole path, where there is one. */
export function withPath(error: unknown): unknown {
  if (!isOurs(error)) return error
  const trail = trails.get(error)
  if (trail === undefined || trail.steps.length === 0) return error
  const from = trail.offset === undefined ? '' : `, from offset ${trail.offset}`
  const message = `${error.message} (in ${pathOf(trail.steps)}${from})`
  return Object.assign(again(error, message), { cause: error })
}

type Ours = EndOfBufferError | InvalidArgumentError | MalformedInputError

function isOurs(error: unknown): error is Ours {
  if (error instanceof EndOfBufferError) return true
  return error instanceof MalformedInputError || error instanceof InvalidArgumentError
}

function again(error: Ours, message: string): Ours {
  if (error instanceof EndOfBufferError) return new EndOfBufferError(message)
  if (error instanceof MalformedInputError) return new MalformedInputError(message)
  return new InvalidArgumentError(message)
}

function pathOf(steps: readonly Step[]): string {
  const parts = steps.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
  return parts.reverse().join('').replace(/^\./, '')
}

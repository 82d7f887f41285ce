import { listenForAbort } from '../abort.js'
import type { Eventually } from '../eventually.js'
import type { Turns } from '../endpoints/turns.js'
import { AbortError } from '../errors.js'

/**
 * Runs an operation in its turn at one side of a place. An abort does not wait for the turn: the
 * operation is not begun then, and the turn passes on when it comes.
 */
export function inTurn<T>(
  turns: Turns,
  signal: AbortSignal | undefined,
  operation: () => Eventually<T>,
): Eventually<T> {
  const taking = takeTurn(turns, signal)
  if (taking === undefined) return runAndEnd(turns, operation)
  return taking.then(() => runAndEnd(turns, operation))
}

/**
 * Takes a turn: undefined when it is there at once. An abort does not wait for one, which passes on when
 * it comes.
 */
export function takeTurn(turns: Turns, signal: AbortSignal | undefined): Promise<void> | undefined {
  const waiting = turns.take()
  if (waiting === undefined) return undefined
  return orAborted(waiting, signal).catch((error: unknown) => {
    turns.giveUp(waiting)
    throw error
  })
}

function runAndEnd<T>(turns: Turns, operation: () => Eventually<T>): Eventually<T> {
  let result: Eventually<T>
  try {
    result = operation()
  } catch (error) {
    turns.end()
    throw error
  }
  // Not finally(): it makes three promises where this makes one.
  if (result instanceof Promise) return result.then(ended(turns), failed(turns))
  turns.end()
  return result
}

function ended<T>(turns: Turns): (value: T) => T {
  return (value) => {
    turns.end()
    return value
  }
}

function failed(turns: Turns): (error: unknown) => never {
  return (error) => {
    turns.end()
    throw error
  }
}

/**
 * A promise, or an abort, whichever is first. What comes after the abort is given to `onLate`.
 */
export async function orAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  onLate?: (value: T) => void,
): Promise<T> {
  if (signal === undefined) return promise
  let unlisten: () => void = () => undefined
  const aborted = new Promise<never>((_resolve, reject) => {
    unlisten = listenForAbort(signal, () => reject(new AbortError(0, signal.reason)))
  })
  try {
    return await Promise.race([promise, aborted])
  } catch (error) {
    promise.then(onLate, () => undefined)
    throw error
  } finally {
    unlisten()
  }
}

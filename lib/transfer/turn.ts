import { after, type Eventually } from '../eventually.js'
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
  const waiting = turns.take()
  if (waiting === undefined) return runAndEnd(turns, operation)
  const ready = signal === undefined ? waiting : orAbort(turns, waiting, signal)
  return after(ready, () => runAndEnd(turns, operation))
}

function runAndEnd<T>(turns: Turns, operation: () => Eventually<T>): Eventually<T> {
  let result: Eventually<T>
  try {
    result = operation()
  } catch (error) {
    turns.end()
    throw error
  }
  if (result instanceof Promise) return result.finally(() => turns.end())
  turns.end()
  return result
}

async function orAbort(turns: Turns, waiting: Promise<void>, signal: AbortSignal): Promise<void> {
  let onAbort: () => void = () => undefined
  const aborted = new Promise<'aborted'>((resolve) => {
    onAbort = () => resolve('aborted')
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
  const first = await Promise.race([waiting, aborted])
  signal.removeEventListener('abort', onAbort)
  if (first !== 'aborted') return
  void waiting.then(() => turns.end())
  throw new AbortError(0, signal.reason)
}

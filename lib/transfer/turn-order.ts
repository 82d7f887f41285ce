import type { Turns } from '../endpoints/turns.js'
import type { Eventually } from '../eventually.js'
import { inTurn } from './turn.js'

/**
 * Runs an operation in its turns at several places. They are taken in one order, whoever asks, so that
 * two operations cannot wait for each other's turns.
 */
export function inAllTurns<T>(
  turns: Iterable<Turns>,
  signal: AbortSignal | undefined,
  operation: () => Promise<T>,
): Eventually<T> {
  const ordered = [...new Set(turns)].sort((a, b) => a.number - b.number)
  return takeRest(ordered, signal, operation)
}

function takeRest<T>(
  [first, ...rest]: readonly Turns[],
  signal: AbortSignal | undefined,
  operation: () => Promise<T>,
): Eventually<T> {
  if (first === undefined) return operation()
  return inTurn(first, signal, () => takeRest(rest, signal, operation))
}

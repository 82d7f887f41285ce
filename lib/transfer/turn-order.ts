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
  return takeFrom(0, ordered, signal, operation)
}

function takeFrom<T>(
  index: number,
  turns: readonly Turns[],
  signal: AbortSignal | undefined,
  operation: () => Promise<T>,
): Eventually<T> {
  const next = turns[index]
  if (next === undefined) return operation()
  return inTurn(next, signal, () => takeFrom(index + 1, turns, signal, operation))
}

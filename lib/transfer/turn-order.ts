import type { Turns } from '../endpoints/turns.js'
import { takeTurn } from './turn.js'

/**
 * Runs an operation in its turns at several places. They are taken in one order, whoever asks, so that
 * two operations cannot wait for each other's turns. `onRefused` is told of a turn that can never come, and
 * throws unless the operation goes on without it.
 */
export async function inAllTurns<T>(
  turns: Iterable<Turns>,
  signal: AbortSignal | undefined,
  operation: () => Promise<T>,
  onRefused: (turns: Turns, error: unknown) => void = rethrow,
): Promise<T> {
  const ordered = [...turns].sort((a, b) => a.number - b.number)
  const taken: Turns[] = []
  try {
    for (const next of ordered) {
      if (next === taken.at(-1)) continue
      try {
        const taking = takeTurn(next, signal)
        if (taking !== undefined) await taking
        taken.push(next)
      } catch (error) {
        onRefused(next, error)
      }
    }
    return await operation()
  } finally {
    for (const one of taken.toReversed()) one.end()
  }
}

function rethrow(_turns: Turns, error: unknown): never {
  throw error
}

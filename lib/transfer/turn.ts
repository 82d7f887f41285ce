import type { Turns } from '../endpoints/turns.js'
import { AbortError } from '../errors.js'

/**
 * Waits for a turn at one side of a place, or for an abort, whichever is first; a turn that comes
 * after the abort passes on. Returns the function that ends the turn.
 */
export async function takeTurn(turns: Turns, signal: AbortSignal | undefined): Promise<() => void> {
  const taking = turns.take()
  if (signal === undefined) return taking
  let onAbort: () => void = () => undefined
  const aborted = new Promise<'aborted'>((resolve) => {
    onAbort = () => resolve('aborted')
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
  const first = await Promise.race([taking, aborted])
  signal.removeEventListener('abort', onAbort)
  if (first !== 'aborted') return first
  void taking.then((end) => end())
  throw new AbortError(0, signal.reason)
}

/**
 * Listening for an abort. A program may hand one signal to a thousand operations; the signal has one
 * listener of ours whatever their number, and none when none of them waits.
 */
const listeners = new WeakMap<AbortSignal, Set<() => void>>()

/**
 * Calls `onAbort` when the signal aborts, until the returned function is called; at once where it has
 * aborted already, for no event comes then.
 */
export function listenForAbort(signal: AbortSignal, onAbort: () => void): () => void {
  if (signal.aborted) {
    onAbort()
    return () => undefined
  }
  let waiting = listeners.get(signal)
  if (waiting === undefined) {
    const all = new Set<() => void>()
    const tellAll = (): void => {
      listeners.delete(signal)
      for (const tell of [...all]) tell()
    }
    listeners.set(signal, all)
    signal.addEventListener('abort', tellAll, { once: true })
    ends.set(all, () => signal.removeEventListener('abort', tellAll))
    waiting = all
  }
  const all = waiting
  all.add(onAbort)
  return () => {
    if (!all.delete(onAbort) || all.size > 0 || listeners.get(signal) !== all) return
    listeners.delete(signal)
    ends.get(all)?.()
  }
}

/** How a set's one listener is taken off its signal. */
const ends = new WeakMap<Set<() => void>, () => void>()

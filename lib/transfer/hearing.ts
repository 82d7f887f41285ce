/**
 * The errors of an operation's streams, from its call to its end.
 */
import { isFileHandle } from '../endpoints/file-place.js'
import type { SinkEnd } from '../endpoints/end.js'
import { hearErrors } from '../endpoints/hearing.js'
import { isStream } from '../endpoints/recognize.js'
import type { Sink } from '../list/endpoint.js'
import { AttachedEndpoint } from './endpoint.js'

/**
 * Runs an operation that hears the errors of its places meanwhile, whichever of them is opened first.
 * Of those that are streams: an endpoint is heard by itself. A rejection tells of all of them; of a
 * result `toldOf` says which of the places it tells have failed.
 */
export function hearing<T>(
  places: readonly unknown[],
  operation: () => Promise<T>,
  toldOf?: (result: T) => readonly unknown[],
): Promise<T> {
  const heard = hear(places)
  if (heard === undefined) return operation()
  return operation().then(
    (result) => {
      heard(toldOf?.(result) ?? [])
      return result
    },
    (error: unknown) => {
      heard(places)
      throw error
    },
  )
}

/**
 * Hears the errors of places until the returned function is called, once, with those of them of whose
 * failure the caller is told. Undefined where none is a stream.
 */
export function hear(places: readonly unknown[]): ((told: readonly unknown[]) => void) | undefined {
  let deafen: [place: unknown, end: (isTold: boolean) => void][] | undefined
  for (const place of places) {
    // An endpoint first, which is what each message of a conversation has.
    if (place instanceof AttachedEndpoint || isFileHandle(place) || !isStream(place)) continue
    deafen ??= []
    deafen.push([place, hearErrors(place)])
  }
  return deafen && ((told) => deafen.forEach(([place, end]) => end(told.includes(place))))
}

/** Calls a function when a sink is lost, or its stream has failed, until the returned one is called. */
export function whenOver(place: Sink, end: SinkEnd, tell: () => void): () => void {
  if (end.whenLost !== undefined) return end.whenLost(tell)
  const stream = place instanceof AttachedEndpoint ? place.place : place
  if (isFileHandle(stream) || !isStream(stream)) return () => undefined
  stream.on('error', tell).on('close', tell)
  return () => {
    stream.off('error', tell).off('close', tell)
  }
}

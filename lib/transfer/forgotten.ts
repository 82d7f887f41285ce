import { Socket } from 'node:net'
import type { Ends, Place } from '../endpoints/recognize.js'
import type { Eventually } from '../eventually.js'
import { watchForLeak, type Closable } from '../raw/leaks.js'

/**
 * What an attached endpoint has taken over, for the collector to give back when nobody detaches: it
 * knows nothing of the endpoint itself.
 */
class TakenOver implements Closable {
  readonly #place: Place
  readonly #ends: Eventually<Ends>

  constructor(place: Place, ends: Eventually<Ends>) {
    this.#place = place
    this.#ends = ends
  }
  close(): boolean {
    // With its socket destroyed an endpoint holds nothing that another could miss.
    const isOver = this.#place instanceof Socket && this.#place.destroyed
    if (this.#ends instanceof Promise) this.#ends.then(giveBack, () => undefined)
    else giveBack(this.#ends)
    return !isOver
  }
}

function giveBack(ends: Ends): void {
  try {
    ends.close()
  } catch {
    // A place that takes bytes back no longer stays as it is: nobody is left to hear of it.
  }
}

/** Watches an endpoint that is attached, until `endLeakWatch`. */
export function watchEndpoint(endpoint: object, place: Place, ends: Eventually<Ends>): void {
  watchForLeak(endpoint, 'endpoint', new TakenOver(place, ends))
}

/**
 * Hearing the errors of streams that an operation works on.
 *
 * Node ends the program for an 'error' that nobody listens for. While an operation runs its rejection
 * tells what went wrong, so its streams have one listener of ours, whatever the number of operations;
 * listeners of their owner's hear the event as ever.
 */
import type { EventEmitter } from 'node:events'

/** What is looked at of a stream, a socket or a response; each has some of it. */
interface Stream extends EventEmitter {
  readonly errored?: unknown
  readonly destroyed?: boolean
  /** Not open, or not connected, yet. */
  readonly pending?: boolean
  /** Of sockets alone. */
  readonly connecting?: boolean
  readonly _readableState?: Told
  readonly _writableState?: Told
}

/** Which of its last events a side of a stream has emitted. */
interface Told {
  readonly errorEmitted?: boolean
  readonly closeEmitted?: boolean
}

const hearings = new WeakMap<EventEmitter, Hearing>()

/** The one listener of a stream. */
class Hearing {
  readonly #stream: Stream
  #users = 0
  #isLingering = false

  constructor(stream: Stream) {
    this.#stream = stream
    stream.on('error', this.#onEvent)
    hearings.set(stream, this)
  }
  enter(): void {
    this.#users += 1
  }
  leave(isTold: boolean): void {
    this.#users -= 1
    if (this.#users > 0) return
    if ((isTold || this.#isLingering) && mayFailYet(this.#stream)) this.#linger()
    else this.#end()
  }
  /** Stays until the stream has failed, or can no more. */
  #linger(): void {
    if (this.#isLingering) return
    this.#isLingering = true
    this.#stream.on('close', this.#onEvent).on('ready', this.#onEvent)
  }
  readonly #onEvent = (): void => {
    if (this.#isLingering && this.#users === 0) this.#end()
  }
  #end(): void {
    hearings.delete(this.#stream)
    for (const name of ['error', 'close', 'ready']) this.#stream.off(name, this.#onEvent)
  }
}

/**
 * Hears a stream's errors until the returned function is called, once. It is told whether the caller
 * is told of a failure: then one that is on its way already, or that of a connection or a file which is
 * being opened, is no news that the program has to be ended for.
 */
export function hearErrors(stream: EventEmitter): (isTold: boolean) => void {
  const hearing = hearings.get(stream) ?? new Hearing(stream)
  hearing.enter()
  return (isTold) => hearing.leave(isTold)
}

/** Whether a stream's owner, or anybody but us, listens for its errors. */
export function isHeardByOthers(stream: EventEmitter): boolean {
  return stream.listenerCount('error') > (hearings.has(stream) ? 1 : 0)
}

/** Whether an 'error' is on its way, or may follow from an opening that was begun. */
function mayFailYet(stream: Stream): boolean {
  const { errored, destroyed, pending, connecting } = stream
  if (errored != null) return isYetToTell(stream)
  return pending === true && connecting !== false && destroyed !== true
}

/** Its `closed` does not say: it is true before the events. */
function isYetToTell({ _readableState, _writableState }: Stream): boolean {
  const sides = [_readableState, _writableState].filter((side) => side !== undefined)
  const isOver = sides.some((side) => side.errorEmitted === true || side.closeEmitted === true)
  return sides.length > 0 && !isOver
}

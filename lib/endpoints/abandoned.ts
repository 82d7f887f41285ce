/**
 * Clients that have ended their side of a connection while a response is on its way to them.
 *
 * Node's HTTP ends the connection then, unless `httpAllowHalfOpen` was set, but that end waits for the
 * turn of the body. A client that has only ended its side may read on, and gets what comes; one that has
 * gone looks the same, until bytes are sent to it. So where none come for a while, Node has its way.
 */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * How long nothing may have gone to such a client at the least, in milliseconds; twice at the most. A
 * body that is read from a disk or a stream has no gaps like that.
 */
const SILENT_MS = 500

const activities = new WeakMap<ServerResponse, Activity>()

/** What the sends of one body do: one of them may wait behind another that is slow. */
export class Activity {
  readonly #socket: Socket
  #guards = 0
  #timer: NodeJS.Timeout | undefined
  /** What was done, counted; and how much of it when it was last looked at. */
  #steps = 0
  #seen = 0
  /** Waits for room at the socket, and jobs that work on it. */
  #pending = 0
  #isAbandoned = false

  private constructor(socket: Socket) {
    this.#socket = socket
  }
  /** That of a response that has its socket. */
  static of(response: ServerResponse): Activity {
    const activity = activities.get(response) ?? new Activity(response.socket as Socket)
    activities.set(response, activity)
    return activity
  }
  /** Whether its connection was closed because nothing came. */
  get isAbandoned(): boolean {
    return this.#isAbandoned
  }
  /** Bytes have gone. */
  step(): void {
    this.#steps += 1
  }
  /** A wait, or a job, begins. */
  begin(): void {
    this.#pending += 1
  }
  /** It is over. */
  end(): void {
    this.#pending -= 1
    this.#steps += 1
  }
  /**
   * Closes the connection when Node has given it up and nothing is done any more, until the returned
   * function is called. A listener, and a timer from the client's end on, for all guards.
   */
  guard(): () => void {
    this.#guards += 1
    if (this.#guards === 1) this.#socket.on('end', this.#onEnd)
    this.#onEnd()
    return () => {
      this.#guards -= 1
      if (this.#guards > 0) return
      this.#socket.off('end', this.#onEnd)
      clearInterval(this.#timer)
      this.#timer = undefined
    }
  }
  readonly #onEnd = (): void => {
    const { readableEnded, writableEnded } = this.#socket
    if (!readableEnded || !writableEnded || this.#timer !== undefined) return
    this.#seen = this.#steps
    this.#timer = setInterval(this.#look, SILENT_MS).unref()
  }
  readonly #look = (): void => {
    const isSilent = this.#pending === 0 && this.#steps === this.#seen
    this.#seen = this.#steps
    if (!isSilent) return
    this.#isAbandoned = true
    this.#socket.destroy()
  }
}

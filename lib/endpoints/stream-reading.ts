import { EventEmitter } from 'node:events'
import type { Readable } from 'node:stream'

/**
 * Reading, taken over from the listeners of a plain stream, and given back as it was.
 *
 * As `SocketReading` does for sockets: while it is taken, the stream does not flow, whoever calls
 * `resume()`, and 'data' listeners see nothing of the bytes that they do not get. Listening goes past
 * `Readable`'s own `on` and `off`, which would make a stream with 'data' listeners flow again.
 */
export class StreamReading {
  readonly #stream: Readable
  readonly #wasFlowing: boolean | null
  #isResumed = false

  constructor(stream: Readable) {
    this.#stream = stream
    this.#wasFlowing = stream.readableFlowing
    setFlowing(stream, false)
    override(stream, 'resume', () => {
      this.#isResumed = true
      return stream
    })
  }
  /** `stream.read()`, without an event. */
  read(lengthBytes: number | undefined): unknown {
    const stream = this.#stream
    if (stream.listenerCount('data') === 0) return stream.read(lengthBytes)
    const emit = stream.emit.bind(stream) as (...args: unknown[]) => boolean
    override(stream, 'emit', (name, ...args) => (name === 'data' ? false : emit(name, ...args)))
    try {
      return stream.read(lengthBytes)
    } finally {
      restore(stream, 'emit')
    }
  }
  /** Calls `wake` once there may be something to read, an end or an error. Returns how to stop. */
  listen(wake: () => void): () => void {
    const names = ['readable', 'end', 'error', 'close']
    for (const name of names) EventEmitter.prototype.on.call(this.#stream, name, wake)
    return () => {
      for (const name of names) EventEmitter.prototype.off.call(this.#stream, name, wake)
    }
  }
  /** Gives the stream back, with the bytes that were not consumed. */
  end(leftover: readonly Uint8Array[]): void {
    const stream = this.#stream
    for (const part of leftover.toReversed()) stream.unshift(part)
    restore(stream, 'resume')
    const isWanted = this.#wasFlowing === null && stream.listenerCount('data') > 0
    if (this.#wasFlowing === true || this.#isResumed || isWanted) stream.resume()
    else setFlowing(stream, this.#wasFlowing)
  }
}

/** Not `pause()`: that would be seen by `isPaused()` and emit an event. */
export function setFlowing(stream: Readable, flowing: boolean | null): void {
  ;(stream as { readableFlowing: boolean | null }).readableFlowing = flowing
}

function override(stream: Readable, name: string, value: (...args: unknown[]) => unknown): void {
  Object.defineProperty(stream, name, { value, configurable: true, writable: true })
}

function restore(stream: Readable, name: string): void {
  Reflect.deleteProperty(stream, name)
}

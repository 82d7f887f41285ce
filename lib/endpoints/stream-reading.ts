import type { Readable } from 'node:stream'

/** What of a readable stream is used beyond its documented face. */
interface State {
  ended: boolean
  readonly endEmitted: boolean
}

/**
 * Reading, taken over from the listeners of a plain stream, and given back as it was.
 *
 * As `SocketReading` does for sockets that are read by their descriptor: while it is taken, the
 * stream does not flow, its listeners see nothing of the bytes that they do not get, and its end is
 * kept from it, because a stream that has ended takes nothing back.
 */
export class StreamReading {
  readonly #stream: Readable
  readonly #wasFlowing: boolean | null
  readonly #restore: (() => void)[]
  /** What its owner said last, while it was taken. */
  #isResumed = false
  #isPaused = false
  #hasEnded: boolean
  #wake: (() => void) | undefined

  constructor(stream: Readable) {
    this.#stream = stream
    this.#wasFlowing = stream.readableFlowing
    const state = stateOf(stream)
    this.#hasEnded = state?.ended === true && !state.endEmitted && stream.readableLength > 0
    if (state !== undefined && this.#hasEnded) state.ended = false
    setFlowing(stream, false)
    this.#restore = [
      override(stream, 'emit', (emit, ...args) => this.#onEvent(args[0]) || emit(...args)),
      override(stream, 'push', (push, ...args) => (args[0] === null ? this.#end() : push(...args))),
      override(stream, 'resume', () => {
        this.#isResumed = true
        this.#isPaused = false
        return stream
      }),
      override(stream, 'pause', (pause, ...args) => {
        this.#isResumed = false
        this.#isPaused = true
        return pause(...args)
      }),
    ]
    if (this.#hasEnded) this.#stopAsking()
  }
  /** Whether all was read that there will be. */
  get isAtEnd(): boolean {
    const stream = this.#stream
    if (stream.readableLength > 0) return false
    return this.#hasEnded || stream.readableEnded || stateOf(stream)?.ended === true
  }
  /** Resolves when there may be something to read, an end or an error, or when woken. */
  ready(): Promise<void> {
    const stream = this.#stream
    // It may have told already, before anybody waited.
    if (stream.readableLength > 0 || this.isAtEnd || stream.destroyed) return Promise.resolve()
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
  /** Ends a wait. */
  wake(): void {
    this.#wake?.()
    this.#wake = undefined
  }
  /** Gives the stream back, with the bytes that were not consumed. */
  end(leftover: readonly Uint8Array[]): void {
    const stream = this.#stream
    for (const restore of this.#restore.toReversed()) restore()
    if (stream.destroyed) return
    for (const part of leftover.toReversed()) stream.unshift(part)
    if (this.#hasEnded) stream.push(null)
    if (this.#isPaused) return
    const isWanted = this.#wasFlowing === null && stream.listenerCount('data') > 0
    if (this.#wasFlowing === true || this.#isResumed || isWanted) stream.resume()
    else setFlowing(stream, this.#wasFlowing)
  }
  /** Whether an event is kept from the stream's listeners. */
  #onEvent(name: unknown): boolean {
    this.wake()
    return name === 'data' || name === 'readable'
  }
  /** A stream that does not know its end would be asked for bytes behind it. */
  #stopAsking(): void {
    this.#restore.push(override(this.#stream, '_read', () => undefined))
  }
  #end(): boolean {
    this.#hasEnded = true
    this.#stopAsking()
    this.wake()
    return false
  }
}

/** Not `pause()`: that would be seen by `isPaused()` and emit an event. */
export function setFlowing(stream: Readable, flowing: boolean | null): void {
  ;(stream as { readableFlowing: boolean | null }).readableFlowing = flowing
}

function stateOf(stream: Readable): State | undefined {
  return (stream as { readonly _readableState?: State })._readableState
}

type Method = (...args: unknown[]) => unknown

/** Puts a method before a stream's own. Returns how to take it away again. */
function override(
  stream: Readable,
  name: 'emit' | 'push' | 'resume' | 'pause' | '_read',
  method: (original: Method, ...args: unknown[]) => unknown,
): () => void {
  const own = Object.getOwnPropertyDescriptor(stream, name)
  const original = (stream[name] as Method).bind(stream)
  const value = (...args: unknown[]): unknown => method(original, ...args)
  Object.defineProperty(stream, name, { value, configurable: true, writable: true })
  return () => {
    if (own === undefined) Reflect.deleteProperty(stream, name)
    else Object.defineProperty(stream, name, own)
  }
}

import { Duplex, type Readable } from 'node:stream'
import { BufferList } from './buffer-list.js'
import { Collector } from './collector.js'
import { HELD, Held } from './held.js'
import { BRAND, gather, isBufferList, type BufferListAcceptedTypes } from './parts.js'
import { Scalars } from './scalars.js'

/** Called once: with the bytes at the end, or with the error of what is piped in. */
export type CollectedCallback = (error: Error | null, bytes?: Buffer) => void

/** The methods of a `BufferList`. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging, @typescript-eslint/no-empty-object-type -- They are there, see the end of this file.
export interface BufferListStream extends Collector {}

/**
 * bl's default export: a `BufferList` that is a Duplex stream too. What is written is collected; reading
 * takes the bytes off the front, and ends when none is left.
 *
 * **Use it** to move a program from bl to Splicelist by its imports. **Do not use it** in a new
 * program: a list's `spliceFrom` and `spliceTo` take streams, sockets and files, and move their pages.
 *
 * Chunks share the list's memory; only short segments (under 4 KiB) are joined into one chunk, counted.
 * Destroying it empties the list.
 */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- As above.
export class BufferListStream extends Duplex {
  /** @internal */
  [HELD] = new Held()
  /** @internal */
  readonly [BRAND] = true
  #callback: CollectedCallback | undefined

  /** For those who `require` the package: what they get is this class. */
  static readonly BufferList = BufferList
  /** For those who `require` the package: what they get is this class. */
  static readonly BufferListStream = BufferListStream
  /** Whether a value is a `BufferList` or a `BufferListStream`: of this package, or of bl. */
  static readonly isBufferList = isBufferList

  /** A stream that calls back once, or one that holds a part; nothing for what is falsy. */
  constructor(callbackOrPart?: CollectedCallback | BufferListAcceptedTypes) {
    super()
    if (typeof callbackOrPart === 'function') this.#callBack(callbackOrPart)
    else if (callbackOrPart) this.append(callbackOrPart)
  }
  /** @internal */
  _new(callbackOrPart?: CollectedCallback | BufferListAcceptedTypes): BufferListStream {
    return new BufferListStream(callbackOrPart)
  }
  /** Ends what is written; the callback gets all bytes, joined into one Buffer. */
  override end(chunk?: unknown, encoding?: unknown, callback?: unknown): this {
    super.end(chunk, encoding as BufferEncoding, callback as () => void)
    if (this.#callback !== undefined) this.#settle(null, this.slice())
    return this
  }

  /** @internal */
  override _write(chunk: unknown, _encoding?: string, callback?: (error?: Error) => void): void {
    gather(this[HELD], chunk)
    callback?.()
  }
  /** @internal */
  override _read(lengthMax: number): void {
    const held = this[HELD]
    const length = held.chunkLength(lengthMax)
    const chunk = length > 0 ? held.buffer(0, length) : null
    if (length > 0) held.consume(length)
    this.push(chunk)
  }
  /** @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.consume(this.length)
    callback(error)
  }

  #callBack(callback: CollectedCallback): void {
    this.#callback = callback
    const fail = (error: Error): void => this.#settle(error)
    this.on('pipe', (source: Readable) => source.on('error', fail))
    this.on('unpipe', (source: Readable) => source.off('error', fail))
  }
  #settle(...outcome: Parameters<CollectedCallback>): void {
    const callback = this.#callback
    this.#callback = undefined
    callback?.apply(this, outcome)
  }
}

// JavaScript has one base class to give, and that is Duplex. So the methods come by hand.
for (const { prototype } of [Scalars, Collector]) {
  const methods = Object.getOwnPropertyDescriptors(prototype)
  Reflect.deleteProperty(methods, 'constructor')
  Object.defineProperties(BufferListStream.prototype, methods)
}

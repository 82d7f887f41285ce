/**
 * The other end of a test: collects what arrives, and hands it out by the number of bytes.
 */
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import './warm-up.js'

/** Reads a stream from the moment it is made. An error ends it, and is kept. */
export class Collector {
  readonly #stream: Readable
  #chunks: Buffer[] = []
  #length = 0
  #arrived: (() => void) | undefined
  /** Why the stream ended, if not by its end. */
  error: NodeJS.ErrnoException | undefined
  isEnded = false

  constructor(stream: Readable) {
    this.#stream = stream
    stream.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk)
      this.#length += chunk.length
      this.#arrived?.()
    })
    stream.on('end', () => this.#stop())
    stream.on('close', () => this.#stop())
    // An accepted socket comes paused, and a listener does not change that.
    stream.resume()
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error
      this.#stop()
    })
  }
  /** Bytes that are here and were not taken. */
  get length(): number {
    return this.#length
  }
  /** The next `length` bytes, or fewer at the end. */
  async take(length: number): Promise<Buffer> {
    while (this.#length < length && !this.isEnded) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve
      })
    }
    const all = Buffer.concat(this.#chunks)
    const taken = all.subarray(0, length)
    this.#chunks = [all.subarray(length)]
    this.#length -= taken.length
    return taken
  }
  /** All that comes up to the end. */
  rest(): Promise<Buffer> {
    return this.take(Infinity)
  }
  /** Resolves when the stream has closed. */
  async closed(): Promise<void> {
    if (!this.#stream.closed) await once(this.#stream, 'close').catch(() => undefined)
  }
  #stop(): void {
    this.isEnded = true
    this.#arrived?.()
  }
}

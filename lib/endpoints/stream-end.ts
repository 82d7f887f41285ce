import type { Readable, Writable } from 'node:stream'
import { EAGAIN, ECONNABORTED, EPIPE } from '../errno.js'
import { UnsupportedEndpointError } from '../errors.js'
import { BufferList, segmentsOf } from '../list/buffer-list.js'
import type { Segments } from '../list/segments.js'
import { TURN_BYTES_MAX, type Obstacle, type SinkEnd, type SourceEnd } from './end.js'
import { partsToGiveBack } from './give-back.js'
import { errnoOf, standInFor } from './own-failure.js'
import { StreamReading } from './stream-reading.js'
import { Turns } from './turns.js'

/** Why a stream's bytes are copied. */
export const STREAM: Obstacle = {
  cause: 'stream',
  reason: 'A Node stream carries bytes only in memory',
  remedy: "Pass the socket or file behind it, or use mode 'auto', which copies",
}
/** Why a TLS socket's bytes are copied. */
export const TLS: Obstacle = {
  cause: 'stream',
  reason: 'TLS encrypts in the process, so every byte passes through its memory',
  remedy: "End TLS before this program, or use mode 'auto', which copies",
}

/** Why a terminal's bytes are copied. */
export const TERMINAL: Obstacle = {
  cause: 'stream',
  reason: 'A terminal carries bytes only by copies',
  remedy: "Redirect it to a file or a pipe, or use mode 'auto', which copies",
}

const readables = new WeakMap<Readable, ReadableEnd>()
const writables = new WeakMap<Writable, WritableEnd>()

/**
 * Any readable stream, by counted copy: Node has read its bytes into memory already.
 *
 * It is shared by all operations on the stream and taken over from its listeners until the last has
 * ended. An `attach` holds it for a conversation.
 */
export class ReadableEnd implements SourceEnd {
  readonly label = 'stream'
  readonly pages = 'owned'
  readonly batchBytes = TURN_BYTES_MAX
  readonly readTurns = new Turns()
  readonly front = new BufferList()
  readonly obstacle: Obstacle
  readonly #stream: Readable
  readonly #reading: StreamReading
  #users = 0

  private constructor(stream: Readable, obstacle: Obstacle) {
    if (stream.readableObjectMode || stream.readableEncoding !== null) {
      throw new UnsupportedEndpointError(
        'This stream gives objects or strings, not bytes',
        'Pass a stream in binary mode, on which setEncoding() was not called',
      )
    }
    this.#stream = stream
    this.#reading = new StreamReading(stream)
    this.obstacle = obstacle
  }
  /** The end of a stream, for one more user, who calls `close` once. */
  static of(stream: Readable, obstacle: Obstacle): ReadableEnd {
    const end = readables.get(stream) ?? new ReadableEnd(stream, obstacle)
    readables.set(stream, end)
    end.#users += 1
    return end
  }
  get error(): unknown {
    return this.#stream.errored
  }
  startReading(): void {
    // It was taken over when this was made.
  }
  stopReading(): void {
    // The stream keeps what was not read.
  }
  fill(): number {
    throw new Error('A stream has no pages')
  }
  read(lengthBytes: number): Uint8Array | number {
    const stream = this.#stream
    const there = stream.readableLength
    const chunk: unknown = stream.read(there > 0 ? Math.min(lengthBytes, there) : undefined)
    if (chunk instanceof Uint8Array) {
      if (chunk.length <= lengthBytes) return chunk
      stream.unshift(chunk.subarray(lengthBytes))
      return chunk.subarray(0, lengthBytes)
    }
    if (stream.errored != null) {
      return -errnoOf(stream.errored, standInFor(stream))
    }
    if (this.#reading.isAtEnd) return 0
    return stream.destroyed ? -ECONNABORTED : -EAGAIN
  }
  readable(): Promise<void> {
    return this.#reading.ready()
  }
  takeBack(segments: Segments): boolean {
    segmentsOf(this.front).unshiftAll(segments)
    return true
  }
  wakeReader(): void {
    this.#reading.wake()
  }
  /** Gives the stream back what was pulled and not consumed. */
  close(): void {
    // It throws where bytes cannot be given back: the stream stays taken over then, as a whole.
    const leftover = this.#users > 1 ? [] : partsToGiveBack(this.#stream, this.front)
    this.#users -= 1
    if (this.#users > 0) return
    readables.delete(this.#stream)
    this.#reading.end(leftover)
    this.front.release()
  }
}

/**
 * Any writable stream but a socket, by counted copy. It may keep what it is given, so it is given
 * memory.
 *
 * Its queue is not taken over, because a stream may buffer what it is given until somebody reads
 * from it, so that a turn in it would have no end: a send is handed to it a megabyte at a time, and a
 * `write()` of somebody else's meanwhile lands between two of them. Await the send first.
 */
export class WritableEnd implements SinkEnd {
  readonly label = 'stream'
  readonly pageCopies = undefined
  readonly batchBytes = TURN_BYTES_MAX
  readonly memoryCopies = undefined
  readonly writeTurns = new Turns()
  readonly obstacle: Obstacle
  readonly #stream: Writable
  /** What a write failed with, of a stream that does not keep its error. */
  #error: unknown
  #wake: (() => void) | undefined

  private constructor(stream: Writable, obstacle: Obstacle) {
    if (stream.writableObjectMode) {
      throw new UnsupportedEndpointError(
        'This stream takes objects, not bytes',
        'Pass a stream in binary mode',
      )
    }
    this.#stream = stream
    this.obstacle = obstacle
  }
  /** The end of a stream, for as many users as there are: they take turns. */
  static of(stream: Writable, obstacle: Obstacle): WritableEnd {
    const end = writables.get(stream) ?? new WritableEnd(stream, obstacle)
    writables.set(stream, end)
    return end
  }
  get error(): unknown {
    return this.#stream.errored ?? this.#error
  }
  get lostErrno(): number {
    const stream = this.#stream
    if (stream.errored != null) return errnoOf(stream.errored, EPIPE)
    return stream.destroyed ? EPIPE : 0
  }
  startWriting(): void {
    // The stream queues.
  }
  stopWriting(): number {
    // Ending the stream is its owner's.
    return 0
  }
  drain(): number {
    throw new Error('A stream takes no pages')
  }
  async write(parts: readonly Uint8Array[], skipBytes: number): Promise<number> {
    const stream = this.#stream
    if (this.lostErrno !== 0) return -this.lostErrno
    if (stream.writableEnded) return -EPIPE
    const [first, ...rest] = parts
    const views = first === undefined ? [] : [first.subarray(skipBytes), ...rest]
    return this.#writeAll(views)
  }
  writable(): Promise<void> {
    return Promise.resolve()
  }
  wakeWriter(): void {
    this.#wake?.()
  }
  close(): void {
    // Nothing was taken over.
  }
  /**
   * Resolves when the stream has taken all views, or with the bytes before the first that failed. A
   * write that is given up half-way stays in the stream's own queue, so it counts as taken.
   */
  #writeAll(views: readonly Uint8Array[]): Promise<number> {
    const stream = this.#stream
    return new Promise((resolve) => {
      let accepted = 0
      let waiting = views.length
      let isSettled = false
      const settle = (count: number): void => {
        // Late callbacks of a write that was given up must not touch the next one's wake.
        if (isSettled) return
        isSettled = true
        this.#wake = undefined
        stream.off('error', onError)
        stream.off('close', onClose)
        resolve(count)
      }
      const fail = (errno: number): void => settle(accepted > 0 ? accepted : -errno)
      const onError = (error: Error): void => {
        this.#error = error
        fail(errnoOf(error, EPIPE))
      }
      const onClose = (): void => fail(ECONNABORTED)
      this.#wake = () => settle(views.reduce((sum, view) => sum + view.length, 0))
      stream.on('error', onError)
      stream.once('close', onClose)
      for (const view of views) {
        stream.write(view, (error) => {
          if (error != null) return onError(error)
          accepted += view.length
          if (--waiting === 0) settle(accepted)
        })
      }
      if (waiting === 0) settle(0)
    })
  }
}

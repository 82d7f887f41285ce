import { setImmediate as nextRound } from 'node:timers/promises'
import { beginOperation } from '../audit/observers.js'
import { listenForAbort } from '../abort.js'
import { checkLength } from '../arguments.js'
import type { PullOptions } from '../contract.js'
import { TURN_BYTES_MAX } from '../endpoints/end.js'
import { AbortError, InvalidArgumentError, setResidual, TransferError } from '../errors.js'
import { after, type Eventually } from '../eventually.js'
import type { BufferList } from '../list/buffer-list.js'
import { listOf } from '../list/buffer-list.js'
import type { Source } from '../list/endpoint.js'
import { checkPull } from './checks.js'
import { openChunks, type ChunkOptions, type Chunks } from './chunks.js'
import { hear } from './hearing.js'
import type { Pulled } from './pull.js'
import { inTurn } from './turn.js'

/**
 * Bytes that a list of `lists` has at the most: one turn of the machine, and one large pipe. Moved from
 * TCP to TCP in lists of 64 KiB, 256 KiB, 1 MiB and 4 MiB a GB took 1.6, 0.9, 0.45 and 0.31 CPU seconds:
 * above this the rest is small, and each loop would pin four times the pages.
 */
export const LIST_BYTES_DEFAULT = 1 << 20

/** What `lists` takes besides its source. */
export interface ListsOptions extends PullOptions {
  /**
   * Bytes that a list has at least, but for the last. Default 1: what is there, so that nobody waits
   * for bytes that the sender has not sent.
   */
  readonly atLeast?: number
  /** Bytes that a list has at the most. Default 1 MiB. */
  readonly chunkBytes?: number
}

/**
 * The bytes of a source as lists, one after another, to its end: a loop over a stream that stays in
 * the kernel. Each list is yours to release (`using`).
 *
 * Nothing is pulled before it is asked for, so the loop's pace is the source's back-pressure; the
 * source is opened when a loop begins. However the loop ends (`break`, `return`, a throw), the source
 * is given back with all that was not pulled: a socket to Node, a handle with its position behind
 * the last list. An endpoint stays attached, and takes `unpull` of what a list has left. Files give
 * extents, or pages with `hold: 'pages'`. A list given as the source is consumed.
 *
 * When the source fails, the loop throws a `TransferError`, which hands out what had come for a list
 * that was not complete (`takeResidual()`); on an abort that is given back to the source. A file that
 * becomes shorter than it was when the loop began has failed (ENODATA). Where bytes are always at hand,
 * the event loop has a turn each megabyte.
 *
 * ```ts
 * import { lists } from 'splicelist'
 * let bytes = 0
 * for await (using list of lists({ file: 'from' }, { chunkBytes: 8 })) bytes += list.length
 * console.log(bytes) // 19
 * ```
 */
export function lists(source: Source, options: ListsOptions = {}): AsyncIterable<BufferList> {
  return { [Symbol.asyncIterator]: () => new ListIterator(source, options) }
}

/** One loop: a generator whose wait for the source ends when the consumer leaves. */
class ListIterator implements AsyncIterator<BufferList, undefined> {
  readonly #leaving = new AbortController()
  readonly #lists: AsyncGenerator<BufferList, undefined>
  #hasLeft = false

  constructor(source: Source, options: ListsOptions) {
    this.#lists = this.#run(source, options)
  }
  next(): Promise<IteratorResult<BufferList, undefined>> {
    return beginOperation(() => this.#lists.next())
  }
  return(): Promise<IteratorResult<BufferList, undefined>> {
    this.#hasLeft = true
    this.#leaving.abort()
    return this.#lists.return(undefined)
  }

  async *#run(source: Source, options: ListsOptions): AsyncGenerator<BufferList, undefined> {
    const { chunkBytes = LIST_BYTES_DEFAULT, signal } = options
    checkLists(chunkBytes, options)
    // One that stays makes those of the pulls cheap.
    const unlistenOwn = listenForAbort(this.#leaving.signal, () => undefined)
    const unlisten =
      signal && listenForAbort(signal, () => this.#leaving.abort(signal.reason as unknown))
    const heard = hear([source])
    let told: readonly unknown[] = []
    try {
      yield* this.#open(source, chunkBytes, options)
    } catch (error) {
      told = [source]
      // Who has left waits for nothing more, and was given back what came.
      if (!this.#hasLeft || !(error instanceof AbortError)) throw error
    } finally {
      unlisten?.()
      unlistenOwn()
      heard?.(told)
    }
    return undefined
  }
  async *#open(
    source: Source,
    chunkBytes: number,
    options: ListsOptions,
  ): AsyncGenerator<BufferList, undefined> {
    const { signal } = this.#leaving
    const chunks = await openChunks(source, { ...options, signal })
    let pulledBytes = 0
    let turnBytes = 0
    const onProgress = (bytes: number): void => options.onProgress?.(pulledBytes + bytes)
    try {
      for (;;) {
        if (turnBytes >= TURN_BYTES_MAX) {
          // A source that is always ready leaves others their turn.
          turnBytes = 0
          await nextRound()
        }
        // What is there at once is pulled without a look at the signal.
        if (signal.aborted) throw new AbortError(0, signal.reason)
        const atLeast = options.atLeast ?? 1
        const list = await pullList(chunks, chunkBytes, { ...options, atLeast, signal, onProgress })
        if (list.length === 0) return undefined
        pulledBytes += list.length
        turnBytes += list.length
        yield list
      }
    } finally {
      chunks.close()
    }
  }
}

/** The next list; empty at the end. */
async function pullList(
  chunks: Chunks,
  length: number,
  options: ChunkOptions,
): Promise<BufferList> {
  // Within the turn: a pull that waits behind this one must find the bytes again.
  const pull = (): Eventually<Pulled> =>
    after(chunks.pull(length, options), (pulled) => withRest(chunks, pulled))
  const { turns } = chunks
  const { segments, error } = await (turns === undefined
    ? pull()
    : inTurn(turns, options.signal, pull))
  if (error !== undefined) throw error
  return listOf(segments)
}

/** What had come before a failure is in its error; before an abort, in the source again. */
function withRest(chunks: Chunks, { segments, error }: Pulled): Pulled {
  if (error === undefined || segments.length === 0) return { segments, error }
  const isFailure = error instanceof TransferError
  if (!isFailure && chunks.takeBack(segments)) return { segments, error }
  const rest = listOf(segments.moveOut())
  if (!isFailure) return { segments, error: new AbortError(rest.length, causeOf(error), rest) }
  setResidual(error, rest)
  return { segments, error }
}

function causeOf(error: Error): unknown {
  return error instanceof AbortError ? error.cause : error
}

function checkLists(chunkBytes: number, options: ListsOptions): void {
  checkLength('chunkBytes', chunkBytes)
  if (chunkBytes === 0) {
    throw new InvalidArgumentError('chunkBytes must be at least 1: lists without bytes never end')
  }
  checkPull(chunkBytes, options)
}

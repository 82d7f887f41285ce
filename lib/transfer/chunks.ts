/**
 * A source that is pulled many times, chunk by chunk: what `lists` and `fanOut` stand on.
 */
import type { PullOptions } from '../contract.js'
import { leftBytesOf, type SourceEnd } from '../endpoints/end.js'
import { FileEnd } from '../endpoints/file-end.js'
import { oneWay, type Ends } from '../endpoints/recognize.js'
import { SocketEnd } from '../endpoints/socket-end.js'
import type { Turns } from '../endpoints/turns.js'
import { TransferError } from '../errors.js'
import type { Eventually } from '../eventually.js'
import { BufferList, segmentsOf, takeSegments } from '../list/buffer-list.js'
import type { Source } from '../list/endpoint.js'
import { Segments } from '../list/segments.js'
import { windowOf } from '../list/window.js'
import { takeExtent } from './extent.js'
import { openEnds, placeOptions } from './open.js'
import { preparePull, type Pulled, type Pulling, type PullStep } from './pull.js'

/** What a chunk is pulled with. */
export type ChunkOptions = Pick<
  PullStep,
  'signal' | 'mode' | 'intended' | 'hold' | 'atLeast' | 'onProgress' | 'isDry'
>

/** A source that stays open, and taken over from its owner, until it is closed. */
export interface Chunks {
  /** Whether it is a list, which has what was not used, whatever happened. */
  readonly isList: boolean
  /** Whether bytes come out of it as they came in: not by pages or parts, which chunks of another size cut. */
  readonly isStream: boolean
  /** Turns at the source; undefined where there is nobody to wait for. */
  readonly turns: Turns | undefined
  /** The next bytes: no error and none at the end. Within the source's turn. */
  pull(length: number, options: ChunkOptions): Eventually<Pulled>
  /** Bytes that are left for certain. */
  leftBytes(): number
  /** Whether a small pull that may be read is: of a place whose reads take no time. */
  readonly readsSmall: boolean
  /** Ends a pull that waits, where it is. */
  stop(): void
  /** Takes back what was pulled last, within the turn. False where it cannot; the bytes stay. */
  takeBack(segments: Segments): boolean
  /** Gives the source back to its owner, with what was not pulled. */
  close(): void
}

/** Opens a source for many pulls. Rejects with a typed error before any byte moves. */
export async function openChunks(
  source: Source,
  options: Pick<PullOptions, 'offset' | 'signal'>,
): Promise<Chunks> {
  if (BufferList.isBufferList(source)) return new ListChunks(source)
  const opened = await openEnds(source, placeOptions(false, options))
  try {
    return new EndChunks(opened.ends, opened.close)
  } catch (error) {
    opened.close()
    throw error
  }
}

/** A list gives its own bytes: it is consumed. */
class ListChunks implements Chunks {
  readonly isList = true
  readonly isStream = false
  readonly readsSmall = false
  readonly turns = undefined
  readonly #list: BufferList

  constructor(list: BufferList) {
    // Throws for one that was released, or has a hole, before anything else is opened.
    takeSegments(list, 0)
    this.#list = list
  }
  leftBytes(): number {
    return this.#list.length
  }
  pull(length: number, options: ChunkOptions): Pulled {
    return tell(takeSegments(this.#list, Math.min(length, this.#list.length)), options)
  }
  stop(): void {
    // It never waits.
  }
  takeBack(segments: Segments): boolean {
    if (this.#list.isReleased) segments.clear()
    else segmentsOf(this.#list).unshiftAll(segments)
    return true
  }
  close(): void {
    // The caller's.
  }
}

/** A place. Files give extents unless pages are asked for. */
export class EndChunks implements Chunks {
  readonly isList = false
  readonly end: SourceEnd
  readonly #close: () => void
  #pulling: Pulling | undefined
  /** The size of a file before the first chunk, in bytes: what is cut off later is an error. */
  #sizeAtStart: number | undefined

  constructor({ source }: Ends, close: () => void) {
    if (source === undefined) throw oneWay(false)
    this.end = source
    // Or Node would read between two pulls, into memory.
    if (source instanceof SocketEnd) source.holdReading()
    this.#close = close
  }
  get isStream(): boolean {
    return !(this.end instanceof FileEnd)
  }
  get turns(): Turns {
    return this.end.readTurns
  }
  leftBytes(): number {
    return leftBytesOf(this.end)
  }
  pull(length: number, options: ChunkOptions): Eventually<Pulled> {
    const { end } = this
    return end instanceof FileEnd
      ? this.#pullFile(end, length, options)
      : this.#pull(length, options)
  }
  get readsSmall(): boolean {
    return this.end.readNow !== undefined
  }
  stop(): void {
    this.#pulling?.abort()
  }
  takeBack(segments: Segments): boolean {
    return this.end.takeBack(segments)
  }
  close(): void {
    try {
      if (this.end instanceof SocketEnd) this.end.releaseReading()
    } finally {
      this.#close()
    }
  }
  #pull(length: number, options: PullStep): Eventually<Pulled> {
    this.#pulling = preparePull(this.end, length, options)
    return this.#pulling.run()
  }
  #pullFile(end: FileEnd, length: number, options: ChunkOptions): Eventually<Pulled> {
    const sizeAtStart = (this.#sizeAtStart ??= end.file.sizeBytes())
    const extent = takeExtent(end, length, options)
    if (extent === undefined) return this.#pull(length, { ...options, sizeAtStart })
    const segments = new Segments()
    segments.push(windowOf(extent))
    const isShort = segments.length < (options.atLeast ?? length)
    const errno = isShort ? end.endedAt(sizeAtStart) : 0
    const told = tell(segments, options)
    return errno === 0 || told.error !== undefined
      ? told
      : { segments, error: cutShort(errno, segments) }
  }
}

/** The failure of a file that was cut where an extent was to begin or to go on. */
function cutShort(errno: number, { length }: Segments): TransferError {
  return new TransferError({ side: 'source', errno, syscall: 'fstat', bytesMoved: length })
}

/** Reports what was taken without the machine. What the callback throws stops the operation. */
function tell(segments: Segments, { onProgress }: ChunkOptions): Pulled {
  try {
    if (segments.length > 0) onProgress?.(segments.length)
    return { segments, error: undefined }
  } catch (error) {
    return { segments, error: error as Error }
  }
}

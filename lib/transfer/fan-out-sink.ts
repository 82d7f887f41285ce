import type { SinkResult } from '../contract.js'
import { EAGAIN, type SinkEnd } from '../endpoints/end.js'
import type { Eventually } from '../eventually.js'
import { AbortError, TransferError } from '../errors.js'
import { Segments } from '../list/segments.js'
import type { Parcel } from '../raw/parcel.js'
import { EndSink } from './end-sides.js'
import { asTransferError } from './failure.js'
import { ListSource } from './list-sides.js'
import { Machine } from './machine.js'
import type { Plan } from './plan.js'

/** Linux's ENOBUFS: a sink is a whole window behind. */
const ENOBUFS = 105

/** Chunks on their way to one sink: a list that waits for more until it is told that it ends. */
class ChunkQueue extends ListSource {
  readonly #chunks: Segments
  #isEnded = false
  #wake: (() => void) | undefined

  constructor(chunks: Segments, plan: Plan) {
    super(chunks, true, plan)
    this.#chunks = chunks
  }
  add(segments: Segments): void {
    this.#chunks.pushAll(segments)
    this.wake()
  }
  end(): void {
    this.#isEnded = true
    this.wake()
  }
  override load(length: number): Eventually<Parcel | number> {
    if (this.length > 0) return super.load(length)
    return this.#isEnded ? 0 : -EAGAIN
  }
  override ready(): Promise<void> {
    if (this.length > 0 || this.#isEnded) return Promise.resolve()
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
  override wake(): void {
    this.#wake?.()
    this.#wake = undefined
  }
}

/**
 * One sink of a fan-out: a send of its own, from the first byte to the last in one turn at the place,
 * fed with chunks that it shares with the other sinks.
 */
export class FanOutSink {
  readonly end: SinkEnd
  readonly #queue: ChunkQueue
  readonly #machine: Machine
  readonly #stop = new AbortController()
  #error: TransferError | undefined
  #isDropped = false
  #onAccepted: (() => void) | undefined

  /** Throws where the sink takes no bytes by the plan's mode. */
  constructor(end: SinkEnd, plan: Plan) {
    this.end = end
    plan.meet(end.obstacle)
    // A sink that copies pages when it takes them keeps what they were.
    if (plan.isStable && end.pageCopies === undefined) plan.keepOnlyOwned()
    this.#queue = new ChunkQueue(new Segments(), plan)
    this.#machine = new Machine({
      source: this.#queue,
      sink: new EndSink(end, plan),
      plan,
      length: Infinity,
      atLeast: Infinity,
      more: false,
      options: { signal: this.#stop.signal, onProgress: () => this.#onAccepted?.() },
    })
  }
  /** Bytes that it has accepted. */
  get accepted(): number {
    return this.#machine.bytesMoved
  }
  /** Whether it was neither dropped nor failed. */
  get isLive(): boolean {
    return this.#error === undefined && !this.#isDropped
  }
  get result(): SinkResult {
    const bytesMoved = this.accepted
    return this.#error === undefined ? { bytesMoved } : { bytesMoved, error: this.#error }
  }
  /**
   * Sends until it was told to end, or is stopped: then resolves with undefined. Resolves with the
   * error in its record when the sink failed or was dropped; rejects with what is neither.
   */
  async run(windowBytes: number, onAccepted: () => void): Promise<TransferError | undefined> {
    this.#onAccepted = onAccepted
    const error = await this.#machine.run()
    if (this.#isDropped) this.#error = tooSlow(this.accepted, windowBytes)
    else if (error !== undefined && !(error instanceof AbortError)) {
      this.#error = asTransferError('sink', error, this.accepted)
    }
    return this.#error
  }
  /** More to send; takes the references over. */
  add(segments: Segments): void {
    this.#queue.add(segments)
  }
  /** Nothing follows. */
  finish(): void {
    this.#queue.end()
  }
  /** Ends the send where it is. */
  stop(): void {
    this.#stop.abort()
  }
  /** Ends the send because it holds the others up. */
  drop(): void {
    this.#isDropped = true
    this.stop()
  }
  /** What it was to send and has not accepted. After `run`. */
  takeRest(): Segments {
    return this.#queue.takeRest()
  }
}

function tooSlow(bytesMoved: number, windowBytes: number): TransferError {
  return new TransferError({
    side: 'sink',
    errno: ENOBUFS,
    syscall: 'splice',
    bytesMoved,
    detail: `It was a window of ${windowBytes} bytes behind while others waited`,
  })
}

import { transfers } from '../audit/channels.js'
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
import type { Offer } from './offer.js'
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
  /** Whether somebody waits for more. */
  get isAwaited(): boolean {
    return this.#wake !== undefined
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
 *
 * A socket or a pipe is offered each chunk before the next is pulled. While it takes all of them at
 * once there is no machine: that runs from the first byte on that is left.
 */
export class FanOutSink {
  readonly end: SinkEnd
  readonly #queue: ChunkQueue
  readonly #sink: EndSink
  readonly #machine: Machine
  #error: TransferError | undefined
  #isDropped = false
  #onAccepted: (() => void) | undefined
  /** Begins or ends what waits for a need of the machine; undefined once it runs or is over. */
  #decide: ((isNeeded: boolean) => void) | undefined

  /** Throws where the sink takes no bytes by the plan's mode. */
  constructor(end: SinkEnd, plan: Plan) {
    this.end = end
    plan.meet(end.obstacle)
    // A sink that copies pages when it takes them keeps what they were.
    if (plan.isStable && end.pageCopies === undefined) plan.keepOnlyOwned()
    this.#queue = new ChunkQueue(new Segments(), plan)
    this.#sink = new EndSink(end, plan)
    this.#machine = new Machine({
      source: this.#queue,
      sink: this.#sink,
      plan,
      length: Infinity,
      atLeast: Infinity,
      more: false,
      options: { onProgress: () => this.#onAccepted?.() },
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
    const isNeeded = !this.#takesOffers() || (await this.#untilNeeded())
    const error = isNeeded ? await this.#machine.run() : undefined
    if (this.#isDropped) this.#error = tooSlow(this.accepted, windowBytes)
    else if (error !== undefined && !(error instanceof AbortError)) {
      this.#error ??= asTransferError('sink', error, this.accepted)
    }
    return this.#error
  }
  /**
   * Sends what it takes at once of the front of a chunk, if nothing waits before that. Returns how many
   * bytes; the rest is to be added.
   */
  offer(offer: Offer): number {
    if (this.#decide === undefined && !this.#queue.isAwaited) return 0
    if (!this.isLive || this.#queue.length > 0) return 0
    const { bytes, errno } = this.#sink.offer(offer)
    this.#machine.passed(bytes)
    if (errno !== 0 && errno !== EAGAIN) this.#fail(errno, offer)
    return bytes
  }
  /** More to send; takes the references over. */
  add(segments: Segments): void {
    this.#queue.add(segments)
    this.#settle(true)
  }
  /** Nothing follows. */
  finish(): void {
    this.#queue.end()
    this.#settle(false)
  }
  /** Ends the send where it is. */
  stop(): void {
    this.#machine.abort()
    this.#settle(false)
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
  /** Whether it is a place that bytes may be offered to, and was found open. */
  #takesOffers(): boolean {
    // They are told of each machine's end.
    if (transfers.hasSubscribers) return false
    const kind = this.end.directSink?.kind
    return kind === 'socket' || kind === 'pipe'
  }
  #untilNeeded(): Promise<boolean> {
    return new Promise((resolve) => (this.#decide = resolve))
  }
  #settle(isNeeded: boolean): void {
    const decide = this.#decide
    this.#decide = undefined
    decide?.(isNeeded)
  }
  #fail(errno: number, { pages }: Offer): void {
    const syscall = pages === undefined ? 'write' : 'splice'
    const failure = { side: 'sink', errno: -errno, syscall, bytesMoved: this.accepted } as const
    this.#error = new TransferError(failure)
    void this.end.stopWriting(errno)
    this.stop()
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

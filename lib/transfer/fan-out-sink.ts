import { transfers } from '../audit/channels.js'
import type { SinkResult } from '../contract.js'
import type { DirectPlace } from '../endpoints/direct.js'
import { EAGAIN, type SinkEnd } from '../endpoints/end.js'
import type { Eventually } from '../eventually.js'
import { AbortError, TransferError } from '../errors.js'
import { Segments } from '../list/segments.js'
import { MemoryParcel, type Parcel } from '../raw/parcel.js'
import type { PageOwnership } from '../raw/raw.js'
import { EndSink } from './end-sides.js'
import { asTransferError } from './failure.js'
import { ListSource } from './list-sides.js'
import { Machine } from './machine.js'
import type { Taker } from './offer.js'
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
export class FanOutSink implements Taker {
  readonly end: SinkEnd
  readonly #plan: Plan
  readonly #queue: ChunkQueue
  readonly #sink: EndSink
  readonly #machine: Machine
  #error: TransferError | undefined
  #isDropped = false
  #isBroken = false
  #onAccepted: (() => void) | undefined
  /** Begins or ends what waits for a need of the machine; undefined once it runs or is over. */
  #decide: ((isNeeded: boolean) => void) | undefined

  /** Throws where the sink takes no bytes by the plan's mode. */
  constructor(end: SinkEnd, plan: Plan) {
    this.end = end
    this.#plan = plan
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
    if (!isNeeded) void this.#sink.stop(0)
    if (this.#isDropped) this.#error = tooSlow(this.accepted, windowBytes)
    else if (error !== undefined && !(error instanceof AbortError)) {
      this.#error = asTransferError('sink', error, this.accepted)
    }
    return this.#error
  }
  placeFor(pages: PageOwnership | null): DirectPlace | undefined {
    return this.#isIdle ? this.#sink.placeFor(pages) : undefined
  }
  tookPages(place: DirectPlace, bytes: number, heldBytes: number, errno: number): void {
    this.#machine.passed(bytes)
    if (bytes > 0) this.#sink.cameDirectly(bytes, 'splice', place)
    // With nothing left over it is the tee's: who tees again meets it where it belongs.
    if (heldBytes === 0 || errno === 0 || errno === EAGAIN) return
    try {
      if (!this.#plan.fallsBack(-errno, 'splice')) this.#break({ errno, syscall: 'splice' })
    } catch (error) {
      this.#break(error as Error)
    }
  }
  takeMemory(parts: readonly Uint8Array[], more: boolean): number {
    if (!this.#isIdle || this.#sink.placeAtOnce === undefined) return 0
    try {
      const pushed = this.#sink.push(new MemoryParcel([...parts]), more)
      if (typeof pushed !== 'number') throw new Error(`${this.end.label} takes time for memory`)
      const bytes = Math.max(0, pushed)
      this.#machine.passed(bytes)
      if (pushed < 0 && pushed !== -EAGAIN) this.#break({ errno: -pushed, syscall: 'write' })
      return bytes
    } catch (error) {
      this.#break(error as Error)
      return 0
    }
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
  /** Whether it may be offered bytes before there is a need for the machine. Starts it then. */
  #takesOffers(): boolean {
    // Subscribers are told of each machine's end.
    if (this.#sink.placeAtOnce === undefined || transfers.hasSubscribers) return false
    try {
      return this.#sink.start() === undefined
    } catch {
      // The machine meets it again.
      return false
    }
  }
  /** Whether nothing waits before what it is offered. */
  get #isIdle(): boolean {
    if (this.#isBroken || this.#isDropped || this.#queue.length > 0) return false
    return this.#decide !== undefined || this.#queue.isAwaited
  }
  #untilNeeded(): Promise<boolean> {
    return new Promise((resolve) => (this.#decide = resolve))
  }
  #settle(isNeeded: boolean): void {
    const decide = this.#decide
    this.#decide = undefined
    decide?.(isNeeded)
  }
  /** Ends it for what went wrong with an offer: the machine tells it, when it has ended. */
  #break(why: Error | { readonly errno: number; readonly syscall: string }): void {
    this.#isBroken = true
    this.#machine.breakOff(why)
    this.#settle(true)
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

import { transfers } from '../audit/channels.js'
import type { SinkResult } from '../contract.js'
import type { DirectPlace, Relayed } from '../endpoints/direct.js'
import type { SinkEnd } from '../endpoints/end.js'
import { burstBytesOf, isPaced, packetBytesOf } from '../endpoints/packets.js'
import { EAGAIN, ENOBUFS } from '../errno.js'
import type { Eventually } from '../eventually.js'
import { AbortError, TransferError } from '../errors.js'
import { Segments } from '../list/segments.js'
import type { Parcel } from '../raw/parcel.js'
import type { PageOwnership } from '../raw/raw.js'
import { EndSink } from './end-sides.js'
import { asTransferError } from './failure.js'
import { ListSource } from './list-sides.js'
import { Machine } from './machine.js'
import type { Taker } from './offer.js'
import type { Plan } from './plan.js'

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

/** What a sink has to send by itself, and the machine that does. */
class Send {
  readonly queue: ChunkQueue
  readonly machine: Machine

  constructor(sink: EndSink, plan: Plan, onProgress: () => void) {
    this.queue = new ChunkQueue(new Segments(), plan)
    this.machine = new Machine({
      source: this.queue,
      sink,
      plan,
      length: Infinity,
      atLeast: Infinity,
      more: false,
      options: { onProgress },
    })
  }
}

/** What a sink of a fan-out tells. */
export interface FanOutListener {
  /** It has to be run from here on, once. */
  readonly needed: () => void
  /** It has accepted bytes while it runs. */
  readonly accepted: () => void
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
  readonly #sink: EndSink
  #send: Send | undefined
  /** Bytes that it has taken without a machine. */
  #offeredBytes = 0
  #error: TransferError | undefined
  #isTakingOffers = false
  #isRun = false
  #isStopped = false
  #isDropped = false
  #listener: FanOutListener | undefined

  /** Throws where the sink takes no bytes by the plan's mode. */
  constructor(end: SinkEnd, plan: Plan) {
    this.end = end
    this.#plan = plan
    plan.meet(end.obstacle)
    // A sink that copies pages when it takes them keeps what they were.
    if (plan.isStable && end.pageCopies === undefined) plan.keepOnlyOwned()
    this.#sink = new EndSink(end, plan)
  }
  /** Bytes that it has accepted. */
  get accepted(): number {
    return this.#send?.machine.bytesMoved ?? this.#offeredBytes
  }
  /** Whether it was neither dropped nor failed. */
  get isLive(): boolean {
    return this.#error === undefined && !this.#isDropped
  }
  get result(): SinkResult {
    const bytesMoved = this.accepted
    return this.#error === undefined ? { bytesMoved } : { bytesMoved, error: this.#error }
  }
  /** The most that one packet of its place takes, where it spaces them; else 0. */
  get pacedPacketBytes(): number {
    const place = this.#sink.placeAtOnce
    return place !== undefined && isPaced(place) ? packetBytesOf(place) : 0
  }
  /** Begins; perhaps it has to be run at once. */
  begin(listener: FanOutListener): void {
    this.#listener = listener
    this.#isTakingOffers = this.#takesOffers()
    if (!this.#isTakingOffers) this.#beRun()
  }
  /**
   * Sends until it was told to end, or is stopped: then resolves with undefined. Resolves with the
   * error in its record when the sink failed or was dropped; rejects with what is neither.
   */
  async run(windowBytes: number): Promise<TransferError | undefined> {
    const error = await this.#needed().machine.run()
    if (this.#isDropped) this.#error = tooSlow(this.accepted, windowBytes)
    else if (error !== undefined && !(error instanceof AbortError)) {
      this.#error = asTransferError('sink', error, this.accepted)
    }
    return this.#error
  }
  placeFor(pages: PageOwnership | null): DirectPlace | undefined {
    return this.#isIdle ? this.#sink.placeFor(pages) : undefined
  }
  burstBytes(place: DirectPlace, lengthBytes: number): number {
    return burstBytesOf(place, lengthBytes)
  }
  tookPages(place: DirectPlace, { bytes, heldBytes, errno }: Relayed): void {
    this.#passed(bytes)
    if (bytes > 0) this.#sink.cameDirectly(bytes, 'splice', place)
    // With nothing left over it is the tee's: who tees again meets it where it belongs.
    if (heldBytes === 0 || errno === 0 || errno === EAGAIN) return
    try {
      if (!this.#plan.fallsBack(-errno, 'splice')) this.#break({ errno, syscall: 'splice' })
    } catch (error) {
      this.#break(error as Error)
    }
  }
  placeForMemory(): DirectPlace | undefined {
    return this.#isIdle ? this.#sink.placeAtOnce : undefined
  }
  tookMemory(bytes: number): void {
    if (bytes > 0) {
      this.#passed(bytes)
      this.#sink.cameFromMemory(bytes)
    } else if (bytes < 0 && bytes !== -EAGAIN) this.#break({ errno: -bytes, syscall: 'write' })
  }
  /** More to send; takes the references over. */
  add(segments: Segments): void {
    this.#needed().queue.add(segments)
    this.#beRun()
  }
  /** Whether its place has failed or closed: it takes no more. */
  get isLost(): boolean {
    return this.#sink.lostErrno !== 0
  }
  /** Its place is lost: while nothing comes from the source nobody else would look. */
  over(): void {
    this.#needed().machine.sinkOver()
    this.#beRun()
  }
  /** Nothing follows. */
  finish(): void {
    if (this.#send === undefined) void this.#sink.stop(0)
    else this.#send.queue.end()
  }
  /** Ends the send where it is. */
  stop(): void {
    this.#isStopped = true
    this.#send?.machine.abort()
  }
  /** Ends the send because it holds the others up. */
  drop(): void {
    this.#isDropped = true
    this.stop()
  }
  /** What it was to send by itself and has not accepted. After `run`. */
  takeRest(): Segments | undefined {
    return this.#send?.queue.takeRest()
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
    if (this.#isStopped) return false
    if (this.#send === undefined) return this.#isTakingOffers
    // A machine that was broken off waits for nothing any more.
    return this.#send.queue.length === 0 && this.#send.queue.isAwaited
  }
  #passed(bytes: number): void {
    if (this.#send === undefined) this.#offeredBytes += bytes
    else this.#send.machine.passed(bytes)
  }
  #needed(): Send {
    if (this.#send !== undefined) return this.#send
    const send = new Send(this.#sink, this.#plan, () => this.#listener?.accepted())
    send.machine.passed(this.#offeredBytes)
    if (this.#isStopped) send.machine.abort()
    this.#send = send
    return send
  }
  #beRun(): void {
    if (this.#isRun) return
    this.#isRun = true
    this.#listener?.needed()
  }
  /** Ends it for what went wrong with an offer: the machine tells it, when it has ended. */
  #break(why: Error | { readonly errno: number; readonly syscall: string }): void {
    this.#needed().machine.breakOff(why)
    this.#beRun()
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

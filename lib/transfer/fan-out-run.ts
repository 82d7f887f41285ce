import { setImmediate as nextRound } from 'node:timers/promises'
import { listenForAbort } from '../abort.js'
import type { FanOutResult, Mode, SinkResult, TransferOptions } from '../contract.js'
import { TURN_BYTES_MAX } from '../endpoints/end.js'
import { FileEnd } from '../endpoints/file-end.js'
import { sameFailure } from '../endpoints/own-failure.js'
import { inWholePackets } from '../endpoints/packets.js'
import { SHARED_READ_BYTES_MAX } from '../endpoints/receive-block.js'
import type { Eventually } from '../eventually.js'
import { FanOutAbortError, FanOutError, TransferError } from '../errors.js'
import { listOf, type BufferList } from '../list/buffer-list.js'
import { Segments } from '../list/segments.js'
import type { Chunks } from './chunks.js'
import { asTransferError } from './failure.js'
import { FanOutSink } from './fan-out-sink.js'
import { offer } from './offer.js'
import { REFERENCE_BYTES_MIN } from './plan.js'
import type { Pulled } from './pull.js'

/**
 * Bytes that one pull takes at the most: one large pipe, and one turn. Chunks of a quarter of it took
 * 1.2 to 1.6 times the CPU (file to 8 TCP sockets, windows of 1, 4 and 16 MiB).
 */
const CHUNK_BYTES_MAX = 1 << 20

/** After so many small chunks in a row a source trickles: it is read until it fills a small read. */
const TRICKLE_MIN = 4

/** How chunks are pulled that are not read. */
const PAGES = { hold: 'pages' } as const

/** How a fan-out runs. */
export interface FanOutLimits {
  readonly length: number
  readonly atLeast: number
  readonly windowBytes: number
  readonly onSlow: 'wait' | 'drop'
  readonly mode: Mode | undefined
  readonly isIntended: boolean
  readonly signal: AbortSignal | undefined
  readonly onProgress: TransferOptions['onProgress'] | undefined
}

/**
 * One fan-out: a loop that pulls chunks, and sends of them that run by themselves, each at its own
 * pace within the window.
 *
 * The window is what was pulled and the slowest sink has not accepted. It is full of references, not
 * of copies: a chunk is held once, whoever still has to send it. When it is full the loop waits, or
 * drops whoever fills it while another has nothing left to send.
 */
export class FanOutRun {
  readonly #source: Chunks
  readonly #limits: FanOutLimits
  readonly #chunkBytes: number
  /** Bytes after which others have their turn. */
  readonly #turnBytes: number
  /** Calls a function when a sink is lost, until the returned one is called. */
  readonly #watch: (tell: () => void) => () => void
  /** In the caller's order; an error for a place that could not be opened. */
  readonly #places: readonly (FanOutSink | TransferError)[]
  readonly #sinks: readonly FanOutSink[]
  /** The sends of those that run. */
  readonly #sends: Promise<void>[] = []
  /** Whom chunks are given: all that live. When it is halted, those that lived until then. */
  #receivers: readonly FanOutSink[]
  #isHalted = false
  #pulled = 0
  /** How many of the last chunks were small. */
  #smallInRow = 0
  #isEof = false
  /** Where the chunks end that not every sink has accepted. */
  readonly #ends: number[] = []
  #told = 0
  #wake: (() => void) | undefined
  #failure: TransferError | undefined
  /** What aborted it: a signal's reason, or what a callback threw. */
  #abort: { readonly reason: unknown } | undefined

  constructor(
    source: Chunks,
    places: readonly (FanOutSink | TransferError)[],
    limits: FanOutLimits,
    watch: (tell: () => void) => () => void,
  ) {
    this.#source = source
    this.#watch = watch
    this.#limits = limits
    this.#places = places
    this.#sinks = places.filter((place) => place instanceof FanOutSink)
    this.#receivers = this.#sinks
    const isLong = limits.length > CHUNK_BYTES_MAX
    const packetBytes = isLong && source.isStream ? largestPacketBytes(this.#sinks) : 0
    const half = Math.ceil(limits.windowBytes / 2)
    this.#chunkBytes = inWholePackets(Math.min(CHUNK_BYTES_MAX, half), packetBytes)
    this.#turnBytes = inWholePackets(TURN_BYTES_MAX, packetBytes)
  }
  /** Runs to the end, within the source's turn and the sinks'. Everything borrowed is back then. */
  async run(): Promise<FanOutResult> {
    const { signal } = this.#limits
    this.#checkSinks(this.#places.find((place) => place instanceof TransferError))
    if (this.#isHalted) return this.#settle()
    // Perhaps at once: an abort may have come while the places were opened.
    const unlisten = signal && listenForAbort(signal, () => this.#abortFor(signal.reason))
    for (const sink of this.#sinks) {
      sink.begin({ needed: () => this.#sends.push(this.#send(sink)), accepted: this.#onAccepted })
    }
    const forget = this.#watch(this.#onLoss)
    try {
      // Some may have been lost while turns were waited for.
      this.#onLoss()
      await this.#pullAll()
    } catch (error) {
      this.#abortFor(error)
    } finally {
      forget()
    }
    for (const sink of this.#sinks) sink.finish()
    if (this.#sends.length > 0) await Promise.all(this.#sends)
    unlisten?.()
    return this.#settle()
  }
  get #live(): readonly FanOutSink[] {
    return this.#sinks.filter(({ isLive }) => isLive)
  }
  /** What every receiver has accepted. */
  #least(): number {
    let least = this.#pulled
    for (const { accepted } of this.#receivers) least = Math.min(least, accepted)
    return least
  }
  async #pullAll(): Promise<void> {
    const { length } = this.#limits
    let turnBytes = 0
    // Whether the source had no more a moment ago, so that asking it again would be in vain.
    let isDry = false
    while (this.#pulled < length) {
      const wanted = Math.min(this.#chunkBytes, length - this.#pulled)
      // Its end need not be pulled, for which there may be no room: who has all of it may close.
      if (this.#source.isList && this.#source.leftBytes() === 0) {
        this.#isEof = true
        return
      }
      let room = this.#room()
      if (room < wanted) {
        room = await this.#awaitRoom(wanted)
        isDry = false
      }
      if (this.#isHalted) return
      const asked = Math.min(room, wanted, this.#chunkBytesMax())
      const pulling = this.#pull(asked, isDry)
      const pulled = pulling instanceof Promise ? await pulling : pulling
      isDry = pulled.hasRunDry === true
      const got = this.#took(asked, pulled)
      if (got === 0) return
      turnBytes += got
      if (turnBytes < this.#turnBytes) continue
      turnBytes = 0
      await this.#yield()
    }
  }
  async #yield(): Promise<void> {
    await nextRound()
    // Who is a chunk behind sends one a round, too, and would stay behind: one round is theirs alone.
    if (this.#least() < this.#pulled) await nextRound()
  }
  /** Spreads what was pulled: how many bytes; 0 where it was the last. */
  #took(asked: number, { segments, error }: Pulled): number {
    const { length } = segments
    this.#smallInRow = length < Math.min(asked, REFERENCE_BYTES_MIN) ? this.#smallInRow + 1 : 0
    this.#spread(segments)
    if (error === undefined) this.#isEof = length === 0
    else this.#failSource(error)
    return error === undefined ? length : 0
  }
  #pull(length: number, isDry: boolean): Eventually<Pulled> {
    const { mode, isIntended } = this.#limits
    // So many writes of a few bytes cost less than as many tees.
    const isRead = length < REFERENCE_BYTES_MIN && this.#source.readsSmall
    try {
      return this.#source.pull(length, {
        atLeast: 1,
        intended: isIntended,
        isDry,
        ...(isRead ? {} : PAGES),
        ...(mode === undefined ? {} : { mode }),
      })
    } catch (error) {
      return { segments: new Segments(), error: error as Error }
    }
  }
  /** Bytes that the next chunk may have. */
  #chunkBytesMax(): number {
    // Many small chunks would hold a pipe each: those are read.
    const isCrowded = this.#ends.length * this.#chunkBytes >= 2 * this.#limits.windowBytes
    if (isCrowded) return REFERENCE_BYTES_MIN - 1
    const isTrickle = this.#smallInRow >= TRICKLE_MIN && this.#source.readsSmall
    const mayRead = isTrickle && this.#limits.mode !== 'reference'
    return mayRead ? SHARED_READ_BYTES_MAX : this.#chunkBytes
  }
  /** The sinks get what was pulled before; then the failure is told. */
  #failSource(error: Error): void {
    if (this.#isHalted) return
    try {
      this.#failure = asTransferError('source', error, this.#pulled)
    } catch (bug) {
      this.#abortFor(bug)
    }
  }
  /** Gives every receiver the same bytes. */
  #spread(segments: Segments): void {
    const { length } = segments
    if (length === 0) return
    this.#pulled += length
    this.#ends.push(this.#pulled)
    const taken = offer(segments, this.#receivers)
    this.#receivers.forEach((sink, i) => {
      const bytes = taken[i] as number
      if (bytes < length) sink.add(segments.share(bytes, length - bytes))
    })
    segments.clear()
    this.#onAccepted()
  }
  /** Bytes that may be pulled. */
  #room(): number {
    return this.#limits.windowBytes - (this.#pulled - this.#least())
  }
  /** Resolves with the bytes that may be pulled when they are worth a pull. */
  async #awaitRoom(wanted: number): Promise<number> {
    for (let isLastChance = false; ;) {
      const room = this.#room()
      if (room >= wanted || this.#isHalted) return room
      const isHeldUp =
        this.#limits.onSlow === 'drop' &&
        this.#receivers.some((sink) => sink.accepted === this.#pulled && !sink.isLost)
      // Nobody is dropped before the last byte of the window is used.
      if (isHeldUp && room > 0) return room
      if (!isHeldUp) {
        isLastChance = false
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      } else if (isLastChance) {
        this.#dropSlowest()
      } else {
        // Whoever is ready gets a turn before it is called slow.
        isLastChance = true
        await nextRound()
      }
    }
  }
  #wakeUp(): void {
    const wake = this.#wake
    // A promise that is resolved again costs more than a call.
    this.#wake = undefined
    wake?.()
  }
  /**
   * A sink is lost. It has failed when there are more bytes for it, as it meets them; but where too few
   * are left without it nothing is worth a wait for those.
   */
  readonly #onLoss = (): void => {
    if (this.#isHalted || this.#pulled === this.#limits.length) return
    const lost = this.#live.filter(({ isLost }) => isLost)
    if (this.#live.length - lost.length < this.#limits.atLeast) for (const sink of lost) sink.over()
  }
  #dropSlowest(): void {
    const least = this.#least()
    const slowest = this.#receivers.find(({ accepted }) => accepted === least)
    if (slowest === undefined) return
    slowest.drop()
    this.#lose(slowest)
  }
  async #send(sink: FanOutSink): Promise<void> {
    try {
      const error = await sink.run(this.#limits.windowBytes)
      if (error !== undefined) this.#lose(sink)
      this.#checkSinks(error)
    } catch (error) {
      this.#abortFor(error)
    }
    // Whoever lived until it was halted may have the residual.
    if (!this.#receivers.includes(sink)) sink.takeRest()?.clear()
    this.#wakeUp()
  }
  /** Goes on without a sink. While it is halted nobody is lost any more. */
  #lose(sink: FanOutSink): void {
    if (this.#isHalted || !this.#receivers.includes(sink)) return
    if (this.#live.length < this.#limits.atLeast) this.#halt()
    else this.#receivers = this.#receivers.filter((other) => other !== sink)
    this.#onAccepted()
    this.#onLoss()
  }
  /** Fewer sinks than asked for: the failure is the last one's. */
  #checkSinks(error: TransferError | undefined): void {
    if (error === undefined || this.#live.length >= this.#limits.atLeast) return
    if (this.#abort === undefined) this.#failure ??= error
    this.#halt()
  }
  #abortFor(reason: unknown): void {
    if (this.#isHalted) return
    this.#abort = { reason }
    this.#halt()
  }
  #halt(): void {
    this.#isHalted = true
    this.#source.stop()
    for (const sink of this.#sinks) sink.stop()
    this.#wakeUp()
  }

  /** What it came to. */
  #settle(): FanOutResult {
    const sinks = this.#places.map((place) =>
      place instanceof FanOutSink ? place.result : { bytesMoved: 0, error: place },
    )
    const rest = this.#takeRest()
    const failure = this.#failure
    if (failure === undefined && (this.#abort === undefined || this.#isComplete(rest))) {
      return { bytesPulled: this.#pulled, eof: this.#isEof, sinks }
    }
    const bytesMoved = this.#pulled - rest.length
    // A list has what was not accepted, whatever happened; a place, after an abort.
    const isGivenBack = (failure === undefined || this.#source.isList) && this.#giveBack(rest)
    const residual = isGivenBack || rest.length === 0 ? undefined : listOf(rest)
    if (failure !== undefined) throw this.#failed(failure, bytesMoved, residual, sinks)
    throw new FanOutAbortError(bytesMoved, this.#abort?.reason, residual, sinks)
  }
  /** Aborted after the last byte: it has succeeded. */
  #isComplete(rest: Segments): boolean {
    const isAll = this.#isEof || this.#pulled === this.#limits.length
    return isAll && rest.length === 0
  }
  /** What not every receiver has accepted: what the slowest of them has left. */
  #takeRest(): Segments {
    let rest = new Segments()
    for (const sink of this.#receivers) {
      const left = sink.takeRest()
      if (left === undefined) continue
      const [more, less] = left.length > rest.length ? [left, rest] : [rest, left]
      less.clear()
      rest = more
    }
    return rest
  }
  #giveBack(rest: Segments): boolean {
    return rest.length === 0 || this.#source.takeBack(rest)
  }
  #failed(
    failure: TransferError,
    bytesMoved: number,
    residual: BufferList | undefined,
    sinks: readonly SinkResult[],
  ): FanOutError {
    const live = this.#live.length
    const same = sameFailure(failure)
    const left = `${live} of ${sinks.length} sinks are left, and atLeast is ${this.#limits.atLeast}`
    const details = [same.detail, failure.side === 'source' ? undefined : left]
    const detail = details.filter((it) => it !== undefined).join('. ')
    return new FanOutError(
      { ...same, bytesMoved, residual, ...(detail === '' ? {} : { detail }) },
      this.#pulled,
      sinks,
    )
  }

  /** The least that a receiver has accepted may have grown. */
  readonly #onAccepted = (): void => {
    const least = this.#least()
    while ((this.#ends[0] ?? Infinity) <= least) this.#ends.shift()
    this.#wakeUp()
    if (least <= this.#told || this.#isHalted) return
    this.#told = least
    try {
      this.#limits.onProgress?.(least)
    } catch (error) {
      this.#abortFor(error)
    }
  }
}

/** The largest packet of paced sinks; 0 where there are none, or a file takes pages, which stay whole. */
function largestPacketBytes(sinks: readonly FanOutSink[]): number {
  if (sinks.some(({ end }) => end instanceof FileEnd)) return 0
  return sinks.reduce((most, { pacedPacketBytes }) => Math.max(most, pacedPacketBytes), 0)
}

import { setImmediate as nextRound } from 'node:timers/promises'
import { listenForAbort } from '../abort.js'
import { transfers, type TransferMessage } from '../audit/channels.js'
import { ledger } from '../audit/ledger.js'
import type { TransferOptions } from '../contract.js'
import { TURN_BYTES_MAX } from '../endpoints/end.js'
import { ownFailure } from '../endpoints/own-failure.js'
import {
  EAGAIN,
  ECANCELED,
  ECONNABORTED,
  ECONNRESET,
  EDQUOT,
  EFBIG,
  ENOSPC,
  EPIPE,
  ETIMEDOUT,
} from '../errno.js'
import type { Eventually } from '../eventually.js'
import { AbortError, systemError, TransferError } from '../errors.js'
import { listOf } from '../list/buffer-list.js'
import type { Segments } from '../list/segments.js'
import { PipeParcel, type Parcel } from '../raw/parcel.js'
import type { HeldPipe } from '../raw/pipe-pool.js'
import { wakesSoFar } from '../reactor.js'
import type { Plan } from './plan.js'
import { Shortcut, type Leap } from './shortcut.js'
import type { PullSide, PushSide } from './sides.js'

/** Errors that a direct call can only have met at its sink: a connection that is gone, a disk that is full. */
const SINK_ERRORS: ReadonlySet<number> = new Set([
  EPIPE,
  ECONNRESET,
  ETIMEDOUT,
  ECONNABORTED,
  ENOSPC,
  EDQUOT,
  EFBIG,
])

/** Where the machine is. Each state is a method of the same name. */
type State = 'PULL' | 'SOURCE' | 'RELAY' | 'PUSH' | 'STALLED' | 'YIELD' | 'END'

/** What the machine is asked to do. */
export interface Job {
  readonly source: PullSide
  readonly sink: PushSide
  readonly plan: Plan
  /** Bytes to move at the most; Infinity for all. */
  readonly length: number
  /** Bytes after which it ends rather than wait for more. */
  readonly atLeast: number
  /** Whether the caller promises more bytes behind these. */
  readonly more: boolean
  /** Whether the source was found to have nothing, a moment ago. */
  readonly isDry?: boolean
  readonly options: TransferOptions
  /**
   * Takes back what was pulled and not accepted, on an abort. Without it, and on a failure, the error
   * hands it out.
   */
  readonly takeBack?: ((segments: Segments) => boolean) | undefined
}

/** What broke an operation: which side, at what call. */
interface Failure {
  readonly side: 'source' | 'sink' | 'pipe'
  readonly errno: number
  readonly syscall: string
  /** The stream's own error, where the errno stands for one. */
  readonly cause?: unknown
}

/**
 * The one transfer machine, behind every way of moving bytes: after McVoy's pull and push.
 *
 *     PULL     where one call of the kernel can do it, move bytes from place to place; else take a
 *              parcel from the source, into the sink's own pipe where it keeps pages
 *     SOURCE   nothing there: wait, holding no pipe but the sink's own
 *     RELAY    nothing more there, but bytes keep coming: move them below JavaScript
 *     PUSH     give the parcel to the sink, until it is empty
 *     STALLED  the sink takes no more: wait, holding the parcel
 *     YIELD    a turn is over: let others run
 *     END      the only exit: whatever was pulled was accepted or is residual
 *
 * It settles once. What runs in the kernel is awaited, never abandoned; waits end at once on an abort.
 * It takes a promise only where something takes time: most messages are a few calls that do not.
 */
export class Machine {
  /** Bytes that the sink has accepted. */
  bytesMoved: number
  /** Whether the source ended. */
  isEof: boolean
  /** Whether the source is known to have had no more behind the last parcel. */
  hasRunDry: boolean
  private readonly job: Job
  /** The way past parcels, for as long as there may be one. */
  private shortcut: Shortcut | undefined
  /** Bytes since others last had their turn. */
  private turnBytes: number
  /** How often the event loop had called when it was last looked at. */
  private wakesThen: number
  private parcel: Parcel | undefined
  private residual: Segments | undefined
  private failure: Failure | undefined
  /** What a side's start threw, or a bug. */
  private error: Error | undefined
  private isCancelled: boolean
  /** Whether the sink is to be asked before the next wait for the source. */
  private isSinkOver: boolean
  private cancel: (() => void) | undefined
  private unlisten: (() => void) | undefined

  // Here, not where they are declared: V8 calls a function for each class with initializers, and
  // every message makes a machine.
  constructor(job: Job) {
    this.bytesMoved = 0
    this.isEof = false
    this.hasRunDry = false
    this.job = job
    const mayLeap = job.sink.direct !== undefined && job.plan.copyCause === undefined
    this.shortcut = mayLeap ? new Shortcut(job.source, job.sink) : undefined
    this.turnBytes = 0
    this.wakesThen = 0
    this.parcel = undefined
    this.residual = undefined
    this.failure = undefined
    this.error = undefined
    this.isCancelled = false
    this.isSinkOver = false
    this.cancel = undefined
    this.unlisten = undefined
  }
  /** Runs to the end: undefined when all went well, else the error. Never throws or rejects. */
  run(): Eventually<Error | undefined> {
    const { signal } = this.job.options
    if (signal !== undefined) this.listen(signal)
    const starting = this.start()
    if (starting instanceof Promise) return starting.then((isStarted) => this.started(isStarted))
    return this.started(starting)
  }
  /** Ends it where it is, as its signal does. */
  abort(): void {
    this.isCancelled = true
    this.cancel?.()
    this.shortcut?.cancel()
    this.job.source.wake()
    this.job.sink.wake()
  }
  /** Ends it where it is for what went wrong past it: the sink's positive errno at a call, or an error. */
  breakOff(error: Error | { readonly errno: number; readonly syscall: string }): void {
    if (error instanceof Error) this.error ??= error
    else this.failure ??= { side: 'sink', errno: -error.errno, syscall: error.syscall }
    this.abort()
  }
  /** The sink has failed or closed: where only the source is waited for, nobody else would look. */
  sinkOver(): void {
    this.isSinkOver = true
    this.job.source.wake()
  }
  /** Counts bytes that the sink has taken past the machine, which waits for its source. */
  passed(bytes: number): void {
    this.bytesMoved += bytes
  }
  private listen(signal: AbortSignal): void {
    this.unlisten = listenForAbort(signal, () => this.abort())
  }
  private started(isStarted: boolean): Eventually<Error | undefined> {
    if (!isStarted) return this.settle()
    return this.go(this.job.isDry === true ? 'SOURCE' : 'PULL')
  }

  /** Starts both sides; false when one could not be, or the operation was aborted meanwhile. */
  private start(): Eventually<boolean> {
    const isSource = this.startSide(this.job.source)
    if (isSource instanceof Promise) return isSource.then((it) => it && this.startSink())
    return isSource && this.startSink()
  }
  private startSink(): Eventually<boolean> {
    const isSink = this.startSide(this.job.sink)
    if (isSink instanceof Promise) return isSink.then((it) => this.sinkStarted(it))
    return this.sinkStarted(isSink)
  }
  private sinkStarted(isSink: boolean): boolean {
    if (!isSink) this.job.source.stop(0)
    return isSink
  }
  private startSide(side: PullSide | PushSide): Eventually<boolean> {
    try {
      const starting = side.start()
      return starting instanceof Promise ? this.startLater(side, starting) : true
    } catch (error) {
      this.error = error as Error
      return false
    }
  }
  /** An abort does not wait for a side to start; whatever it takes later is given back. */
  private async startLater(side: PullSide | PushSide, starting: Promise<void>): Promise<boolean> {
    const cancelled = new Promise<'cancelled'>((resolve) => {
      this.cancel = () => resolve('cancelled')
      if (this.isCancelled) this.cancel()
    })
    try {
      const first = await Promise.race([starting, cancelled])
      if (first !== 'cancelled') return true
      starting.then(
        () => side.stop(0),
        () => undefined,
      )
    } catch (error) {
      this.error = error as Error
    } finally {
      this.cancel = undefined
    }
    return false
  }
  /** Steps until a step takes time; goes on from there when it is done. */
  private go(first: State): Eventually<Error | undefined> {
    let state = first
    try {
      while (state !== 'END') {
        const next = this.step(state)
        if (next instanceof Promise) return this.goOn(next)
        state = next
      }
    } catch (error) {
      this.error = error as Error
    }
    return this.end()
  }
  private async goOn(pending: Promise<State>): Promise<Error | undefined> {
    try {
      let state = await pending
      while (state !== 'END') {
        const next = this.step(state)
        state = next instanceof Promise ? await next : next
      }
    } catch (error) {
      this.error = error as Error
    }
    return this.end()
  }
  private step(state: State): Eventually<State> {
    if (this.isCancelled && state !== 'PUSH') return 'END'
    switch (state) {
      case 'PULL':
        return this.pull()
      case 'SOURCE':
        return this.source()
      case 'RELAY':
        return this.relay()
      case 'PUSH':
        return this.push()
      case 'STALLED':
        return this.stalled()
      case 'YIELD':
        return this.yield()
      case 'END':
        return 'END'
    }
  }

  private pull(): Eventually<State> {
    const { source, sink, length, plan } = this.job
    const left = length - this.bytesMoved
    if (left <= 0) return 'END'
    // Where pages have to be stable, what was given back is loaded like the rest.
    if (sink.adopt !== undefined && !plan.isStable && this.adoptFront(left)) return 'PULL'
    const leaping = this.shortcut?.attempt(left)
    if (leaping !== undefined) {
      if (!(leaping instanceof Promise)) return this.leapt(leaping)
      return leaping.then((leap) => {
        this.tookTime()
        return this.leapt(leap)
      })
    }
    const wanted = Math.min(left, source.batchBytes, sink.batchBytes)
    const trays = plan.copyCause === undefined ? sink.trays(wanted) : undefined
    const loaded = source.load(wanted, trays)
    if (loaded instanceof Promise) return loaded.then((it) => this.loaded(it, wanted, trays))
    return this.loaded(loaded, wanted, trays)
  }
  private leapt(leap: Leap): Eventually<State> {
    const { source, length } = this.job
    const { bytes, errno, parcel, call, from, isRelayed } = leap
    this.parcel = parcel
    if (bytes > 0) this.progress(bytes)
    if (this.isCancelled || this.bytesMoved >= length) return 'END'
    // Cancelled because a place was closed: the next attempt tells.
    if (parcel !== undefined) return errno === ECANCELED ? 'PUSH' : this.pushed(parcel, -errno)
    if (errno === EAGAIN) return this.mayRelay(leap) ? 'RELAY' : this.waitDirectly(leap)
    if (errno === ECANCELED || (bytes > 0 && errno === 0)) return this.nextPull()
    if (isRelayed && errno !== 0) return this.relayFailed(errno)
    if (bytes > 0) return this.nextPull()
    if (SINK_ERRORS.has(errno)) return this.fail('sink', -errno, call)
    // Files that say they have no bytes may have some; one that gave some has ended.
    if (errno === 0 && this.bytesMoved > 0 && from.lengthBytes === Infinity) {
      const cut = source.endedDirectly()
      if (cut !== 0) return this.fail('source', cut, call)
      this.isEof = true
      return 'END'
    }
    // The end, or a refusal, or an error that does not say at which side: parcels tell.
    this.shortcut = undefined
    if (errno !== 0) ledger.countFallback(call, systemError(errno)[0])
    return 'PULL'
  }
  /** The source's error, which a socket tells only once. */
  private relayFailed(errno: number): State {
    return this.job.plan.fallsBack(-errno, 'splice')
      ? 'PULL'
      : this.fail('source', -errno, 'splice')
  }
  private nextPull(): State {
    return this.turnBytes >= TURN_BYTES_MAX ? 'YIELD' : 'PULL'
  }
  /** Whoever wants to hear of each turn hears of it. */
  private mayRelay({ from, to, bytes }: Leap): boolean {
    const isBetweenSockets = from.kind === 'socket' && to.kind === 'socket'
    return bytes > 0 && isBetweenSockets && this.job.options.onProgress === undefined
  }
  private relay(): Promise<State> {
    const { source, length } = this.job
    ledger.countRetry()
    const relaying = this.shortcut?.linger(length - this.bytesMoved)
    if (relaying === undefined) return source.ready(1).then(() => this.waited('PULL'))
    return relaying.then((leap) => {
      this.tookTime()
      return this.leapt(leap)
    })
  }
  /** EAGAIN of a call between two places does not say which of them has to be waited for. */
  private async waitDirectly({ from, to, isRelayed }: Leap): Promise<State> {
    const { source, sink } = this.job
    ledger.countRetry()
    if (from.kind !== 'file') await source.ready(1)
    if (!isRelayed && to.kind !== 'file' && !this.isCancelled) await sink.ready()
    return this.waited('PULL')
  }
  private loaded(
    parcel: Parcel | number,
    wanted: number,
    trays: readonly HeldPipe[] | undefined,
  ): Eventually<State> {
    const { source, sink, atLeast } = this.job
    if (typeof parcel !== 'number') {
      this.parcel = parcel
      this.hasRunDry = source.hasRunDry?.(parcel, wanted) === true
      return this.push()
    }
    if (parcel === 0) {
      this.isEof = true
      return 'END'
    }
    if (parcel !== -EAGAIN) return this.fail('source', parcel, trays?.length ? 'splice' : 'read')
    // EAGAIN means two things: where the pipe has no room left, the source may have more.
    const tray = trays?.[0]
    if (tray !== undefined && tray.bytes > 0 && sink.trays(wanted)?.[0] !== tray) return 'PULL'
    return this.bytesMoved >= atLeast ? 'END' : 'SOURCE'
  }
  /** Bytes that were pulled before go into a list as they are. */
  private adoptFront(left: number): boolean {
    const front = this.job.source.takeFront(left)
    if (front === undefined) return false
    const { length } = front
    this.job.sink.adopt?.(front)
    this.progress(length)
    return true
  }
  private source(): Eventually<State> {
    const { source, sink, atLeast } = this.job
    const lostErrno = this.isSinkOver ? (sink.lostErrno ?? 0) : 0
    if (lostErrno !== 0) return this.fail('sink', -lostErrno, 'write')
    sink.rest()
    ledger.countRetry()
    // A list can wait for much at once; a place is given bytes as they come.
    const ready = source.ready(sink.adopt === undefined ? 1 : atLeast - this.bytesMoved)
    return ready.then(() => this.waited('PULL'))
  }
  private push(): Eventually<State> {
    const { source, sink, more } = this.job
    const parcel = this.parcel as Parcel
    const pushed = sink.push(parcel, more || source.hasMore(parcel.remaining))
    if (typeof pushed === 'number') return this.pushed(parcel, pushed)
    return pushed.then((n) => {
      this.tookTime()
      return this.pushed(parcel, n)
    })
  }
  private pushed(parcel: Parcel, n: number): Eventually<State> {
    if (n > 0) {
      this.job.source.accepted(n)
      this.progress(n)
      if (parcel.remaining > 0) {
        ledger.countShortTransfer()
        return this.isCancelled ? 'END' : 'PUSH'
      }
      this.closeParcel()
      const { length, atLeast } = this.job
      if (this.bytesMoved >= (this.hasRunDry ? atLeast : length)) return 'END'
      return this.nextPull()
    }
    if (n === -EAGAIN) return 'STALLED'
    const isPages = parcel instanceof PipeParcel
    if (isPages && this.job.plan.fallsBack(n, 'splice')) return this.copyParcel(parcel)
    return this.fail('sink', n, isPages ? 'splice' : 'write')
  }
  /** The sink refused pages: the same bytes go on in memory. */
  private async copyParcel(parcel: PipeParcel): Promise<State> {
    const loaded = await this.job.source.copied(parcel, parcel.remaining)
    if (typeof loaded === 'number') {
      this.parcel = undefined
      return this.fail('source', loaded, 'read')
    }
    this.parcel = loaded
    return 'PUSH'
  }
  private stalled(): Promise<State> {
    ledger.countRetry()
    return this.job.sink.ready().then(() => this.waited('PUSH'))
  }
  private yield(): Promise<State> {
    return nextRound().then(() => {
      this.turnBytes = 0
      return 'PULL'
    })
  }
  private waited(next: State): State {
    this.tookTime()
    return next
  }
  /**
   * Others have had their turn where the event loop has called since: not where a stream of Node's gives or
   * takes at once, whose promises are settled before anybody else has one.
   */
  private tookTime(): void {
    const wakes = wakesSoFar()
    if (wakes === this.wakesThen) return
    this.wakesThen = wakes
    this.turnBytes = 0
  }

  private progress(bytes: number): void {
    this.bytesMoved += bytes
    this.turnBytes += bytes
    this.job.options.onProgress?.(this.bytesMoved)
  }
  private fail(side: 'source' | 'sink', errno: number, syscall: string): State {
    const isOurDoing = this.isCancelled && errno === -ECANCELED
    if (!isOurDoing)
      this.failure = { side, errno, syscall, cause: this.job[side].error ?? undefined }
    return 'END'
  }
  private closeParcel(): void {
    const { parcel } = this
    this.parcel = undefined
    parcel?.close()
  }
  /** The only exit: gives back everything that was borrowed. */
  private end(): Eventually<Error | undefined> {
    const { source, sink } = this.job
    const { parcel, failure } = this
    if (parcel !== undefined && parcel.remaining > 0) this.residual = source.residual(parcel)
    this.closeParcel()
    // Before the source is given back to its owner: what comes later it would never see.
    const isUnfinished = this.isCancelled || this.error !== undefined
    if (isUnfinished && failure === undefined) this.giveBack()
    source.stop(failure?.side === 'source' ? failure.errno : 0)
    const stopping = sink.stop(failure?.side === 'sink' ? failure.errno : 0)
    if (stopping instanceof Promise) return stopping.then((errno) => this.stopped(errno))
    return this.stopped(stopping)
  }
  private stopped(errno: number): Error | undefined {
    if (errno !== 0) this.failure ??= { side: 'sink', errno, syscall: 'fsync' }
    return this.settle()
  }
  /** What the operation came to, and where the residual goes. */
  private settle(): Error | undefined {
    this.unlisten?.()
    if (transfers.hasSubscribers) transfers.publish(this.news())
    const { residual, error } = this
    if (error instanceof TransferError && error.side === 'pipe') this.failure ??= error
    else if (error !== undefined) {
      // What a callback threw stops as an abort does, where there are bytes to hand back.
      if (residual === undefined) return error
      return new AbortError(this.bytesMoved, error, listOf(residual))
    }
    if (this.failure !== undefined) {
      return new TransferError({
        ...this.failure,
        ...ownFailure(this.failure.cause, this.failure.errno),
        bytesMoved: this.bytesMoved,
        residual: residual === undefined ? undefined : listOf(residual),
      })
    }
    if (!this.isCancelled || this.bytesMoved === this.job.length) return undefined
    return this.aborted(residual)
  }
  private aborted(residual: Segments | undefined): AbortError {
    const reason: unknown = this.job.options.signal?.reason
    if (residual === undefined) return new AbortError(this.bytesMoved, reason)
    return new AbortError(this.bytesMoved, reason, listOf(residual))
  }
  private giveBack(): void {
    const { takeBack } = this.job
    if (takeBack === undefined || this.residual === undefined) return
    if (takeBack(this.residual)) this.residual = undefined
  }
  private news(): TransferMessage {
    const { source, sink, plan, length } = this.job
    const isFailed = this.failure !== undefined || this.error !== undefined
    const isAborted = this.isCancelled && this.bytesMoved !== length
    return {
      source: source.label,
      sink: sink.label,
      bytesMoved: this.bytesMoved,
      ways: [...plan.ways],
      outcome: isFailed ? 'failed' : isAborted ? 'aborted' : 'done',
    }
  }
}

import { setImmediate as nextRound } from 'node:timers/promises'
import type { TransferOptions } from '../contract.js'
import { EAGAIN, TURN_BYTES_MAX } from '../endpoints/end.js'
import { AbortError, TransferError } from '../errors.js'
import { listOf } from '../list/buffer-list.js'
import type { Segments } from '../list/segments.js'
import { PipeParcel, type Parcel } from '../raw/parcel.js'
import type { Plan } from './plan.js'
import type { PullSide, PushSide } from './sides.js'

/** Linux's ECANCELED: what a disk job answers that was asked to stop. */
const ECANCELED = 125
/** Where the machine is. Each state is a method of the same name. */
type State = 'PULL' | 'SOURCE' | 'PUSH' | 'STALLED' | 'YIELD' | 'END'

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
  readonly options: TransferOptions
  /**
   * Takes back what was pulled and not accepted, on an abort. Without it, and on a failure, the error
   * hands it out.
   */
  readonly takeBack?: ((segments: Segments) => void) | undefined
}

/** What broke an operation: which side, at what call. */
interface Failure {
  readonly side: 'source' | 'sink'
  readonly errno: number
  readonly syscall: string
}

/**
 * The one transfer machine, behind every way of moving bytes: after McVoy's pull and push.
 *
 *     PULL     take a parcel from the source, into the sink's own pipe where it keeps pages
 *     SOURCE   nothing there: wait, holding no pipe but the sink's own
 *     PUSH     give the parcel to the sink, until it is empty
 *     STALLED  the sink takes no more: wait, holding the parcel
 *     YIELD    a turn is over: let others run
 *     END      the only exit: whatever was pulled was accepted or is residual
 *
 * It settles once. What runs in the kernel is awaited, never abandoned; waits end at once on an abort.
 */
export class Machine {
  readonly #job: Job
  #moved = 0
  /** Bytes since the last wait: a turn. */
  #turn = 0
  #parcel: Parcel | undefined
  #isEof = false
  #failure: Failure | undefined
  #isCancelled = false
  #cancel: (() => void) | undefined

  constructor(job: Job) {
    this.#job = job
  }
  /** Bytes that the sink has accepted. */
  get bytesMoved(): number {
    return this.#moved
  }
  /** Whether the source ended. */
  get isEof(): boolean {
    return this.#isEof
  }
  /** Runs to the end. Rejects with TransferError, AbortError, or what a side's start threw. */
  async run(): Promise<void> {
    const { signal } = this.#job.options
    const onAbort = (): void => this.#abort()
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      if (signal?.aborted === true) this.#abort()
      await this.#runSides()
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  async #runSides(): Promise<void> {
    const { source, sink } = this.#job
    await this.#begin(source)
    try {
      await this.#begin(sink)
    } catch (error) {
      source.stop(0)
      throw error
    }
    let state: State = 'PULL'
    try {
      while (state !== 'END') state = await this.#step(state)
    } finally {
      await this.#end()
    }
    this.#settle()
  }
  /** Starts a side; an abort does not wait for it, but whatever it takes later is given back. */
  async #begin(side: PullSide | PushSide): Promise<void> {
    const starting = side.start()
    if (!(starting instanceof Promise)) return
    const cancelled = new Promise<'cancelled'>((resolve) => {
      this.#cancel = () => resolve('cancelled')
      if (this.#isCancelled) this.#cancel()
    })
    const first = await Promise.race([starting, cancelled])
    this.#cancel = undefined
    if (first !== 'cancelled') return
    starting.then(
      () => side.stop(0),
      () => undefined,
    )
    this.#throwAbort()
  }
  #step(state: State): State | Promise<State> {
    if (this.#isCancelled && state !== 'PUSH') return 'END'
    switch (state) {
      case 'PULL':
        return this.#pull()
      case 'SOURCE':
        return this.#source()
      case 'PUSH':
        return this.#push()
      case 'STALLED':
        return this.#stalled()
      case 'YIELD':
        return this.#yield()
      case 'END':
        return 'END'
    }
  }

  async #pull(): Promise<State> {
    const { source, sink, length } = this.#job
    const left = length - this.#moved
    if (left <= 0) return 'END'
    if (this.#adoptFront(left)) return 'PULL'
    const wanted = Math.min(left, source.batchBytes, sink.batchBytes)
    const usesPages = this.#job.plan.copyCause === undefined
    const trays = usesPages ? sink.trays(wanted) : undefined
    const loaded = source.load(wanted, trays)
    const parcel = loaded instanceof Promise ? await loaded : loaded
    if (typeof parcel !== 'number') {
      this.#parcel = parcel
      return 'PUSH'
    }
    if (parcel === 0) {
      this.#isEof = true
      return 'END'
    }
    if (parcel === -EAGAIN) {
      // EAGAIN means two things: where the pipe has no room left, the source may have more.
      const tray = trays?.[0]
      if (tray !== undefined && tray.bytes > 0 && sink.trays(wanted)?.[0] !== tray) return 'PULL'
      return this.#moved >= this.#job.atLeast ? 'END' : 'SOURCE'
    }
    return this.#fail('source', parcel, usesPages ? 'splice' : 'read')
  }
  /** Bytes that were pulled before go into a list as they are. */
  #adoptFront(left: number): boolean {
    const { source, sink } = this.#job
    if (sink.adopt === undefined) return false
    const front = source.takeFront(left)
    if (front === undefined) return false
    const { length } = front
    sink.adopt(front)
    this.#progress(length)
    return true
  }
  async #source(): Promise<State> {
    const { source, sink, atLeast } = this.#job
    sink.rest()
    // A list can wait for much at once; a place is given bytes as they come.
    await source.ready(sink.adopt === undefined ? 1 : atLeast - this.#moved)
    this.#turn = 0
    return 'PULL'
  }
  async #push(): Promise<State> {
    const { source, sink, plan } = this.#job
    const parcel = this.#parcel as Parcel
    const more = this.#job.more || source.hasMore(parcel.remaining)
    const pushed = sink.push(parcel, more)
    const n = pushed instanceof Promise ? await pushed : pushed
    if (n > 0) {
      source.accepted(n)
      this.#progress(n)
      if (parcel.remaining > 0) return this.#isCancelled ? 'END' : 'PUSH'
      this.#closeParcel()
      return this.#turn >= TURN_BYTES_MAX ? 'YIELD' : 'PULL'
    }
    if (n === -EAGAIN) return 'STALLED'
    if (parcel instanceof PipeParcel && plan.fallsBack(n, 'splice')) return this.#copyParcel(parcel)
    return this.#fail('sink', n, parcel instanceof PipeParcel ? 'splice' : 'write')
  }
  /** The sink refused pages: the same bytes go on in memory. */
  async #copyParcel(parcel: PipeParcel): Promise<State> {
    const loaded = await this.#job.source.copied(parcel, parcel.remaining)
    if (typeof loaded === 'number') {
      this.#parcel = undefined
      return this.#fail('source', loaded, 'read')
    }
    this.#parcel = loaded
    return 'PUSH'
  }
  async #stalled(): Promise<State> {
    await this.#job.sink.ready()
    this.#turn = 0
    return 'PUSH'
  }
  async #yield(): Promise<State> {
    this.#turn = 0
    if (this.#job.length > this.#moved) await nextRound()
    return 'PULL'
  }

  #progress(bytes: number): void {
    this.#moved += bytes
    this.#turn += bytes
    this.#job.options.onProgress?.(this.#moved)
  }
  #fail(side: 'source' | 'sink', errno: number, syscall: string): State {
    const isOurDoing = this.#isCancelled && errno === -ECANCELED
    if (!isOurDoing) this.#failure = { side, errno, syscall }
    return 'END'
  }
  #closeParcel(): void {
    this.#parcel?.close()
    this.#parcel = undefined
  }
  /** The only exit: gives back everything that was borrowed. */
  async #end(): Promise<void> {
    const { source, sink } = this.#job
    const parcel = this.#parcel
    if (parcel !== undefined && parcel.remaining > 0) this.#residual = source.residual(parcel)
    this.#closeParcel()
    const failure = this.#failure
    source.stop(failure?.side === 'source' ? failure.errno : 0)
    await sink.stop(failure?.side === 'sink' ? failure.errno : 0)
  }
  #residual: Segments | undefined
  #settle(): void {
    const failure = this.#failure
    const residual = this.#residual
    if (failure !== undefined) {
      throw new TransferError({
        ...failure,
        bytesMoved: this.#moved,
        residual: residual === undefined ? undefined : listOf(residual),
      })
    }
    if (!this.#isCancelled || this.#moved === this.#job.length) return
    const { takeBack } = this.#job
    if (residual === undefined || takeBack === undefined) this.#throwAbort(residual)
    takeBack(residual)
    this.#throwAbort()
  }
  #throwAbort(residual?: Segments): never {
    const list = residual === undefined ? undefined : listOf(residual)
    throw new AbortError(this.#moved, this.#job.options.signal?.reason, list)
  }
  #abort(): void {
    this.#isCancelled = true
    this.#cancel?.()
    this.#job.source.wake()
    this.#job.sink.wake()
  }
}

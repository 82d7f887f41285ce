import { ledger } from '../audit/ledger.js'
import type { CopyCause, CopyReason } from '../audit/causes.js'
import type { DirectCall, DirectPlace } from '../endpoints/direct.js'
import type { SinkEnd, SourceEnd } from '../endpoints/end.js'
import { SHARED_READ_BYTES_MAX } from '../endpoints/receive-block.js'
import { EAGAIN } from '../errno.js'
import { NotByReferenceError } from '../errors.js'
import type { Eventually } from '../eventually.js'
import { segmentsOf, takeSegments } from '../list/buffer-list.js'
import { Segments } from '../list/segments.js'
import { windowOf, windowOfMemory } from '../list/window.js'
import { LoanParcel } from '../raw/loan.js'
import { MemoryParcel, PipeParcel, POOL, type Parcel } from '../raw/parcel.js'
import { PipeRaw } from '../raw/pipe.js'
import { pipePool, type HeldPipe } from '../raw/pipe-pool.js'
import type { PageOwnership } from '../raw/raw.js'
import type { RunningJob } from '../reactor.js'
import { ListSource } from './list-sides.js'
import type { Plan } from './plan.js'
import type { PullSide, PushSide } from './sides.js'

/**
 * What a transfer reads at once when pipes are short, in bytes: what a Node stream would hold. Thousands
 * of transfers may stall with it.
 */
const BUDGET_READ_BYTES_MAX = 65536

/** A place as a pull side: what it gave back before comes first, then what it has. */
export class EndSource implements PullSide {
  private readonly end: SourceEnd
  private readonly plan: Plan
  private readonly sizeAtStart: number | undefined
  /** What comes first, while it is being sent. */
  private front: ListSource | undefined

  /** `sizeAtStart`: see `startReading`. */
  constructor(end: SourceEnd, plan: Plan, sizeAtStart?: number) {
    this.end = end
    this.plan = plan
    this.sizeAtStart = sizeAtStart
  }
  get label(): string {
    return this.end.label
  }
  get error(): unknown {
    return this.end.error
  }
  get batchBytes(): number {
    return this.end.batchBytes
  }
  start(): Eventually<void> {
    return this.end.startReading(this.sizeAtStart)
  }
  stop(errno: number): void {
    const rest = this.front?.takeRest()
    if (rest !== undefined) segmentsOf(this.end.front).unshiftAll(rest)
    this.end.stopReading(errno)
  }
  takeFront(length: number): Segments | undefined {
    const { front } = this.end
    if (front.length === 0) return undefined
    return takeSegments(front, Math.min(length, front.length))
  }
  load(length: number, trays: readonly HeldPipe[] | undefined): Eventually<Parcel | number> {
    const front = this.frontSource(length)
    if (front !== undefined) return front.load(length)
    const cause = this.plan.copyCause
    if (cause !== undefined) return this.read(length, cause)
    const pipes = trays ?? borrowOne(length, this.end.pages)
    // An empty array: the sink keeps pages, and has no pipe for them. One of ours would be lost to it.
    if (pipes === undefined) return this.readForBudget(Math.min(length, BUDGET_READ_BYTES_MAX))
    if (pipes.length === 0) return this.readForBudget(length)
    const isOwn = trays === undefined
    const filled = this.end.fill(pipes, length)
    if (typeof filled === 'number') return this.filled(pipes, isOwn, length, filled)
    return filled.then((n) => this.filled(pipes, isOwn, length, n))
  }
  /**
   * A socket that gives less than one small read asks for has no more, or wakes whoever waits for it. Not
   * a FIFO, which says nothing of its end to a reader that came after the last writer had gone.
   */
  hasRunDry(given: Parcel, askedBytes: number): boolean {
    if (given.remaining === askedBytes || askedBytes > SHARED_READ_BYTES_MAX) return false
    const isRead = this.front === undefined && given instanceof MemoryParcel
    return isRead && this.end.directSource?.kind === 'socket'
  }
  copied(parcel: PipeParcel, length: number): Eventually<Parcel | number> {
    if (this.front !== undefined) return this.front.copied(parcel, length)
    const cause = this.plan.copyCause ?? 'fallback'
    this.plan.useCopy(cause)
    return parcel.toMemory(this.plan.reason(cause))
  }
  accepted(bytes: number): void {
    this.front?.accepted(bytes)
  }
  direct(): DirectPlace | undefined {
    const isFront = this.front !== undefined || this.end.front.length > 0
    return isFront || this.plan.copyCause !== undefined ? undefined : this.end.directSource
  }
  relayPipe(lengthBytes: number): HeldPipe | undefined {
    return pipePool.borrow(lengthBytes, 0, this.end.pages)
  }
  lendTo(job: RunningJob): void {
    this.end.lendTo?.(job)
  }
  returnedBy(job: RunningJob): void {
    this.end.returnedBy?.(job)
  }
  mayHearLate(): boolean {
    return this.end.mayHearLate?.() === true
  }
  lendLowWater(): boolean {
    return this.end.lendLowWater?.() === true
  }
  leftDirectly(bytes: number, heldBytes: number): void {
    this.end.leftDirectly?.(bytes + heldBytes)
    if (this.end.hidesCopies === true) ledger.countUnknown(bytes + heldBytes)
  }
  endedDirectly(): number {
    return this.end.endedDirectly?.() ?? 0
  }
  residual(parcel: Parcel): Segments | undefined {
    if (this.front !== undefined) {
      this.front.residual()
      return
    }
    const rest = new Segments()
    if (parcel instanceof PipeParcel) {
      for (const bytes of parcel.read) rest.push(windowOfMemory(bytes))
      rest.push(windowOf(new PipeRaw(parcel.takePipes(), this.end.pages)))
      return rest
    }
    parcel.parts.forEach((part, i) => {
      rest.push(windowOfMemory(i === 0 ? part.subarray(parcel.skip) : part))
    })
    return rest
  }
  hasMore(): boolean {
    // It may end at any byte, and a sink that was promised more would hold the last back for 200 ms.
    return false
  }
  ready(wantedBytes: number): Promise<void> {
    return this.end.readable(wantedBytes)
  }
  wake(): void {
    this.end.wakeReader()
  }
  /** The source of what comes first, while there is some. */
  private frontSource(length: number): ListSource | undefined {
    if (this.front?.length === 0) this.front = undefined
    if (this.front === undefined) {
      const front = this.takeFront(length)
      if (front !== undefined) this.front = new ListSource(front, true, this.plan)
    }
    return this.front
  }
  private filled(
    pipes: readonly HeldPipe[],
    isOwn: boolean,
    length: number,
    n: number,
  ): Eventually<Parcel | number> {
    if (n > 0) {
      if (this.end.hidesCopies === true) ledger.countUnknown(n)
      return new PipeParcel(pipes, n, isOwn ? POOL : undefined)
    }
    if (isOwn) giveBackAll(pipes)
    if (n < 0 && this.plan.fallsBack(n, 'splice')) {
      return this.read(length, this.plan.copyCause ?? 'fallback')
    }
    return n
  }
  private readForBudget(length: number): Eventually<Parcel | number> {
    if (this.plan.isReferenceOnly) {
      throw new NotByReferenceError(
        'No pipe is left within the budget',
        "Release lists that hold pages, ask for less at once, or use mode 'auto'",
      )
    }
    this.plan.beforeCopy('budget')
    return this.read(length, 'budget')
  }
  private read(length: number, cause: CopyCause): Eventually<Parcel | number> {
    this.plan.useCopy(cause)
    const reason = this.plan.reason(cause)
    const read = this.end.read(length)
    return read instanceof Promise ? read.then((r) => received(r, reason)) : received(read, reason)
  }
}

function borrowOne(length: number, pages: PageOwnership): readonly HeldPipe[] | undefined {
  const held = pipePool.borrow(length, 0, pages)
  return held === undefined ? undefined : [held]
}

function giveBackAll(pipes: readonly HeldPipe[]): void {
  for (const held of pipes) pipePool.giveBack(held)
}

function received(read: Uint8Array | number, reason: CopyReason): Parcel | number {
  if (typeof read === 'number') return read
  if (read.length === 0) return 0
  ledger.countCopied(reason, read.length)
  return new MemoryParcel([read])
}

/** A place as a push side. */
export class EndSink implements PushSide {
  private readonly end: SinkEnd
  private readonly plan: Plan
  private isStarted: boolean

  constructor(end: SinkEnd, plan: Plan) {
    this.end = end
    this.plan = plan
    this.isStarted = false
  }
  get label(): string {
    return this.end.label
  }
  get error(): unknown {
    return this.end.error
  }
  get lostErrno(): number {
    return this.end.lostErrno ?? 0
  }
  get batchBytes(): number {
    return this.end.batchBytes
  }
  start(): Eventually<void> {
    if (this.isStarted) return
    const starting = this.end.startWriting()
    this.isStarted = true
    return starting
  }
  stop(errno: number): Eventually<number> {
    return this.end.stopWriting(errno)
  }
  trays(): undefined {
    return undefined
  }
  push(parcel: Parcel, more: boolean): Eventually<number> {
    if (parcel instanceof LoanParcel) {
      const lent = this.lend(parcel, more)
      if (typeof lent === 'number') return this.lentBytes(parcel, lent)
      if (lent !== undefined) return lent.then((n) => this.lentBytes(parcel, n))
    }
    const isPages = parcel instanceof PipeParcel
    const { stagingCopies } = this.end
    if (!isPages && stagingCopies !== undefined) {
      this.plan.beforeCopy(stagingCopies, parcel.remaining)
    }
    const pushed = isPages
      ? this.end.drain(parcel, more)
      : this.end.write(parcel.parts, parcel.skip, more)
    if (typeof pushed === 'number') return this.pushed(parcel, pushed)
    return pushed.then((n) => this.pushed(parcel, n))
  }
  direct(): DirectPlace | undefined {
    return this.end.directSink
  }
  /** Where pages of such an owner may be put past parcels, without waiting. */
  placeFor(pages: PageOwnership | null): DirectPlace | undefined {
    return this.plan.causeFor(pages) === undefined ? this.placeAtOnce : undefined
  }
  /** The place, where no attempt on it waits for anything. */
  get placeAtOnce(): DirectPlace | undefined {
    const place = this.end.directSink
    return place?.kind === 'file' ? undefined : place
  }
  lendTo(job: RunningJob): void {
    this.end.lendTo?.(job)
  }
  returnedBy(job: RunningJob): void {
    this.end.returnedBy?.(job)
  }
  mayHearLate(): boolean {
    return this.end.mayHearLate?.() === true
  }
  cameDirectly(bytes: number, call: DirectCall, to: DirectPlace): void {
    this.end.cameDirectly?.(bytes)
    this.plan.use(call)
    ledger.countMoved(bytes)
    const { pageCopies } = this.end
    // The file system may share the extents instead of copying them, and does not say.
    if (call === 'copy_file_range' && !to.copiesRanges) ledger.countUnknown(bytes)
    else if (pageCopies !== undefined) ledger.countKernelCopied(pageCopies, bytes)
  }
  /** Bytes of memory have come past parcels, to a place where no attempt waits. */
  cameFromMemory(bytes: number): void {
    this.end.cameDirectly?.(bytes)
    this.plan.use('write')
    const { memoryCopies } = this.end
    if (memoryCopies !== undefined) ledger.countKernelCopied(memoryCopies, bytes)
  }
  rest(): void {
    // It holds nothing between parcels.
  }
  ready(): Promise<void> {
    return this.end.writable()
  }
  wake(): void {
    this.end.wakeWriter()
  }
  /** The memory itself, where the sink can prove that it is free again. */
  private lend(parcel: LoanParcel, more: boolean): Eventually<number> | undefined {
    if (!parcel.loan.isMapped) return undefined
    const cause = this.plan.causeFor('loan')
    if (cause !== undefined && cause !== 'append-file') return undefined
    return this.end.lend?.(parcel, more)
  }
  private lentBytes(parcel: LoanParcel, n: number): number {
    if (n <= 0) return n === 0 ? -EAGAIN : n
    parcel.accept(n)
    this.plan.use('lend')
    if (this.end.lentCopies !== undefined) ledger.countKernelCopied(this.end.lentCopies, n)
    return n
  }
  private pushed(parcel: Parcel, n: number): number {
    if (n <= 0) return n === 0 ? -EAGAIN : n
    const isPages = parcel instanceof PipeParcel
    parcel.accept(n)
    if (parcel instanceof LoanParcel) parcel.loan.copied()
    this.plan.use(isPages ? 'splice' : 'write')
    if (isPages) ledger.countMoved(n)
    else if (this.end.stagingCopies !== undefined) {
      ledger.countCopied(this.plan.reason(this.end.stagingCopies), n)
    }
    const cause = isPages ? this.end.pageCopies : this.end.memoryCopies
    if (cause !== undefined) ledger.countKernelCopied(cause, n)
    return n
  }
}

import type { CopyCause } from '../audit/causes.js'
import { ledger } from '../audit/ledger.js'
import { DirectPlace } from '../endpoints/direct.js'
import { after, type Eventually } from '../eventually.js'
import { Segments } from '../list/segments.js'
import { ExtentWindow, MemoryWindow, RawWindow, windowOf, windowOfMemory } from '../list/window.js'
import { addon } from '../native.js'
import { FileRaw } from '../raw/file.js'
import { opened } from '../reactor.js'
import { MemoryParcel, PipeParcel, readPipe, type Parcel } from '../raw/parcel.js'
import { LENT, PipeRaw } from '../raw/pipe.js'
import { LARGE_PIPE_SLOTS, PAGE_BYTES, pipePool, type HeldPipe } from '../raw/pipe-pool.js'
import type { PageOwnership } from '../raw/raw.js'
import type { Plan } from './plan.js'
import type { PullSide, PushSide } from './sides.js'

/** Parts that one gathering write takes, at the most: a tenth of IOV_MAX keeps the call short. */
const PARTS_MAX = 100
/**
 * Pages that hold less than this, on average, are not worth pinning, in bytes: half a page, so that what
 * is pinned is at most twice what is held. No measure of speed: to read them costs as much as ever.
 */
const SLOT_BYTES_MIN = 2048

/** A list's segments as a pull side. It owns them: a copy's references, or the list's own. */
export class ListSource implements PullSide {
  readonly label = 'list'
  readonly batchBytes = Infinity
  private readonly segments: Segments
  private readonly consume: boolean
  private readonly plan: Plan

  constructor(segments: Segments, consume: boolean, plan: Plan) {
    this.segments = segments
    this.consume = consume
    this.plan = plan
  }
  get length(): number {
    return this.segments.length
  }
  start(): void {
    // A list is always there.
  }
  stop(): void {
    // What is left is taken by whoever began the operation.
  }
  takeFront(): undefined {
    return undefined
  }
  load(length: number): Eventually<Parcel | number> {
    const first = this.segments.first()
    if (first === undefined) return 0
    if (first instanceof MemoryWindow) {
      return new MemoryParcel(this.segments.gather(length, PARTS_MAX))
    }
    const cause = this.plan.causeFor(first.pages)
    if (this.consume && cause === undefined) {
      const lent = this.lentFront(length)
      if (lent !== undefined) return lent
    }
    const n = Math.min(first.length, length)
    const reason = cause === undefined ? undefined : this.plan.reason(cause)
    const parcel = first.parcel(0, n, reason, this.plan.isIntended)
    return after(parcel, (it) => this.orCopied(it, length, cause))
  }
  /** The pipes at the front that nobody else needs, through as many segments as they make up. */
  private lentFront(length: number): PipeParcel | undefined {
    const pipes: HeldPipe[] = []
    let ready = 0
    this.segments.visit(0, Math.min(length, this.segments.length), (window, within, n) => {
      if (!(window instanceof RawWindow && window.raw instanceof PipeRaw)) return false
      if (this.plan.causeFor(window.pages) !== undefined) return false
      const lent = window.raw.lend(window.offset + within, n, pipes)
      ready += lent
      return lent === n
    })
    return ready === 0 ? undefined : new PipeParcel(pipes, ready, LENT)
  }
  /** A refusal of pages before any byte moved sends the same bytes the next way. */
  private orCopied(
    parcel: Parcel | number,
    length: number,
    cause: CopyCause | undefined,
  ): Eventually<Parcel | number> {
    if (cause !== undefined) this.plan.useCopy(cause)
    if (typeof parcel !== 'number' || cause !== undefined) return parcel
    return this.plan.fallsBack(parcel, 'splice') ? this.load(length) : parcel
  }
  copied(parcel: PipeParcel, length: number): Eventually<Parcel | number> {
    parcel.close()
    return this.load(length)
  }
  accepted(bytes: number): void {
    this.segments.dropFront(bytes)
  }
  direct(): DirectPlace | undefined {
    const first = this.segments.first()
    if (!(first instanceof ExtentWindow && first.raw instanceof FileRaw)) return undefined
    if (addon === null || this.plan.causeFor(first.pages) !== undefined) return undefined
    const { raw } = first
    return new DirectPlace('file', raw.descriptor, raw.inFile(first.offset), first.length)
  }
  relayPipe(lengthBytes: number): HeldPipe | undefined {
    return pipePool.borrow(lengthBytes, 0, 'loan')
  }
  lendTo(): void {
    // It has no place of its own.
  }
  returnedBy(): void {
    // Nor is it lent.
  }
  mayHearLate(): boolean {
    return false
  }
  lendLowWater(): boolean {
    return false
  }
  leftDirectly(bytes: number): void {
    this.segments.dropFront(bytes)
  }
  endedDirectly(): number {
    // An extent says how long it is, so its end is never found in this way.
    return 0
  }
  residual(): undefined {
    return undefined
  }
  hasMore(afterBytes: number): boolean {
    return this.segments.length > afterBytes
  }
  ready(): Promise<void> {
    return Promise.resolve()
  }
  wake(): void {
    // It never waits.
  }
  /** What was not accepted. */
  takeRest(): Segments {
    return this.segments.moveOut()
  }
}

/** A list in the making as a push side: pages arrive in pipes that become its segments. */
export class ListSink implements PushSide {
  readonly label = 'list'
  readonly batchBytes = Infinity
  private readonly segments = new Segments()
  private readonly pages: PageOwnership
  private readonly plan: Plan
  /** Pipes of the pipe segment in the making; the last is the tray. */
  private pipes: HeldPipe[] = []

  constructor(pages: PageOwnership, plan: Plan) {
    this.pages = pages
    this.plan = plan
  }
  start(): void {
    // A list is always there.
  }
  stop(): number {
    // What came is taken by whoever began the operation.
    return 0
  }
  trays(wantedBytes: number): readonly HeldPipe[] {
    const trays = this.pipesWithRoom()
    let left = wantedBytes
    // A socket's slots hold more than a page: a pipe with room may hold more than its slots' pages.
    for (const { slots, bytes } of trays) left -= Math.max(0, slots * PAGE_BYTES - bytes)
    while (left > 0) {
      const held = pipePool.borrow(left, 0, this.pages)
      if (held === undefined) break
      trays.push(held)
      this.pipes.push(held)
      left -= held.slots * PAGE_BYTES
    }
    return trays
  }
  rest(): void {
    for (let last = this.pipes.at(-1); last?.bytes === 0; last = this.pipes.at(-1)) {
      this.pipes.pop()
      pipePool.giveBack(last)
    }
  }
  adopt(segments: Segments): void {
    this.seal()
    this.segments.pushAll(segments)
  }
  push(parcel: Parcel): number {
    const n = parcel.remaining
    if (parcel instanceof PipeParcel) {
      parcel.keep()
      ledger.countMoved(n)
      this.plan.use('splice')
      return n
    }
    this.seal()
    for (const part of parcel.parts) {
      this.segments.push(windowOfMemory(part))
    }
    parcel.accept(n)
    return n
  }
  lendTo(): void {
    // It has no place of its own.
  }
  returnedBy(): void {
    // Nor is it lent.
  }
  mayHearLate(): boolean {
    return false
  }
  cameDirectly(): void {
    // It has no place of its own.
  }
  ready(): Promise<void> {
    return Promise.resolve()
  }
  wake(): void {
    // It never waits.
  }
  /** The last pipe that holds bytes, if it has a slot left, and the empty ones behind it. */
  private pipesWithRoom(): HeldPipe[] {
    let from = this.pipes.length
    while (from > 0 && this.pipes[from - 1]?.bytes === 0) from -= 1
    const empty = this.pipes.slice(from)
    const last = this.pipes[from - 1]
    if (last === undefined) return empty
    if (opened().hasRoom(last.pipe)) return [last, ...empty]
    this.pipes.length = from
    try {
      this.keepOnlyFullPages(last)
    } finally {
      this.pipes.push(...empty)
    }
    return empty
  }
  /** All that came, in order. */
  takeAll(): Segments {
    this.seal()
    return this.segments
  }
  /**
   * Makes the pipes so far segments: each large pipe its own, so that it is free as soon as nobody
   * needs its bytes, and small ones together.
   */
  private seal(): void {
    const { pipes } = this
    if (pipes.length === 0) return
    this.pipes = []
    let group: HeldPipe[] = []
    for (const held of pipes) {
      if (held.bytes === 0) pipePool.giveBack(held)
      else group.push(held)
      if (held.slots < LARGE_PIPE_SLOTS || group.length === 0) continue
      this.segments.push(windowOf(new PipeRaw(group, this.pages)))
      group = []
    }
    if (group.length > 0) this.segments.push(windowOf(new PipeRaw(group, this.pages)))
  }
  /** A full pipe whose pages are nearly empty pins far more memory than it holds: it is read. */
  private keepOnlyFullPages(held: HeldPipe): void {
    if (held.bytes >= held.slots * SLOT_BYTES_MIN || this.plan.isReferenceOnly) return
    this.plan.beforeCopy('sparse-pages', held.bytes)
    this.pipes.pop()
    this.seal()
    ledger.sparsePipes++
    this.plan.useCopy('sparse-pages')
    try {
      while (held.bytes > 0) {
        const bytes = readPipe(held, held.bytes, this.plan.reason('sparse-pages'))
        held.bytes -= bytes.length
        this.segments.push(windowOfMemory(bytes))
      }
    } finally {
      if (held.bytes > 0) this.pipes.push(held)
      else pipePool.giveBack(held)
    }
  }
}

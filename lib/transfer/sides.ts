/**
 * The two sides of the machine. Whatever the place, a pull side gives parcels and a push side takes
 * them; so a list, a socket and a file all go through one loop.
 */
import type { DirectCall, DirectPlace } from '../endpoints/direct.js'
import type { Eventually } from '../eventually.js'
import type { Segments } from '../list/segments.js'
import type { Parcel, PipeParcel } from '../raw/parcel.js'
import type { HeldPipe } from '../raw/pipe-pool.js'
import type { RunningJob } from '../reactor.js'

/** Where parcels come from. A number below zero is −errno, 0 the end. */
export interface PullSide {
  readonly label: string
  /** What its stream failed with, where −errno stands for an error of Node's. */
  readonly error?: unknown
  /** Begins the operation; the place is ours from then on. */
  start(): Eventually<void>
  /** Ends the operation. `errno` is what broke it at this side, or 0. */
  stop(errno: number): void
  /** Up to `length` bytes that were pulled before and come first, as they are. */
  takeFront(length: number): Segments | undefined
  /** Bytes that one parcel may hold at the most. */
  readonly batchBytes: number
  /** The next parcel of at most `length` bytes; into `trays`, the sink's own pipes, where it can. */
  load(length: number, trays: readonly HeldPipe[] | undefined): Eventually<Parcel | number>
  /** Whether it is known to have no more from how much it gave of what it was asked for. */
  hasRunDry?(given: Parcel, askedBytes: number): boolean
  /** Where one call of the kernel finds the next bytes, with no parcel; undefined where none does. */
  direct(): DirectPlace | undefined
  /** A pipe for bytes on their way from here to a sink; undefined where none is left in the budget. */
  relayPipe(lengthBytes: number): HeldPipe | undefined
  /** A job makes such calls until it is `returnedBy`: the place's owner may close it meanwhile. */
  lendTo(job: RunningJob): void
  returnedBy(job: RunningJob): void
  /** Whether it may hear a second late of bytes that such a job moves. */
  mayHearLate(): boolean
  /** Such a job begins, with a low-water mark of its own. Whether a wait for the place heeds one. */
  lendLowWater(): boolean
  /** Bytes have gone to the sink by such a call, and others into a pipe before it. */
  leftDirectly(bytes: number, heldBytes: number): void
  /** Such a call has found the end: 0, or −errno where it came before the bytes that were there. */
  endedDirectly(): number
  /** The bytes of a parcel whose pages the sink refused, in memory. Closes the parcel. */
  copied(parcel: PipeParcel, length: number): Eventually<Parcel | number>
  /** The sink has accepted bytes of the last parcel. */
  accepted(bytes: number): void
  /** What is left of a parcel that could not be pushed; undefined where the side still has it. */
  residual(parcel: Parcel): Segments | undefined
  /** Whether more follow the parcel for certain, so that the sink may wait for them. */
  hasMore(afterBytes: number): boolean
  /** Resolves when another `load` is worth while. */
  ready(wantedBytes: number): Promise<void>
  wake(): void
}

/** Where parcels go. */
export interface PushSide {
  readonly label: string
  /** What its stream failed with, where −errno stands for an error of Node's. */
  readonly error?: unknown
  /** Why it takes no more bytes for good: a positive errno; 0 while it may, as far as is known. */
  readonly lostErrno?: number
  start(): Eventually<void>
  /** Ends the operation. `errno` is what broke it here, or 0. Returns 0 or −errno of a last flush. */
  stop(errno: number): Eventually<number>
  /** Bytes that one parcel may hold at the most. */
  readonly batchBytes: number
  /**
   * The sink's own pipes with room in them, for sinks that keep pages: none when the budget is used
   * up. Undefined for other sinks.
   */
  trays(wantedBytes: number): readonly HeldPipe[] | undefined
  /** Takes segments as they are; absent where bytes must be moved. */
  adopt?(segments: Segments): void
  /** Takes of a parcel what it can, at least one byte: how many, or −errno. */
  push(parcel: Parcel, more: boolean): Eventually<number>
  /**
   * Where one call of the kernel can put bytes, with no parcel; undefined where none can. Absent where
   * none ever can.
   */
  direct?(): DirectPlace | undefined
  /** A job makes such calls until it is `returnedBy`: the place's owner may close it meanwhile. */
  lendTo(job: RunningJob): void
  returnedBy(job: RunningJob): void
  /** Whether it may hear a second late of bytes that such a job moves. */
  mayHearLate(): boolean
  /** Bytes have come to the place by such a call. */
  cameDirectly(bytes: number, call: DirectCall, to: DirectPlace): void
  /** A wait for the source begins: gives back what it holds and does not need. */
  rest(): void
  ready(): Promise<void>
  wake(): void
}

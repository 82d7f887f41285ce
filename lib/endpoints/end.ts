/**
 * What the transfer machine asks of a place. An end is thin: it makes one attempt at a time and
 * says what the kernel said; waiting, retrying, choosing the way and counting are the machine's.
 *
 * A count below zero is −errno. −EAGAIN means: wait, then ask again.
 */
import type { Eventually } from '../eventually.js'
import type { CopyCause, KernelCause } from '../audit/causes.js'
import type { BufferList } from '../list/buffer-list.js'
import type { Segments } from '../list/segments.js'
import type { LoanParcel } from '../raw/loan.js'
import type { PipeParcel } from '../raw/parcel.js'
import type { HeldPipe } from '../raw/pipe-pool.js'
import type { PageOwnership } from '../raw/raw.js'
import type { RunningJob } from '../reactor.js'
import type { DirectPlace } from './direct.js'
import type { Turns } from './turns.js'

/** Bytes that one attempt on the JavaScript thread may move, before others have their turn. */
export const TURN_BYTES_MAX = 1 << 20

/** Why bytes are copied at an end, for the ledger, and in sentences for `NotByReferenceError`. */
export interface Obstacle {
  readonly cause: CopyCause
  readonly reason: string
  readonly remedy: string
}

/** Where bytes come from. */
export interface SourceEnd {
  /** What it is, for `ways` and messages: 'tcp', 'unix', 'file', 'pipe', 'stream'. */
  readonly label: string
  /** Who else can change the pages that it gives. */
  readonly pages: PageOwnership
  /**
   * Whether the kernel may copy them into fresh pages first, and does not say: a socket's, where a packet
   * keeps bytes beside its pages. A pipe gives the pages that it holds.
   */
  readonly hidesCopies?: boolean
  readonly readTurns: Turns
  /** What its stream failed with: an attempt's −errno stands for it. Absent where there is no stream. */
  readonly error?: unknown
  /** Why bytes cannot leave by reference; undefined where they can. */
  readonly obstacle: Obstacle | undefined
  /** Bytes that were read or given back already: they come first. */
  readonly front: BufferList
  /**
   * Begins an operation: connects, takes reading over from Node. Rejects with a typed error.
   * `sizeAtStart`: of a file that is pulled in many steps, its size in bytes before the first.
   */
  startReading(sizeAtStart?: number): Eventually<void>
  /** Ends an operation. `errno` is what broke it at this side, or 0. */
  stopReading(errno: number): void
  /** Bytes that one attempt may move: a turn of the JavaScript thread, or a job of a disk thread. */
  readonly batchBytes: number
  /**
   * One attempt to move pages into pipes, the first that has room first: bytes, 0 at the end, or
   * −errno. It keeps the pipes' own account.
   */
  fill(pipes: readonly HeldPipe[], lengthBytes: number): Eventually<number>
  /** One attempt to read into fresh memory: bytes, none at the end, or −errno. */
  read(lengthBytes: number): Eventually<Uint8Array | number>
  /** As `read`, where neither that nor `startReading` ever takes time. Absent where one may. */
  readNow?(lengthBytes: number): Uint8Array | number
  /** What one call of the kernel can move from; undefined where it takes a pipe or a copy. */
  readonly directSource?: DirectPlace | undefined
  /** A job makes such calls until it is `returnedBy`: the place's owner may close it meanwhile. */
  lendTo?(job: RunningJob): void
  returnedBy?(job: RunningJob): void
  /** Whether it may hear a second late of bytes that such a job moves; absent where it may not. */
  mayHearLate?(): boolean
  /** Such a job begins, with a low-water mark of its own. Whether a wait for the place heeds one. */
  lendLowWater?(): boolean
  /** Bytes have left by such a call. */
  leftDirectly?(bytes: number): void
  /** Such a call has found the end: 0, or −errno where it came before the bytes that were there. */
  endedDirectly?(): number
  /** Resolves when another attempt is worth while; `wantedBytes` are missing. May be early. */
  readable(wantedBytes: number): Promise<void>
  /**
   * Takes back, within the operation's turn, what was pulled and not accepted. False where it cannot:
   * the operation's error hands the bytes out then.
   */
  takeBack(segments: Segments): boolean
  /** Ends a wait, or a running disk job, early. */
  wakeReader(): void
  /** Bytes that are left to the end, for sources that know it. */
  leftBytes?(): number | undefined
}

/** Bytes that are left in a source for certain, what was given back to it first. */
export function leftBytesOf(source: SourceEnd): number {
  return (source.leftBytes?.() ?? 0) + source.front.length
}

/** Where bytes go. */
export interface SinkEnd {
  readonly label: string
  readonly writeTurns: Turns
  /** What its stream failed with: an attempt's −errno stands for it. Absent where there is no stream. */
  readonly error?: unknown
  /** Why it takes no more bytes for good: a positive errno; 0 while it may. Absent where unknown. */
  readonly lostErrno?: number
  /**
   * Calls a function when it is lost for good, until the returned one is called: a stream's events cost as
   * much for each message as its move. Absent where these have to be listened to.
   */
  whenLost?(tell: () => void): () => void
  /** Why pages cannot be taken; undefined where they can. */
  readonly obstacle: Obstacle | undefined
  /** The copy that the kernel makes of pages that arrive here; undefined where it makes none. */
  readonly pageCopies: KernelCause | undefined
  /** The copy that the kernel makes of memory that arrives here. */
  readonly memoryCopies: KernelCause | undefined
  /** The copy that `write` makes before it hands memory to the kernel; absent where it makes none. */
  readonly stagingCopies?: CopyCause | undefined
  /** Begins an operation: connects, waits until all that was written before is on its way. */
  startWriting(): Eventually<void>
  /**
   * Ends an operation. `errno` is what broke it at this side, or 0. Returns 0, or −errno of what was
   * left to do (a flush).
   */
  stopWriting(errno: number): Eventually<number>
  /** Bytes that one attempt may move: a turn of the JavaScript thread, or a job of a disk thread. */
  readonly batchBytes: number
  /** One attempt to take pages out of a parcel's pipes: bytes or −errno. Does not accept them. */
  drain(parcel: PipeParcel, more: boolean): Eventually<number>
  /** One attempt to write from memory, leaving out the first `skipBytes`: bytes or −errno. */
  write(parts: readonly Uint8Array[], skipBytes: number, more: boolean): Eventually<number>
  /** What one call of the kernel can move to; undefined where it takes a pipe or a copy. */
  readonly directSink?: DirectPlace | undefined
  /** Bytes have come by such a call. */
  cameDirectly?(bytes: number): void
  /** A job makes such calls until it is `returnedBy`: the place's owner may close it meanwhile. */
  lendTo?(job: RunningJob): void
  returnedBy?(job: RunningJob): void
  /** Whether it may hear a second late of bytes that such a job moves; absent where it may not. */
  mayHearLate?(): boolean
  /**
   * One attempt to write lent memory from where it lies: bytes or −errno; undefined when nothing would
   * prove that the memory is free again, and it is to be copied by `write`. Absent where that is so
   * for all memory.
   */
  lend?(parcel: LoanParcel, more: boolean): Eventually<number> | undefined
  /** The copy that the kernel makes of lent memory; undefined where it makes none, or tells later. */
  readonly lentCopies?: KernelCause | undefined
  /** Resolves when another attempt is worth while. May be early. */
  writable(): Promise<void>
  /** Ends a wait, or a running disk job, early. */
  wakeWriter(): void
}

/** The obstacle of an environment without the addon. */
export function withoutAddon(why: string): Obstacle {
  return {
    cause: 'no-addon',
    reason: `Bytes can only be copied here: ${why}`,
    remedy: "Use mode 'auto', or install the package with its prebuilt addon on Linux",
  }
}

import {
  carry,
  directCall,
  mayWait,
  moveNow,
  wantsPipe,
  type DirectCall,
  type DirectPlace,
  type Moved,
} from '../endpoints/direct.js'
import { TURN_BYTES_MAX } from '../endpoints/end.js'
import { LOW_WATER_BYTES_MAX, lowWaterFor } from '../endpoints/low-water.js'
import { burstBytesOf } from '../endpoints/packets.js'
import { relays } from '../endpoints/relays.js'
import { TransferError } from '../errors.js'
import type { Eventually } from '../eventually.js'
import { PipeParcel, POOL } from '../raw/parcel.js'
import { pipePool, type HeldPipe } from '../raw/pipe-pool.js'
import { opened, type JobResult, type RunningJob } from '../reactor.js'
import type { PullSide, PushSide } from './sides.js'

/**
 * Bytes that one disk job carries at the most: as many as a fast one moves in the 50 ms after which each
 * tells how far it is. A gap between two jobs is 50 µs, in which a TCP peer learns to go slower.
 */
const CARRY_BYTES_MAX = 256 << 20

/**
 * Bytes that show that a stream is busy. More than one turn, in which nobody else could have one. With a
 * quarter of it transfers of 4 MiB took 1.1 times the CPU; two and four times as much made no difference
 * from 2 MiB to 64, and 32 times as much made those of 64 MiB dearer by 1.15 (loopback TCP).
 */
const BUSY_BYTES_MIN = 2 * TURN_BYTES_MAX
/** What a busy stream moves at once at the least, in bytes: others do not need the thread for long. */
const BUSY_TURN_BYTES_MIN = 65536
/**
 * How many turns others may have between two of a stream that gets a thread of its own. Where a hundred
 * streams are busy, threads for two of them make all dearer by a third.
 */
const OTHERS_TURNS_MAX = 2

/**
 * The least that is worth a relay which stands, in bytes: to start and end it costs as much as a turn or
 * two of JavaScript's.
 */
const RELAY_BYTES_MIN = 262144
/** What one moves in a crowd before JavaScript hears of it, in bytes: then that is nothing beside them. */
const RELAY_BYTES_MAX = 16 << 20
/** Between two bytes of a stream that is worth one, in milliseconds. */
const RELAY_GAP_MS = 50

/** How many turns of so many bytes the streams of this environment have had. */
let turnsSoFar = 0

/** The way of an attempt: by a call, perhaps through a pipe. */
interface Way {
  readonly from: DirectPlace
  readonly to: DirectPlace
  readonly call: DirectCall
  /** Whether it is through a pipe, so that an error without a parcel is the source's. */
  readonly isRelayed: boolean
}

interface Attempt extends Way {
  readonly held: HeldPipe | undefined
  /** Bytes that it may move. */
  readonly asked: number
}

/** What an attempt came to. */
export interface Leap extends Way {
  /** Bytes that the sink has taken. */
  readonly bytes: number
  /** Why it took no more: a positive errno, the sink's where there is a parcel. 0: the end, or all. */
  readonly errno: number
  /** Bytes that have left the source, and that the sink did not take. */
  readonly parcel: PipeParcel | undefined
}

/**
 * The way past parcels: places between which bytes go without JavaScript.
 *
 * Where a place may wait for a disk, a disk thread makes the calls. Between two sockets the JavaScript
 * thread does, a turn at a time; where bytes keep coming a relay goes on below JavaScript, until they have
 * shown that the stream is busy, and nearly the only one: then a disk thread carries on, if one is free,
 * and waits by itself for what comes within milliseconds, which costs a tenth of a wake-up of ours.
 */
export class Shortcut {
  private readonly source: PullSide
  private readonly sink: PushSide
  /** The job that works on both places. */
  private job: RunningJob | undefined
  /** Bytes of turns that no crowd of others had theirs between. */
  private busyBytes: number
  private lastTurn: number
  /** Whether the last job has moved much. */
  private isPouring: boolean
  /** When a turn last found no more, in milliseconds. */
  private dryAt: number

  constructor(source: PullSide, sink: PushSide) {
    this.source = source
    this.sink = sink
    this.job = undefined
    this.busyBytes = 0
    this.lastTurn = 0
    this.isPouring = false
    this.dryAt = -Infinity
  }
  /** Moves at most so many bytes; undefined where there is no such way for the next ones. */
  attempt(lengthBytes: number): Eventually<Leap> | undefined {
    const from = this.source.direct()
    const to = from === undefined ? undefined : this.sink.direct?.()
    if (from === undefined || to === undefined) return undefined
    const wanted = Math.min(lengthBytes, from.lengthBytes)
    const turn = Math.min(wanted, TURN_BYTES_MAX)
    const held = wantsPipe(from, to, wanted) ? this.source.relayPipe(turn) : undefined
    const call = held === undefined ? directCall(from.kind, to.kind) : 'splice'
    if (call === undefined) return undefined
    const isRelayed = held !== undefined
    if (!mayWait(from, to, wanted) && !this.isBusy(wanted)) {
      const now = moveNow(from, held?.pipe, to, turn)
      this.hadTurn(now.bytes)
      return this.leapt({ from, to, call, isRelayed, held, asked: turn }, now)
    }
    const mayGather = this.source.lendLowWater() && to.kind === 'file'
    const gathered = mayGather ? this.gathered(lengthBytes) : 1
    // The first lot of a stream shows whether it pours.
    const isTrial = mayGather && gathered === 1
    const lot = Math.min(wanted, isTrial ? LOW_WATER_BYTES_MAX : CARRY_BYTES_MAX)
    const job = carry(from, held?.pipe, to, {
      lengthBytes: lot,
      burstBytes: burstBytesOf(to, lot),
      gatheredBytes: gathered,
    })
    return this.whenDone(job).then((moved) => {
      if (moved.bytes < TURN_BYTES_MAX) this.busyBytes = 0
      this.isPouring = moved.bytes >= LOW_WATER_BYTES_MAX
      return this.leapt({ from, to, call, isRelayed, held, asked: lot }, moved)
    })
  }
  /**
   * Goes on below JavaScript where an attempt between two sockets has moved bytes and found no more, and
   * moves at most so many, until something else comes than bytes or others are to hear of them; undefined
   * where the caller has to wait.
   */
  linger(lengthBytes: number): Promise<Leap> | undefined {
    const { source, sink } = this
    const before = this.dryAt
    this.dryAt = performance.now()
    if (this.dryAt - before > RELAY_GAP_MS || lengthBytes < RELAY_BYTES_MIN) return undefined
    const from = source.direct()
    const to = sink.direct?.()
    if (from === undefined || to === undefined) return undefined
    if (!source.mayHearLate() || !sink.mayHearLate()) return undefined
    const most = relays.size > OTHERS_TURNS_MAX ? RELAY_BYTES_MAX : BUSY_BYTES_MIN
    source.lendLowWater()
    const relay = relays.start(from, to, Math.min(lengthBytes, most))
    if (relay === undefined) return undefined
    return this.whenDone(relay).then((moved) => {
      const held = relays.ended(relay, moved)
      this.dryAt = performance.now()
      this.hadTurn(moved.bytes)
      const way = { from, to, call: 'splice', isRelayed: true } as const
      return this.leapt({ ...way, held, asked: Infinity }, moved)
    })
  }
  /** Stops a job at its next call. */
  cancel(): void {
    this.job?.cancel()
  }
  /**
   * What a job into a file is woken for, in bytes: it takes three quarters of the CPU then (1 GiB over
   * loopback TCP). Not one into another socket: that lets the queues on both sides run empty and full in
   * turn, TCP paces its sender, and the same gigabyte costs a half more.
   *
   * A peer that is to send so many bytes sends them; of one that may stop anywhere the last job has to
   * have seen many, or each bit of a trickle would wait for a millisecond.
   */
  private gathered(lengthBytes: number): number {
    return lengthBytes === Infinity && !this.isPouring ? 1 : lowWaterFor(lengthBytes)
  }
  private hadTurn(bytes: number): void {
    this.busyBytes += bytes
    if (bytes >= BUSY_TURN_BYTES_MIN) turnsSoFar += 1
    this.lastTurn = turnsSoFar
  }
  /** Whether a thread is worth its price, and one can be spared. */
  private isBusy(lengthBytes: number): boolean {
    const othersTurns = turnsSoFar - this.lastTurn + relays.size
    if (othersTurns > OTHERS_TURNS_MAX) this.busyBytes = 0
    if (this.busyBytes < BUSY_BYTES_MIN || lengthBytes < TURN_BYTES_MAX) return false
    return opened().hasSpareThread()
  }
  private async whenDone<T extends JobResult>(job: RunningJob<T>): Promise<T> {
    const { source, sink } = this
    this.job = job
    source.lendTo(job)
    sink.lendTo(job)
    const moved = await job.done
    this.job = undefined
    source.returnedBy(job)
    sink.returnedBy(job)
    return moved
  }
  private leapt({ from, to, call, isRelayed, held, asked }: Attempt, moved: Moved): Leap {
    const { bytes, errno } = moved
    const parcel = held === undefined ? undefined : leftIn(held, moved, asked)
    const heldBytes = parcel?.remaining ?? 0
    if (bytes + heldBytes > 0) this.source.leftDirectly(bytes, heldBytes)
    if (bytes > 0) this.sink.cameDirectly(bytes, call, to)
    // No spread: V8 would make a map for each.
    return { from, to, call, isRelayed, bytes, errno, parcel }
  }
}

/** What lies in a pipe that bytes went through; it is asked only where nothing else tells. */
function leftIn(
  held: HeldPipe,
  { bytes, heldBytes }: Moved,
  asked: number,
): PipeParcel | undefined {
  const there = bytes === asked ? 0 : (heldBytes ?? opened().pending(held.pipe))
  if (there < 0) {
    // Whose bytes are they that nobody can count? Nobody's next message may begin with them.
    pipePool.destroy(held)
    throw new TransferError({ side: 'pipe', errno: there, syscall: 'ioctl', bytesMoved: bytes })
  }
  held.bytes = there
  if (there > 0) return new PipeParcel([held], there, POOL)
  pipePool.giveBack(held)
  return undefined
}

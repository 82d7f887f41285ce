/**
 * Bytes that go from one place to another without JavaScript between them: by one call of the kernel
 * where there is one for the two, else through a pipe by calls of the addon's.
 */
import type { Descriptor, Pipe } from '../native.js'
import { ledger } from '../audit/ledger.js'
import { PAGE_BYTES, SMALL_PIPE_SLOTS, type HeldPipe } from '../raw/pipe-pool.js'
import { opened, runJob, type JobResult, type RunningJob } from '../reactor.js'

/** What a place is to the kernel: a regular file, a stream socket, a pipe. */
export type DirectKind = 'file' | 'socket' | 'pipe'

/**
 * A place that the kernel can move from or to. A class, so that all have one shape: every message asks
 * for two.
 */
export class DirectPlace {
  readonly kind: DirectKind
  readonly descriptor: Descriptor
  /** Where in the file; −1 for the descriptor's own position. */
  readonly offset: number
  /** Bytes that are there at the most. */
  readonly lengthBytes: number
  /** Whether `copy_file_range` into it copies bytes for certain, and shares none. */
  readonly copiesRanges: boolean

  constructor(
    kind: DirectKind,
    descriptor: Descriptor,
    offset = -1,
    lengthBytes = Infinity,
    copiesRanges = false,
  ) {
    this.kind = kind
    this.descriptor = descriptor
    this.offset = offset
    this.lengthBytes = lengthBytes
    this.copiesRanges = copiesRanges
  }
}

/** The call that moves bytes between two places. */
export type DirectCall = 'sendfile' | 'copy_file_range' | 'splice'

/** The call for two kinds of places; undefined where a pipe has to be between them. */
export function directCall(from: DirectKind, to: DirectKind): DirectCall | undefined {
  if (from === 'pipe' || to === 'pipe') return 'splice'
  if (from === 'socket') return undefined
  return to === 'socket' ? 'sendfile' : 'copy_file_range'
}

/** What a pipe holds by default, in bytes. */
const PIPE_BYTES = SMALL_PIPE_SLOTS * PAGE_BYTES

/**
 * Whether a pipe of ours between two places is better than one call for both, or the only way.
 *
 * A pipe is emptied into ours at once, so that its writer goes on while we store the bytes: of a stream
 * that takes three quarters of the CPU and half the time (a pipe of 64 KiB into ext4). Of no more than the
 * pipe holds by itself it takes a quarter more. Where `copy_file_range` copies, it copies through a pipe
 * of its own of 64 KiB: one of 1 MiB takes three quarters of the CPU (ext4 in the page cache).
 */
export function wantsPipe(from: DirectPlace, to: DirectPlace, lengthBytes: number): boolean {
  if (from.kind === 'socket') return to.kind !== 'pipe'
  if (from.kind === 'pipe') return to.kind === 'file' && lengthBytes > PIPE_BYTES
  return to.kind === 'file' && to.copiesRanges
}

/**
 * The longest range of a file that is looked for in the page cache before it is sent, in bytes. A look
 * costs 250 ns a page, and a disk job 10 µs.
 */
const LOOK_BYTES_MAX = 65536

/** Whether so many bytes between two places may make a caller wait for a disk. */
export function mayWait(from: DirectPlace, to: DirectPlace, lengthBytes: number): boolean {
  if (to.kind === 'file') return true
  if (from.kind !== 'file') return false
  if (from.offset < 0 || lengthBytes > LOOK_BYTES_MAX) return true
  return opened().isCached(from.descriptor, from.offset, lengthBytes) !== true
}

/** What a way between two places has moved. */
export interface Moved extends JobResult {
  /** Bytes that have left the source and lie in the pipe; undefined where nobody has counted them. */
  readonly heldBytes?: number
}

/** What a relay has moved, or the share of a sink, where the bytes that were not taken are counted. */
export type Relayed = Required<Moved>

/** Numbers by which the addon tells of a relay, or of a sink's share: taken, not taken, errno. */
const RELAYED_NUMBERS = 3

/** Where the addon puts what its calls came to, until the next one. */
let results = new Float64Array(RELAYED_NUMBERS * 16)

function resultsFor(count: number): Float64Array {
  if (count > results.length) results = new Float64Array(2 * count)
  return results
}

/** What the addon has told of a relay, or of the share of a sink, by its place among them. */
function movedAt(index: number): Relayed {
  const at = index * RELAYED_NUMBERS
  return {
    bytes: results[at] as number,
    heldBytes: results[at + 1] as number,
    errno: results[at + 2] as number,
  }
}

/**
 * Moves at most so many bytes at once, through an empty pipe or by one call, until a side would block.
 * Not where one may wait for a disk.
 */
export function moveNow(
  from: DirectPlace,
  pipe: Pipe | undefined,
  to: DirectPlace,
  lengthBytes: number,
): Moved {
  if (pipe === undefined) {
    const moved = opened().move(from.descriptor, from.offset, to.descriptor, -1, lengthBytes, false)
    return { bytes: Math.max(0, moved), heldBytes: 0, errno: Math.max(0, -moved) }
  }
  const relayed = resultsFor(RELAYED_NUMBERS)
  const tried = opened().relay(from.descriptor, pipe, to.descriptor, lengthBytes, relayed)
  if (tried < 0) return { bytes: 0, heldBytes: 0, errno: -tried }
  return movedAt(0)
}

/**
 * Gives several places at once what each takes of memory: how many bytes, or −errno. None of them anything
 * where one is gone: each meets that itself.
 */
export function writeEachNow(
  parts: readonly Uint8Array[],
  places: readonly DirectPlace[],
  more: boolean,
): readonly number[] {
  const sinks = places.map(({ descriptor }) => descriptor)
  const taken = resultsFor(sinks.length)
  const tried = opened().writeEach(sinks, parts, more, taken)
  // As whole numbers: V8 makes a second array where it meets others.
  return sinks.map((_, i) => (tried < 0 ? 0 : (taken[i] as number) | 0))
}

/** A place that is given its share of a pipe, in bursts of at most so many bytes. */
export interface Sharer {
  readonly place: DirectPlace
  readonly burstBytes: number
}

/**
 * Gives several places what each takes of a pipe's first bytes, which stay there, through other pipes,
 * which are empty: as many places as there are pipes at once, in turns. Not where one may wait for a
 * disk. Returns what each has moved, of fewer places where a pipe between could not be emptied.
 */
export function shareNow(
  from: HeldPipe,
  through: readonly HeldPipe[],
  sharers: readonly Sharer[],
  lengthBytes: number,
): readonly Relayed[] {
  const pipes = through.map(({ pipe }) => pipe)
  const sinks = sharers.map(({ place }) => place.descriptor)
  // With one pipe nobody has a turn between two bursts.
  const inTurns = through.length > 1
  const bursts = sharers.map(({ burstBytes }) =>
    inTurns ? Math.min(burstBytes, lengthBytes) : lengthBytes,
  )
  const room = resultsFor(RELAYED_NUMBERS * sinks.length)
  const served = opened().share(from.pipe, pipes, sinks, bursts, lengthBytes, room)
  if (served < 0) return []
  const shared: Relayed[] = []
  for (let i = 0; i < served; i++) shared.push(movedAt(i))
  let discarded = 0
  for (const [i, { bytes, heldBytes }] of shared.entries()) {
    ledger.countTeed(bytes + heldBytes)
    discarded += heldBytes
    // They were dropped, unless the system refused that.
    const held = through[i % through.length]
    if (heldBytes > 0 && held !== undefined) held.bytes = Math.max(0, opened().pending(held.pipe))
  }
  for (const { bytes } of through) discarded -= bytes
  ledger.countDiscarded(discarded)
  return shared
}

/**
 * How long a carry waits for its peers each time, in milliseconds. A timer that is due before the next
 * tick of the kernel costs CPU of its own: of unix sockets a sixth.
 */
const PATIENCE_MS = 10
/** The same where bytes may lie in a source for which it is not woken: so long they are held back. */
const PATIENCE_BELOW_MARK_MS = 1

/** What a disk thread carries at once. */
export interface Lot {
  readonly lengthBytes: number
  /** The most of them that one call gives the sink. */
  readonly burstBytes: number
  /** What a wait for the source waits for, or what is left, where that heeds a low-water mark; 1 for any. */
  readonly gatheredBytes: number
}

/** Moves at most so many bytes on a disk thread, which also waits for a busy peer for a moment. */
export function carry(
  from: DirectPlace,
  pipe: Pipe | undefined,
  to: DirectPlace,
  { lengthBytes, burstBytes, gatheredBytes }: Lot,
): RunningJob {
  const patienceMs = gatheredBytes > 1 ? PATIENCE_BELOW_MARK_MS : PATIENCE_MS
  return runJob((token) =>
    opened().carry(
      from.descriptor,
      from.offset,
      pipe ?? null,
      to.descriptor,
      to.offset,
      lengthBytes,
      burstBytes,
      gatheredBytes,
      patienceMs,
      token,
    ),
  )
}

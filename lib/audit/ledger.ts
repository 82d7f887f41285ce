/**
 * The ledger: the account of every byte that moved by reference, was looked at, or was copied.
 *
 * This floor is the only one that copies bytes ({@link copy}); lint bans the others from doing so.
 * Copies made by a system call on the library's behalf (`read` into memory) are counted where the
 * call is made. Counters are plain numbers: a count costs an addition, and is exact to 2^53 bytes.
 */
import { addon } from '../native.js'
import { refusesAccidents } from './accidents.js'
import {
  causeOf,
  COPY_CAUSES,
  INTENDED,
  KERNEL_CAUSES,
  type CopyCause,
  type CopyReason,
  type KernelCause,
} from './causes.js'
import { copies, degrades, leaks, type DegradeMessage, type LeakMessage } from './channels.js'
import { metricsOf, type Metric } from './metrics.js'
import { observation, note, noteCopy, noteKernelCopy, refuseCopy } from './observers.js'

/** The account of one process. Bytes, unless a name says otherwise. */
export interface Snapshot {
  /**
   * Pages accepted by a sink or taken into a list by reference: no byte entered the process. What does
   * both counts twice; an extent of a file is no pages, and counts when it is sent. What goes on between
   * two sockets below JavaScript counts within a second, and when its operation ends.
   */
  readonly moved: number
  /** How many times bytes moved by reference. A count. */
  readonly moves: number
  /** Pages referenced a second time by `tee`, so that a window could be read or sent again. */
  readonly teed: number
  /** How many times pages were teed. A count. */
  readonly tees: number
  /** Dropped from a teed pipe to reach a window's start. */
  readonly discarded: number
  /** How many times bytes were dropped from a teed pipe. A count. */
  readonly discards: number
  /** Made readable from a pipe or a file, in whole blocks. Each is in `copied` as well. */
  readonly inspected: number
  /** How many times bytes were made readable. A count, not bytes. */
  readonly inspections: number
  /** Copied into or within the process's memory, by cause. */
  readonly copied: Readonly<Partial<Record<CopyCause, number>>>
  /** Of `copied`, what nobody asked for. */
  readonly copiedByAccident: Readonly<Partial<Record<CopyCause, number>>>
  /** How many copies, by cause. Counts. */
  readonly copies: Readonly<Partial<Record<CopyCause, number>>>
  /** Of the copies, those that the program asked for in so many words. */
  readonly intended: number
  /** Of the copies, all others: worth a look with `copiedByAccident` beside it. */
  readonly accidental: number
  /** Copies that the kernel is known to have made, by cause. */
  readonly kernelCopied: Readonly<Partial<Record<KernelCause, number>>>
  /** Moved where it is not known whether the kernel copied (socket to pipe: linear packets). */
  readonly unknown: number
  /** Refusals of a system call that sent bytes the next way, by `call:CODE`. Counts, not bytes. */
  readonly fallbacks: Readonly<Record<string, number>>
  /**
   * Attempts to move bytes that had to wait and were made again. A count. What goes on below JavaScript,
   * on a disk thread or between sockets, waits by itself and does not say how often.
   */
  readonly retries: number
  /** Attempts in which a sink took fewer bytes than it was offered. A count. */
  readonly shortTransfers: number
  /** Pipes that got fewer slots than were asked for. A count. */
  readonly degradedPipes: number
  /** Pipes whose pages were so empty that they were read rather than held. A count. */
  readonly sparsePipes: number
  /** Held pipes that were shrunk to fit when pipes were short. A count. */
  readonly shrunkPipes: number
  /** Owning segments that were collected without release(). A count. */
  readonly leaks: number
  /** What lives now; gauges of the parts that register one. */
  readonly live: Readonly<Record<string, number>>
}

// Bound here, because V8 folds a module's own constants into its code and loads those of others: two
// nanoseconds for each copy.
const observed = observation
const copyChannel = copies
const refuses = refusesAccidents

/**
 * What was copied for one reason: how many bytes, and how often. Not two fields: in a field a sum above
 * 2^31 is a new number on the heap for each copy, and V8 throws away what it compiled for smaller ones.
 */
type Tally = Float64Array
const BYTES = 0
const COUNT = 1

/** What was copied and counted under a cause alone, and what was meant though its cause is not. */
const tallies = noTallies(COPY_CAUSES)
const meantTallies = noTallies(COPY_CAUSES)
/** What the kernel copied, by cause. */
const kernelTallies = noTallies(KERNEL_CAUSES)
/** Those of small copies, which are the most: finding one by name costs up to a tenth of the copy. */
const appended = tallies['append-copy']
const joined = tallies['cross-segment']
const flattened = tallies['to-buffer']

/** Found once: V8 looks for a Buffer's at every copy, which takes a fifth of a small one. */
const setBytes: (this: Uint8Array, source: Uint8Array, at: number) => void =
  // eslint-disable-next-line @typescript-eslint/unbound-method -- It is always called on a target.
  Uint8Array.prototype.set

class Ledger {
  moved = 0
  moves = 0
  teed = 0
  tees = 0
  discarded = 0
  discards = 0
  inspected = 0
  inspections = 0
  unknown = 0
  retries = 0
  shortTransfers = 0
  degradedPipes = 0
  sparsePipes = 0
  shrunkPipes = 0
  leaks = 0
  readonly #fallbacks: Record<string, number> = {}
  readonly #gauges = new Map<string, () => number>()

  /** Counts bytes that a system call or a runtime function has copied. */
  countCopied(reason: CopyReason, bytes: number): void {
    if (bytes <= 0) return
    add(tallyOf(reason), bytes)
    if (observed.isOn || copyChannel.hasSubscribers) noteCopy(reason, bytes)
  }
  countKernelCopied(cause: KernelCause, bytes: number): void {
    if (bytes <= 0) return
    add(kernelTallies[cause], bytes)
    if (observed.isOn) noteKernelCopy(cause, bytes)
  }
  /** Counts bytes that moved by reference: one move. */
  countMoved(bytes: number): void {
    this.moved += bytes
    this.moves += 1
    if (observed.isOn) note('moved', bytes)
  }
  countTeed(bytes: number): void {
    this.teed += bytes
    this.tees += 1
    if (observed.isOn) note('teed', bytes)
  }
  countDiscarded(bytes: number): void {
    this.discarded += bytes
    this.discards += 1
    if (observed.isOn) note('discarded', bytes)
  }
  /** Counts bytes made readable: one inspection. The copy itself is counted where it is made. */
  countInspected(bytes: number): void {
    this.inspected += bytes
    this.inspections += 1
    if (observed.isOn) note('inspected', bytes)
  }
  /** Counts bytes that moved where nobody knows whether the kernel copied. */
  countUnknown(bytes: number): void {
    this.unknown += bytes
    if (observed.isOn) note('unknown', bytes)
  }
  /** An attempt had to wait, and is made again. */
  countRetry(): void {
    this.retries += 1
    if (observed.isOn) note('retries', 1)
  }
  /** A sink took fewer bytes than it was offered. */
  countShortTransfer(): void {
    this.shortTransfers += 1
    if (observed.isOn) note('shortTransfers', 1)
  }
  /** A system call refused, and the bytes go the next way. */
  countFallback(call: string, code: string): void {
    const name = `${call}:${code}`
    this.#fallbacks[name] = (this.#fallbacks[name] ?? 0) + 1
    degraded({ what: 'fallback', call, code })
  }
  /** A pipe got fewer slots than were asked for. */
  countDegradedPipe(wantedSlots: number, slots: number): void {
    this.degradedPipes += 1
    if (observed.isOn) note('degradedPipes', 1)
    degraded({ what: 'pipe', wantedSlots, slots })
  }
  /** A segment was collected that nobody had released. */
  countLeak(kind: string, stack: string | undefined): void {
    this.leaks += 1
    const message: LeakMessage = { kind, stack }
    if (leaks.hasSubscribers) leaks.publish(message)
  }
  /** Adds a gauge to the snapshot's `live`. */
  addGauge(name: string, read: () => number): void {
    this.#gauges.set(name, read)
  }
  snapshot(): Snapshot {
    const live: Record<string, number> = {}
    for (const [name, read] of this.#gauges) live[name] = read()
    return {
      moved: this.moved,
      moves: this.moves,
      teed: this.teed,
      tees: this.tees,
      discarded: this.discarded,
      discards: this.discards,
      inspected: this.inspected,
      inspections: this.inspections,
      ...this.#copied(),
      kernelCopied: kernelCopied(),
      unknown: this.unknown,
      fallbacks: { ...this.#fallbacks },
      retries: this.retries,
      shortTransfers: this.shortTransfers,
      degradedPipes: this.degradedPipes,
      sparsePipes: this.sparsePipes,
      shrunkPipes: this.shrunkPipes,
      leaks: this.leaks,
      live,
    }
  }
  /** The copies by cause and in two sums: asked for, and not. */
  #copied(): Pick<Snapshot, 'copied' | 'copiedByAccident' | 'copies' | 'intended' | 'accidental'> {
    const all: Partial<Record<CopyCause, number>> = {}
    const accidents: Partial<Record<CopyCause, number>> = {}
    const counts: Partial<Record<CopyCause, number>> = {}
    const sums = { intended: 0, accidental: 0 }
    const add = (cause: CopyCause, tally: Tally, isMeant: boolean): void => {
      const [bytes = 0, count = 0] = tally
      if (count === 0) return
      all[cause] = (all[cause] ?? 0) + bytes
      counts[cause] = (counts[cause] ?? 0) + count
      sums[isMeant ? 'intended' : 'accidental'] += bytes
      if (!isMeant) accidents[cause] = bytes
    }
    for (const cause of Object.keys(COPY_CAUSES) as CopyCause[]) {
      add(cause, tallies[cause], INTENDED.has(cause))
      add(cause, meantTallies[cause], true)
    }
    return { copied: all, copiedByAccident: accidents, copies: counts, ...sums }
  }
}

/**
 * A table of the given causes. Made as a literal's copy, which V8 keeps as an object with fields: a small
 * copy costs less than a look into the hash table that an object made field by field becomes.
 */
function noTallies<Cause extends string>(
  causes: Readonly<Record<Cause, string>>,
): Readonly<Record<Cause, Tally>> {
  const table: Record<string, unknown> = { ...causes }
  for (const cause of Object.keys(table)) table[cause] = new Float64Array(2)
  return table as Record<Cause, Tally>
}

/** Bytes that the kernel copied, by cause. */
function kernelCopied(): Partial<Record<KernelCause, number>> {
  const all: Partial<Record<KernelCause, number>> = {}
  for (const cause of Object.keys(KERNEL_CAUSES) as KernelCause[]) {
    const [bytes = 0] = kernelTallies[cause]
    if (bytes > 0) all[cause] = bytes
  }
  return all
}

function tallyOf(reason: CopyReason): Tally {
  return (tallies as Partial<Record<CopyReason, Tally>>)[reason] ?? meantTallies[causeOf(reason)]
}

function add(tally: Tally, bytes: number): void {
  tally[BYTES] = (tally[BYTES] as number) + bytes
  tally[COUNT] = (tally[COUNT] as number) + 1
}

function degraded(message: DegradeMessage): void {
  if (degrades.hasSubscribers) degrades.publish(message)
}

// Under a name that is not exported, for the functions here: see `observed`.
const account = new Ledger()
/** The one ledger of this environment (a worker thread has its own). @internal */
export const ledger = account
if (addon !== null) {
  const { addon: known } = { addon }
  ledger.addGauge('descriptors', () => known.live().descriptors)
  ledger.addGauge('orphans', () => known.live().orphans)
}

/**
 * Before bytes are copied, at a point where an error loses none: with `SPLICELIST_AUDIT=throw` an
 * accident is one. `bytes` are undefined where nobody knows yet how many.
 */
export function beforeCopy(reason: CopyReason, bytes?: number): void {
  if (refuses && bytes !== 0) refuseCopy(reason, bytes)
}

/** Copies `source` to `target` at `at`. The only byte copy that the library makes by itself. */
export function copy(reason: CopyReason, source: Uint8Array, target: Uint8Array, at: number): void {
  const { length } = source
  if (refuses && length !== 0) refuseCopy(reason, length)
  setBytes.call(target, source, at)
  if (observed.isOn || copyChannel.hasSubscribers) {
    account.countCopied(reason, length)
    return
  }
  // Told apart here and not by a function: V8 then builds all of it into the caller, where the cause is
  // known, and a copy of 16 bytes does not pay 8 % for being counted but half of that. Whoever appends
  // has seen that there is something.
  if (reason === 'append-copy') add(appended, length)
  else if (length === 0) return
  else if (reason === 'cross-segment') add(joined, length)
  else if (reason === 'to-buffer') add(flattened, length)
  else add(tallyOf(reason), length)
}

/** A string as bytes. */
export function encode(text: string): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.from(text, 'utf8')
  account.countCopied('encode', bytes.length)
  return bytes
}

/** A string as UTF-8 at `at` of a target that has room for it; returns its bytes. */
export function encodeInto(text: string, target: Buffer, at: number): number {
  const lengthBytes = target.write(text, at, 'utf8')
  account.countCopied('encode', lengthBytes)
  return lengthBytes
}

/** The counters that a program reads. */
export const counters: {
  /** The account of this process (of this worker thread) so far. Costs microseconds. */
  snapshot(): Snapshot
  /**
   * The same as metrics, for Prometheus or OpenTelemetry: stable names, documented units. Counters
   * are as the snapshot has them, so that they can be told as they are.
   *
   * ```ts
   * import { counters } from 'splicelist'
   * const [first] = counters.metrics()
   * console.log(first.name, first.type, first.unit) // splicelist_moved_bytes_total counter bytes
   * ```
   */
  metrics(): Metric[]
} = { snapshot: () => ledger.snapshot(), metrics: () => metricsOf(ledger.snapshot()) }

/**
 * The pool of kernel pipes.
 *
 * Use `borrow` for a pipe to fill and `giveBack` when it is empty again; a pipe that holds bytes is
 * destroyed, never pooled, because a stray byte would end up in the next message. What may be
 * borrowed is the budget's to say (pipe-budget.ts); past it `borrow` answers undefined and the caller
 * copies, counted. A pipe costs 4 µs to make and less than one to reuse; those that nobody used for
 * a while are closed.
 */
import { ledger } from '../audit/ledger.js'
import { EMFILE, ENFILE } from '../errno.js'
import { systemError } from '../errors.js'
import { addon, type Pipe } from '../native.js'
import { opened } from '../reactor.js'
import {
  LARGE_PIPE_SLOTS,
  PAGE_BYTES,
  PipeBudget,
  SOCKET_SLOT_BYTES_MAX,
  type Budgeted,
  type Holding,
} from './pipe-budget.js'

export { LARGE_PIPE_SLOTS, PAGE_BYTES }
/** Slots of a small pipe: the kernel's default, 64 KiB of whole pages. */
export const SMALL_PIPE_SLOTS = 16
/** Pipes that are kept empty for the next borrower, of each size. */
const IDLE_PIPES_MAX = 16
/**
 * How long a pipe may lie idle at the least before it is closed, in milliseconds; twice at the most. One
 * from the pool costs 0.5 µs and one that is made and closed 12 µs, which is nothing each few seconds.
 */
const IDLE_MS = 5000
/** Errors of the system that has no descriptor left, for this process or for all. */
const NO_DESCRIPTORS: ReadonlySet<number> = new Set([-EMFILE, -ENFILE])

/** A pipe on loan from the pool, with what we know of it. */
export interface HeldPipe extends Budgeted {
  readonly pipe: Pipe
  /** Slots that the kernel gave; a slot holds one page of a file, or up to 32 KiB of a socket's. */
  slots: number
  /** Bytes that it holds. We count: FIONREAD is for checking, and fullness is in slots. */
  bytes: number
  /** Whether a transfer moves bytes out of it: nobody else touches it then. */
  isLent: boolean
  /** What it held when it was last shrunk to fit; −1 when it never was. */
  fitBytes: number
}

/**
 * Something that keeps a pipe only to save work, or more slots than it needs, and gives them up when
 * pipes are short.
 */
export interface Reclaimable {
  /** Its place among the pool's keepers, which is the pool's to write; −1 while it has none. */
  keeperIndex: number
  reclaim(): void
}

class PipePool {
  /** What is held, and what may be. */
  readonly budget = new PipeBudget()
  readonly #idle = { small: [] as HeldPipe[], large: [] as HeldPipe[] }
  /** The fewest that were idle since the timer's last turn: nobody needed those. */
  readonly #unused = { small: 0, large: 0 }
  #timer: NodeJS.Timeout | undefined
  /** Not a Set, which would give each a hash: one comes and goes with every payload. */
  readonly #keepers: Reclaimable[] = []
  #reserved: HeldPipe | undefined
  #isReady = false

  /** Takes the limits from the system anew, or, in tests, that of slots from the caller. */
  setBudget(slotsMax?: number): void {
    this.budget.readLimits(slotsMax)
    this.#reserved ??= this.#make(this.budget.largeSlots)
    this.#isReady = true
  }

  /**
   * A pipe with room for about `lengthBytes` bytes of whole pages, or undefined when the budget is
   * used up. What it has room for is in `slots`; a large need takes several pipes. `slotsMin` asks
   * for more slots than whole pages would need. `holding` says whose pages will lie in it: those of
   * a socket may pin eight times as much.
   */
  borrow(lengthBytes: number, slotsMin = 0, holding: Holding = 'foreign'): HeldPipe | undefined {
    const slots = this.#slotsFor(lengthBytes, slotsMin)
    if (!this.budget.hasBytes(slots, holding)) {
      this.#reclaimAll()
      if (!this.budget.hasBytes(slots, holding)) return undefined
    }
    const held = this.#takeIdle(slots) ?? this.#makeWithin(slots)
    if (held !== undefined) this.budget.lend(held, holding)
    return held
  }

  /**
   * As `borrow`, where it only saves work: nobody gives up anything for it, and undefined is no fallback.
   * It has all the slots that were asked for.
   */
  borrowSpare(lengthBytes: number, slotsMin: number, holding: Holding): HeldPipe | undefined {
    const slots = this.#slotsFor(lengthBytes, slotsMin)
    if (!this.budget.hasBytes(slots, holding)) return undefined
    const held = this.#takeIdle(slots) ?? this.#makeSpare(slots)
    if (held !== undefined) this.budget.lend(held, holding)
    return held
  }

  /**
   * A pipe to tee into for a look, which ends before anything else runs. One is reserved from the
   * first day, so that what is held can be read however short pipes are.
   */
  borrowForLook(lengthBytes: number, slotsMin = 0): HeldPipe | undefined {
    const held = this.borrow(lengthBytes, slotsMin, 'shared')
    if (held !== undefined) return held
    const reserved = this.#reserved
    this.#reserved = undefined
    if (reserved !== undefined) this.budget.lend(reserved, 'shared')
    return reserved
  }

  /** Takes an empty pipe back. One that is not empty is destroyed. */
  giveBack(held: HeldPipe): void {
    if (held.bytes !== 0) return this.destroy(held)
    const isLarge = held.slots === this.budget.largeSlots
    if (this.#reserved === undefined && isLarge) {
      this.budget.unlend(held)
      this.#reserved = held
      return
    }
    const idle = isLarge ? this.#idle.large : this.#idle.small
    const isWhole = isLarge || held.slots === SMALL_PIPE_SLOTS
    if (!isWhole || idle.length >= IDLE_PIPES_MAX) return this.destroy(held)
    this.budget.unlend(held)
    idle.push(held)
    if (this.#timer === undefined) this.#watchIdle()
  }

  /** Closes a pipe and what it holds. */
  destroy(held: HeldPipe): void {
    this.budget.removePipe(held)
    opened().drop(held.pipe)
  }

  /**
   * Shrinks a pipe to what it holds, when pipes are short. Used slots cannot be read, so it tries
   * upwards from the fewest that could hold the bytes.
   */
  shrink(held: HeldPipe): void {
    // Half of what it held may be half of the slots; less than that is not worth the system calls.
    if (held.fitBytes >= 0 && held.bytes * 2 > held.fitBytes) return
    held.fitBytes = held.bytes
    let slots = 1
    while (slots * SOCKET_SLOT_BYTES_MAX < held.bytes) slots *= 2
    for (; slots < held.slots; slots *= 2) {
      const got = opened().resize(held.pipe, slots)
      if (got < 0) continue
      this.budget.resized(held, got)
      ledger.shrunkPipes++
      return
    }
  }

  /** Registers what may be given up when pipes are short; it is asked once. */
  addReclaimable(keeper: Reclaimable): void {
    if (keeper.keeperIndex >= 0) return
    keeper.keeperIndex = this.#keepers.length
    this.#keepers.push(keeper)
  }
  removeReclaimable(keeper: Reclaimable): void {
    const at = keeper.keeperIndex
    const last = at < 0 ? undefined : this.#keepers.pop()
    if (last === undefined) return
    keeper.keeperIndex = -1
    if (last === keeper) return
    this.#keepers[at] = last
    last.keeperIndex = at
  }

  /** Closes the idle pipes. Tests count descriptors afterwards. */
  drain(): void {
    for (const held of this.#idle.small.splice(0)) this.destroy(held)
    for (const held of this.#idle.large.splice(0)) this.destroy(held)
    this.#unused.small = this.#unused.large = 0
  }

  get idlePipes(): number {
    const reserved = this.#reserved === undefined ? 0 : 1
    return this.#idle.small.length + this.#idle.large.length + reserved
  }
  get livePipes(): number {
    return this.budget.inUse.pipes
  }
  get slotsReserved(): number {
    return this.budget.inUse.pipeSlots
  }

  #slotsFor(lengthBytes: number, slotsMin: number): number {
    if (!this.#isReady) this.setBudget()
    // One page less than the small pipe's, because an unaligned start takes a slot of its own.
    const isSmall = lengthBytes < SMALL_PIPE_SLOTS * PAGE_BYTES && slotsMin <= SMALL_PIPE_SLOTS
    return isSmall ? SMALL_PIPE_SLOTS : this.budget.largeSlots
  }
  #takeIdle(slots: number): HeldPipe | undefined {
    const size = slots === this.budget.largeSlots ? 'large' : 'small'
    const idle = this.#idle[size]
    const held = idle.pop()
    if (idle.length < this.#unused[size]) this.#unused[size] = idle.length
    return held
  }
  /** Closes pipes that nobody needed for a while. Its timer keeps no process alive. */
  #watchIdle(): void {
    this.#unused.small = this.#idle.small.length
    this.#unused.large = this.#idle.large.length
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      // The first of the array were given back first, and are taken last.
      for (const held of this.#idle.small.splice(0, this.#unused.small)) this.destroy(held)
      for (const held of this.#idle.large.splice(0, this.#unused.large)) this.destroy(held)
      if (this.#idle.small.length + this.#idle.large.length > 0) this.#watchIdle()
    }, IDLE_MS).unref()
  }
  #reclaimAll(): void {
    const keepers = this.#keepers.splice(0)
    for (const keeper of keepers) keeper.keeperIndex = -1
    for (const keeper of keepers) keeper.reclaim()
    this.drain()
  }
  #makeWithin(slots: number): HeldPipe | undefined {
    if (!this.budget.hasSlots(slots)) this.#reclaimAll()
    return this.budget.hasSlots(slots) ? this.#make(slots) : undefined
  }
  #make(wanted: number): HeldPipe | undefined {
    let pipe = opened().pipe(wanted)
    if (typeof pipe === 'number' && NO_DESCRIPTORS.has(pipe) && this.#hasIdle()) {
      // Whoever is short of descriptors has no use for pipes that lie idle.
      this.drain()
      pipe = opened().pipe(wanted)
    }
    if (typeof pipe === 'number') {
      ledger.countFallback('pipe2', systemError(pipe)[0])
      return undefined
    }
    const slots = opened().slots(pipe)
    if (slots < wanted) ledger.countDegradedPipe(wanted, slots)
    return this.#add(pipe, slots)
  }
  #makeSpare(slots: number): HeldPipe | undefined {
    if (!this.budget.hasSlots(slots)) return undefined
    const pipe = opened().pipe(slots)
    if (typeof pipe === 'number') return undefined
    const got = opened().slots(pipe)
    if (got >= slots) return this.#add(pipe, got)
    opened().drop(pipe)
    return undefined
  }
  #add(pipe: Pipe, slots: number): HeldPipe {
    const held: HeldPipe = {
      pipe,
      slots,
      bytes: 0,
      isLent: false,
      fitBytes: -1,
      holding: undefined,
    }
    this.budget.addPipe(held)
    return held
  }
  #hasIdle(): boolean {
    return this.#idle.small.length + this.#idle.large.length > 0
  }
}

/** The one pool of this environment. */
export const pipePool = new PipePool()
if (addon !== null) {
  ledger.addGauge('pipes', () => pipePool.livePipes)
  ledger.addGauge('idlePipes', () => pipePool.idlePipes)
  ledger.addGauge('pipeSlots', () => pipePool.slotsReserved)
  ledger.addGauge('pipeBytes', () => pipePool.budget.inUse.pipeBytes)
  ledger.addGauge('pinnedBytes', () => pipePool.budget.inUse.pinnedBytes)
}

/** Pipes that are kept empty for the next borrower. Tests subtract them from what is open. @internal */
export function idlePipes(): number {
  return pipePool.idlePipes
}

/**
 * The pool of kernel pipes and its budget.
 *
 * Use `borrow` for a pipe to fill and `giveBack` when it is empty again; a pipe that holds bytes is
 * destroyed, never pooled, because a stray byte would end up in the next message. The budget counts
 * slots, as the kernel does, and is read from the system; past it `borrow` answers undefined and
 * the caller copies, counted. A pipe costs 4 µs to make and less than one to reuse.
 */
import { ledger } from '../audit/ledger.js'
import { systemError } from '../errors.js'
import { addon, type Pipe } from '../native.js'
import { opened } from '../reactor.js'

/** A page of a file fills one slot of a pipe, in bytes. The addon is for machines with such pages. */
export const PAGE_BYTES = 4096
/** Slots of a small pipe: the kernel's default, 64 KiB of whole pages. */
export const SMALL_PIPE_SLOTS = 16
/** Slots of a large pipe: 1 MiB of whole pages, the kernel's default limit. */
export const LARGE_PIPE_SLOTS = 256
/** Slots that this process takes at the most, whoever runs it: 256 MiB of whole pages. */
const POOL_SLOTS_MAX = 65536
/** The most that one slot was seen to hold, in bytes: a compound fragment of loopback TCP. */
const SOCKET_SLOT_BYTES_MAX = 32768
/** The part of a user's allowance that one process takes: the user may run others. */
const USER_SHARE = 0.75
/** The part of the descriptor limit that pipes may use; each takes two. */
const DESCRIPTOR_SHARE = 0.5
/** Pipes that are kept empty for the next borrower, of each size. */
const IDLE_PIPES_MAX = 16

/** A pipe on loan from the pool, with what we know of it. */
export interface HeldPipe {
  readonly pipe: Pipe
  /** Slots that the kernel gave; a slot holds one page of a file, or up to 32 KiB of a socket's. */
  slots: number
  /** Bytes that it holds. We count: FIONREAD is for checking, and fullness is in slots. */
  bytes: number
  /** Whether a transfer moves bytes out of it: nobody else touches it then. */
  isLent: boolean
}

/** Something that keeps a pipe only to save work, and gives it up when pipes are short. */
export interface Reclaimable {
  reclaim(): void
  /** Bytes that it keeps in pipes. */
  readonly heldBytes: number
}

class PipePool {
  readonly #idle = { small: [] as HeldPipe[], large: [] as HeldPipe[] }
  readonly #reclaimables = new Set<Reclaimable>()
  #slotsReserved = 0
  #pipesLive = 0
  #slotsMax = -1
  #pipesMax = -1
  #pageBytes = 0
  #reserved: HeldPipe | undefined

  /** Takes the limits from the system, or, in tests, from the caller. */
  setBudget(slotsMax?: number): void {
    const limits = opened().limits()
    const allowed =
      limits.privileged || limits.userPagesSoft === 0
        ? POOL_SLOTS_MAX
        : Math.floor(limits.userPagesSoft * USER_SHARE)
    this.#slotsMax = slotsMax ?? Math.min(allowed, POOL_SLOTS_MAX)
    this.#pipesMax = Math.floor((limits.openFilesMax * DESCRIPTOR_SHARE) / 2)
    this.#pageBytes = limits.pageBytes
    this.#reserved ??= this.#make(LARGE_PIPE_SLOTS)
  }

  /**
   * A pipe with room for about `lengthBytes` bytes of whole pages, or undefined when the budget is
   * used up. What it has room for is in `slots`; a large need takes several pipes. `slotsMin` asks
   * for more slots than whole pages would need.
   */
  borrow(lengthBytes: number, slotsMin = 0): HeldPipe | undefined {
    if (this.#slotsMax < 0) this.setBudget()
    // One page less than the small pipe's, because an unaligned start takes a slot of its own.
    const isSmall = lengthBytes < SMALL_PIPE_SLOTS * this.#pageBytes && slotsMin <= SMALL_PIPE_SLOTS
    const idle = isSmall ? this.#idle.small : this.#idle.large
    const kept = idle.pop()
    if (kept !== undefined) return kept
    const slots = isSmall ? SMALL_PIPE_SLOTS : LARGE_PIPE_SLOTS
    if (!this.#hasBudget(slots)) this.#reclaimAll()
    return this.#hasBudget(slots) ? this.#make(slots) : undefined
  }

  /**
   * A pipe to tee into for a look, which ends before anything else runs. One is reserved from the
   * first day, so that what is held can be read however short pipes are.
   */
  borrowForLook(lengthBytes: number, slotsMin = 0): HeldPipe | undefined {
    const held = this.borrow(lengthBytes, slotsMin)
    if (held !== undefined) return held
    const reserved = this.#reserved
    this.#reserved = undefined
    return reserved
  }

  /** Takes an empty pipe back. One that is not empty is destroyed. */
  giveBack(held: HeldPipe): void {
    if (this.#reserved === undefined && held.bytes === 0 && held.slots >= LARGE_PIPE_SLOTS) {
      this.#reserved = held
      return
    }
    const idle = held.slots >= LARGE_PIPE_SLOTS ? this.#idle.large : this.#idle.small
    const isWhole = held.slots === SMALL_PIPE_SLOTS || held.slots === LARGE_PIPE_SLOTS
    if (held.bytes !== 0 || !isWhole || idle.length >= IDLE_PIPES_MAX) this.destroy(held)
    else idle.push(held)
  }

  /** Closes a pipe and what it holds. */
  destroy(held: HeldPipe): void {
    this.#slotsReserved -= held.slots
    this.#pipesLive -= 1
    opened().drop(held.pipe)
  }

  /**
   * Shrinks a pipe to what it holds, when pipes are short. Used slots cannot be read, so it tries
   * upwards from the fewest that could hold the bytes.
   */
  shrink(held: HeldPipe): void {
    let slots = 1
    while (slots * SOCKET_SLOT_BYTES_MAX < held.bytes) slots *= 2
    for (; slots < held.slots; slots *= 2) {
      const got = opened().resize(held.pipe, slots)
      if (got < 0) continue
      this.#slotsReserved -= held.slots - got
      held.slots = got
      return
    }
  }

  /** Registers what may be given up when pipes are short. */
  addReclaimable(keeper: Reclaimable): void {
    this.#reclaimables.add(keeper)
  }
  removeReclaimable(keeper: Reclaimable): void {
    this.#reclaimables.delete(keeper)
  }

  /** Closes the idle pipes. Tests count descriptors afterwards. */
  drain(): void {
    for (const held of this.#idle.small.splice(0)) this.destroy(held)
    for (const held of this.#idle.large.splice(0)) this.destroy(held)
  }

  get idlePipes(): number {
    const reserved = this.#reserved === undefined ? 0 : 1
    return this.#idle.small.length + this.#idle.large.length + reserved
  }
  get livePipes(): number {
    return this.#pipesLive
  }
  get slotsReserved(): number {
    return this.#slotsReserved
  }
  /** Bytes that lists hold in pipes: each pins the page that it lies in. */
  get pinnedBytes(): number {
    let sum = 0
    for (const { heldBytes } of this.#reclaimables) sum += heldBytes
    return sum
  }

  #hasBudget(slots: number): boolean {
    return this.#slotsReserved + slots <= this.#slotsMax && this.#pipesLive < this.#pipesMax
  }
  #reclaimAll(): void {
    for (const keeper of [...this.#reclaimables]) keeper.reclaim()
    this.drain()
  }
  #make(wanted: number): HeldPipe | undefined {
    const pipe = opened().pipe(wanted)
    if (typeof pipe === 'number') {
      ledger.countFallback('pipe2', systemError(pipe)[0])
      return undefined
    }
    const slots = opened().slots(pipe)
    if (slots < wanted) ledger.countDegradedPipe(wanted, slots)
    this.#slotsReserved += slots
    this.#pipesLive += 1
    return { pipe, slots, bytes: 0, isLent: false }
  }
}

/** The one pool of this environment. */
export const pipePool = new PipePool()
if (addon !== null) {
  ledger.addGauge('pipes', () => pipePool.livePipes)
  ledger.addGauge('idlePipes', () => pipePool.idlePipes)
  ledger.addGauge('pipeSlots', () => pipePool.slotsReserved)
  ledger.addGauge('pinnedBytes', () => pipePool.pinnedBytes)
}

/** Pipes that are kept empty for the next borrower. Tests subtract them from what is open. @internal */
export function idlePipes(): number {
  return pipePool.idlePipes
}

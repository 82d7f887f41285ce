/**
 * Relays that stand: between two sockets bytes go on as they come, on this thread but below JavaScript,
 * which hears of it at the end, or after a while.
 *
 * For crowds of streams: a turn of JavaScript's costs as much as the system calls of a small message. One
 * stream that is busy and nearly alone is better carried by a disk thread. What it costs: two descriptors
 * each, a place in the epoll set, and one pipe for all of them.
 */
import { pipePool, type HeldPipe, type Reclaimable } from '../raw/pipe-pool.js'
import { opened, runRelay, type RelayResult, type StandingRelay } from '../reactor.js'
import type { DirectPlace } from './direct.js'
import { TURN_BYTES_MAX } from './end.js'

/** How often relays are looked at that stand for long, in milliseconds. */
const LOOK_MS = 50
/**
 * How many JavaScript hears of in one look: a third of a millisecond, of fifty. With five times as many
 * a hundred streams of 10 MiB were told of nine times each, and took a tenth more of its CPU.
 */
export const TOLD_IN_A_LOOK = 10
/** How long one may stand before a look ends it for certain, in milliseconds. */
export const RELAY_MS_MAX = 1000
/**
 * The part of the descriptor limit that the relays of one environment may use: the program has connections
 * to accept.
 */
const DESCRIPTOR_SHARE = 0.125
/** Descriptors that one takes. */
const DESCRIPTORS_EACH = 2

/** The relays that stand, and the pipe that they go through, which is given up when pipes are short. */
export class StandingRelays implements Reclaimable {
  keeperIndex = -1
  /** Asks for the limit on descriptors; once, for that reads files. */
  readonly #openFilesMax: () => number
  /** Those that stand, oldest first, and since when. */
  readonly #live = new Map<StandingRelay, number>()
  #pipe: HeldPipe | undefined
  #timer: NodeJS.Timeout | undefined
  #max = 0

  constructor(openFilesMax: () => number) {
    this.#openFilesMax = openFilesMax
  }
  get size(): number {
    return this.#live.size
  }
  /** Begins one; undefined where none can be had. Whoever began it calls `ended` with its result. */
  start(from: DirectPlace, to: DirectPlace, lengthBytes: number): StandingRelay | undefined {
    if (this.#live.size >= this.#relaysMax() || !this.#lendPipe()) return undefined
    const relay = runRelay(from.descriptor, to.descriptor, lengthBytes)
    if (relay === undefined) {
      if (this.#live.size === 0) this.reclaim()
      return undefined
    }
    this.#live.set(relay, performance.now())
    this.#lookLater()
    return relay
  }
  /** One is over. Returns the pipe that it is stuck in, which is the caller's then. */
  ended(relay: StandingRelay, { heldBytes }: RelayResult): HeldPipe | undefined {
    this.#live.delete(relay)
    const stuckIn = heldBytes > 0 ? this.#pipe : undefined
    if (stuckIn !== undefined) this.#forgetPipe()
    // The others are ready any moment, and need one to go through.
    if (this.#live.size === 0) this.reclaim()
    else this.#lendPipe()
    return stuckIn
  }
  /** Gives up the pipe, unless one is stuck in it, who is about to say so. */
  reclaim(): void {
    if (this.#pipe === undefined || !opened().lendRelayPipe(null)) return
    const held = this.#pipe
    this.#forgetPipe()
    pipePool.giveBack(held)
  }
  /** Whether one is lent, by now. */
  #lendPipe(): boolean {
    if (this.#pipe !== undefined) return true
    const held = pipePool.borrowSpare(TURN_BYTES_MAX, 0, 'foreign')
    if (held === undefined) return false
    this.#pipe = held
    opened().lendRelayPipe(held.pipe)
    pipePool.addReclaimable(this)
    return true
  }
  #forgetPipe(): void {
    this.#pipe = undefined
    pipePool.removeReclaimable(this)
  }
  #relaysMax(): number {
    if (this.#max === 0) {
      this.#max = Math.floor((this.#openFilesMax() * DESCRIPTOR_SHARE) / DESCRIPTORS_EACH)
    }
    return this.#max
  }
  /** Ends those that stand longest, so that their operations hear what they have moved. */
  #look(): void {
    const now = performance.now()
    let left = TOLD_IN_A_LOOK
    for (const [relay, since] of this.#live) {
      const age = now - since
      if (age < LOOK_MS || (left <= 0 && age < RELAY_MS_MAX - LOOK_MS)) break
      relay.recall()
      left -= 1
    }
    if (this.#live.size > 0) this.#lookLater()
  }
  /** Its timer keeps no process alive. */
  #lookLater(): void {
    if (this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#look()
    }, LOOK_MS).unref()
  }
}

/** The relays of this environment. */
export const relays = new StandingRelays(() => opened().limits().openFilesMax)

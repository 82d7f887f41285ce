/**
 * What the operations of a random run did, and whether queues of bytes would have done the same.
 */
import { ByteQueue } from './queue.js'

/** What an operation did. */
export interface Deed {
  readonly name: string
  /** Bytes that left the source and are in nobody's hands but the result's or the error's. */
  taken: Buffer
  /** Bytes that only were looked at. */
  seen: Buffer | undefined
  /** Bytes that the sink accepted. */
  accepted: number
  /** What they are; undefined for what came from the source. */
  sent: Buffer | undefined
  /** Of a fan-out: what the second sink accepted, and how much every sink did that counts. */
  fanned: { readonly aside: number; readonly common: number } | undefined
  /** Its place in time: when its first byte was reported, or when it ended. */
  time: number
  /** What time it was when it was asked for. */
  readonly asked: number
  /** Whether a first byte was reported: else its bytes moved at some moment before it ended. */
  isTold: boolean
}

/** What came out at the ends of the places, and what the source was given. */
export interface Outcome {
  readonly fed: Buffer
  readonly unpulled: readonly Buffer[]
  readonly received: Buffer
  readonly receivedAside: Buffer
  readonly rest: Buffer
}

/** Orders that are tried at the most, of deeds whose moment nobody knows. */
const ORDERS_MAX = 500

/** The deeds of one run. */
export class Deeds {
  readonly #all: Deed[] = []
  #time = 0

  begin(name: string): Deed {
    const deed: Deed = {
      name: `${name} ${this.#all.length}`,
      taken: Buffer.alloc(0),
      seen: undefined,
      accepted: 0,
      sent: undefined,
      fanned: undefined,
      time: 0,
      asked: this.#time,
      isTold: false,
    }
    this.#all.push(deed)
    return deed
  }
  /** A byte of it has moved. */
  moved(deed: Deed): void {
    if (deed.time > 0) return
    deed.time = ++this.#time
    deed.isTold = true
  }
  ended(deed: Deed): void {
    if (deed.time === 0) deed.time = ++this.#time
  }
  /** Bytes that the two sinks have accepted. */
  get accepted(): { readonly to: number; readonly aside: number } {
    let to = 0
    let aside = 0
    for (const deed of this.#all) {
      to += deed.accepted
      aside += deed.fanned?.aside ?? 0
    }
    return { to, aside }
  }
  /** Bytes that have left the source for good. */
  get leftSource(): number {
    return this.#all.reduce((sum, deed) => sum + deed.taken.length + acceptedOfSource(deed), 0)
  }
  /** Does the same with queues of bytes, in the order in which it happened. */
  compare(outcome: Outcome): void {
    const inTime = [...this.#all].sort((a, b) => a.time - b.time)
    let first: unknown
    let tried = 0
    for (const order of orders(inTime, inTime.filter(isUncertain))) {
      try {
        follow(order, outcome)
        return
      } catch (error) {
        first ??= error
      }
      if (++tried === ORDERS_MAX) break
    }
    throw first
  }
}

/** Bytes that went from the source to a sink. */
function acceptedOfSource({ accepted, sent, fanned }: Deed): number {
  if (sent !== undefined) return 0
  return fanned === undefined ? accepted : fanned.common
}

/** A fan-out reports what all its sinks have: one of them may have bytes that nobody heard of. */
function isUncertain({ isTold, taken, accepted, fanned }: Deed): boolean {
  return !isTold && taken.length + accepted + (fanned?.aside ?? 0) > 0
}

/** All orders in which these may have happened: that of time, then those with `uncertain` ones earlier. */
function* orders(deeds: readonly Deed[], uncertain: readonly Deed[]): Generator<readonly Deed[]> {
  const [deed, ...others] = uncertain
  if (deed === undefined) {
    yield deeds
    return
  }
  const without = deeds.filter((other) => other !== deed)
  for (let at = deeds.indexOf(deed); at >= 0; at--) {
    yield* orders([...without.slice(0, at), deed, ...without.slice(at)], others)
    // What was over before it was asked for was before it.
    if ((without[at - 1]?.time ?? 0) <= deed.asked) return
  }
}

/** Takes of a queue, deed by deed, what arrived somewhere. */
function follow(deeds: readonly Deed[], outcome: Outcome): void {
  const { fed, unpulled, received, receivedAside, rest } = outcome
  const queue = new ByteQueue([fed])
  for (const given of unpulled) queue.giveBack(given)
  let at = 0
  let asideAt = 0
  for (const { name, taken, seen, accepted, sent, fanned } of deeds) {
    const arrived = received.subarray(at, at + accepted)
    at += accepted
    if (fanned !== undefined) {
      const aside = receivedAside.subarray(asideAt, asideAt + fanned.aside)
      asideAt += fanned.aside
      for (const each of [arrived, aside]) queue.copy().take(each, name)
      const longest = arrived.length > aside.length ? arrived : aside
      queue.take(longest.subarray(0, fanned.common), name)
    } else if (sent === undefined) queue.take(arrived, name)
    else if (!arrived.equals(sent.subarray(0, accepted))) {
      throw new Error(`${name} sent other bytes`)
    }
    queue.take(taken, name)
    if (seen !== undefined) queue.copy().take(seen, name)
  }
  queue.take(rest, 'The rest')
  if (queue.length > 0) throw new Error(`${queue.length} bytes are left in the queue`)
}

import type { LookReason } from '../audit/causes.js'
import {
  InvalidArgumentError,
  NotLoadedError,
  ReleasedError,
  UnfilledHoleError,
} from '../errors.js'
import type { Stretch } from '../raw/raw.js'
import type { Lease, LeaseHolder } from '../raw/slabs.js'
import type { HoleOwner } from './hole.js'
import type { Segments } from './segments.js'
import { NO_TAIL, type Tail } from './tail.js'
import { MemoryWindow } from './window.js'

/** From this length on, in bytes, small appends look at the length: half of what can be counted. */
const TAIL_ASKS_BYTES = 2 ** 52
/** Marks the lists of every copy of this package. */
const BRAND = Symbol.for('splicelist.list')

/**
 * What every list has: its segments, its tail, the views that live, and whether it may be used. The
 * ground that `BufferList` is built on in three storeys: `Body`, `Appender` (what is written into a
 * list), `Reader` (what is read out of it).
 *
 * Of what every call passes through, here and in the rope, the rare half is a method of its own: V8
 * inlines what a method calls only up to a size. Beyond it a claim took 24 ns in place of 17.
 */
export abstract class Body implements HoleOwner {
  // Declared, and set by the constructor: initializers make every new list of the classes above
  // twice as dear. For the same reason the private methods of all storeys, and of the rope's classes,
  // are TypeScript's: those with a # mark every object.
  /** What the list is made of, but for what the tail still holds. */
  declare protected segments: Segments
  /** Where small appends are written. */
  declare protected tail: Tail
  /** Changes with every change but one at the back. */
  declare protected version: number
  /** @internal */
  declare openHoles: number
  /** @internal */
  declare isReleased: boolean
  /** What the views that live lie in. */
  declare private leases: LeaseSet | null

  /** Takes over the segments. */
  protected constructor(segments: Segments) {
    this.segments = segments
    this.tail = NO_TAIL
    this.version = 0
    this.openHoles = 0
    this.isReleased = false
    this.leases = null
  }

  /** Bytes in the list. O(1). Ceph: `length`. */
  get length(): number {
    return this.segments.length + this.tail.at - this.tail.start
  }
  /** Segments in the list; none is empty. O(1). Ceph: `get_num_buffers`. */
  get numBuffers(): number {
    this.settle()
    return this.segments.count
  }

  /** Before anything else, where a later check could blame the wrong thing. */
  protected alive(): void {
    if (this.isReleased) this.refuse()
  }
  /**
   * Before bytes are added, once it is known how many. Near the limit every append asks, also one that
   * would fit into the tail.
   */
  protected growing(addedBytes: number): void {
    if (this.length + addedBytes > TAIL_ASKS_BYTES) this.growingFar(addedBytes)
  }
  /** Before so many bytes are added as segments: ends the views. */
  protected adding(addedBytes: number): void {
    this.alive()
    this.settle()
    // All of the list is in its segments now: asking them keeps this short enough to be inlined.
    if (this.segments.length + addedBytes > TAIL_ASKS_BYTES) this.growingFar(addedBytes)
    this.ending()
  }
  /** Before anything is read. */
  protected reading(): void {
    if (this.isReleased || this.openHoles > 0) this.refuse()
    this.settle()
  }
  /** Before anything is taken out or moved: ends the views. */
  protected cutting(): void {
    this.reading()
    this.ending()
  }
  /** Before anything changes: ends the views. */
  protected changing(): void {
    this.alive()
    this.ending()
  }
  /** Ends what a change ends, once nothing can refuse it any more. */
  protected ending(): void {
    this.version++
    if (this.leases !== null) this.endViews()
  }
  /** Makes what the tail holds part of the segments. */
  protected settle(): void {
    const { tail } = this
    if (tail.at !== tail.start) this.pushTail(tail)
  }

  /** What views lie in: ended with the next change, whichever way it comes. */
  protected ownLeases(): LeaseSet {
    if (this.leases === null) {
      this.leases = new LeaseSet()
      this.tail.close()
    }
    return this.leases
  }
  protected endViews(): void {
    if (this.leases !== null) endAll(this.leases)
    this.leases = null
  }
  protected endSome(leases: readonly Lease[]): void {
    for (const lease of leases) this.leases?.delete(lease)
    endAll(leases)
  }
  /** The readable stretch around an offset, in offsets of the list. */
  protected stretchAt(offset: number, leases: LeaseHolder, cause?: LookReason): Stretch {
    const window = this.segments.at(offset)
    const { within } = this.segments
    const stretch = window.stretch(within, leases, cause)
    if (stretch === undefined) throw new NotLoadedError(offset, window.length - within)
    return { bytes: stretch.bytes, start: offset - within + stretch.start }
  }
  /** Readable stretches of a range, each valid until the next is asked for. */
  protected *stretches(
    cause: LookReason,
    from = 0,
    lengthBytes = this.length - from,
  ): Generator<Stretch, undefined> {
    const end = from + lengthBytes
    const leases: Lease[] = []
    try {
      for (let at = from; at < end;) {
        const stretch = this.stretchAt(at, leases, cause)
        const { bytes, start } = stretch
        const behind = start + bytes.length
        const isWhole = at === start && behind <= end
        yield isWhole ? stretch : { bytes: bytes.subarray(at - start, end - start), start: at }
        at = behind
        if (leases.length > 0) endAll(leases.splice(0))
      }
    } finally {
      endAll(leases)
    }
    return undefined
  }

  static {
    Object.defineProperty(this.prototype, BRAND, { value: true })
  }
  private growingFar(addedBytes: number): void {
    const { length } = this
    if (addedBytes > Number.MAX_SAFE_INTEGER - length) throw tooLong(length, addedBytes)
    this.tail.close()
  }
  private pushTail(tail: Tail): void {
    this.segments.push(new MemoryWindow(tail.bytes, tail.start, tail.at - tail.start))
    tail.start = tail.at
  }
  private refuse(): never {
    if (this.isReleased) throw new ReleasedError()
    throw new UnfilledHoleError(this.openHoles)
  }
}

function tooLong(length: number, addedBytes: number): InvalidArgumentError {
  return new InvalidArgumentError(
    `A list of ${length} bytes cannot have ${addedBytes} more: lengths are exact below 2^53`,
  )
}

/** Whether a value is a list, of this or of another copy of the package. */
export function isBranded(x: unknown): boolean {
  return typeof x === 'object' && x !== null && BRAND in x
}

/** The leases behind a list's views. Looks add to it as to an array. */
export class LeaseSet extends Set<Lease> implements LeaseHolder {
  push(lease: Lease): void {
    this.add(lease)
  }
}

export function endAll(leases: Iterable<Lease>): void {
  for (const lease of leases) lease.end()
}

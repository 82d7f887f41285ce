import { checkAttached, checkRange, describe } from '../arguments.js'
import { copy } from '../audit/ledger.js'
import { InvalidArgumentError, ReleasedError } from '../errors.js'

/** Bytes of a list that are written later (Ceph: `contiguous_filler`). */
export interface Hole {
  /** Bytes. */
  readonly length: number
  /**
   * Writes bytes at an offset into the hole. Copies. Each byte is written once: bytes in a list do
   * not change. Throws `InvalidArgumentError` past the hole's end and where bytes were written.
   */
  fill(bytes: Uint8Array, at?: number): void
}

/** What a hole tells the list that it is in. */
export interface HoleOwner {
  readonly isReleased: boolean
  /** Holes that are not yet filled. */
  openHoles: number
}

/** A run of bytes that were not written yet. */
interface Gap {
  readonly from: number
  readonly to: number
}

/** The hole of one list. Bounds-checked, unlike Ceph's; holds the memory itself, and its list. */
export class ListHole implements Hole {
  readonly length: number
  readonly #owner: HoleOwner
  readonly #memory: Uint8Array
  /** Where in the memory the hole begins. */
  readonly #start: number
  /** What was not written yet; undefined while that is all of it, as it mostly is to the end. */
  #gaps: Gap[] | undefined = undefined

  constructor(owner: HoleOwner, memory: Uint8Array, start: number, length: number) {
    this.length = length
    this.#owner = owner
    this.#memory = memory
    this.#start = start
    if (length > 0) owner.openHoles += 1
  }
  fill(bytes: Uint8Array, at = 0): void {
    if (!(bytes instanceof Uint8Array)) {
      throw new InvalidArgumentError(`A hole is filled with a Uint8Array, not ${describe(bytes)}`)
    }
    checkAttached(bytes)
    const { length } = bytes
    checkRange(at, length, this.length)
    if (this.#owner.isReleased) throw new ReleasedError()
    if (length === 0) return
    const isWhole = this.#gaps === undefined && length === this.length
    const gaps = isWhole ? NO_GAPS : this.#without(at, at + length)
    this.#gaps = gaps
    copy('append-copy', bytes, this.#memory, this.#start + at)
    if (gaps.length === 0) this.#owner.openHoles -= 1
  }
  /** The gaps that are left when a range is taken out of the one that it lies in. */
  #without(from: number, to: number): Gap[] {
    const gaps = this.#gaps ?? [{ from: 0, to: this.length }]
    const index = gaps.findIndex((gap) => from >= gap.from && to <= gap.to)
    const gap = gaps[index]
    if (gap === undefined) {
      throw new InvalidArgumentError(
        `Of the bytes ${from} to ${to} of the hole some are filled already. Fill each once`,
      )
    }
    const left = [
      { from: gap.from, to: from },
      { from: to, to: gap.to },
    ]
    return gaps.toSpliced(index, 1, ...left.filter((part) => part.to > part.from))
  }
}

/** Of a hole that is filled. */
const NO_GAPS: Gap[] = []

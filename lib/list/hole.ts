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
  from: number
  to: number
}

/** The hole of one list. Bounds-checked, unlike Ceph's; holds the memory itself, and its list. */
export class ListHole implements Hole {
  readonly length: number
  readonly #target: Uint8Array
  readonly #owner: HoleOwner
  readonly #gaps: Gap[]

  constructor(owner: HoleOwner, target: Uint8Array) {
    this.length = target.length
    this.#owner = owner
    this.#target = target
    this.#gaps = target.length > 0 ? [{ from: 0, to: target.length }] : []
    owner.openHoles += this.#gaps.length
  }
  fill(bytes: Uint8Array, at = 0): void {
    if (!(bytes instanceof Uint8Array)) {
      throw new InvalidArgumentError(`A hole is filled with a Uint8Array, not ${describe(bytes)}`)
    }
    checkAttached(bytes)
    checkRange(at, bytes.length, this.length)
    if (this.#owner.isReleased) throw new ReleasedError()
    if (bytes.length === 0) return
    this.#close(at, at + bytes.length)
    copy('append-copy', bytes, this.#target, at)
    if (this.#gaps.length === 0) this.#owner.openHoles -= 1
  }
  /** Takes a range out of the gap that it lies in. */
  #close(from: number, to: number): void {
    const index = this.#gaps.findIndex((gap) => from >= gap.from && to <= gap.to)
    const gap = this.#gaps[index]
    if (gap === undefined) {
      throw new InvalidArgumentError(
        `Of the bytes ${from} to ${to} of the hole some are filled already. Fill each once`,
      )
    }
    const left = [
      { from: gap.from, to: from },
      { from: to, to: gap.to },
    ]
    this.#gaps.splice(index, 1, ...left.filter((part) => part.to > part.from))
  }
}

/**
 * Checksums at the borders between the windows of a leaf: that of any run of whole windows is then a
 * step of arithmetic, however many they are, and no window need be touched for it. Made when all of a
 * leaf was summed up; what is cut out of the leaf takes them along. Immutable.
 */
import { combine } from './crc32c-algebra.js'

/** See the head of this file. */
export class Marks {
  // Declared, and set by the constructor: see `Body`.
  /**
   * For each border two numbers, side by side so that a step finds both in one line of the cache: the
   * CRC-32C from seed 0 of the bytes up to it, and how many those are.
   */
  declare private readonly borders: readonly number[]
  /** The window that the first of them lies in front of; not its negative: V8 would box a −0. */
  declare private readonly start: number
  /** The windows that are summed up: from the one at `first` up to `end`, those that no cut has changed. */
  declare readonly first: number
  declare readonly end: number

  constructor(borders: readonly number[], start: number, first: number, end: number) {
    this.borders = borders
    this.start = start
    this.first = first
    this.end = end
  }
  /** For a leaf of the windows from an index on, of which those outside of `first` and `end` were cut. */
  from(index: number, first: number, end: number): Marks {
    return new Marks(
      this.borders,
      this.start - index,
      Math.max(first, this.first - index),
      Math.min(end, this.end - index),
    )
  }
  /** Bytes of the windows that are summed up. */
  get lengthBytes(): number {
    return this.at(this.end, 1) - this.at(this.first, 1)
  }
  /** A checksum that is continued by the windows that are summed up. */
  continued(crc: number): number {
    return combine(crc ^ this.at(this.first, 0), this.at(this.end, 0), this.lengthBytes)
  }

  private at(border: number, which: 0 | 1): number {
    return this.borders[2 * (border - this.start) + which] as number
  }
}

/**
 * Of a leaf that was not summed up. Lives for ever: when the last marks go, V8 forgets how they look,
 * and drops the code for them, which made a first checksum half as dear again.
 */
export const NO_MARKS = new Marks([0, 0], 0, 0, 0)

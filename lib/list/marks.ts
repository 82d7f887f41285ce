/**
 * Checksums at the borders between the windows of a leaf: that of any run of whole windows is then a
 * step of arithmetic, however many they are, and no window need be touched for it. Made when all of a
 * leaf was summed up; what is cut out of the leaf takes them along. Immutable.
 */
import { combine } from './crc32c-algebra.js'
import { search } from './ends.js'

/** Border `i` lies in front of the leaf's window `i`. See the head of this file. */
export class Marks {
  /** CRC-32C from seed 0 of the bytes up to each border. */
  private readonly sums: readonly number[]
  /** Bytes up to each border. */
  private readonly ends: readonly number[]
  /** Where the border in front of window 0 stands in both. */
  private readonly shift: number
  /** The first border, and the last: a window that was cut on the other side of them has none there. */
  readonly first: number
  readonly last: number

  constructor(
    sums: readonly number[],
    ends: readonly number[],
    shift: number,
    first: number,
    last: number,
  ) {
    this.sums = sums
    this.ends = ends
    this.shift = shift
    this.first = first
    this.last = last
  }
  /** For a leaf of the windows from an index on, whose own first and last border cannot lie further out. */
  from(index: number, first: number, last: number): Marks {
    const firstThere = Math.max(first, this.first - index)
    const lastThere = Math.min(last, this.last - index)
    return new Marks(this.sums, this.ends, this.shift + index, firstThere, lastThere)
  }
  /** The last border at most so many bytes behind another. */
  within(border: number, bytesMax: number): number {
    const { ends, shift } = this
    const last = this.last + shift
    const start = ends[border + shift] as number
    const position = start + bytesMax
    const bytes = (ends[last] as number) - start
    if (bytes <= bytesMax) return this.last
    return search(ends, border + shift, last, bytesMax / bytes, position) - 1 - shift
  }
  /** Bytes between two borders. */
  bytesBetween(border: number, next: number): number {
    return (this.ends[next + this.shift] as number) - (this.ends[border + this.shift] as number)
  }
  /** A checksum that is continued by the bytes between two borders. */
  continued(crc: number, border: number, next: number): number {
    const before = this.sums[border + this.shift] as number
    const after = this.sums[next + this.shift] as number
    return combine(crc ^ before, after, this.bytesBetween(border, next))
  }
}

/**
 * Of a leaf that was not summed up. Lives for ever: when the last marks go, V8 forgets how they look,
 * and drops the code for them, which made a first checksum half as dear again.
 */
export const NO_MARKS = new Marks([0], [0], 0, 0, 0)

/**
 * A leaf of the rope: up to 128 windows in order, found by position.
 *
 * Positions are absolute within the leaf: taking from the front moves `base` and touches no other
 * number. The ends of the windows are summed up when something is looked for, not when it is added.
 */
import { search } from './ends.js'
import { NO_MARKS, type Marks } from './marks.js'
import { MemoryWindow, type Window } from './window.js'

/** Windows in one leaf: enough that a leaf's own search is short and the top array stays small. */
export const LEAF_WINDOWS_MAX = 128
const GIB_BYTES = 2 ** 30

/** What the owner of a segment threw when it was told that it has the memory back. */
export interface Failure {
  readonly error: unknown
}

/** See the head of this file. */
export class Leaf {
  // Declared, and set by the constructor: see `Body`.
  declare readonly windows: Window[]
  /** Index of the first window that was not taken. */
  declare head: number
  /** Position of the first byte. */
  declare base: number
  /** Position behind the last byte. */
  declare end: number
  /** Whether any window holds a reference: sharing them must count. */
  declare isCounted: boolean
  /** Once all its bytes were summed up; every change forgets them. */
  declare marks: Marks
  /** The end of each window, known for those before `measured`. */
  declare private ends: number[]
  declare private measured: number
  /**
   * Windows in a GiB, on average. Kept, as `Finder` keeps it; but whole, for V8 would put a fraction into
   * a box of its own for every leaf.
   */
  declare private windowsPerGiB: number

  constructor(windows: Window[], lengthBytes: number, isCounted: boolean) {
    this.windows = windows
    this.head = 0
    this.base = 0
    this.end = lengthBytes
    this.isCounted = isCounted
    this.marks = NO_MARKS
    this.ends = NONE
    this.measured = 0
    this.windowsPerGiB = 0
  }
  get lengthBytes(): number {
    return this.end - this.base
  }
  get count(): number {
    return this.windows.length - this.head
  }
  get first(): Window {
    return this.windows[this.head] as Window
  }
  get last(): Window {
    return this.windows[this.windows.length - 1] as Window
  }
  push(window: Window): void {
    this.marks = NO_MARKS
    this.windows.push(window)
    this.end += window.length
    if (window.refs !== null) this.isCounted = true
  }
  /** Puts a longer window in the place of the first. */
  replaceFirst(window: Window, addedBytes: number): void {
    this.marks = NO_MARKS
    this.windows[this.head] = window
    this.base -= addedBytes
  }
  /** Puts a longer window in the place of the last. */
  replaceLast(window: Window, addedBytes: number): void {
    this.marks = NO_MARKS
    const last = this.windows.length - 1
    this.windows[last] = window
    this.end += addedBytes
    if (this.measured > last) this.measured = last
  }
  unshift(window: Window): void {
    this.marks = NO_MARKS
    if (this.head > 0) {
      this.head -= 1
      this.windows[this.head] = window
      if (this.measured > this.head) this.ends[this.head] = this.base
    } else {
      this.windows.unshift(window)
      this.measured = 0
    }
    this.base -= window.length
    if (window.refs !== null) this.isCounted = true
  }
  /** Takes the first window out, or its first bytes; the reference is the caller's. */
  shift(bytesMax: number): Window {
    const { first } = this
    const taken = bytesMax < first.length ? first.part(0, bytesMax) : first
    this.drop(taken.length)
    return taken
  }
  /**
   * Drops the first bytes, at most those of the first window, and returns how many. A window that goes
   * as a whole keeps its reference: it is the caller's, or there is none.
   */
  drop(bytesMax: number): number {
    this.marks = NO_MARKS
    const { first } = this
    const { length } = first
    if (bytesMax < length) return this.dropPart(first, bytesMax)
    this.forgetFirst()
    this.base += length
    return length
  }
  /** Index of the window around a position, which must lie inside. */
  indexOf(position: number): number {
    const { base, head, windows } = this
    if (this.measured !== windows.length) {
      if (position < base + this.first.length) return head
      this.measure()
    }
    // From the middle of the byte, or rounding would guess beside the window that begins with it.
    const guess = head + ((position - base + 0.5) * this.windowsPerGiB) / GIB_BYTES
    return search(this.ends, head, windows.length - 1, guess, position)
  }
  /** Position of a window's first byte. */
  startOf(index: number): number {
    if (index === this.head) return this.base
    if (this.measured < index) this.measure()
    return this.ends[index - 1] as number
  }
  /** A range's only window, or its windows in a leaf of their own; with references of their own. */
  share(position: number, lengthBytes: number): Leaf | Window {
    const from = this.indexOf(position)
    const to = lengthBytes === 1 ? from : this.indexOf(position + lengthBytes - 1)
    const within = position - this.startOf(from)
    if (from === to) return (this.windows[from] as Window).part(within, lengthBytes)
    const windows = this.windows.slice(from, to + 1)
    this.cutEdges(windows, within, position + lengthBytes - this.startOf(to))
    const leaf = new Leaf(windows, lengthBytes, this.isCounted)
    if (this.marks !== NO_MARKS) {
      const isCut = windows[to - from] !== this.windows[to]
      leaf.marks = this.marks.from(from, within > 0 ? 1 : 0, isCut ? to - from : windows.length)
    }
    return leaf
  }
  /** Takes the windows from an index on out, into a leaf of their own. */
  splitOff(index: number): Leaf {
    this.marks = NO_MARKS
    const at = index === this.windows.length ? this.end : this.startOf(index)
    const behind = this.windows.splice(index)
    const leaf = new Leaf(behind, this.end - at, this.isCounted)
    this.end = at
    if (this.measured > index) this.measured = index
    return leaf
  }
  /** Makes a window begin at a position, and returns its index. */
  splitAt(position: number): number {
    if (position === this.end) return this.windows.length
    const index = this.indexOf(position)
    const within = position - this.startOf(index)
    if (within === 0) return index
    this.marks = NO_MARKS
    const window = this.windows[index] as Window
    const behind = window.part(within, window.length - within)
    this.windows.splice(index, 1, narrowed(window, 0, within), behind)
    if (this.measured > index) this.measured = index
    return index + 1
  }
  /** Takes over all windows of the leaf behind this one. */
  absorb(next: Leaf): void {
    this.marks = NO_MARKS
    for (let i = next.head; i < next.windows.length; i++)
      this.windows.push(next.windows[i] as Window)
    this.end += next.lengthBytes
    if (next.isCounted) this.isCounted = true
  }
  /** Releases every window, and returns the first failure of an owner that was told. */
  releaseAll(): Failure | undefined {
    if (!this.isCounted) return undefined
    let failure: Failure | undefined
    for (let i = this.head; i < this.windows.length; i++) {
      try {
        ;(this.windows[i] as Window).release()
      } catch (error) {
        failure ??= { error }
      }
    }
    return failure
  }

  /** Gives shared windows references, the first from `within` on, the last up to `lastBytes`. */
  private cutEdges(windows: Window[], within: number, lastBytes: number): void {
    const last = windows.length - 1
    const first = windows[0] as Window
    windows[0] = first.part(within, first.length - within)
    windows[last] = (windows[last] as Window).part(0, lastBytes)
    if (!this.isCounted) return
    for (let i = 1; i < last; i++) (windows[i] as Window).retain()
  }
  private dropPart(first: Window, lengthBytes: number): number {
    this.windows[this.head] = narrowed(first, lengthBytes, first.length - lengthBytes)
    this.base += lengthBytes
    return lengthBytes
  }
  private forgetFirst(): void {
    // A taken window must not keep its memory alive.
    this.windows[this.head] = TAKEN
    this.head += 1
  }
  private measure(): void {
    if (this.ends === NONE) this.ends = []
    const { ends, windows } = this
    let i = this.measured
    let end = i > this.head ? (ends[i - 1] as number) : this.base
    for (; i < windows.length; i++) {
      // In front of the head there is nothing; the places are kept so that indexes agree.
      if (i >= this.head) end += (windows[i] as Window).length
      ends[i] = end
    }
    this.measured = i
    this.windowsPerGiB = (((i - this.head) / (end - this.base)) * GIB_BYTES) | 0
  }
}

/** The ends of a leaf in which nothing was looked for. Never added to. */
const NONE: number[] = []
/** Stands where a window was taken from the front. */
const TAKEN: Window = new MemoryWindow(new Uint8Array(0), 0, 0)

/** Fewer bytes of a window, with the reference that it held. */
export function narrowed(window: Window, offset: number, length: number): Window {
  const part = window.part(offset, length)
  window.release()
  return part
}

/**
 * The segments of a list: windows in order, found by offset.
 *
 * An array of windows with their absolute ends beside it. Finding is a binary search; taking from
 * the front and adding at the back are O(1); a cut in the middle moves the array. Every reference
 * that goes in is owned here, every one that comes out is the taker's.
 */
import type { BufferRaw } from '../raw/raw.js'

/** A window of a raw (Ceph: `buffer::ptr`). Immutable; shares the bytes. */
export class Window {
  readonly raw: BufferRaw
  readonly offset: number
  readonly length: number

  constructor(raw: BufferRaw, offset: number, length: number) {
    this.raw = raw
    this.offset = offset
    this.length = length
  }
  /** A part of this window, with a reference of its own. */
  share(offset: number, length: number): Window {
    if (this.raw.refs !== null) this.raw.retain()
    return new Window(this.raw, this.offset + offset, length)
  }
}

/** A place in the list: a window and where in it. */
export interface Place {
  readonly window: Window
  /** Bytes into the window. */
  readonly within: number
}

/** How many taken windows the front may hold before the array is cut down. */
const SPARE_FRONT_MAX = 1024
/** How many windows are handed to one call as its arguments; V8 overflows its stack at 120,000. */
const ARGUMENTS_MAX = 1024

/** See the head of this file. */
export class Segments {
  #windows: Window[] = []
  /** Absolute end of each window; absolute because the front moves without touching them. */
  #ends: number[] = []
  #head = 0
  /** Absolute position of the first byte. */
  #base = 0
  /** Absolute position behind the last byte. */
  #end = 0

  get length(): number {
    return this.#end - this.#base
  }
  get count(): number {
    return this.#windows.length - this.#head
  }
  /** The windows, front to back. */
  *windows(): IterableIterator<Window> {
    for (let i = this.#head; i < this.#windows.length; i++) yield this.#windows[i] as Window
  }
  first(): Window | undefined {
    return this.#windows[this.#head]
  }

  /** Adds at the back; takes over the window's reference. Contiguous windows of a raw join. */
  push(window: Window): void {
    if (window.length === 0) return drop(window)
    const last = this.#windows.length - 1
    const tail = last >= this.#head ? (this.#windows[last] as Window) : undefined
    this.#end += window.length
    if (tail?.raw === window.raw && tail.offset + tail.length === window.offset) {
      drop(window)
      this.#windows[last] = new Window(tail.raw, tail.offset, tail.length + window.length)
      this.#ends[last] = this.#end
      return
    }
    this.#windows.push(window)
    this.#ends.push(this.#end)
  }
  /** Adds at the front; takes over the window's reference. */
  unshift(window: Window): void {
    if (window.length === 0) return drop(window)
    if (this.#head === 0) this.#makeRoom()
    this.#head -= 1
    this.#windows[this.#head] = window
    this.#ends[this.#head] = this.#base
    this.#base -= window.length
  }
  /** Where a byte is. The offset must lie inside. */
  find(offset: number): Place {
    const i = this.#indexOf(offset)
    const window = this.#windows[i] as Window
    return { window, within: offset - (this.#startOf(i) - this.#base) }
  }
  /** The same range again, with references of its own. */
  share(offset: number, length: number): Segments {
    const shared = new Segments()
    for (let i = length > 0 ? this.#indexOf(offset) : 0, left = length; left > 0; i++) {
      const window = this.#windows[i] as Window
      const from = Math.max(0, offset - (this.#startOf(i) - this.#base))
      const n = Math.min(left, window.length - from)
      shared.push(window.share(from, n))
      left -= n
    }
    return shared
  }
  /** Moves everything out, leaving this empty. */
  moveOut(): Segments {
    return this.cut(0, this.length)
  }
  /** Moves all of another's windows to the back of this one. */
  pushAll(other: Segments): void {
    for (const window of other.#takeAll()) this.push(window)
  }
  /** Moves all of another's windows to the front of this one. */
  unshiftAll(other: Segments): void {
    for (const window of other.#takeAll().reverse()) this.unshift(window)
  }
  /** Releases bytes at the front. */
  dropFront(length: number): void {
    let left = length
    while (left > 0) {
      const window = this.#windows[this.#head] as Window
      const n = Math.min(left, window.length)
      if (n < window.length) {
        this.#windows[this.#head] = new Window(window.raw, window.offset + n, window.length - n)
      } else {
        drop(window)
        this.#head += 1
      }
      this.#base += n
      left -= n
    }
    this.#trimFront()
  }
  /** Moves a range out, putting another's windows in its place. Returns what was there. */
  cut(offset: number, length: number, replacement?: Segments): Segments {
    if (offset === 0 && replacement === undefined) return this.#takeFront(length)
    const from = this.#splitAt(offset)
    const to = this.#splitAt(offset + length)
    const removed = new Segments()
    for (const window of this.#windows.slice(from, to)) removed.push(window)
    const added = replacement === undefined ? [] : replacement.#takeAll()
    if (added.length <= ARGUMENTS_MAX) this.#windows.splice(from, to - from, ...added)
    else this.#windows = this.#windows.slice(0, from).concat(added, this.#windows.slice(to))
    this.#recount(from)
    this.#trimFront()
    return removed
  }
  /** Releases everything. */
  clear(): void {
    for (const window of this.#takeAll()) drop(window)
  }

  /** Moves bytes at the front out. O(windows taken). */
  #takeFront(length: number): Segments {
    const taken = new Segments()
    for (let left = length; left > 0;) {
      const window = this.#windows[this.#head] as Window
      const n = Math.min(left, window.length)
      if (n < window.length) {
        taken.push(window.share(0, n))
        this.#windows[this.#head] = new Window(window.raw, window.offset + n, window.length - n)
      } else {
        taken.push(window)
        this.#head += 1
      }
      this.#base += n
      left -= n
    }
    this.#trimFront()
    return taken
  }
  /** Makes room for windows at the front, in proportion, so that each costs O(1) on average. */
  #makeRoom(): void {
    const room = (this.#windows.length >>> 1) + 16
    this.#windows = new Array<Window>(room).fill(TAKEN).concat(this.#windows)
    this.#ends = new Array<number>(room).fill(this.#base).concat(this.#ends)
    this.#head = room
  }
  #takeAll(): Window[] {
    const all = this.#windows.slice(this.#head)
    this.#windows = []
    this.#ends = []
    this.#head = 0
    this.#base = 0
    this.#end = 0
    return all
  }
  #startOf(index: number): number {
    return (this.#ends[index] as number) - (this.#windows[index] as Window).length
  }
  #indexOf(offset: number): number {
    const position = this.#base + offset
    let low = this.#head
    let high = this.#windows.length - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#ends[middle] as number) <= position) low = middle + 1
      else high = middle
    }
    return low
  }
  /** Makes a window begin at an offset; returns its index. */
  #splitAt(offset: number): number {
    if (offset === this.length) return this.#windows.length
    const index = this.#indexOf(offset)
    const start = this.#startOf(index)
    const within = this.#base + offset - start
    if (within === 0) return index
    const window = this.#windows[index] as Window
    const front = new Window(window.raw, window.offset, within)
    this.#windows.splice(index, 1, front, window.share(within, window.length - within))
    this.#ends.splice(index, 0, start + within)
    return index + 1
  }
  #recount(from: number): void {
    let end = from > this.#head ? (this.#ends[from - 1] as number) : this.#base
    this.#ends.length = this.#windows.length
    for (let i = from; i < this.#windows.length; i++) {
      end += (this.#windows[i] as Window).length
      this.#ends[i] = end
    }
    this.#end = end
  }
  #trimFront(): void {
    const isSparse = this.#head > SPARE_FRONT_MAX && this.#head * 2 > this.#windows.length
    if (!isSparse && this.#head < this.#windows.length) {
      // Taken windows must not keep their raws alive.
      for (let i = this.#head - 1; i >= 0 && this.#windows[i] !== TAKEN; i--)
        this.#windows[i] = TAKEN
      return
    }
    this.#windows.splice(0, this.#head)
    this.#ends.splice(0, this.#head)
    this.#head = 0
  }
}

/** Stands where a window was taken from the front. */
const TAKEN = new Window({} as BufferRaw, 0, 0)

function drop(window: Window): void {
  if (window.raw.refs !== null) window.raw.release()
}

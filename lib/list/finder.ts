/**
 * Finding the window around a position of a rope: where its leaves end, and the window that was found
 * last. A list that nobody asks for an offset has none.
 */
import { search } from './ends.js'
import { Leaf } from './leaf.js'
import { MemoryWindow, type Window } from './window.js'

/** See the head of this file. */
export class Finder {
  // Declared, and set by the constructor: see `Body`.
  /** Absolute end of each leaf, known for those before `measured`. */
  declare private readonly ends: number[]
  declare private measured: number
  /** Leaves in a byte, on average. Kept, because a division for every guess took 4 ns. */
  declare private leavesPerByte: number
  // The window that was found last, and where: reading on in it, or in the next, needs no search.
  declare window: Window
  declare start: number
  declare end: number
  declare private leaf: Leaf
  declare private index: number

  constructor() {
    this.ends = []
    this.measured = 0
    this.leavesPerByte = 0.5
    this.window = NOWHERE
    this.start = 0
    this.end = 0
    this.leaf = NO_LEAF
    this.index = 0
  }
  /** Finds the window around a position that is not in the one found last. */
  find(leaves: readonly Leaf[], base: number, position: number): void {
    if (position === this.end && this.next()) return
    const i = this.leafAt(leaves, base, position)
    const leaf = leaves[i] as Leaf
    const leafStart = i === 0 ? base : (this.ends[i - 1] as number)
    const inLeaf = leaf.base + position - leafStart
    const index = leaf.indexOf(inLeaf)
    const window = leaf.windows[index] as Window
    const start = position - inLeaf + leaf.startOf(index)
    this.window = window
    this.start = start
    this.end = start + window.length
    this.leaf = leaf
    this.index = index
  }
  /** Index of the leaf around a position, which must lie inside. */
  leafAt(leaves: readonly Leaf[], base: number, position: number): number {
    const last = leaves.length - 1
    if (this.measured <= last) {
      if (position - base < (leaves[0] as Leaf).lengthBytes) return 0
      this.measure(leaves, base)
    }
    return search(this.ends, 0, last, (position - base + 0.5) * this.leavesPerByte, position)
  }
  /** A leaf's first position. */
  startOf(leaves: readonly Leaf[], base: number, leafIndex: number): number {
    if (leafIndex === 0) return base
    if (this.measured < leafIndex) this.measure(leaves, base)
    return this.ends[leafIndex - 1] as number
  }
  /** After a change of a leaf and all behind it. */
  touch(leafIndex: number): void {
    if (this.measured > leafIndex) this.measured = leafIndex
  }
  /** After the first leaf went. */
  shift(): void {
    if (this.measured === 0) return
    this.ends.shift()
    this.measured -= 1
  }
  /** After every change but one at the back. */
  forget(): void {
    this.window = NOWHERE
    this.end = this.start
    this.leaf = NO_LEAF
  }
  /** Moves on by one window, inside its leaf. */
  private next(): boolean {
    const { windows } = this.leaf
    // A longer window may stand in its place: what goes on behind it is not the next window then.
    if (windows[this.index] !== this.window) return false
    const next = windows[this.index + 1]
    if (next === undefined) return false
    this.index += 1
    this.window = next
    this.start = this.end
    this.end += next.length
    return true
  }
  private measure(leaves: readonly Leaf[], base: number): void {
    const { ends } = this
    let i = this.measured
    let end = i > 0 ? (ends[i - 1] as number) : base
    for (; i < leaves.length; i++) {
      end += (leaves[i] as Leaf).lengthBytes
      ends[i] = end
    }
    this.measured = i
    this.leavesPerByte = i / (end - base)
  }
}

/** Where nothing was found yet. */
const NOWHERE: Window = new MemoryWindow(new Uint8Array(0), 0, 0)
/** Lives for ever: when the last leaf goes, V8 forgets how leaves look, and drops the code for them. */
const NO_LEAF = new Leaf([], 0, false)

/**
 * The segments of a list: a rope of windows, found by offset.
 *
 * One window is held as it is: most lists never have more. From two on they lie in leaves of up to 128
 * windows under one array. Finding is two guesses, or binary searches; taking from the front
 * and adding at the back are O(1); a cut anywhere else splits at most two leaves and moves the array
 * of leaves, a hundredth of the windows. The leaves' ends are summed up when something is looked for,
 * from the first leaf that changed, and they are absolute, so that consuming changes none. Leaves
 * that have become small are joined with their neighbours where a cut is made.
 *
 * Every reference that goes in is owned here, every one that comes out is the taker's. No window is
 * empty; windows that continue each other are one.
 */
import { Finder } from './finder.js'
import { Leaf, LEAF_WINDOWS_MAX, narrowed, type Failure } from './leaf.js'
import { MemoryWindow, type Window } from './window.js'

/** How many leaves are handed to one call as its arguments; V8 overflows its stack at 120,000. */
const ARGUMENTS_MAX = 1024
/** Positions stay below this, in bytes, or V8 would box every number of the rope as a double. */
const REBASE_BYTES = 2 ** 30

/** Called with a window, where in it a range begins, and how many of its bytes belong to it. */
export type Visitor = (window: Window, within: number, lengthBytes: number) => boolean

/** See the head of this file. */
export class Segments {
  // Declared, and set by the constructor: see `Body`.
  /** The only window, while no more than one was ever here; then there are no leaves. */
  declare private only: Window | undefined
  declare private leaves: Leaf[]
  /** Absolute position of the first byte. */
  declare private base: number
  declare private lengthBytes: number
  declare private windowCount: number
  /** Made when an offset is looked for. */
  declare private finder: Finder | undefined
  /** How far into the window that `at` has just returned its offset lies. */
  declare within: number

  constructor() {
    this.only = undefined
    this.leaves = NONE
    this.base = 0
    this.lengthBytes = 0
    this.windowCount = 0
    this.finder = undefined
    this.within = 0
  }
  /** Bytes. */
  get length(): number {
    return this.lengthBytes
  }
  /** Windows. */
  get count(): number {
    return this.windowCount
  }
  first(): Window | undefined {
    return this.only ?? this.leaves[0]?.first
  }
  /** The windows, front to back. */
  *windows(): IterableIterator<Window> {
    if (this.only !== undefined) yield this.only
    for (const leaf of this.leaves) {
      for (let i = leaf.head; i < leaf.windows.length; i++) yield leaf.windows[i] as Window
    }
  }
  /** The only window, where the segments are not in leaves. */
  get single(): Window | undefined {
    return this.only
  }
  /** The windows by leaves, front to back, where there are leaves. */
  get inLeaves(): readonly Leaf[] {
    return this.leaves
  }
  /** Calls the visitor for each window of a range, front to back, until it returns false. */
  visit(offset: number, length: number, visitor: Visitor): void {
    if (length === 0) return
    if (this.only !== undefined) {
      visitor(this.only, offset, length)
      return
    }
    const position = this.base + offset
    let at = this.leafAt(position)
    let leaf = this.leaves[at] as Leaf
    const inLeaf = this.inLeaf(at, position)
    let index = leaf.indexOf(inLeaf)
    let within = inLeaf - leaf.startOf(index)
    for (let left = length; left > 0; index++, within = 0) {
      if (index === leaf.windows.length) {
        leaf = this.leaves[++at] as Leaf
        index = leaf.head
      }
      const window = leaf.windows[index] as Window
      const n = Math.min(left, window.length - within)
      if (!visitor(window, within, n)) return
      left -= n
    }
  }
  /**
   * What one gathering write can send: the memory at the front, at most so many bytes in at most so
   * many parts. What was sent is dropped from the front, and the next call goes on there.
   */
  gather(lengthMax: number, partsMax: number): Uint8Array[] {
    const parts: Uint8Array[] = []
    this.visit(0, Math.min(lengthMax, this.lengthBytes), (window, within, n) => {
      if (!(window instanceof MemoryWindow) || parts.length === partsMax) return false
      parts.push(window.view(within, n))
      return true
    })
    return parts
  }
  /** The window around an offset, which must lie inside; `within` then says where in it. */
  at(offset: number): Window {
    if (this.only !== undefined) {
      this.within = offset
      return this.only
    }
    const finder = this.finder ?? this.newFinder()
    const position = this.base + offset
    if (position < finder.start || position >= finder.end) {
      finder.find(this.leaves, this.base, position)
    }
    this.within = position - finder.start
    return finder.window
  }

  /** Adds at the back; takes over the window's reference. */
  push(window: Window): void {
    const { length } = window
    if (length === 0) return window.release()
    const { leaves } = this
    const last = leaves.length - 1
    if (last < 0) return this.pushFirst(window)
    const leaf = leaves[last] as Leaf
    this.lengthBytes += length
    this.finder?.touch(last)
    const joined = leaf.last.joined(window)
    if (joined !== undefined) {
      leaf.replaceLast(joined, length)
      return
    }
    this.windowCount += 1
    if (leaf.windows.length < LEAF_WINDOWS_MAX) leaf.push(window)
    else leaves.push(leafOf(window))
  }
  /** Adds at the front; takes over the window's reference. */
  unshift(window: Window): void {
    const { length } = window
    if (length === 0) return window.release()
    if (this.lengthBytes === 0) return this.begin(window)
    this.unfold()
    const leaf = this.leaves[0] as Leaf
    this.finder?.forget()
    this.lengthBytes += length
    this.base -= length
    const joined = window.joined(leaf.first)
    if (joined !== undefined) {
      leaf.replaceFirst(joined, length)
      return
    }
    this.windowCount += 1
    if (leaf.count < LEAF_WINDOWS_MAX) leaf.unshift(window)
    else {
      this.leaves.unshift(leafOf(window))
      this.finder?.touch(0)
    }
  }
  /** The same range again, with references of its own. */
  share(offset: number, length: number): Segments {
    const shared = new Segments()
    if (length === 0) return shared
    if (this.only !== undefined) {
      shared.begin(this.only.part(offset, length))
      return shared
    }
    let position = this.base + offset
    const end = position + length
    for (let i = this.leafAt(position); position < end; i++) {
      const leaf = this.leaves[i] as Leaf
      const from = this.inLeaf(i, position)
      const n = Math.min(end - position, leaf.end - from)
      const part = leaf.share(from, n)
      if (part instanceof Leaf) shared.append(part)
      else shared.push(part)
      position += n
    }
    return shared
  }
  /** Moves everything out, leaving this empty. */
  moveOut(): Segments {
    const moved = new Segments()
    moved.pushAll(this)
    return moved
  }
  /** Moves all of another's windows to the back of this one. */
  pushAll(other: Segments): void {
    const { only } = other
    if (only === undefined) return this.pushLeaves(other)
    // Not `reset`: these are all that a list without leaves has changed.
    other.only = undefined
    other.lengthBytes = 0
    other.windowCount = 0
    this.push(only)
  }
  /** Moves all of another's windows to the front of this one. */
  unshiftAll(other: Segments): void {
    const leaves = other.takeLeaves()
    this.unfold()
    for (const { lengthBytes, count } of leaves) {
      this.lengthBytes += lengthBytes
      this.base -= lengthBytes
      this.windowCount += count
    }
    this.replaceLeaves(0, 0, leaves)
  }
  /** Releases bytes at the front. */
  dropFront(length: number): void {
    const { only } = this
    if (only !== undefined) return this.dropOnly(only, length)
    this.finder?.forget()
    for (let left = length; left > 0;) {
      const leaf = this.leaves[0] as Leaf
      // An owner that hears of a release may use the list: then the list has to be whole again.
      if (leaf.isCounted) return this.takeFront(left).clear()
      const { count } = leaf
      let n = leaf.lengthBytes
      if (n <= left) {
        this.dropLeaf()
        this.windowCount -= count
      } else {
        n = leaf.drop(left)
        this.windowCount -= count - leaf.count
      }
      this.lengthBytes -= n
      this.base += n
      left -= n
    }
    if (this.base > REBASE_BYTES) this.rebase()
  }
  /** Moves a range out, putting another's windows in its place. Returns what was there. */
  cut(offset: number, length: number, replacement?: Segments): Segments {
    if (offset === 0 && replacement === undefined) return this.takeFront(length)
    const from = this.borderAt(offset)
    const to = this.borderAt(offset + length)
    const removed = new Segments()
    for (const leaf of this.leaves.slice(from, to)) removed.append(leaf)
    this.lengthBytes -= removed.lengthBytes
    this.windowCount -= removed.windowCount
    if (replacement !== undefined) {
      this.lengthBytes += replacement.lengthBytes
      this.windowCount += replacement.windowCount
    }
    const added = replacement === undefined ? [] : replacement.takeLeaves()
    this.replaceLeaves(from, to - from, added)
    return removed
  }
  /**
   * Releases everything. What an owner throws (see `AdoptedRaw`) is thrown when all have been told, the
   * first of them.
   */
  clear(): void {
    const { only, leaves } = this
    // Empty before any owner hears of it.
    this.reset()
    if (only !== undefined) return only.release()
    let failure: Failure | undefined
    for (const leaf of leaves) {
      const failed = leaf.releaseAll()
      failure ??= failed
    }
    if (failure !== undefined) throw failure.error
  }

  /** Adds a leaf at the back, which is this one's then. */
  private append(leaf: Leaf): void {
    if (leaf.count === 1) return this.push(leaf.first)
    this.unfold()
    this.lengthBytes += leaf.lengthBytes
    this.windowCount += leaf.count
    if (this.leaves === NONE) {
      // A literal has no room to spare: most lists never need more than one leaf.
      this.leaves = [leaf]
      return
    }
    this.leaves.push(leaf)
    this.mergeAt(this.leaves.length - 1)
  }
  private pushLeaves(other: Segments): void {
    for (const leaf of other.takeLeaves()) this.append(leaf)
  }
  private dropOnly(only: Window, length: number): void {
    if (length === only.length) this.clear()
    else if (length > 0) this.begin(narrowed(only, length, only.length - length))
  }
  private begin(window: Window): void {
    this.only = window
    this.lengthBytes = window.length
    this.windowCount = 1
  }
  /** Adds at the back where there are no leaves yet. */
  private pushFirst(window: Window): void {
    const { only } = this
    if (only === undefined) return this.begin(window)
    this.lengthBytes += window.length
    const joined = only.joined(window)
    if (joined !== undefined) {
      this.only = joined
      return
    }
    this.windowCount = 2
    this.only = undefined
    const isCounted = only.refs !== null || window.refs !== null
    this.leaves = [new Leaf([only, window], this.lengthBytes, isCounted)]
  }
  /** Puts the only window into a leaf. */
  private unfold(): void {
    const { only } = this
    if (only === undefined) return
    this.only = undefined
    this.leaves = [leafOf(only)]
  }
  /** Moves bytes at the front out. O(leaves and windows of the last leaf taken). */
  private takeFront(length: number): Segments {
    const taken = new Segments()
    if (length === 0) return taken
    const { only } = this
    if (only !== undefined) {
      if (length === this.lengthBytes) {
        this.reset()
        taken.begin(only)
      } else {
        taken.begin(only.part(0, length))
        this.begin(narrowed(only, length, only.length - length))
      }
      return taken
    }
    this.finder?.forget()
    this.lengthBytes -= length
    this.base += length
    for (let left = length; left > 0;) {
      const leaf = this.leaves[0] as Leaf
      const { lengthBytes, count } = leaf
      if (lengthBytes <= left) {
        left -= lengthBytes
        this.dropLeaf()
        taken.append(leaf)
        this.windowCount -= count
      } else {
        const window = leaf.shift(left)
        left -= window.length
        taken.push(window)
        this.windowCount -= count - leaf.count
      }
    }
    if (this.base > REBASE_BYTES) this.rebase()
    return taken
  }
  /** Makes a leaf begin at an offset, and returns its index. */
  private borderAt(offset: number): number {
    this.unfold()
    if (offset === this.lengthBytes) return this.leaves.length
    this.finder?.forget()
    const position = this.base + offset
    const i = this.leafAt(position)
    const leaf = this.leaves[i] as Leaf
    const before = leaf.count
    const index = leaf.splitAt(this.inLeaf(i, position))
    this.windowCount += leaf.count - before
    if (index === leaf.head) return i
    this.finder?.touch(i)
    this.leaves.splice(i + 1, 0, leaf.splitOff(index))
    return i + 1
  }
  private replaceLeaves(from: number, count: number, leaves: readonly Leaf[]): void {
    this.finder?.forget()
    this.finder?.touch(from)
    if (this.leaves === NONE) this.leaves = []
    const all = this.leaves
    if (leaves.length <= ARGUMENTS_MAX) all.splice(from, count, ...leaves)
    else {
      const behind = all.splice(from).slice(count)
      for (const leaf of leaves) all.push(leaf)
      for (const leaf of behind) all.push(leaf)
    }
    // The border behind first: a merge there leaves the one in front where it is.
    this.mergeAt(from + leaves.length)
    this.mergeAt(from)
  }
  /** Joins the leaves on both sides of a border where they are small, and windows that touch. */
  private mergeAt(border: number): void {
    if (border <= 0 || border >= this.leaves.length) return
    this.finder?.touch(border - 1)
    const front = this.leaves[border - 1] as Leaf
    const behind = this.leaves[border] as Leaf
    const added = behind.first.length
    const joined = front.last.joined(behind.first)
    if (joined !== undefined) {
      behind.drop(added)
      front.replaceLast(joined, added)
      this.windowCount -= 1
    }
    if (behind.count > 0 && front.windows.length + behind.count > LEAF_WINDOWS_MAX) return
    front.absorb(behind)
    if (border === this.leaves.length - 1) this.leaves.pop()
    else this.leaves.splice(border, 1)
  }
  private dropLeaf(): void {
    if (this.leaves.length === 1) {
      this.leaves = NONE
      this.finder = undefined
      return
    }
    this.leaves.shift()
    this.finder?.shift()
  }
  private takeLeaves(): Leaf[] {
    this.unfold()
    const { leaves } = this
    this.reset()
    return leaves
  }
  private reset(): void {
    this.only = undefined
    this.leaves = NONE
    this.base = 0
    this.lengthBytes = 0
    this.windowCount = 0
    this.finder = undefined
  }
  private rebase(): void {
    this.base = 0
    this.finder?.touch(0)
  }
  private newFinder(): Finder {
    return (this.finder = new Finder())
  }
  /** Index of the leaf around a position, which must lie inside. */
  private leafAt(position: number): number {
    if (position - this.base < (this.leaves[0] as Leaf).lengthBytes) return 0
    return (this.finder ?? this.newFinder()).leafAt(this.leaves, this.base, position)
  }
  /** A position of the list as one of a leaf that `leafAt` has found, or that follows such. */
  private inLeaf(index: number, position: number): number {
    const { base } = this.leaves[index] as Leaf
    if (index === 0) return base + position - this.base
    const finder = this.finder ?? this.newFinder()
    return base + position - finder.startOf(this.leaves, this.base, index)
  }
}

/** The leaves of a list that has none. Never added to: the first leaf comes with an array of its own. */
const NONE: Leaf[] = []

function leafOf(window: Window): Leaf {
  return new Leaf([window], window.length, window.refs !== null)
}

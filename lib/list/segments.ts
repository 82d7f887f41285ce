/**
 * The segments of a list: a rope of windows, found by offset.
 *
 * Leaves of up to 128 windows under one array. Finding is two binary searches; taking from the front
 * and adding at the back are O(1); a cut anywhere else splits at most two leaves and moves the array
 * of leaves, a hundredth of the windows. The leaves' ends are summed up when something is looked for,
 * from the first leaf that changed, and they are absolute, so that consuming changes none. Leaves
 * that have become small are joined with their neighbours where a cut is made.
 *
 * Every reference that goes in is owned here, every one that comes out is the taker's. No window is
 * empty; windows that continue each other are one.
 */
import { search } from './ends.js'
import { Leaf, LEAF_WINDOWS_MAX, type Failure } from './leaf.js'
import { MemoryWindow, type Window } from './window.js'

/** How many leaves are handed to one call as its arguments; V8 overflows its stack at 120,000. */
const ARGUMENTS_MAX = 1024
/** Positions stay below this, in bytes, or V8 would box every number of the rope as a double. */
const REBASE_BYTES = 2 ** 30

/** Called with a window, where in it a range begins, and how many of its bytes belong to it. */
export type Visitor = (window: Window, within: number, lengthBytes: number) => boolean

/** See the head of this file. */
export class Segments {
  #leaves: Leaf[] = NONE
  /** Absolute position of the first byte. */
  #base = 0
  #length = 0
  #count = 0
  /** Absolute end of each leaf, known for those before `#measured`. */
  #ends: number[] | undefined = undefined
  #measured = 0
  // The window that was found last, and where: reading on in it, or in the next, needs no search.
  #hint: Window = NOWHERE
  #hintStart = 0
  #hintLeaf: Leaf | undefined = undefined
  #hintIndex = 0
  /** How far into the window that `at` has just returned its offset lies. */
  within = 0

  /** Bytes. */
  get length(): number {
    return this.#length
  }
  /** Windows. */
  get count(): number {
    return this.#count
  }
  first(): Window | undefined {
    return this.#leaves[0]?.first
  }
  /** The windows, front to back. */
  *windows(): IterableIterator<Window> {
    for (const leaf of this.#leaves) {
      for (let i = leaf.head; i < leaf.windows.length; i++) yield leaf.windows[i] as Window
    }
  }
  /**
   * Calls the visitor for each window of a range, front to back, until it returns false. Leaves that
   * lie whole in the range are offered first where there is somebody to take them.
   */
  visit(
    offset: number,
    length: number,
    visitor: Visitor,
    takesLeaf?: (leaf: Leaf) => boolean,
  ): void {
    if (length === 0) return
    const position = this.#base + offset
    let at = this.leafAt(position)
    let leaf = this.#leaves[at] as Leaf
    let index = leaf.indexOf(this.inLeaf(at, position))
    let within = this.inLeaf(at, position) - leaf.startOf(index)
    for (let left = length; left > 0; index++, within = 0) {
      if (index === leaf.windows.length) {
        leaf = this.#leaves[++at] as Leaf
        index = leaf.head
      }
      if (takesLeaf !== undefined && index === leaf.head && within === 0) {
        const { lengthBytes } = leaf
        if (lengthBytes <= left && takesLeaf(leaf)) {
          left -= lengthBytes
          index = leaf.windows.length - 1
          continue
        }
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
    this.visit(0, Math.min(lengthMax, this.#length), (window, within, n) => {
      if (!(window instanceof MemoryWindow) || parts.length === partsMax) return false
      parts.push(window.view(within, n))
      return true
    })
    return parts
  }
  /** The window around an offset, which must lie inside; `within` then says where in it. */
  at(offset: number): Window {
    const position = this.#base + offset
    const within = position - this.#hintStart
    if (within >= 0 && within < this.#hint.length) {
      this.within = within
      return this.#hint
    }
    return within === this.#hint.length && this.hintNext() ? this.#hint : this.search(position)
  }

  /** Adds at the back; takes over the window's reference. */
  push(window: Window): void {
    const { length } = window
    if (length === 0) return window.release()
    const last = this.#leaves.length - 1
    if (last < 0) return this.begin(leafOf(window))
    const leaf = this.#leaves[last] as Leaf
    this.#length += length
    if (this.#measured > last) this.#measured = last
    const joined = leaf.last.joined(window)
    if (joined !== undefined) {
      leaf.replaceLast(joined, length)
      return
    }
    this.#count += 1
    if (leaf.windows.length < LEAF_WINDOWS_MAX) leaf.push(window)
    else this.#leaves.push(leafOf(window))
  }
  /** Adds at the front; takes over the window's reference. */
  unshift(window: Window): void {
    const { length } = window
    if (length === 0) return window.release()
    const leaf = this.#leaves[0]
    if (leaf === undefined) return this.begin(leafOf(window))
    this.forgetHint()
    this.#length += length
    this.#base -= length
    const joined = window.joined(leaf.first)
    if (joined !== undefined) {
      leaf.replaceFirst(joined, length)
      return
    }
    this.#count += 1
    if (leaf.count < LEAF_WINDOWS_MAX) leaf.unshift(window)
    else {
      this.#leaves.unshift(leafOf(window))
      this.#measured = 0
    }
  }
  /** The same range again, with references of its own. */
  share(offset: number, length: number): Segments {
    const shared = new Segments()
    if (length === 0) return shared
    let position = this.#base + offset
    const end = position + length
    for (let i = this.leafAt(position); position < end; i++) {
      const leaf = this.#leaves[i] as Leaf
      const from = this.inLeaf(i, position)
      const n = Math.min(end - position, leaf.end - from)
      shared.append(leaf.share(from, n))
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
    const leaves = other.#leaves
    for (const leaf of leaves) this.append(leaf)
    other.reset()
  }
  /** Moves all of another's windows to the front of this one. */
  unshiftAll(other: Segments): void {
    const leaves = other.takeLeaves()
    for (const { lengthBytes, count } of leaves) {
      this.#length += lengthBytes
      this.#base -= lengthBytes
      this.#count += count
    }
    this.replaceLeaves(0, 0, leaves)
  }
  /** Releases bytes at the front. */
  dropFront(length: number): void {
    this.forgetHint()
    for (let left = length; left > 0;) {
      const leaf = this.#leaves[0] as Leaf
      // An owner that hears of a release may use the list: then the list has to be whole again.
      if (leaf.isCounted) return this.takeFront(left).clear()
      const { count } = leaf
      let n = leaf.lengthBytes
      if (n <= left) {
        this.dropLeaf()
        this.#count -= count
      } else {
        n = leaf.drop(left)
        this.#count -= count - leaf.count
      }
      this.#length -= n
      this.#base += n
      left -= n
    }
    if (this.#base > REBASE_BYTES) this.rebase()
  }
  /** Moves a range out, putting another's windows in its place. Returns what was there. */
  cut(offset: number, length: number, replacement?: Segments): Segments {
    if (offset === 0 && replacement === undefined) return this.takeFront(length)
    const from = this.borderAt(offset)
    const to = this.borderAt(offset + length)
    const removed = new Segments()
    for (const leaf of this.#leaves.slice(from, to)) removed.append(leaf)
    this.#length -= removed.#length
    this.#count -= removed.#count
    if (replacement !== undefined) {
      this.#length += replacement.#length
      this.#count += replacement.#count
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
    let failure: Failure | undefined
    // Empty before any owner hears of it.
    for (const leaf of this.takeLeaves()) {
      const failed = leaf.releaseAll()
      failure ??= failed
    }
    if (failure !== undefined) throw failure.error
  }

  /** Adds a leaf at the back, which is this one's then. */
  private append(leaf: Leaf): void {
    if (this.#leaves.length === 0) return this.begin(leaf)
    if (leaf.count === 1) return this.push(leaf.first)
    this.#length += leaf.lengthBytes
    this.#count += leaf.count
    this.#leaves.push(leaf)
    this.mergeAt(this.#leaves.length - 1)
  }
  private begin(leaf: Leaf): void {
    // A literal has no room to spare: most lists never need more than one leaf.
    this.#leaves = [leaf]
    this.#length = leaf.lengthBytes
    this.#count = leaf.count
  }
  /** Moves bytes at the front out. O(leaves and windows of the last leaf taken). */
  private takeFront(length: number): Segments {
    this.forgetHint()
    const taken = new Segments()
    this.#length -= length
    this.#base += length
    for (let left = length; left > 0;) {
      const leaf = this.#leaves[0] as Leaf
      const { lengthBytes, count } = leaf
      if (lengthBytes <= left) {
        left -= lengthBytes
        this.dropLeaf()
        taken.append(leaf)
        this.#count -= count
      } else {
        const window = leaf.shift(left)
        left -= window.length
        taken.push(window)
        this.#count -= count - leaf.count
      }
    }
    if (this.#base > REBASE_BYTES) this.rebase()
    return taken
  }
  /** Makes a leaf begin at an offset, and returns its index. */
  private borderAt(offset: number): number {
    if (offset === this.#length) return this.#leaves.length
    this.forgetHint()
    const position = this.#base + offset
    const i = this.leafAt(position)
    const leaf = this.#leaves[i] as Leaf
    const before = leaf.count
    const index = leaf.splitAt(this.inLeaf(i, position))
    this.#count += leaf.count - before
    if (index === leaf.head) return i
    this.touch(i)
    this.#leaves.splice(i + 1, 0, leaf.splitOff(index))
    return i + 1
  }
  private replaceLeaves(from: number, count: number, leaves: readonly Leaf[]): void {
    this.forgetHint()
    this.touch(from)
    if (this.#leaves === NONE) this.#leaves = []
    const all = this.#leaves
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
    if (border <= 0 || border >= this.#leaves.length) return
    this.touch(border - 1)
    const front = this.#leaves[border - 1] as Leaf
    const behind = this.#leaves[border] as Leaf
    const added = behind.first.length
    const joined = front.last.joined(behind.first)
    if (joined !== undefined) {
      behind.drop(added)
      front.replaceLast(joined, added)
      this.#count -= 1
    }
    if (behind.count > 0 && front.windows.length + behind.count > LEAF_WINDOWS_MAX) return
    front.absorb(behind)
    if (border === this.#leaves.length - 1) this.#leaves.pop()
    else this.#leaves.splice(border, 1)
  }
  private dropLeaf(): void {
    if (this.#leaves.length === 1) {
      this.#leaves = NONE
      this.#measured = 0
      return
    }
    this.#leaves.shift()
    if (this.#measured === 0) return
    this.#ends?.shift()
    this.#measured -= 1
  }
  private takeLeaves(): Leaf[] {
    const leaves = this.#leaves
    this.reset()
    return leaves
  }
  private reset(): void {
    this.#leaves = NONE
    this.#base = 0
    this.#length = 0
    this.#count = 0
    this.#measured = 0
    this.forgetHint()
  }
  private rebase(): void {
    this.#base = 0
    this.#measured = 0
  }
  /** Moves the hint on by one window, inside its leaf. */
  private hintNext(): boolean {
    const windows = this.#hintLeaf?.windows
    // A longer window may stand in its place: what goes on behind it is not the next window then.
    if (windows?.[this.#hintIndex] !== this.#hint) return false
    const next = windows[this.#hintIndex + 1]
    if (next === undefined) return false
    this.#hintStart += this.#hint.length
    this.#hintIndex += 1
    this.#hint = next
    this.within = 0
    return true
  }
  private search(position: number): Window {
    const i = this.leafAt(position)
    const leaf = this.#leaves[i] as Leaf
    const inLeaf = this.inLeaf(i, position)
    const index = leaf.indexOf(inLeaf)
    this.within = inLeaf - leaf.startOf(index)
    this.#hint = leaf.windows[index] as Window
    this.#hintStart = position - this.within
    this.#hintLeaf = leaf
    this.#hintIndex = index
    return this.#hint
  }
  /** After every change but one at the back. */
  private forgetHint(): void {
    this.#hint = NOWHERE
    this.#hintLeaf = undefined
  }
  private touch(leafIndex: number): void {
    if (this.#measured > leafIndex) this.#measured = leafIndex
  }
  /** A position of the list as one of a leaf. */
  private inLeaf(index: number, position: number): number {
    const leaf = this.#leaves[index] as Leaf
    if (index === 0) return leaf.base + position - this.#base
    return leaf.end - ((this.measure()[index] as number) - position)
  }
  /** Index of the leaf around a position, which must lie inside. */
  private leafAt(position: number): number {
    const first = this.#leaves[0] as Leaf
    if (position - this.#base < first.lengthBytes) return 0
    const share = (position - this.#base) / this.#length
    return search(this.measure(), 0, this.#leaves.length - 1, share, position)
  }
  private measure(): number[] {
    const ends = (this.#ends ??= [])
    let i = this.#measured
    if (i === this.#leaves.length) return ends
    let end = i > 0 ? (ends[i - 1] as number) : this.#base
    for (; i < this.#leaves.length; i++) {
      end += (this.#leaves[i] as Leaf).lengthBytes
      ends[i] = end
    }
    this.#measured = i
    return ends
  }
}

/** The leaves of an empty list. Never added to: the first leaf comes with an array of its own. */
const NONE: Leaf[] = []
/** Where nothing was found yet. */
const NOWHERE: Window = new MemoryWindow(new Uint8Array(0), 0, 0)

function leafOf(window: Window): Leaf {
  return new Leaf([window], window.length, window.refs !== null)
}

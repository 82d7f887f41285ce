import { BufferList, type Cursor, type SegmentRow } from 'splicelist'
import { expectSameBytes } from '../support/first-difference.js'
import { Model } from './model.js'

/** Bytes that a list gave away, and what they were then. */
export interface Given {
  readonly what: string
  readonly bytes: Uint8Array
  readonly content: Uint8Array
}

/** A view, and what it lies in. */
interface View extends Given {
  /** Whether it lies in memory that is used again. */
  readonly isLeased: boolean
  /** What the list held when it was given. */
  readonly model: Model
}

/** How many views of one list are watched: the latest. */
const VIEWS_MAX = 4

/** A list with a name, what it must hold, and what was taken from it. */
export class Slot {
  readonly name: string
  list = new BufferList()
  model = Model.EMPTY
  /** A cursor that stays on the list while it changes, and where it must stand. */
  cursor: { readonly at: Cursor; offset: number } | null = null
  /** Places that the list ended at not long ago. */
  readonly marks: number[] = []
  /** Views that the list gave: they show what they showed, or, once it has changed, nothing. */
  #views: View[] = []

  constructor(name: string) {
    this.name = name
  }
  /** Another list under this name. The one before is released. */
  become(list: BufferList, model: Model): void {
    const before = this.list
    if (before !== list) before.release()
    this.list = list
    this.model = model
    this.checkViews()
    this.#views = []
    this.cursor = null
  }
  /** Watches a view of a range from now on. */
  watch(what: string, offset: number, bytes: Uint8Array): void {
    const rows = rowsOf(this.list, offset, bytes.length)
    // Not of memory whose owner wants it back: that view is not ended.
    if (rows.some(({ kind, refs }) => kind === 'heap' && refs !== null)) return
    const isLeased = rows.some(({ kind }) => kind === 'pipe')
    const content = Buffer.from(bytes)
    const view = { what: `${what} of ${this.name}`, bytes, content, isLeased, model: this.model }
    this.#views.push(view)
    if (this.#views.length > VIEWS_MAX) this.#views.shift()
  }
  /** No view shows bytes that are not its own; one of held pages ends when the list changes. */
  checkViews(): void {
    for (const { what, bytes, content, isLeased, model } of this.#views) {
      // Of a view that was detached the buffer is asked: optimized code may remember its length.
      const isThere = bytes.buffer.byteLength > 0
      if (isThere) expectSameBytes(bytes, content, `a view from ${what}`)
      if (isThere && isLeased && content.length > 0 && model !== this.model) {
        throw new Error(`A view from ${what} did not end when the list changed`)
      }
    }
  }
}

/** The segments that a range touches. */
function rowsOf(list: BufferList, offset: number, length: number): SegmentRow[] {
  let at = 0
  return list.explain().filter((row) => {
    const start = at
    at += row.length
    return at > offset && start < offset + length
  })
}

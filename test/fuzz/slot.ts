import { BufferList, type Cursor } from 'splicelist'
import { expectSameBytes } from '../support/first-difference.js'
import { Model } from './model.js'

/** Bytes that a list gave away, and what they were then. */
export interface Given {
  readonly what: string
  readonly bytes: Uint8Array
  readonly content: Uint8Array
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
  #views: Given[] = []

  constructor(name: string) {
    this.name = name
  }
  /** Another list under this name. The one before is released. */
  become(list: BufferList, model: Model): void {
    const before = this.list
    if (before !== list) before.release()
    this.checkViews()
    this.#views = []
    this.list = list
    this.model = model
    this.cursor = null
  }
  /** Watches a view from now on. Not of memory whose owner wants it back: that view is not ended. */
  watch(what: string, bytes: Uint8Array): void {
    if (this.list.explain().some(({ kind, refs }) => kind === 'heap' && refs !== null)) return
    this.#views.push({ what: `${what} of ${this.name}`, bytes, content: Buffer.from(bytes) })
    if (this.#views.length > VIEWS_MAX) this.#views.shift()
  }
  /** No view shows bytes that are not its own. */
  checkViews(): void {
    for (const { what, bytes, content } of this.#views) {
      // Of a view that was detached the buffer is asked: optimized code may remember its length.
      if (bytes.buffer.byteLength > 0) expectSameBytes(bytes, content, `a view from ${what}`)
    }
  }
}

/**
 * What a decode knows while it runs: how deep it is, where the struct around it ends, which lists it
 * has made so far, and at which field it is.
 *
 * Codecs pass a plain cursor on, so that hand-written ones stay short; what lies around them is kept
 * here. One variable is enough: a decode is synchronous, so it is never at two places at once.
 */
import { EndOfBufferError, MalformedInputError } from '../errors.js'
import type { BufferList } from '../list/buffer-list.js'
import type { Cursor } from '../list/cursor.js'
import { NESTING_MAX } from './limits.js'
import { addStep, asMalformed, withPath, type Step } from './trail.js'

/** The level that runs; null outside a decode. */
let innermost: DecodingLevel | null = null

/** One struct, record or container while it is decoded. */
export class DecodingLevel {
  /** The offset that nothing at this level may reach beyond; the list's end is one as well. */
  end: number
  /** Whether all bytes up to `end` are there, so that more of them cannot help. */
  isWhole = false
  readonly outer: DecodingLevel | null
  readonly cursor: Cursor
  /** The field or element that is decoded now, and where it begins: for the path in an error. */
  #step: Step | undefined = undefined
  #stepStart: number
  readonly #start: number
  readonly #depth: number
  /** Lists that were made since the outermost level began; those of this level from `#kept` on. */
  readonly #lists: BufferList[]
  readonly #kept: number

  constructor(cursor: Cursor, outer: DecodingLevel | null) {
    this.outer = outer
    this.cursor = cursor
    this.#start = this.#stepStart = cursor.offset
    this.#depth = outer === null ? 1 : outer.#depth + 1
    this.#lists = outer === null ? [] : outer.#lists
    this.#kept = this.#lists.length
    this.end = outer?.cursor === cursor ? outer.end : Infinity
    if (this.#depth > NESTING_MAX) {
      throw new MalformedInputError(
        `Structs and containers lie more than ${NESTING_MAX} deep at offset ${cursor.offset}`,
      )
    }
  }
  /** Says what is decoded next. */
  begin(step: Step): void {
    this.#step = step
    this.#stepStart = this.cursor.offset
  }
  keep(list: BufferList): void {
    this.#lists.push(list)
  }
  /** Undoes what this level did, and returns what to throw. */
  failed(error: unknown): unknown {
    addStep(error, this.#step, this.#stepStart)
    // Nobody has seen these lists, so nobody else can release what they hold.
    for (const list of this.#lists.splice(this.#kept)) list.release()
    this.cursor.seek(this.#start)
    const told = this.isWhole && error instanceof EndOfBufferError ? asMalformed(error) : error
    return this.outer === null ? withPath(told) : told
  }
}

/**
 * Runs one level of a decode. Where it fails, the cursor is put back, the lists that it made are
 * released, and the error is told with its path.
 */
export function decoding<T>(cursor: Cursor, read: (level: DecodingLevel) => T): T {
  const level = new DecodingLevel(cursor, innermost)
  innermost = level
  try {
    return read(level)
  } catch (error) {
    throw level.failed(error) as Error
  } finally {
    innermost = level.outer
  }
}

/** Hands out a list that is released again if what it is a part of fails. */
export function keep(list: BufferList): BufferList {
  innermost?.keep(list)
  return list
}

/** Throws unless so many bytes are left, in the list and in the struct around the cursor. */
export function needBytes(cursor: Cursor, lengthBytes: number, what: string): void {
  const inList = cursor.remaining
  const inStruct = innermost?.cursor === cursor ? innermost.end - cursor.offset : Infinity
  const left = Math.max(0, Math.min(inList, inStruct))
  if (lengthBytes <= left) return
  throw new EndOfBufferError(
    `${what} at offset ${cursor.offset} takes ${lengthBytes} bytes or more, and ${left} are left`,
  )
}

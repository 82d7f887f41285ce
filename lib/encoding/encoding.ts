/**
 * What an encode knows while it runs: how deep it is, and at which field. Like a decode, it is
 * synchronous, so that one variable is enough.
 */
import { InvalidArgumentError } from '../errors.js'
import type { BufferList } from '../list/buffer-list.js'
import { NESTING_MAX } from './limits.js'
import { addStep, withPath, type Step } from './trail.js'

/** The level that runs; null outside an encode. */
let innermost: EncodingLevel | null = null

/** One struct, record or container while it is encoded. */
export class EncodingLevel {
  readonly outer: EncodingLevel | null
  /** The field or element that is encoded now, for the path in an error. */
  #step: Step | undefined = undefined
  readonly #list: BufferList
  readonly #startBytes: number
  readonly #depth: number

  constructor(list: BufferList, outer: EncodingLevel | null) {
    this.outer = outer
    this.#list = list
    this.#startBytes = list.length
    this.#depth = outer === null ? 1 : outer.#depth + 1
    if (this.#depth > NESTING_MAX) {
      throw new InvalidArgumentError(
        `Values lie more than ${NESTING_MAX} deep inside one another. Is one part of itself?`,
      )
    }
  }
  /** Says what is encoded next. */
  begin(step: Step): void {
    this.#step = step
  }
  /** Takes back what was appended, and returns what to throw. */
  failed(error: unknown): unknown {
    addStep(error, this.#step)
    if (this.#canCut()) this.#list.truncate(this.#startBytes)
    return this.outer === null ? withPath(error) : error
  }
  /** A list with an open hole cannot be cut: inside a struct the struct itself is, as a whole. */
  #canCut(): boolean {
    return !this.#list.isReleased && this.#list.openHoles === 0
  }
}

/**
 * Runs one level of an encode. Where it fails, the list is cut back to what it was, and the error is
 * told with its path.
 */
export function encoding(list: BufferList, write: (level: EncodingLevel) => void): void {
  const level = new EncodingLevel(list, innermost)
  innermost = level
  try {
    write(level)
  } catch (error) {
    throw level.failed(error) as Error
  } finally {
    innermost = level.outer
  }
}

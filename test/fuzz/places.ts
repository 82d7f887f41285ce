import type { BufferList } from 'splicelist'
import { BORDERS_FROM, type Step } from './step.js'

/**
 * The numbers of a step as places in lists as they are now. Everything is taken modulo what is
 * possible, so that any numbers make a step, and small ones a simple one.
 */
export class Places {
  readonly step: Step

  constructor(step: Step) {
    this.step = step
  }
  /** One of some. Shrinking goes to the first. */
  choose<T>(some: readonly T[]): T {
    return some[this.step.choice % some.length] as T
  }
  /** A number without a meaning, from 0. */
  get number(): number {
    return this.step.choice
  }
  /** A length up to a most. */
  length(max: number): number {
    return reach(this.step.q, max)
  }
  /** An offset into a list: from the front, from the end, or around a border of segments. */
  offsetIn(list: BufferList): number {
    return placeIn(list, this.step.p)
  }
  /** A second offset. */
  otherOffsetIn(list: BufferList): number {
    return placeIn(list, this.step.r)
  }
  /** A range of a list. */
  rangeIn(list: BufferList): [offset: number, length: number] {
    const offset = this.offsetIn(list)
    return [offset, this.length(list.length - offset)]
  }
  /** A range of so many bytes of content, by the places that no range of a list uses. */
  rangeOf(lengthBytes: number): [offset: number, length: number] {
    const offset = reach(this.step.r, lengthBytes)
    return [offset, reach(this.step.s, lengthBytes - offset)]
  }
}

/** A number of a step as a count: from 0 up, or from `max` down when it is negative. */
function reach(number: number, max: number): number {
  return number >= 0 ? number % (max + 1) : max - ((-1 - number) % (max + 1))
}

function placeIn(list: BufferList, number: number): number {
  if (number < BORDERS_FROM || list.length === 0) return reach(number, list.length)
  const rows = list.explain()
  const border = Math.floor((number - BORDERS_FROM) / 3) % rows.length
  let offset = (number % 3) - 1
  for (let i = 0; i < border; i++) offset += rows[i]?.length ?? 0
  return Math.max(0, Math.min(offset, list.length))
}

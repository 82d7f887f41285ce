import { inspect } from 'node:util'
import { expect } from 'chai'
import { NotLoadedError, type BufferList, type Part } from 'splicelist'
import { CONTENT_BYTES, letters, noise, text } from './contents.js'
import { Model } from './model.js'
import { BORDERS_FROM, type PartKind, type Step } from './step.js'
import type { Slot } from './slot.js'
import type { Source, World } from './world.js'

/** A part to put into a list, what is in it, and how it is written. */
export interface Dealt {
  readonly part: Part
  readonly model: Model
  readonly code: string
  /** Releases a list that was made for this turn. */
  end(): void
}

const NOTHING_TO_END = (): void => undefined

/**
 * One step on its way: the numbers of the step as places in the lists as they are now. Everything is
 * taken modulo what is possible, so that any numbers make a step, and small ones a simple one.
 */
export class Turn {
  readonly world: World
  /** The list that is worked on. */
  readonly a: Slot
  /** Another, or the same. */
  readonly b: Slot
  readonly #step: Step

  constructor(world: World, step: Step) {
    this.world = world
    this.#step = step
    this.a = world.slots[step.a] as Slot
    this.b = world.slots[step.b] as Slot
  }

  /** Writes down what is done, for whoever reads a failure. */
  say(code: () => string): void {
    this.world.trace?.push(code())
  }
  /** An offset into a list: from the front, from the end, or around a border of segments. */
  offset(slot = this.a): number {
    return placeIn(slot, this.#step.p)
  }
  /** A second offset. */
  otherOffset(slot = this.a): number {
    return placeIn(slot, this.#step.r)
  }
  /** A length up to a most. */
  length(max: number): number {
    return reach(this.#step.q, max)
  }
  /** A range of a list. */
  range(slot = this.a): [offset: number, length: number] {
    const offset = this.offset(slot)
    return [offset, this.length(slot.model.length - offset)]
  }
  /** One of some. Shrinking goes to the first. */
  choose<T>(some: readonly T[]): T {
    return some[this.#step.choice % some.length] as T
  }
  /** A number without a meaning, from 0. */
  get number(): number {
    return this.#step.choice
  }
  /** Bytes of content, by the places that no range uses. */
  someBytes(content: Buffer, name: string): Omit<Dealt, 'part'> & { readonly part: Buffer } {
    const offset = reach(this.#step.r, CONTENT_BYTES)
    const length = reach(this.#step.s, CONTENT_BYTES - offset)
    const part = content.subarray(offset, offset + length)
    const code = `${name}.subarray(${offset}, ${offset + length})`
    return { part, model: new Model(part), code, end: NOTHING_TO_END }
  }
  /** A part to put somewhere. */
  part(kind: PartKind = this.#step.part): Dealt {
    switch (kind) {
      case 'heap':
        return this.someBytes(noise, 'noise')
      case 'letters':
        return this.someBytes(letters, 'letters')
      case 'text':
        return dealText(reach(this.#step.s, 30))
      case 'empty':
        return { part: '', model: Model.EMPTY, code: "''", end: NOTHING_TO_END }
      case 'other list':
        return dealList(this.b)
      case 'itself':
        return dealList(this.a)
      case 'own piece': {
        const { list, model, name } = this.a
        const offset = placeIn(this.a, this.#step.r)
        const length = reach(this.#step.s, model.length - offset)
        return dealPiece(list, model, name, offset, length)
      }
      case 'source':
        return this.#window(this.world.sources)
      case 'unloaded':
        return this.#window(this.world.extents)
    }
  }
  /** A part that is no list: bytes or a string. */
  plainPart(): Dealt {
    const kind = this.#step.part
    return this.part(kind === 'letters' || kind === 'text' || kind === 'empty' ? kind : 'heap')
  }
  #window(sources: readonly Source[]): Dealt {
    const source = sources[this.#step.choice % sources.length]
    if (source === undefined) return this.part('heap')
    const { list, model, name } = source
    const offset = reach(this.#step.r, model.length)
    return dealPiece(list, model, name, offset, reach(this.#step.s, model.length - offset))
  }

  /** Whether a range of a list can be read. */
  isReadable(slot: Slot, offset = 0, length = slot.model.length - offset): boolean {
    return this.world.cells.areLoaded(slot.model.slice(offset, length).cells)
  }
  /** Reads a range: what it gives is checked, or it is not loaded, and the read says so. */
  read<T>(
    slot: Slot,
    range: readonly [number, number],
    read: () => T,
    check: (got: T) => void,
  ): void {
    if (this.isReadable(slot, ...range)) check(read())
    else expectError(NotLoadedError, read, `a read of ${slot.name} where it is not loaded`)
  }
  /** Reads that may know enough before they come to what is not loaded. */
  readSome<T>(slots: readonly Slot[], read: () => T, check: (got: T) => void): void {
    let got: T
    try {
      got = read()
    } catch (error) {
      if (!(error instanceof NotLoadedError)) throw error
      const isAllLoaded = slots.every((slot) => this.isReadable(slot))
      expect(isAllLoaded, 'all is loaded, and yet it says that it is not').to.equal(false)
      return
    }
    check(got)
  }
}

/** A class of errors. */
export type ErrorClass = abstract new (...args: never) => Error

/** Expects a call to throw an error of a class. */
export function expectError(expected: ErrorClass, call: () => unknown, what: string): void {
  let got: unknown
  try {
    got = call()
  } catch (error) {
    if (error instanceof expected) return
    throw new Error(`${what}: threw another error than ${expected.name}`, { cause: error })
  }
  throw new Error(`${what}: threw no ${expected.name}, but gave ${inspect(got, { depth: -1 })}`)
}

/** A number of a step as a count: from 0 up, or from `max` down when it is negative. */
function reach(number: number, max: number): number {
  return number >= 0 ? number % (max + 1) : max - ((-1 - number) % (max + 1))
}

function placeIn({ list, model }: Slot, number: number): number {
  if (number < BORDERS_FROM || model.length === 0) return reach(number, model.length)
  const rows = list.explain()
  const border = Math.floor((number - BORDERS_FROM) / 3) % rows.length
  let offset = (number % 3) - 1
  for (let i = 0; i < border; i++) offset += rows[i]?.length ?? 0
  return Math.max(0, Math.min(offset, model.length))
}

function dealText(length: number): Dealt {
  const part = Array.from(text.repeat(4)).slice(0, length).join('')
  const model = new Model(Buffer.from(part))
  return { part, model, code: inspect(part), end: NOTHING_TO_END }
}

function dealList({ list, model, name }: Slot): Dealt {
  return { part: list, model, code: name, end: NOTHING_TO_END }
}

function dealPiece(
  list: BufferList,
  model: Model,
  name: string,
  offset: number,
  length: number,
): Dealt {
  const part = list.substr(offset, length)
  const code = `${name}.substr(${offset}, ${length})`
  return { part, model: model.slice(offset, length), code, end: () => part.release() }
}

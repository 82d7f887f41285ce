import { inspect } from 'node:util'
import { expect } from 'chai'
import { NotLoadedError, type BufferList, type Part } from 'splicelist'
import { CONTENT_BYTES, letters, noise, text } from './contents.js'
import { Model } from './model.js'
import { Places } from './places.js'
import type { PartKind, Step } from './step.js'
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

/** Characters of a text at the most. */
const TEXT_UNITS_MAX = 30
const NOTHING_TO_END = (): void => undefined

/** One step on its way: on which lists, with which part, at which places. */
export class Turn extends Places {
  readonly world: World
  /** The list that is worked on. */
  readonly a: Slot
  /** Another, or the same. */
  readonly b: Slot

  constructor(world: World, step: Step) {
    super(step)
    this.world = world
    this.a = world.slots[step.a] as Slot
    this.b = world.slots[step.b] as Slot
  }

  /** Writes down what is done, for whoever reads a failure. */
  say(code: () => string): void {
    this.world.trace?.push(code())
  }
  offset(slot = this.a): number {
    return this.offsetIn(slot.list)
  }
  otherOffset(slot = this.a): number {
    return this.otherOffsetIn(slot.list)
  }
  range(slot = this.a): [offset: number, length: number] {
    return this.rangeIn(slot.list)
  }
  /** Bytes of content, by the places that no range uses. */
  someBytes(content: Buffer, name: string): Omit<Dealt, 'part'> & { readonly part: Buffer } {
    const [offset, length] = this.rangeOf(CONTENT_BYTES)
    const part = content.subarray(offset, offset + length)
    const code = `${name}.subarray(${offset}, ${offset + length})`
    return { part, model: new Model(part), code, end: NOTHING_TO_END }
  }
  /** A part to put somewhere. */
  part(kind: PartKind = this.step.part): Dealt {
    switch (kind) {
      case 'heap':
        return this.someBytes(noise, 'noise')
      case 'letters':
        return this.someBytes(letters, 'letters')
      case 'text':
        return dealText(this.rangeOf(TEXT_UNITS_MAX)[1])
      case 'empty':
        return { part: '', model: Model.EMPTY, code: "''", end: NOTHING_TO_END }
      case 'other list':
        return dealList(this.b)
      case 'itself':
        return dealList(this.a)
      case 'own piece': {
        const { list, model, name } = this.a
        return dealPiece(list, model, name, this.rangeOf(model.length))
      }
      case 'source':
        return this.#window(this.world.sources)
      case 'unloaded':
        return this.#window(this.world.extents)
    }
  }
  /** A part that is no list: bytes or a string. */
  plainPart(): Dealt {
    const kind = this.step.part
    return this.part(kind === 'letters' || kind === 'text' || kind === 'empty' ? kind : 'heap')
  }
  #window(sources: readonly Source[]): Dealt {
    const source = sources[this.number % sources.length]
    if (source === undefined) return this.part('heap')
    const { list, model, name } = source
    return dealPiece(list, model, name, this.rangeOf(model.length))
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
  [offset, length]: readonly [number, number],
): Dealt {
  const part = list.substr(offset, length)
  const code = `${name}.substr(${offset}, ${length})`
  return { part, model: model.slice(offset, length), code, end: () => part.release() }
}

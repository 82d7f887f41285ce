/**
 * The one place that knows which members of the contract this build may not have yet. It goes away
 * when all are there.
 */
import { BufferList, type Cursor } from 'splicelist'

/** A part of a list that is filled later. */
export interface Hole {
  readonly length: number
  fill(bytes: Uint8Array, at?: number): void
}

/** What the contract has beyond what a build may have. */
interface Coming {
  appendZero(length: number): this
  prependZero(length: number): this
  appendHole(length: number): Hole
  isZero(): boolean
  hexdump(): string
  compact(): this
}

/** A list with all that the contract says. */
export type Whole = BufferList & Coming

/** The same list, as the contract has it. */
export function whole(list: BufferList): Whole {
  return list as Whole
}

let cursorPrototype: object | undefined
/** Whether this build has a member: of the list, or, with 'Cursor.' before it, of a cursor. */
export function has(member: string): boolean {
  cursorPrototype ??= Object.getPrototypeOf(new BufferList().cursor() satisfies Cursor) as object
  if (member === '@@iterator') return true
  if (member.startsWith('static ')) return member.slice(7) in BufferList
  if (!member.startsWith('Cursor.')) return member in BufferList.prototype
  return member.slice(7) in cursorPrototype
}

/**
 * The one place that knows which members of the contract this build may not have yet. It goes away
 * when all are there.
 */
import { BufferList, type Cursor } from 'splicelist'

/** What the contract has beyond what a build may have. */
interface Coming {
  hexdump(): string
}

/** The same list, as the contract has it. */
export function whole(list: BufferList): BufferList & Coming {
  return list as BufferList & Coming
}

/** What a cursor has beyond what a build may have. */
interface ComingCursor {
  readonly isAtEnd: boolean
  clone(): Cursor
  peekUInt8(): number
  readUIntLE(byteLength: number): number
  readUIntBE(byteLength: number): number
  readIntLE(byteLength: number): number
  readIntBE(byteLength: number): number
  readBytes(length: number): Buffer
  readInto(target: Uint8Array): unknown
  readStretch(maxBytes?: number): Uint8Array
  crc32c(length?: number, seed?: number): number
}

/** The same cursor, as Ceph's iterator has it. */
export function wholeCursor(cursor: Cursor): Cursor & ComingCursor {
  return cursor as Cursor & ComingCursor
}

let cursorPrototype: object | undefined
/** Whether this build has a member: of the list, or, with 'Cursor.' before it, of a cursor. */
export function has(member: string): boolean {
  cursorPrototype ??= Object.getPrototypeOf(new BufferList().cursor()) as object
  if (member === '@@iterator') return true
  if (member.startsWith('static ')) return member.slice(7) in BufferList
  if (!member.startsWith('Cursor.')) return member in BufferList.prototype
  return member.slice(7) in cursorPrototype
}

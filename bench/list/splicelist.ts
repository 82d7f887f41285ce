/** Splicelist's list, as the cases use it. */
import { BufferList } from 'splicelist'

/** What the cases call and a list may not have yet. */
export interface Encoders {
  appendUInt8(value: number): this
  appendUInt16LE(value: number): this
  appendUInt32LE(value: number): this
  appendBigUInt64LE(value: bigint): this
}

export type EncodingList = BufferList & Encoders

/** What stands in the table for a method that does not exist: no figure is made up. */
const NOT_THERE_YET = 'not there yet'

/** A new list with the given methods, or the words that say that there is none. */
export function encodingList(
  ...methods: readonly (keyof Encoders)[]
): (() => EncodingList) | string {
  const isThere = methods.every((method) => method in BufferList.prototype)
  return isThere ? () => new BufferList() as EncodingList : NOT_THERE_YET
}

/** A list of parts that are shared. */
export function listOf(parts: readonly Uint8Array[]): BufferList {
  const list = new BufferList()
  for (const part of parts) list.append(part)
  return list
}

/**
 * What bl takes for a part: memory, text, a number as its decimal digits, another list, and all of
 * these in arrays in arrays.
 */
import { isAnyArrayBuffer } from 'node:util/types'
import { copy, encode, ledger } from '../audit/ledger.js'
import { BufferList as List } from '../list/buffer-list.js'
import type { Collector } from './collector.js'
import { HELD, type Held, type Holder } from './held.js'

/** By what lists know each other, those of bl itself and of other copies included. @internal */
export const BRAND: unique symbol = Symbol.for('BufferList')

/** What can be appended, prepended, and given to a constructor. */
export type BufferListAcceptedTypes =
  Uint8Array | Collector | List | string | number | BufferListAcceptedTypes[]

/** Whether a value is a `BufferList` or a `BufferListStream`: of this package, or of bl. */
export function isBufferList(value: unknown): boolean {
  return isBranded(value)
}

/** Adds a part at the end of what is held; memory is shared. Throws a TypeError for what is none. */
export function gather(into: Held, part: unknown): void {
  if (part === null || part === undefined) return
  if (ArrayBuffer.isView(part)) into.append(memoryOf(part))
  else if (typeof part === 'string') into.append(encode('append-copy', part))
  else if (typeof part === 'number') into.append(encode('append-copy', String(part)))
  else if (Array.isArray(part)) for (const each of part) gather(into, each)
  else if (isHolder(part)) into.appendHeld(part[HELD])
  else if (List.isBufferList(part)) into.appendList(part)
  else if (isBranded(part)) gather(into, part._bufs)
  else if (isAnyArrayBuffer(part)) into.append(memoryOf(new Uint8Array(part)))
  else into.append(bytesOf(part))
}

/** What `Buffer.from` makes of a value, copied and counted. Its TypeErrors are those of bl. */
export function bytesOf(value: unknown, encoding?: unknown): Buffer {
  // eslint-disable-next-line splicelist/no-uncounted-copy -- It knows many forms; counted below.
  const bytes = Buffer.from(value as string, encoding as BufferEncoding)
  ledger.countCopied('append-copy', bytes.length)
  return bytes
}

/** A view's bytes: shared, where the list can share them, else copied and counted. */
function memoryOf(view: ArrayBufferView): Buffer {
  const { buffer, byteOffset, byteLength } = view
  const isPlain = buffer instanceof ArrayBuffer && !buffer.resizable
  if (isPlain && Buffer.isBuffer(view)) return view
  const shared = Buffer.from(buffer, byteOffset, byteLength)
  if (isPlain) return shared
  const own = Buffer.allocUnsafeSlow(byteLength)
  copy('append-copy', shared, own, 0)
  return own
}

function isHolder(value: unknown): value is Holder {
  return typeof value === 'object' && value !== null && HELD in value
}

function isBranded(value: unknown): value is { readonly _bufs: unknown } {
  return typeof value === 'object' && value !== null && BRAND in value && value[BRAND] === true
}

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
  if (ArrayBuffer.isView(part)) addMemory(into, bytesIn(part))
  else if (typeof part === 'string') into.append(encode(part))
  else if (typeof part === 'number') into.append(encode(String(part)))
  else if (Array.isArray(part)) for (const each of part) gather(into, each)
  else if (isHolder(part)) into.appendHeld(part[HELD])
  else if (List.isBufferList(part)) into.appendList(part)
  else if (isBranded(part)) gather(into, part._bufs)
  else if (isAnyArrayBuffer(part)) addMemory(into, new Uint8Array(part))
  else into.append(bytesOf(part))
}

/** What `Buffer.from` makes of a value, copied and counted. Its TypeErrors are those of bl. */
export function bytesOf(value: unknown, encoding?: unknown): Buffer {
  // eslint-disable-next-line splicelist/no-uncounted-copy -- It knows many forms; counted below.
  const bytes = Buffer.from(value as string, encoding as BufferEncoding)
  ledger.countCopied('append-copy', bytes.length)
  return bytes
}

/** Adds memory at the end of what is held: shared, or copied where the list cannot share it. */
export function addMemory(into: Held, bytes: Uint8Array): void {
  try {
    // Unasked: the list asks every view for its buffer, which costs half of an append.
    into.append(bytes)
  } catch (error) {
    const { buffer } = bytes
    if (buffer instanceof ArrayBuffer && !buffer.resizable) throw error
    const own = Buffer.allocUnsafeSlow(bytes.length)
    if (own.length > 0) copy('append-copy', bytes, own, 0)
    into.append(own)
  }
}

/** The bytes of a view of whatever element type. */
function bytesIn(view: ArrayBufferView): Uint8Array {
  if (view instanceof Uint8Array) return view
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}

function isHolder(value: unknown): value is Holder {
  return typeof value === 'object' && value !== null && HELD in value
}

function isBranded(value: unknown): value is { readonly _bufs: unknown } {
  return typeof value === 'object' && value !== null && BRAND in value && value[BRAND] === true
}

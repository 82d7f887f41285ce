/**
 * Checks of what callers hand in: a typed error that says what to do, before any byte moves.
 */
import { AbortError, InvalidArgumentError } from './errors.js'
import type { Mode } from './contract.js'

/** A count of bytes: a whole number from 0 to 2^53 − 1. */
export function checkLength(name: string, value: unknown): asserts value is number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    throw new InvalidArgumentError(
      `${name} must be a whole number of bytes from 0 up, not ${describe(value)}`,
    )
  }
}

/** A count of bytes that lies inside another. */
export function checkRange(offset: unknown, length: unknown, total: number): void {
  checkLength('offset', offset)
  checkLength('length', length)
  if (offset + length > total) {
    throw new InvalidArgumentError(
      `The range of ${length} bytes at offset ${offset} ends past the ${total} bytes that are there`,
    )
  }
}

/** The widest integer that every number holds exactly, in whole bytes. */
const INTEGER_BYTES_MAX = 6

/** The width of an integer that is read or written as a number, in bytes. */
export function checkWidth(byteLength: unknown): asserts byteLength is number {
  if (Number.isInteger(byteLength) && (byteLength as number) >= 1) {
    if ((byteLength as number) <= INTEGER_BYTES_MAX) return
  }
  throw new InvalidArgumentError(
    `byteLength must be 1 to ${INTEGER_BYTES_MAX}, not ${describe(byteLength)}`,
  )
}

/** A checksum: 32 bits, signed or unsigned. */
export function checkSeed(name: string, value: unknown): asserts value is number {
  if (typeof value === 'number' && (value >>> 0 === value || (value | 0) === value)) return
  throw new InvalidArgumentError(`${name} must be a 32-bit integer, not ${describe(value)}`)
}

/** Memory that can be shared for good: an ordinary, attached, fixed-length ArrayBuffer behind it. */
export function checkBytes(value: unknown): asserts value is Uint8Array<ArrayBuffer> {
  if (!(value instanceof Uint8Array)) {
    throw new InvalidArgumentError(
      `Expected a BufferList, a Uint8Array or a string, not ${describe(value)}`,
    )
  }
  checkMemory(value)
}

// V8's own accessors, called as functions: Node 20 looks them up anew for each Buffer, 6 ns a property.
const bufferOf = getterOf(Object.getPrototypeOf(Uint8Array.prototype) as object, 'buffer')
const isResizable = getterOf(ArrayBuffer.prototype, 'resizable')

/** The same of a view: every append passes here. Asking for the buffer is a call into C++, of 13 ns. */
export function checkMemory(bytes: Uint8Array): asserts bytes is Uint8Array<ArrayBuffer> {
  // Whether there is a first byte, without reading it, which may miss the cache: see `checkAttached`.
  if (!(0 in bytes)) checkAttached(bytes)
  const buffer = bufferOf.call(bytes)
  if (buffer instanceof ArrayBuffer && isResizable.call(buffer) === false) return
  throw new InvalidArgumentError(
    buffer instanceof ArrayBuffer
      ? 'Bytes in a resizable ArrayBuffer can move under the list. Use appendCopy() to copy them'
      : 'Bytes in a SharedArrayBuffer can change under the list. Use appendCopy() to copy them',
  )
}

function getterOf(prototype: object, name: string): (this: object) => unknown {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name) as { get: () => unknown }
  return descriptor.get
}

/** Memory that is still there. */
export function checkAttached(bytes: Uint8Array): void {
  // Not `length`: V8's optimized code may give the one before the detaching once it has met views of
  // resizable memory (seen on Node 20).
  if (bytes.byteLength === 0 && isDetached(bytes.buffer)) {
    throw new InvalidArgumentError('The ArrayBuffer behind these bytes was detached')
  }
}

/** Node 20 has no `ArrayBuffer.prototype.detached`: a view of a detached buffer cannot be made. */
function isDetached(buffer: ArrayBufferLike): boolean {
  try {
    return new Uint8Array(buffer).length < 0
  } catch {
    return true
  }
}

/** One of the modes, or undefined. */
export function checkMode(mode: unknown): asserts mode is Mode | undefined {
  if (mode === undefined || mode === 'auto' || mode === 'reference') return
  if (mode === 'stable' || mode === 'copy') return
  throw new InvalidArgumentError(
    `mode must be 'auto', 'reference', 'stable' or 'copy', not ${describe(mode)}`,
  )
}

/** Throws the abort of a signal that has fired already. */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal === undefined) return
  if (!(signal instanceof AbortSignal)) {
    throw new InvalidArgumentError('signal must be an AbortSignal')
  }
  if (signal.aborted) throw new AbortError(0, signal.reason)
}

/** A value in a few words, for an error's sentence. */
export function describe(value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    const name = (value as { constructor?: { name?: unknown } }).constructor?.name
    return typeof name === 'string' && name !== '' ? `an instance of ${name}` : 'an object'
  }
  if (typeof value === 'function') return 'a function'
  return typeof value === 'string' ? `'${value}'` : String(value)
}

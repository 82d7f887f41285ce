/**
 * Bytes behind their length, a u32: text, payloads by reference, small copies.
 */
import { isUtf8 } from 'node:buffer'
import { describe } from '../arguments.js'
import { InvalidArgumentError, MalformedInputError } from '../errors.js'
import { BufferList } from '../list/buffer-list.js'
import type { Cursor } from '../list/cursor.js'
import type { Codec } from './codec.js'
import { keep, needBytes } from './decoding.js'
import { LENGTH_BYTES_MAX, TEXT_BYTES_MAX } from './limits.js'

/** What a decoder puts where bytes were not UTF-8. */
const REPLACEMENT = '\ufffd'

/**
 * A string: u32 length in bytes, then UTF-8 (Ceph: `std::string`). Copies.
 *
 * Nothing is ever replaced: bytes that are not UTF-8 throw `MalformedInputError`, a string with half a
 * surrogate pair `InvalidArgumentError`. Names on the wire that may hold any byte are `latin1`. At
 * most `TEXT_BYTES_MAX` bytes.
 */
export const text: Codec<string> = {
  bytesMin: 4,
  encode: (list, value) => {
    if (typeof value !== 'string' || !value.isWellFormed()) {
      throw new InvalidArgumentError(`A text takes a well-formed string, not ${describe(value)}`)
    }
    const lengthBytes = Buffer.byteLength(value)
    if (lengthBytes > TEXT_BYTES_MAX) throw tooLong('A text', lengthBytes, TEXT_BYTES_MAX)
    list.appendUInt32LE(lengthBytes).appendCopy(value)
  },
  decode: (cursor) =>
    behindLength(cursor, 'A text', TEXT_BYTES_MAX, (lengthBytes) => {
      const start = cursor.offset
      const value = cursor.readString(lengthBytes)
      // A replacement character may also have been sent: only then are the bytes looked at again.
      if (value.includes(REPLACEMENT)) checkUtf8(cursor.seek(start), lengthBytes)
      return value
    }),
}

/**
 * A string of one character per byte, U+0000 to U+00FF: u32 length, then the bytes. Copies. For names
 * that may hold any byte and are keys or elements, since JavaScript compares strings by value, and
 * these in the order of their bytes. At most `TEXT_BYTES_MAX` bytes.
 */
export const latin1: Codec<string> = {
  bytesMin: 4,
  encode: (list, value) => {
    checkLatin1(value)
    if (value.length > TEXT_BYTES_MAX) throw tooLong('A latin1', value.length, TEXT_BYTES_MAX)
    list.appendUInt32LE(value.length)
    for (let i = 0; i < value.length; i++) list.appendUInt8(value.charCodeAt(i))
  },
  decode: (cursor) =>
    behindLength(cursor, 'A latin1', TEXT_BYTES_MAX, (lengthBytes) =>
      cursor.readString(lengthBytes, 'latin1'),
    ),
}

/**
 * A payload: u32 length, then the bytes (Ceph: `bufferlist`). By reference both ways: encoding shares
 * the value's segments, decoding gives a list that shares those of the message. Nothing is copied or
 * made readable, and pages stay in their pipe.
 *
 * The decoded list is yours: release it where the message may hold pipes or files. O(segments).
 */
export const bufferlist: Codec<BufferList> = {
  bytesMin: 4,
  encode: (list, value) => {
    if (!BufferList.isBufferList(value)) {
      throw new InvalidArgumentError(`A bufferlist takes a BufferList, not ${describe(value)}`)
    }
    if (value.length > LENGTH_BYTES_MAX) {
      throw tooLong('A bufferlist', value.length, LENGTH_BYTES_MAX)
    }
    // Shared before its length is written: it may be the list itself, and it may refuse.
    const shared = value.substr()
    try {
      list.appendUInt32LE(shared.length).claimAppend(shared)
    } finally {
      shared.release()
    }
  },
  decode: (cursor) =>
    behindLength(cursor, 'A bufferlist', LENGTH_BYTES_MAX, (lengthBytes) =>
      keep(cursor.readList(lengthBytes)),
    ),
}

/**
 * Bytes as a Buffer of their own: u32 length, then the bytes. Copied both ways, counted, as intended:
 * for cookies, digests and the like. Use `bufferlist` for payloads.
 */
export const bytes: Codec<Uint8Array> = {
  bytesMin: 4,
  encode: (list, value) => {
    checkBytes(value)
    if (value.byteLength > LENGTH_BYTES_MAX) {
      throw tooLong('A value of bytes', value.byteLength, LENGTH_BYTES_MAX)
    }
    list.appendUInt32LE(value.byteLength).appendCopy(value)
  },
  decode: (cursor) =>
    behindLength(cursor, 'A value of bytes', LENGTH_BYTES_MAX, (lengthBytes) =>
      readBytes(cursor, lengthBytes),
    ),
}

/**
 * So many bytes without a length before them, as a Buffer of their own (Ceph: a `uuid_d` is 16 of
 * them). Copied both ways, counted, as intended.
 */
export function fixedBytes(lengthBytes: number): Codec<Uint8Array> {
  if (!Number.isSafeInteger(lengthBytes) || lengthBytes < 1) {
    throw new InvalidArgumentError(
      `fixedBytes() takes a whole number of bytes from 1 up, not ${describe(lengthBytes)}`,
    )
  }
  return {
    bytesMin: lengthBytes,
    encode: (list, value) => {
      checkBytes(value)
      if (value.byteLength !== lengthBytes) {
        throw new InvalidArgumentError(`${lengthBytes} bytes are wanted, not ${value.byteLength}`)
      }
      list.appendCopy(value)
    },
    decode: (cursor) => {
      needBytes(cursor, lengthBytes, 'A value of bytes')
      return readBytes(cursor, lengthBytes)
    },
  }
}

/** Reads a length and what lies behind it. Puts the cursor back where that fails. */
function behindLength<T>(
  cursor: Cursor,
  what: string,
  maxBytes: number,
  read: (lengthBytes: number) => T,
): T {
  const start = cursor.offset
  const lengthBytes = cursor.readUInt32LE()
  try {
    if (lengthBytes > maxBytes) {
      throw new MalformedInputError(
        `${what} of ${lengthBytes} bytes at offset ${start} is above the limit of ${maxBytes}`,
      )
    }
    needBytes(cursor, lengthBytes, what)
    return read(lengthBytes)
  } catch (error) {
    cursor.seek(start)
    throw error
  }
}

function readBytes(cursor: Cursor, lengthBytes: number): Uint8Array {
  const start = cursor.offset
  const shared = cursor.readList(lengthBytes)
  try {
    return shared.toBuffer()
  } catch (error) {
    cursor.seek(start)
    throw error
  } finally {
    shared.release()
  }
}

function checkUtf8(cursor: Cursor, lengthBytes: number): void {
  const { offset } = cursor
  if (isUtf8(readBytes(cursor, lengthBytes))) return
  throw new MalformedInputError(
    `The ${lengthBytes} bytes at offset ${offset} are not UTF-8. Read them as latin1 or bytes`,
  )
}

function checkLatin1(value: unknown): asserts value is string {
  if (typeof value !== 'string') {
    throw new InvalidArgumentError(`A latin1 takes a string, not ${describe(value)}`)
  }
  for (let i = 0; i < value.length; i++) {
    if (value.charCodeAt(i) > 0xff) {
      throw new InvalidArgumentError(
        `Character ${i} of the string is above U+00FF, and a latin1 has one byte for each. Use text`,
      )
    }
  }
}

function checkBytes(value: unknown): asserts value is Uint8Array {
  if (value instanceof Uint8Array) return
  throw new InvalidArgumentError(`Bytes are a Uint8Array, not ${describe(value)}`)
}

function tooLong(what: string, lengthBytes: number, maxBytes: number): InvalidArgumentError {
  return new InvalidArgumentError(`${what} takes up to ${maxBytes} bytes, not ${lengthBytes}`)
}

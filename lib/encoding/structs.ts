/**
 * Versioned structs by hand (Ceph: `ENCODE_START` to `ENCODE_FINISH`, `DECODE_START` to
 * `DECODE_FINISH`): u8 version, u8 compat, u32 length of the body, the body.
 *
 * A writer raises `version` with every field that it adds at the end, and `compat` only when an older
 * reader would misunderstand the rest. A reader skips what lies behind the fields that it knows.
 */
import { describe } from '../arguments.js'
import { InvalidArgumentError, MalformedInputError } from '../errors.js'
import type { BufferList } from '../list/buffer-list.js'
import type { Cursor } from '../list/cursor.js'
import type { Hole } from '../list/hole.js'
import { decoding, needBytes, type DecodingLevel } from './decoding.js'
import { encoding, type EncodingLevel } from './encoding.js'
import { LENGTH_BYTES_MAX, VERSION_MAX } from './limits.js'

/** What a writer says about a struct. */
export interface StructVersion {
  /** The version of the struct as it is written, 0 to 255. Ceph: `struct_v`. */
  readonly version: number
  /** The oldest reader that may read it, as the version it understands. Ceph: `struct_compat`. */
  readonly compat: number
}

/**
 * From which version on a struct has a part of its header: for structs that are older than the header
 * (Ceph: `DECODE_START_LEGACY_COMPAT_LEN`). One without a length cannot be skipped or bounded.
 */
export interface LegacyHeader {
  /** The first version that has a compat byte. */
  readonly compatSince: number
  /** The first version that has a length. */
  readonly lengthSince: number
}

/** What a reader says about itself. */
export interface StructReader {
  /** The newest version whose fields the reader knows. */
  readonly understands: number
  /** For a struct whose old versions have no full header. */
  readonly legacy?: LegacyHeader | undefined
}

/** Bytes of a full header. */
export const HEADER_BYTES = 6
const U32_BYTES = 4

/**
 * Appends a struct whose body is what `body` appends to the same list. The length is filled in
 * afterwards, through a hole, so that the body is written once. Where it throws, the list is cut back
 * to what it was (but for a list with an open hole of yours, which cannot be cut).
 */
export function encodeStruct(list: BufferList, version: StructVersion, body: () => void): void {
  checkVersion(version)
  writeStruct(list, version, body)
}

/**
 * Reads a struct: `body` reads the fields that it knows of the version that it is given, from the same
 * cursor, and what it leaves is skipped. Returns what it returns.
 *
 * Throws `MalformedInputError` where the writer's compat is above `understands`, and where the body
 * reads beyond the struct; `EndOfBufferError` where the struct's bytes are not all there. Then the
 * cursor is where it was, and lists that codecs made are released. A body must not be asynchronous.
 */
export function decodeStruct<T>(
  cursor: Cursor,
  reader: StructReader,
  body: (version: number) => T,
): T {
  checkByte('understands', reader.understands)
  return readStruct(cursor, reader, body)
}

/** `encodeStruct`, of a version that was checked. */
export function writeStruct(
  list: BufferList,
  { version, compat }: StructVersion,
  body: (level: EncodingLevel) => void,
): void {
  encoding(list, (level) => {
    const hole = list.appendUInt8(version).appendUInt8(compat).appendHole(U32_BYTES)
    const startBytes = list.length
    let lengthBytes = 0
    try {
      body(level)
      lengthBytes = bodyBytes(list.length - startBytes)
    } finally {
      // Also when the body failed: a list with an open hole could not even be cut back.
      fillU32(hole, lengthBytes)
    }
  })
}

/** `decodeStruct`, by a reader that was checked. */
export function readStruct<T>(
  cursor: Cursor,
  reader: StructReader,
  body: (version: number, level: DecodingLevel) => T,
): T {
  return decoding(cursor, (level) => {
    const version = cursor.readUInt8()
    readHeader(cursor, version, reader, level)
    const value = body(version, level)
    if (level.isWhole) {
      checkInside(cursor, level)
      cursor.seek(level.end)
    }
    return value
  })
}

/** Throws where a cursor has left the struct that it reads. */
export function checkInside(cursor: Cursor, level: DecodingLevel): void {
  if (cursor.offset <= level.end) return
  throw new MalformedInputError(
    `What was read ends at offset ${cursor.offset}, and the struct that holds it at ${level.end}`,
  )
}

/** Checks what a writer says. */
export function checkVersion({ version, compat }: StructVersion): void {
  checkByte('version', version)
  checkByte('compat', compat)
  if (compat > version) {
    throw new InvalidArgumentError(
      `compat (${compat}) is above version (${version}): nobody could read that`,
    )
  }
}

function readHeader(
  cursor: Cursor,
  version: number,
  { understands, legacy }: StructReader,
  level: DecodingLevel,
): void {
  const { offset } = cursor
  if (version >= (legacy?.compatSince ?? 0)) {
    const compat = cursor.readUInt8()
    if (compat > understands) {
      throw new MalformedInputError(
        `The struct at offset ${offset - 1} is for readers of version ${compat} and later, and ` +
          `this one understands ${understands}`,
      )
    }
  }
  if (version >= (legacy?.lengthSince ?? 0)) {
    const lengthBytes = cursor.readUInt32LE()
    needBytes(cursor, lengthBytes, "A struct's body")
    level.end = cursor.offset + lengthBytes
    level.isWhole = true
  }
}

const scratch = new Uint8Array(U32_BYTES)
const scratchView = new DataView(scratch.buffer)

function fillU32(hole: Hole, value: number): void {
  scratchView.setUint32(0, value, true)
  hole.fill(scratch)
}

function bodyBytes(lengthBytes: number): number {
  if (lengthBytes <= LENGTH_BYTES_MAX) return lengthBytes
  throw new InvalidArgumentError(
    `A struct's body takes up to ${LENGTH_BYTES_MAX} bytes, not ${lengthBytes}`,
  )
}

function checkByte(name: string, value: unknown): void {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= VERSION_MAX) return
  throw new InvalidArgumentError(
    `${name} must be a whole number from 0 to ${VERSION_MAX}, not ${describe(value)}`,
  )
}

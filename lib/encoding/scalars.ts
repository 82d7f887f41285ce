/**
 * Values of a fixed width: integers, floats, booleans. Little-endian. Each throws
 * `InvalidArgumentError` for a value that does not fit, and appends nothing then.
 */
import { describe } from '../arguments.js'
import { InvalidArgumentError, MalformedInputError } from '../errors.js'
import type { Codec } from './codec.js'

/** Unsigned, 8 bits. */
export const u8: Codec<number> = {
  bytesMin: 1,
  encode: (list, value) => void list.appendUInt8(value),
  decode: (cursor) => cursor.readUInt8(),
}
/** Unsigned, 16 bits. */
export const u16: Codec<number> = {
  bytesMin: 2,
  encode: (list, value) => void list.appendUInt16LE(value),
  decode: (cursor) => cursor.readUInt16LE(),
}
/** Unsigned, 32 bits. */
export const u32: Codec<number> = {
  bytesMin: 4,
  encode: (list, value) => void list.appendUInt32LE(value),
  decode: (cursor) => cursor.readUInt32LE(),
}
/** Unsigned, 64 bits, always a bigint: no value is ever rounded. See `u53` for numbers. */
export const u64: Codec<bigint> = {
  bytesMin: 8,
  encode: (list, value) => void list.appendBigUInt64LE(value),
  decode: (cursor) => cursor.readBigUInt64LE(),
}
/** Signed, 8 bits. */
export const i8: Codec<number> = {
  bytesMin: 1,
  encode: (list, value) => void list.appendInt8(value),
  decode: (cursor) => cursor.readInt8(),
}
/** Signed, 16 bits. */
export const i16: Codec<number> = {
  bytesMin: 2,
  encode: (list, value) => void list.appendInt16LE(value),
  decode: (cursor) => cursor.readInt16LE(),
}
/** Signed, 32 bits. */
export const i32: Codec<number> = {
  bytesMin: 4,
  encode: (list, value) => void list.appendInt32LE(value),
  decode: (cursor) => cursor.readInt32LE(),
}
/** Signed, 64 bits, always a bigint. */
export const i64: Codec<bigint> = {
  bytesMin: 8,
  encode: (list, value) => void list.appendBigInt64LE(value),
  decode: (cursor) => cursor.readBigInt64LE(),
}
/** A 32-bit float. A number that has no exact one is rounded to the nearest, as `Math.fround` does. */
export const f32: Codec<number> = {
  bytesMin: 4,
  encode: (list, value) => void list.appendFloatLE(value),
  decode: (cursor) => cursor.readFloatLE(),
}
/** A 64-bit float. */
export const f64: Codec<number> = {
  bytesMin: 8,
  encode: (list, value) => void list.appendDoubleLE(value),
  decode: (cursor) => cursor.readDoubleLE(),
}

/**
 * A u64 on the wire that is a number here: for lengths and offsets, which stay below 2^53. A larger
 * one is never rounded: it is refused, as `MalformedInputError` or `InvalidArgumentError`.
 */
export const u53: Codec<number> = {
  bytesMin: 8,
  encode: (list, value) => {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new InvalidArgumentError(
        `A u53 takes whole numbers from 0 to 2^53 - 1, not ${describe(value)}. Use u64 with bigints`,
      )
    }
    list.appendBigUInt64LE(BigInt(value))
  },
  decode: (cursor) => {
    const start = cursor.offset
    const value = cursor.readBigUInt64LE()
    if (value <= Number.MAX_SAFE_INTEGER) return Number(value)
    cursor.seek(start)
    throw new MalformedInputError(
      `The u64 at offset ${start} is ${value}, which a number cannot hold. Use u64 to read it`,
    )
  },
}

/**
 * One byte, 0 or 1. Others are refused: every encoder of Ceph's writes one of the two, so that a third
 * value means that something else was read as a boolean. (Ceph takes them for true.)
 */
export const bool: Codec<boolean> = {
  bytesMin: 1,
  encode: (list, value) => {
    if (typeof value !== 'boolean') {
      throw new InvalidArgumentError(`A bool takes true or false, not ${describe(value)}`)
    }
    list.appendUInt8(value ? 1 : 0)
  },
  decode: (cursor) => {
    const value = cursor.readUInt8()
    if (value <= 1) return value === 1
    cursor.seek(cursor.offset - 1)
    throw new MalformedInputError(
      `The byte ${value} at offset ${cursor.offset} is no boolean: those are 0 and 1`,
    )
  },
}

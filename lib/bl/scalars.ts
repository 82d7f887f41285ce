import type { Cursor } from '../list/cursor.js'
import { HELD, type Held, type Holder } from './held.js'

/** The widest integer that is read by its length, in bytes: what a double holds exactly. */
const INTEGER_BYTES_MAX = 6

/**
 * Buffer's methods for reading numbers, over a list. Offsets are in bytes from the list's start, 0
 * by default.
 *
 * None makes a slice, also where a number lies across segments. Only an offset that does not lie
 * inside takes the way that bl takes for all, so that it means the same, or throws the same
 * RangeError: a slice from there, and the number in it. O(log segments).
 */
export abstract class Scalars implements Holder {
  /** @internal */
  abstract [HELD]: Held
  /** The bytes from `start` to before `end` as one Buffer. */
  abstract slice(start?: number, end?: number): Buffer

  /** Reads an unsigned 8-bit integer. */
  readUInt8(offset = 0): number {
    const at = this[HELD].cursorAt(offset, 1)
    return at === undefined ? this.slice(offset, offset + 1).readUInt8() : at.readUInt8()
  }
  /** Reads a signed 8-bit integer. */
  readInt8(offset = 0): number {
    const at = this[HELD].cursorAt(offset, 1)
    return at === undefined ? this.slice(offset, offset + 1).readInt8() : at.readInt8()
  }
  /** Reads an unsigned 16-bit integer, big-endian. */
  readUInt16BE(offset = 0): number {
    const at = this[HELD].cursorAt(offset, 2)
    return at === undefined ? this.slice(offset, offset + 2).readUInt16BE() : at.readUInt16BE()
  }
  /** Reads an unsigned 16-bit integer, little-endian. */
  readUInt16LE(offset = 0): number {
    const at = this[HELD].cursorAt(offset, 2)
    return at === undefined ? this.slice(offset, offset + 2).readUInt16LE() : at.readUInt16LE()
  }
  /** Reads a signed 16-bit integer, big-endian. */
  readInt16BE(offset = 0): number {
    const at = this[HELD].cursorAt(offset, 2)
    return at === undefined ? this.slice(offset, offset + 2).readInt16BE() : at.readInt16BE()
  }
  /** Reads a signed 16-bit integer, little-endian. */
  readInt16LE(offset = 0): number {
    const at = this[HELD].cursorAt(offset, 2)
    return at === undefined ? this.slice(offset, offset + 2).readInt16LE() : at.readInt16LE()
  }
  /** Reads an unsigned 32-bit integer, big-endian. */
  readUInt32BE(offset = 0): number {
    const at = this[HELD].cursorAt(offset, 4)
    return at === undefined ? this.slice(offset, offset + 4).readUInt32BE() : at.readUInt32BE()
  }
  /** Reads an unsigned 32-bit integer, little-endian. */
  readUInt32LE(offset = 0): number {
    const at = this[HELD].cursorAt(offset, 4)
    return at === undefined ? this.slice(offset, offset + 4).readUInt32LE() : at.readUInt32LE()
  }
  /** Reads a signed 32-bit integer, big-endian. */
  readInt32BE(offset = 0): number {
    const at = this[HELD].cursorAt(offset, 4)
    return at === undefined ? this.slice(offset, offset + 4).readInt32BE() : at.readInt32BE()
  }
  /** Reads a signed 32-bit integer, little-endian. */
  readInt32LE(offset = 0): number {
    const at = this[HELD].cursorAt(offset, 4)
    return at === undefined ? this.slice(offset, offset + 4).readInt32LE() : at.readInt32LE()
  }
  /** Reads an unsigned 64-bit integer, big-endian. */
  readBigUInt64BE(offset = 0): bigint {
    const at = this[HELD].cursorAt(offset, 8)
    return at === undefined
      ? this.slice(offset, offset + 8).readBigUInt64BE()
      : at.readBigUInt64BE()
  }
  /** Reads an unsigned 64-bit integer, little-endian. */
  readBigUInt64LE(offset = 0): bigint {
    const at = this[HELD].cursorAt(offset, 8)
    return at === undefined
      ? this.slice(offset, offset + 8).readBigUInt64LE()
      : at.readBigUInt64LE()
  }
  /** Reads a signed 64-bit integer, big-endian. */
  readBigInt64BE(offset = 0): bigint {
    const at = this[HELD].cursorAt(offset, 8)
    return at === undefined ? this.slice(offset, offset + 8).readBigInt64BE() : at.readBigInt64BE()
  }
  /** Reads a signed 64-bit integer, little-endian. */
  readBigInt64LE(offset = 0): bigint {
    const at = this[HELD].cursorAt(offset, 8)
    return at === undefined ? this.slice(offset, offset + 8).readBigInt64LE() : at.readBigInt64LE()
  }
  /** Reads a 32-bit float, big-endian. */
  readFloatBE(offset = 0): number {
    const at = this[HELD].cursorAt(offset, 4)
    return at === undefined ? this.slice(offset, offset + 4).readFloatBE() : at.readFloatBE()
  }
  /** Reads a 32-bit float, little-endian. */
  readFloatLE(offset = 0): number {
    const at = this[HELD].cursorAt(offset, 4)
    return at === undefined ? this.slice(offset, offset + 4).readFloatLE() : at.readFloatLE()
  }
  /** Reads a 64-bit float, big-endian. */
  readDoubleBE(offset = 0): number {
    const at = this[HELD].cursorAt(offset, 8)
    return at === undefined ? this.slice(offset, offset + 8).readDoubleBE() : at.readDoubleBE()
  }
  /** Reads a 64-bit float, little-endian. */
  readDoubleLE(offset = 0): number {
    const at = this[HELD].cursorAt(offset, 8)
    return at === undefined ? this.slice(offset, offset + 8).readDoubleLE() : at.readDoubleLE()
  }
  /** Reads an unsigned integer of 1 to 6 bytes, big-endian. */
  readUIntBE(offset: number, byteLength: number): number {
    const at = integerAt(this, offset, byteLength)
    return at === undefined
      ? this.slice(offset, offset + byteLength).readUIntBE(0, byteLength)
      : unsignedBE(at, byteLength)
  }
  /** Reads an unsigned integer of 1 to 6 bytes, little-endian. */
  readUIntLE(offset: number, byteLength: number): number {
    const at = integerAt(this, offset, byteLength)
    return at === undefined
      ? this.slice(offset, offset + byteLength).readUIntLE(0, byteLength)
      : unsignedLE(at, byteLength)
  }
  /** Reads a signed integer of 1 to 6 bytes, big-endian. */
  readIntBE(offset: number, byteLength: number): number {
    const at = integerAt(this, offset, byteLength)
    return at === undefined
      ? this.slice(offset, offset + byteLength).readIntBE(0, byteLength)
      : signed(unsignedBE(at, byteLength), byteLength)
  }
  /** Reads a signed integer of 1 to 6 bytes, little-endian. */
  readIntLE(offset: number, byteLength: number): number {
    const at = integerAt(this, offset, byteLength)
    return at === undefined
      ? this.slice(offset, offset + byteLength).readIntLE(0, byteLength)
      : signed(unsignedLE(at, byteLength), byteLength)
  }
}

/** A cursor at an integer that lies inside, or undefined. */
function integerAt(
  { [HELD]: held }: Holder,
  offset: number,
  byteLength: number,
): Cursor | undefined {
  const isWidth = Number.isInteger(byteLength) && byteLength >= 1
  return isWidth && byteLength <= INTEGER_BYTES_MAX ? held.cursorAt(offset, byteLength) : undefined
}

function unsignedBE(at: Cursor, byteLength: number): number {
  let value = 0
  for (let i = 0; i < byteLength; i++) value = value * 256 + at.readUInt8()
  return value
}

function unsignedLE(at: Cursor, byteLength: number): number {
  let value = 0
  for (let i = 0, unit = 1; i < byteLength; i++, unit *= 256) value += at.readUInt8() * unit
  return value
}

/** An unsigned integer read as two's complement. */
function signed(value: number, byteLength: number): number {
  const range = 2 ** (8 * byteLength)
  return value < range / 2 ? value : value - range
}

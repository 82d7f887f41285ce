import { HELD, type Held, type Holder } from './held.js'

/** The widest integer that is read by its length, in bytes: what a double holds exactly. */
const INTEGER_BYTES_MAX = 6

/**
 * Buffer's methods for reading numbers, over a list. Offsets are in bytes from the list's start, 0
 * by default.
 *
 * None makes a slice, also where a number lies across segments. Only an offset that does not lie
 * inside, and bytes outside the heap, take the way that bl takes for all: a slice from there, and the
 * number in it. So what bl allows means the same, and what it refuses throws the same RangeError.
 * O(log segments).
 */
export abstract class Scalars implements Holder {
  /** @internal */
  abstract [HELD]: Held
  /** The bytes from `start` to before `end` as one Buffer. */
  abstract slice(start?: number, end?: number): Buffer

  /** Reads an unsigned 8-bit integer. */
  readUInt8(offset = 0): number {
    const view = this[HELD].scalarAt(offset, 1)
    return view === undefined ? this.slice(offset, offset + 1).readUInt8() : view.getUint8(0)
  }
  /** Reads a signed 8-bit integer. */
  readInt8(offset = 0): number {
    const view = this[HELD].scalarAt(offset, 1)
    return view === undefined ? this.slice(offset, offset + 1).readInt8() : view.getInt8(0)
  }
  /** Reads an unsigned 16-bit integer, big-endian. */
  readUInt16BE(offset = 0): number {
    const view = this[HELD].scalarAt(offset, 2)
    return view === undefined
      ? this.slice(offset, offset + 2).readUInt16BE()
      : view.getUint16(0, false)
  }
  /** Reads an unsigned 16-bit integer, little-endian. */
  readUInt16LE(offset = 0): number {
    const view = this[HELD].scalarAt(offset, 2)
    return view === undefined
      ? this.slice(offset, offset + 2).readUInt16LE()
      : view.getUint16(0, true)
  }
  /** Reads a signed 16-bit integer, big-endian. */
  readInt16BE(offset = 0): number {
    const view = this[HELD].scalarAt(offset, 2)
    return view === undefined
      ? this.slice(offset, offset + 2).readInt16BE()
      : view.getInt16(0, false)
  }
  /** Reads a signed 16-bit integer, little-endian. */
  readInt16LE(offset = 0): number {
    const view = this[HELD].scalarAt(offset, 2)
    return view === undefined
      ? this.slice(offset, offset + 2).readInt16LE()
      : view.getInt16(0, true)
  }
  /** Reads an unsigned 32-bit integer, big-endian. */
  readUInt32BE(offset = 0): number {
    const view = this[HELD].scalarAt(offset, 4)
    return view === undefined
      ? this.slice(offset, offset + 4).readUInt32BE()
      : view.getUint32(0, false)
  }
  /** Reads an unsigned 32-bit integer, little-endian. */
  readUInt32LE(offset = 0): number {
    const view = this[HELD].scalarAt(offset, 4)
    return view === undefined
      ? this.slice(offset, offset + 4).readUInt32LE()
      : view.getUint32(0, true)
  }
  /** Reads a signed 32-bit integer, big-endian. */
  readInt32BE(offset = 0): number {
    const view = this[HELD].scalarAt(offset, 4)
    return view === undefined
      ? this.slice(offset, offset + 4).readInt32BE()
      : view.getInt32(0, false)
  }
  /** Reads a signed 32-bit integer, little-endian. */
  readInt32LE(offset = 0): number {
    const view = this[HELD].scalarAt(offset, 4)
    return view === undefined
      ? this.slice(offset, offset + 4).readInt32LE()
      : view.getInt32(0, true)
  }
  /** Reads an unsigned 64-bit integer, big-endian. */
  readBigUInt64BE(offset = 0): bigint {
    const view = this[HELD].scalarAt(offset, 8)
    return view === undefined
      ? this.slice(offset, offset + 8).readBigUInt64BE()
      : view.getBigUint64(0, false)
  }
  /** Reads an unsigned 64-bit integer, little-endian. */
  readBigUInt64LE(offset = 0): bigint {
    const view = this[HELD].scalarAt(offset, 8)
    return view === undefined
      ? this.slice(offset, offset + 8).readBigUInt64LE()
      : view.getBigUint64(0, true)
  }
  /** Reads a signed 64-bit integer, big-endian. */
  readBigInt64BE(offset = 0): bigint {
    const view = this[HELD].scalarAt(offset, 8)
    return view === undefined
      ? this.slice(offset, offset + 8).readBigInt64BE()
      : view.getBigInt64(0, false)
  }
  /** Reads a signed 64-bit integer, little-endian. */
  readBigInt64LE(offset = 0): bigint {
    const view = this[HELD].scalarAt(offset, 8)
    return view === undefined
      ? this.slice(offset, offset + 8).readBigInt64LE()
      : view.getBigInt64(0, true)
  }
  /** Reads a 32-bit float, big-endian. */
  readFloatBE(offset = 0): number {
    const view = this[HELD].scalarAt(offset, 4)
    return view === undefined
      ? this.slice(offset, offset + 4).readFloatBE()
      : view.getFloat32(0, false)
  }
  /** Reads a 32-bit float, little-endian. */
  readFloatLE(offset = 0): number {
    const view = this[HELD].scalarAt(offset, 4)
    return view === undefined
      ? this.slice(offset, offset + 4).readFloatLE()
      : view.getFloat32(0, true)
  }
  /** Reads a 64-bit float, big-endian. */
  readDoubleBE(offset = 0): number {
    const view = this[HELD].scalarAt(offset, 8)
    return view === undefined
      ? this.slice(offset, offset + 8).readDoubleBE()
      : view.getFloat64(0, false)
  }
  /** Reads a 64-bit float, little-endian. */
  readDoubleLE(offset = 0): number {
    const view = this[HELD].scalarAt(offset, 8)
    return view === undefined
      ? this.slice(offset, offset + 8).readDoubleLE()
      : view.getFloat64(0, true)
  }
  /** Reads an unsigned integer of 1 to 6 bytes, big-endian. */
  readUIntBE(offset: number, byteLength: number): number {
    const view = integerAt(this, offset, byteLength)
    return view === undefined
      ? this.slice(offset, offset + byteLength).readUIntBE(0, byteLength)
      : unsignedBE(view, byteLength)
  }
  /** Reads an unsigned integer of 1 to 6 bytes, little-endian. */
  readUIntLE(offset: number, byteLength: number): number {
    const view = integerAt(this, offset, byteLength)
    return view === undefined
      ? this.slice(offset, offset + byteLength).readUIntLE(0, byteLength)
      : unsignedLE(view, byteLength)
  }
  /** Reads a signed integer of 1 to 6 bytes, big-endian. */
  readIntBE(offset: number, byteLength: number): number {
    const view = integerAt(this, offset, byteLength)
    return view === undefined
      ? this.slice(offset, offset + byteLength).readIntBE(0, byteLength)
      : signed(unsignedBE(view, byteLength), byteLength)
  }
  /** Reads a signed integer of 1 to 6 bytes, little-endian. */
  readIntLE(offset: number, byteLength: number): number {
    const view = integerAt(this, offset, byteLength)
    return view === undefined
      ? this.slice(offset, offset + byteLength).readIntLE(0, byteLength)
      : signed(unsignedLE(view, byteLength), byteLength)
  }
}

/** The bytes of an integer that lies inside, or undefined. */
function integerAt(
  { [HELD]: held }: Holder,
  offset: number,
  byteLength: number,
): DataView | undefined {
  const isWidth = Number.isInteger(byteLength) && byteLength >= 1
  return isWidth && byteLength <= INTEGER_BYTES_MAX ? held.scalarAt(offset, byteLength) : undefined
}

function unsignedBE(view: DataView, byteLength: number): number {
  let value = 0
  for (let i = 0; i < byteLength; i++) value = value * 256 + view.getUint8(i)
  return value
}

function unsignedLE(view: DataView, byteLength: number): number {
  let value = 0
  for (let i = byteLength - 1; i >= 0; i--) value = value * 256 + view.getUint8(i)
  return value
}

/** An unsigned integer taken as two's complement. */
function signed(value: number, byteLength: number): number {
  const range = 2 ** (8 * byteLength)
  return value < range / 2 ? value : value - range
}

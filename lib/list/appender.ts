import { checkAttached, checkLength, checkWidth, describe } from '../arguments.js'
import { copy, encodeInto, encode } from '../audit/ledger.js'
import { InvalidArgumentError } from '../errors.js'
import { Body } from './body.js'
import { ListHole, type Hole } from './hole.js'
import { nextTail, NO_TAIL } from './tail.js'
import { windowOfMemory } from './window.js'

/** Copies above this get memory of their own size, in bytes: a block would be left half empty. */
const TAIL_COPY_BYTES_MAX = 32768
/** The most bytes that one UTF-16 unit of a string takes in UTF-8. */
const UTF8_BYTES_PER_UNIT_MAX = 3

/**
 * What is written into a list: it goes into the list's own tail, so that an integer costs no object.
 * A storey of `BufferList`; not for use by itself.
 */
export abstract class Appender extends Body {
  /** Adds an unsigned 8-bit integer. */
  appendUInt8(value: number): this {
    if (typeof value !== 'number' || (value & 0xff) !== value) refuse('UInt8', value)
    const at = this.reserve(1)
    this.tail.view.setUint8(at, value)
    return this
  }
  /** Adds a signed 8-bit integer. */
  appendInt8(value: number): this {
    if (typeof value !== 'number' || (value << 24) >> 24 !== value) refuse('Int8', value)
    const at = this.reserve(1)
    this.tail.view.setInt8(at, value)
    return this
  }
  /** Adds an unsigned 16-bit integer, little-endian. */
  appendUInt16LE(value: number): this {
    if (typeof value !== 'number' || (value & 0xffff) !== value) refuse('UInt16', value)
    const at = this.reserve(2)
    this.tail.view.setUint16(at, value, true)
    return this
  }
  /** Adds a signed 16-bit integer, little-endian. */
  appendInt16LE(value: number): this {
    if (typeof value !== 'number' || (value << 16) >> 16 !== value) refuse('Int16', value)
    const at = this.reserve(2)
    this.tail.view.setInt16(at, value, true)
    return this
  }
  /** Adds an unsigned 16-bit integer, big-endian. */
  appendUInt16BE(value: number): this {
    if (typeof value !== 'number' || (value & 0xffff) !== value) refuse('UInt16', value)
    const at = this.reserve(2)
    this.tail.view.setUint16(at, value, false)
    return this
  }
  /** Adds a signed 16-bit integer, big-endian. */
  appendInt16BE(value: number): this {
    if (typeof value !== 'number' || (value << 16) >> 16 !== value) refuse('Int16', value)
    const at = this.reserve(2)
    this.tail.view.setInt16(at, value, false)
    return this
  }
  /** Adds an unsigned 32-bit integer, little-endian. */
  appendUInt32LE(value: number): this {
    if (typeof value !== 'number' || value >>> 0 !== value) refuse('UInt32', value)
    const at = this.reserve(4)
    this.tail.view.setUint32(at, value, true)
    return this
  }
  /** Adds a signed 32-bit integer, little-endian. */
  appendInt32LE(value: number): this {
    if (typeof value !== 'number' || (value | 0) !== value) refuse('Int32', value)
    const at = this.reserve(4)
    this.tail.view.setInt32(at, value, true)
    return this
  }
  /** Adds an unsigned 32-bit integer, big-endian. */
  appendUInt32BE(value: number): this {
    if (typeof value !== 'number' || value >>> 0 !== value) refuse('UInt32', value)
    const at = this.reserve(4)
    this.tail.view.setUint32(at, value, false)
    return this
  }
  /** Adds a signed 32-bit integer, big-endian. */
  appendInt32BE(value: number): this {
    if (typeof value !== 'number' || (value | 0) !== value) refuse('Int32', value)
    const at = this.reserve(4)
    this.tail.view.setInt32(at, value, false)
    return this
  }
  /** Adds an unsigned 64-bit integer, little-endian. */
  appendBigUInt64LE(value: bigint): this {
    if (typeof value !== 'bigint' || BigInt.asUintN(64, value) !== value) refuse('BigUInt64', value)
    const at = this.reserve(8)
    this.tail.view.setBigUint64(at, value, true)
    return this
  }
  /** Adds a signed 64-bit integer, little-endian. */
  appendBigInt64LE(value: bigint): this {
    if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) refuse('BigInt64', value)
    const at = this.reserve(8)
    this.tail.view.setBigInt64(at, value, true)
    return this
  }
  /** Adds an unsigned 64-bit integer, big-endian. */
  appendBigUInt64BE(value: bigint): this {
    if (typeof value !== 'bigint' || BigInt.asUintN(64, value) !== value) refuse('BigUInt64', value)
    const at = this.reserve(8)
    this.tail.view.setBigUint64(at, value, false)
    return this
  }
  /** Adds a signed 64-bit integer, big-endian. */
  appendBigInt64BE(value: bigint): this {
    if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) refuse('BigInt64', value)
    const at = this.reserve(8)
    this.tail.view.setBigInt64(at, value, false)
    return this
  }
  /** Adds a 32-bit float, little-endian. */
  appendFloatLE(value: number): this {
    if (typeof value !== 'number') refuse('Float', value)
    const at = this.reserve(4)
    this.tail.view.setFloat32(at, value, true)
    return this
  }
  /** Adds a 64-bit float, little-endian. */
  appendDoubleLE(value: number): this {
    if (typeof value !== 'number') refuse('Double', value)
    const at = this.reserve(8)
    this.tail.view.setFloat64(at, value, true)
    return this
  }
  /** Adds a 32-bit float, big-endian. */
  appendFloatBE(value: number): this {
    if (typeof value !== 'number') refuse('Float', value)
    const at = this.reserve(4)
    this.tail.view.setFloat32(at, value, false)
    return this
  }
  /** Adds a 64-bit float, big-endian. */
  appendDoubleBE(value: number): this {
    if (typeof value !== 'number') refuse('Double', value)
    const at = this.reserve(8)
    this.tail.view.setFloat64(at, value, false)
    return this
  }
  /** Adds an unsigned integer of 1 to 6 bytes, little-endian. */
  appendUIntLE(value: number, byteLength: number): this {
    checkUnsigned(value, byteLength)
    const at = this.reserve(byteLength)
    this.tail.bytes.writeUIntLE(value, at, byteLength)
    return this
  }
  /** Adds an unsigned integer of 1 to 6 bytes, big-endian. */
  appendUIntBE(value: number, byteLength: number): this {
    checkUnsigned(value, byteLength)
    const at = this.reserve(byteLength)
    this.tail.bytes.writeUIntBE(value, at, byteLength)
    return this
  }
  /** Adds a signed integer of 1 to 6 bytes, little-endian. */
  appendIntLE(value: number, byteLength: number): this {
    checkSigned(value, byteLength)
    const at = this.reserve(byteLength)
    this.tail.bytes.writeIntLE(value, at, byteLength)
    return this
  }
  /** Adds a signed integer of 1 to 6 bytes, big-endian. */
  appendIntBE(value: number, byteLength: number): this {
    checkSigned(value, byteLength)
    const at = this.reserve(byteLength)
    this.tail.bytes.writeIntBE(value, at, byteLength)
    return this
  }

  /**
   * Adds a copy of bytes that will change afterwards (a scratch buffer), or a string as UTF-8.
   * Counted, as intended. Ceph: `append(const char *, n)`.
   */
  appendCopy(bytes: Uint8Array | string): this {
    if (typeof bytes === 'string') return this.appendText(bytes)
    if (!(bytes instanceof Uint8Array)) {
      throw new InvalidArgumentError(`Expected a Uint8Array or a string, not ${describe(bytes)}`)
    }
    // Of all that tells detached memory this is the cheapest, where it is read right away.
    if (bytes[0] === undefined) {
      checkAttached(bytes)
      this.reserve(0)
      return this
    }
    const { length } = bytes
    if (length > TAIL_COPY_BYTES_MAX) return this.appendOwn(bytes)
    const at = this.reserve(length)
    copy('append-copy', bytes, this.tail.bytes, at)
    return this
  }
  /**
   * Reserves contiguous bytes that are filled in later: a length before its content. Until then
   * whatever reads, cuts or sends the list throws `UnfilledHoleError`. Ceph: `append_hole`.
   */
  appendHole(length: number): Hole {
    checkLength('length', length)
    if (length > TAIL_COPY_BYTES_MAX) {
      this.adding(length)
      const bytes = Buffer.allocUnsafeSlow(length)
      this.segments.push(windowOfMemory(bytes))
      return new ListHole(this, bytes, 0, length)
    }
    const at = this.reserve(length)
    return new ListHole(this, this.tail.bytes, at, length)
  }

  /** Takes bytes of the tail, and returns where. */
  private reserve(lengthBytes: number): number {
    const { tail } = this
    const { at } = tail
    const end = at + lengthBytes
    if (end > tail.limit) return this.renew(lengthBytes)
    tail.at = end
    return at
  }
  private renew(lengthBytes: number): number {
    this.changing()
    this.growing(lengthBytes)
    let { tail } = this
    if (tail === NO_TAIL || tail.at + lengthBytes > tail.end) {
      this.settle()
      tail = this.tail = nextTail(tail, lengthBytes)
    }
    const { at } = tail
    tail.at += lengthBytes
    tail.limit = tail.end
    this.growing(0)
    return at
  }
  private appendText(text: string): this {
    const bytesMax = text.length * UTF8_BYTES_PER_UNIT_MAX
    const isRoomy = bytesMax <= Number.MAX_SAFE_INTEGER - this.length
    if (bytesMax > TAIL_COPY_BYTES_MAX || !isRoomy) return this.appendOwn(text)
    const at = this.reserve(bytesMax)
    this.tail.at = at + encodeInto(text, this.tail.bytes, at)
    return this
  }
  /** Adds a copy in memory of its own. */
  private appendOwn(source: Uint8Array | string): this {
    this.adding(typeof source === 'string' ? Buffer.byteLength(source) : source.length)
    this.segments.push(windowOfMemory(copied(source)))
    return this
  }
}

function copied(source: Uint8Array | string): Uint8Array {
  if (typeof source === 'string') return encode(source)
  const bytes = Buffer.allocUnsafeSlow(source.length)
  copy('append-copy', source, bytes, 0)
  return bytes
}

function checkUnsigned(value: unknown, byteLength: unknown): void {
  checkWidth(byteLength)
  const max = 2 ** (8 * byteLength) - 1
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > max) {
    refuse(`UInt of ${byteLength} bytes`, value)
  }
}

function checkSigned(value: unknown, byteLength: unknown): void {
  checkWidth(byteLength)
  const half = 2 ** (8 * byteLength - 1)
  if (!Number.isInteger(value) || (value as number) < -half || (value as number) >= half) {
    refuse(`Int of ${byteLength} bytes`, value)
  }
}

function refuse(kind: string, value: unknown): never {
  throw new InvalidArgumentError(
    `append${kind} takes what fits into its width, not ${describe(value)}`,
  )
}

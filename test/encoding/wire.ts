/**
 * Between values and bytes that are written out by hand.
 */
import { expect } from 'chai'
import { BufferList } from 'splicelist'
import type { Codec } from 'splicelist/encoding'

/** Bytes as they are written in a test: hex, with spaces wherever they help to read it. */
export function wire(hex: string): Buffer<ArrayBuffer> {
  const digits = hex.replace(/\s+/g, '')
  const content = Buffer.from(digits, 'hex')
  if (content.length * 2 !== digits.length) throw new Error(`This is not hex: ${hex}`)
  return content
}

/** The bytes of a value. */
export function encoded<T>(codec: Codec<T>, value: T): Buffer<ArrayBuffer> {
  const list = new BufferList()
  codec.encode(list, value)
  return list.toBuffer()
}

/** The value of bytes, all of which it must take. */
export function decoded<T>(codec: Codec<T>, content: Buffer<ArrayBuffer>): T {
  const cursor = new BufferList(content).cursor()
  const value = codec.decode(cursor)
  expect(cursor.remaining, 'bytes that were not read').to.equal(0)
  return value
}

/** Expects that a value is these bytes, and these bytes that value. */
export function expectOnWire<T>(codec: Codec<T>, value: T, hex: string): void {
  expect(encoded(codec, value).toString('hex')).to.equal(wire(hex).toString('hex'))
  expect(decoded(codec, wire(hex))).to.deep.equal(value)
}

/** What a decode throws; the cursor must be where it was. */
export function refusal(codec: Codec<unknown>, content: Uint8Array<ArrayBuffer>, at = 0): Error {
  const cursor = new BufferList(content).cursor(at)
  try {
    codec.decode(cursor)
  } catch (error) {
    expect(cursor.offset, 'where the cursor is after a failure').to.equal(at)
    return error as Error
  }
  throw new Error('It was decoded')
}

/** What an encode throws; the list must be what it was. */
export function encodeRefusal(codec: Codec<unknown>, value: unknown): Error {
  const list = new BufferList('before')
  try {
    codec.encode(list, value)
  } catch (error) {
    expect(list.toString(), 'what is left of a failure').to.equal('before')
    return error as Error
  }
  throw new Error('It was encoded')
}

/** A list of one segment per byte. */
export function byteByByte(content: Uint8Array): BufferList {
  const list = new BufferList()
  for (const byte of content) list.append(Uint8Array.of(byte))
  return list
}

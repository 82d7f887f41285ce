/**
 * A message with everything in it that the encoding has, and its bytes, written out by hand.
 */
import { BufferList } from 'splicelist'
import {
  bool,
  bufferlist,
  bytes,
  f64,
  i64,
  latin1,
  list,
  map,
  optional,
  pair,
  record,
  set,
  since,
  struct,
  text,
  u16,
  u32,
  u64,
  u8,
  utime,
  type ValueOf,
} from 'splicelist/encoding'
import { wire } from './wire.js'

const fields = {
  id: u64,
  name: text,
  flags: u16,
  isSet: bool,
  tags: list(text),
  attributes: map(latin1, bufferlist),
  parent: optional(pair(u32, i64)),
  changed: utime,
  place: struct({ version: 2, compat: 1 }, { pool: u32, seed: u32 }),
  ratio: f64,
  cookie: bytes,
}
const later = { epochs: set(u8) } as const

/** With nothing around its fields. */
export const bare = record({ ...fields, ...later })
/** In a header, with a field that version 2 added. */
export const message = struct(
  { version: 2, compat: 1 },
  { ...fields, epochs: since(2, later.epochs, () => new Set()) },
)
export type Message = ValueOf<typeof message>

export const sample = (): Message => ({
  id: 0x1122334455667788n,
  name: 'rbd_ü',
  flags: 0x0102,
  isSet: true,
  tags: ['a', '', 'bc'],
  attributes: new Map([
    ['\xffk', new BufferList('v')],
    ['e', new BufferList()],
  ]),
  parent: [7, -1n],
  changed: { seconds: 1, nanoseconds: 2 },
  place: { pool: 3, seed: 0xfffffffe },
  ratio: 0.5,
  cookie: Buffer.from('c0'),
  epochs: new Set([9, 8]),
})

/** The fields of the sample. */
export const sampleBody = wire(`
  88 77 66 55 44 33 22 11
  06 00 00 00  72 62 64 5f c3 bc
  02 01
  01
  03 00 00 00   01 00 00 00 61   00 00 00 00   02 00 00 00 62 63
  02 00 00 00   02 00 00 00 ff 6b  01 00 00 00 76   01 00 00 00 65  00 00 00 00
  01  07 00 00 00  ff ff ff ff ff ff ff ff
  01 00 00 00  02 00 00 00
  02 01  08 00 00 00  03 00 00 00  fe ff ff ff
  00 00 00 00 00 00 e0 3f
  02 00 00 00  63 30
  02 00 00 00  09 08
`)

/** Fields behind a header, whose version, compat and length can be wrong. */
export function framed(
  body: Uint8Array,
  { version = 2, compat = 1, lengthBytes = body.length } = {},
): Buffer<ArrayBuffer> {
  const header = Buffer.alloc(6)
  header.writeUInt8(version, 0)
  header.writeUInt8(compat, 1)
  header.writeUInt32LE(lengthBytes, 2)
  return Buffer.concat([header, body])
}

/** A message with its lists as text, to compare. */
export function readable(value: Message): unknown {
  const attributes = [...value.attributes].map(([key, list]) => [key, list.toString()])
  return { ...value, attributes, cookie: Buffer.from(value.cookie).toString() }
}

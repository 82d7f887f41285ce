import { expect } from 'chai'
import { BufferList, BufferListStream } from 'splicelist/bl'
import { bytes } from '../support/bytes.js'
import { copied } from './copied.js'

const FIXED = [
  ...['readUInt8', 'readInt8', 'readUInt16BE', 'readUInt16LE', 'readInt16BE', 'readInt16LE'],
  ...['readUInt32BE', 'readUInt32LE', 'readInt32BE', 'readInt32LE', 'readFloatBE', 'readFloatLE'],
  ...['readBigUInt64BE', 'readBigUInt64LE', 'readBigInt64BE', 'readBigInt64LE'],
  ...['readDoubleBE', 'readDoubleLE'],
] as const
const BY_LENGTH = ['readUIntBE', 'readUIntLE', 'readIntBE', 'readIntLE'] as const
type Name = (typeof FIXED)[number] | (typeof BY_LENGTH)[number]
type Numbers = Record<Name, (offset?: number, byteLength?: number) => number | bigint>

/** Any bytes, and those of the numbers next to which signs change. */
const content = Buffer.concat([
  bytes(5, 50),
  Buffer.from('80000000000000ff7fffffffffff0080', 'hex'),
])
const widthOf = (name: string): number =>
  name.startsWith('readFloat') ? 4 : Number(/\d+/.exec(name)?.[0] ?? 64) / 8

/** The same bytes, cut up differently. */
const CUTS: Readonly<Record<string, readonly Uint8Array[]>> = {
  'in one segment': [content],
  'in segments of three bytes': Array.from({ length: Math.ceil(content.length / 3) }, (_, i) =>
    content.subarray(i * 3, i * 3 + 3),
  ),
  'in segments of one byte': Array.from(content, (byte) => Uint8Array.of(byte)),
}

for (const [cut, parts] of Object.entries(CUTS)) {
  describe(`Numbers ${cut}`, () => {
    for (const [name, Class] of Object.entries({ BufferList, BufferListStream })) {
      const bl = new Class([...parts])
      const reader = bl as unknown as Numbers
      const model = content as unknown as Numbers

      it(`read as in a Buffer, at every offset (${name})`, () => {
        for (const read of FIXED) {
          const last = content.length - widthOf(read)
          for (let at = 0; at <= last; at++) {
            expect(reader[read](at), `${read}(${at})`).to.deep.equal(model[read](at))
          }
          expect(reader[read]()).to.deep.equal(model[read](0))
          expect(() => reader[read](last + 1)).to.throw(RangeError)
        }
      })

      it(`read as in a Buffer, of every length (${name})`, () => {
        for (const read of BY_LENGTH) {
          for (let length = 1; length <= 6; length++) {
            for (let at = 0; at <= content.length - length; at++) {
              expect(reader[read](at, length)).to.equal(model[read](at, length))
            }
          }
        }
      })

      it(`make no slice and copy nothing (${name})`, () => {
        const unsliced = Object.assign(bl.duplicate(), {
          slice: () => expect.fail('A number was read from a slice'),
        }) as unknown as Numbers
        const account = copied(() => {
          for (const read of FIXED) {
            for (const at of [0, 1, content.length - widthOf(read)]) unsliced[read](at)
          }
          for (const read of BY_LENGTH) {
            for (const n of [1, 5, 6]) unsliced[read](content.length - n, n)
          }
        })
        expect(account).to.deep.equal({})
      })
    }
  })
}

import { isDeepStrictEqual } from 'node:util'
import { expect } from 'chai'
import fc from 'fast-check'
import { BufferList } from 'splicelist'
import {
  bool,
  f32,
  f64,
  fixedBytes,
  i16,
  i32,
  i64,
  i8,
  latin1,
  list,
  map,
  optional,
  pair,
  record,
  set,
  struct,
  text,
  u16,
  u32,
  u53,
  u64,
  u8,
  utime,
  type Codec,
  type Fields,
} from 'splicelist/encoding'

/** A type: how it lies on the wire, and any of its values. */
interface Type {
  readonly name: string
  readonly codec: Codec<unknown>
  readonly values: fc.Arbitrary<unknown>
}

const integer = (bits: number, isSigned: boolean): fc.Arbitrary<number> =>
  fc.integer({
    min: isSigned ? -(2 ** (bits - 1)) : 0,
    max: isSigned ? 2 ** (bits - 1) - 1 : 2 ** bits - 1,
  })
/** Objects as codecs make them. */
const PLAIN = { noNullPrototype: true } as const
const leaf = <T>(name: string, codec: Codec<T>, values: fc.Arbitrary<T>): Type => ({
  name,
  codec,
  values,
})

/** Types that JavaScript compares by value: what can be a key. */
const KEYS: readonly Type[] = [
  leaf('u8', u8, integer(8, false)),
  leaf('u32', u32, integer(32, false)),
  leaf('i32', i32, integer(32, true)),
  leaf('u64', u64, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
  leaf('text', text, fc.string({ unit: 'grapheme', maxLength: 20 })),
  leaf(
    'latin1',
    latin1,
    fc.array(integer(8, false)).map((codes) => String.fromCharCode(...codes)),
  ),
]
const LEAVES: readonly Type[] = [
  ...KEYS,
  leaf('u16', u16, integer(16, false)),
  leaf('i8', i8, integer(8, true)),
  leaf('i16', i16, integer(16, true)),
  leaf('i64', i64, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  leaf('u53', u53, fc.maxSafeNat()),
  leaf('f32', f32, fc.float()),
  leaf('f64', f64, fc.double()),
  leaf('bool', bool, fc.boolean()),
  leaf(
    'utime',
    utime,
    fc.record({ seconds: integer(32, false), nanoseconds: integer(32, false) }, PLAIN),
  ),
  leaf(
    'fixedBytes(5)',
    fixedBytes(5),
    fc.uint8Array({ minLength: 5, maxLength: 5 }).map((content) => Buffer.from(content)),
  ),
]

function listType(of: Type): Type {
  const values = fc.array(of.values, { maxLength: 5 })
  return leaf(`list(${of.name})`, list(of.codec), values)
}
function setType(of: Type): Type {
  const values = fc.uniqueArray(of.values, { maxLength: 5 }).map((array) => new Set(array))
  return leaf(`set(${of.name})`, set(of.codec), values)
}
function mapType(key: Type, value: Type): Type {
  const entries = fc.uniqueArray(fc.tuple(key.values, value.values), {
    maxLength: 5,
    selector: ([k]) => k,
  })
  const values = entries.map((array) => new Map(array))
  return leaf(`map(${key.name}, ${value.name})`, map(key.codec, value.codec), values)
}
function pairType(a: Type, b: Type): Type {
  return leaf(`pair(${a.name}, ${b.name})`, pair(a.codec, b.codec), fc.tuple(a.values, b.values))
}
function optionalType(of: Type): Type {
  const values = fc.option(of.values, { nil: undefined })
  return leaf(`optional(${of.name})`, optional(of.codec), values)
}
function objectType(types: readonly Type[], isStruct: boolean): Type {
  const named = types.map((type, i) => [`f${i}`, type] as const)
  const fields: Fields = Object.fromEntries(named.map(([name, { codec }]) => [name, codec]))
  const values = fc.record(
    Object.fromEntries(named.map(([name, type]) => [name, type.values])),
    PLAIN,
  )
  const codec = isStruct
    ? struct({ version: 3, compat: 2 }, fields)
    : record(fields as Record<string, Codec<unknown>>)
  return leaf(`{ ${types.map(({ name }) => name).join(', ')} }`, codec, values as never)
}

const { type: anyType } = fc.letrec<{ type: Type }>((tie) => ({
  type: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...LEAVES),
    fc.constantFrom(...KEYS).map(setType),
    tie('type').map(listType),
    tie('type').map(optionalType),
    fc.tuple(fc.constantFrom(...KEYS), tie('type')).map(([k, v]) => mapType(k, v)),
    fc.tuple(tie('type'), tie('type')).map(([a, b]) => pairType(a, b)),
    fc
      .tuple(fc.array(tie('type'), { minLength: 1, maxLength: 5 }), fc.boolean())
      .map(([types, isStruct]) => objectType(types, isStruct)),
  ),
}))
/** A type and one of its values; a counterexample prints what it is. */
const typeAndValue = anyType.chain(({ name, codec, values }) =>
  values.map((value) => ({
    name,
    codec,
    value,
    [fc.toStringMethod]: () => `${name}: ${fc.stringify(value)}`,
  })),
)

/** The same bytes in segments that end where `cuts` say, in parts of the whole. */
function cutAt(content: Buffer<ArrayBuffer>, cuts: readonly number[]): BufferList {
  const ends = cuts.map((part) => Math.floor(part * content.length)).sort((a, b) => a - b)
  const target = new BufferList()
  let at = 0
  for (const end of [...ends, content.length]) {
    target.append(content.subarray(at, end))
    at = end
  }
  return target
}
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 })

describe('Any value of any type', () => {
  it('comes back as it was, whatever lies before and behind it, and however it is cut', () => {
    fc.assert(
      fc.property(typeAndValue, cuts, ({ codec, value }, where) => {
        const target = new BufferList('before')
        codec.encode(target, value)
        const length = target.length - 6
        expect(length).to.be.at.least(codec.bytesMin ?? 1)
        target.append('behind')

        const cursor = cutAt(target.toBuffer(), where).cursor(6)
        const back = codec.decode(cursor)
        // Chai puts a map's entries in order by their text, which two objects share.
        expect(isDeepStrictEqual(back, value)).to.be.true
        expect(cursor.offset).to.equal(6 + length)
        expect(cursor.readString(6)).to.equal('behind')

        const again = new BufferList()
        codec.encode(again, back)
        expect(again.equals(target.substr(6, length))).to.be.true
      }),
      { numRuns: 1000 },
    )
  })

  it('that is cut short is a typed error, and leaves the cursor', () => {
    fc.assert(
      fc.property(typeAndValue, fc.double({ min: 0, max: 0.999, noNaN: true }), (made, part) => {
        const target = new BufferList()
        made.codec.encode(target, made.value)
        target.truncate(Math.floor(part * target.length))
        const cursor = target.cursor()
        expect(() => made.codec.decode(cursor))
          .to.throw()
          .with.property('code', 'ERR_SPLICELIST_END_OF_BUFFER')
        expect(cursor.offset).to.equal(0)
      }),
      { numRuns: 500 },
    )
  })
})

import { expect } from 'chai'
import { BufferList } from 'splicelist'
import {
  bool,
  bufferlist,
  list,
  map,
  optional,
  pair,
  record,
  set,
  since,
  struct,
  text,
  u32,
  u53,
  u64,
  utime,
  type Codec,
  type UTime,
  type ValueOf,
} from 'splicelist/encoding'

/* eslint-disable @typescript-eslint/no-unnecessary-type-parameters --
   Two functions of a type that is not known yet are how TypeScript compares two types exactly. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
/** Compiles where a claim holds. */
function check<T extends true>(claim: T): void {
  expect(claim).to.be.true
}
/* eslint-enable @typescript-eslint/no-unnecessary-type-parameters */

const inner = record({ at: utime, ids: set(u64) })
const codec = struct(
  { version: 2, compat: 1 },
  {
    name: text,
    size: u53,
    isSet: bool,
    parts: list(inner),
    data: map(text, bufferlist),
    parent: optional(pair(u32, u64)),
    label: since(2, text, () => ''),
  },
)
interface Expected {
  name: string
  size: number
  isSet: boolean
  parts: { at: { seconds: number; nanoseconds: number }; ids: Set<bigint> }[]
  data: Map<string, BufferList>
  parent: [number, bigint] | undefined
  label: string
}

describe("A codec's type", () => {
  it('follows from what it is made of', () => {
    check<Same<ValueOf<typeof inner>, { at: UTime; ids: Set<bigint> }>>(true)
    check<Same<ValueOf<typeof codec>['parent'], [number, bigint] | undefined>>(true)
    check<Same<ValueOf<typeof codec>['label'], string>>(true)
    check<Same<keyof ValueOf<typeof codec>, keyof Expected>>(true)
    const asExpected = (value: ValueOf<typeof codec>): Expected => value
    const asInferred = (value: Expected): ValueOf<typeof codec> => value
    expect([asExpected, asInferred]).to.have.length(2)
  })

  it('refuses values of other types, missing fields and unknown ones', () => {
    const never = (): void => {
      const target = new BufferList()
      // @ts-expect-error A u64 is a bigint.
      u64.encode(target, 1)
      // @ts-expect-error A text is a string.
      list(text).encode(target, [1])
      // @ts-expect-error The key is a number.
      map(u32, text).encode(target, new Map([['a', 'b']]))
      // @ts-expect-error The field at is missing.
      inner.encode(target, { ids: new Set<bigint>() })
      // @ts-expect-error There is no field of this name.
      inner.encode(target, { at: { seconds: 1, nanoseconds: 2 }, ids: new Set<bigint>(), no: 1 })
      // @ts-expect-error A record has no versions.
      record({ late: since(2, u32, () => 0) })
      // @ts-expect-error What a field is in older versions is of its type.
      struct({ version: 2, compat: 1 }, { late: since<number>(2, u32, () => '') })
      // @ts-expect-error A decoded size is a number.
      codec.decode(target.cursor()).size satisfies string
    }
    expect(never).to.be.a('function')
  })

  it('is that of a codec by hand, which can be used wherever one can', () => {
    const upper: Codec<string> = {
      encode: (target, value) => {
        text.encode(target, value.toLowerCase())
      },
      decode: (cursor) => text.decode(cursor).toUpperCase(),
    }
    const words = record({ words: list(upper) })
    check<Same<ValueOf<typeof words>['words'], string[]>>(true)
    const target = new BufferList()
    words.encode(target, { words: ['AB'] })
    expect(target.toString('utf8', 8)).to.equal('ab')
    expect(words.decode(target.cursor())).to.deep.equal({ words: ['AB'] })
  })
})

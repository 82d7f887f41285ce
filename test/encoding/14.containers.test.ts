import { expect } from 'chai'
import { BufferList, EndOfBufferError, InvalidArgumentError, MalformedInputError } from 'splicelist'
import {
  bool,
  COUNT_MAX,
  list,
  map,
  NESTING_MAX,
  optional,
  pair,
  record,
  set,
  text,
  u16,
  u32,
  u64,
  u8,
  type Codec,
} from 'splicelist/encoding'
import { decoded, encoded, encodeRefusal, expectOnWire, refusal, wire } from './wire.js'

describe('A container', () => {
  it('that is a list is its count, then the elements', () => {
    expectOnWire(list(u16), [], '00 00 00 00')
    expectOnWire(list(u16), [1, 0x203], '02 00 00 00  01 00  03 02')
    expectOnWire(list(text), ['a', ''], '02 00 00 00  01 00 00 00 61  00 00 00 00')
  })

  it('that is a set is its count, then the elements in its own order', () => {
    expectOnWire(set(u8), new Set([3, 1, 2]), '03 00 00 00  03 01 02')
  })

  it('that is a map is its count, then key and value by turns, in its own order', () => {
    const value = new Map([
      ['b', 2],
      ['a', 1],
    ])
    expectOnWire(map(text, u8), value, '02 00 00 00  01 00 00 00 62 02  01 00 00 00 61 01')
    expect([...decoded(map(text, u8), encoded(map(text, u8), value)).keys()]).to.deep.equal([
      'b',
      'a',
    ])
  })

  it('that is optional is a byte, then the value if there is one', () => {
    expectOnWire(optional(u16), undefined, '00')
    expectOnWire(optional(u16), 0x102, '01 02 01')
    expectOnWire(optional(optional(u8)), undefined, '00')
    for (const hex of ['02 00 00', 'ff 00 00']) {
      expect(refusal(optional(u16), wire(hex))).to.be.instanceOf(MalformedInputError)
    }
  })

  it('that is a pair is one value, then the other', () => {
    expectOnWire(pair(u8, text), [7, 'x'], '07 01 00 00 00 78')
    expect(pair(u8, text).bytesMin).to.equal(5)
  })

  it('that is a record is its fields, one after the other', () => {
    const point = record({ x: u16, y: u8, isSet: bool })
    expectOnWire(point, { x: 1, y: 2, isSet: true }, '01 00 02 01')
    expect(point.bytesMin).to.equal(4)
  })

  it('takes what it is for', () => {
    const wrong: readonly (readonly [Codec<unknown>, readonly unknown[]])[] = [
      [list(u8), [undefined, null, new Set([1]), 'abc', new Uint8Array(1), { length: 1 }]],
      [set(u8), [undefined, null, [1], new Map()]],
      [map(u8, u8), [undefined, null, { 1: 1 }, [[1, 1]], new Set()]],
      [pair(u8, u8), [undefined, null, [1], [1, 2, 3], { 0: 1, 1: 2 }]],
      [record({ x: u8 }), [undefined, null, 7, 'x', {}]],
      [optional(u8), [null, 'x']],
    ]
    for (const [codec, values] of wrong) {
      for (const value of values) {
        expect(encodeRefusal(codec, value)).to.be.instanceOf(InvalidArgumentError)
      }
    }
  })

  it('with one thing twice is malformed: something would be lost', () => {
    const twice = [
      refusal(set(u64), wire('02 00 00 00  07 00 00 00 00 00 00 00  07 00 00 00 00 00 00 00')),
      refusal(set(text), wire('02 00 00 00  01 00 00 00 61  01 00 00 00 61')),
      refusal(map(u8, u8), wire('03 00 00 00  01 01  02 02  01 03')),
    ]
    for (const error of twice) expect(error).to.be.instanceOf(MalformedInputError)
    expect(twice[2]?.message).to.contain('[2]')
  })

  it('cannot have elements that take no bytes, whose count nothing would bound', () => {
    const nothing = record({})
    expectOnWire(nothing, {}, '')
    expect(() => list(nothing)).to.throw(InvalidArgumentError)
    expect(() => set(nothing)).to.throw(InvalidArgumentError)
    expect(() => map(nothing, nothing)).to.throw(InvalidArgumentError)
  })

  it('that grows while it is encoded is refused', () => {
    const values = [1, 2, 3]
    const meddling: Codec<number> = {
      encode: (target, value) => {
        u8.encode(target, value)
        if (value === 1) values.push(4)
      },
      decode: (cursor) => u8.decode(cursor),
    }
    expect(encodeRefusal(list(meddling), values)).to.be.instanceOf(InvalidArgumentError)
  })
})

describe('A hostile count', () => {
  const kinds: readonly (readonly [string, (limit?: { countMax: number }) => Codec<unknown>])[] = [
    ['list', (limit) => list(u8, limit)],
    ['set', (limit) => set(u8, limit)],
    ['map', (limit) => map(u8, u8, limit)],
  ]
  for (const [name, make] of kinds) {
    it(`of a ${name} is refused before anything is allocated`, () => {
      const error = refusal(make(), wire('ff ff ff ff 01 02 03 04'))
      expect(error).to.be.instanceOf(MalformedInputError)
      expect(error.message).to.contain('4294967295').and.to.contain('offset 0')
    })

    it(`of a ${name} is held against the bytes that are left, whatever its limit`, () => {
      const codec = make({ countMax: 0xffff_ffff })
      expect(refusal(codec, wire('ff ff ff ff 01 02 03 04'))).to.be.instanceOf(EndOfBufferError)
      expect(refusal(codec, wire('05 00 00 00 01 02 03 04'))).to.be.instanceOf(EndOfBufferError)
    })

    it(`of a ${name} may be its limit, and not one more`, () => {
      const codec = make({ countMax: 2 })
      const content = wire('02 00 00 00 01 02 03 04 05 06')
      expect(() => decodedFrom(codec, content)).not.to.throw()
      content[0] = 3
      expect(refusal(codec, content)).to.be.instanceOf(MalformedInputError)
    })
  }

  it('counts with what its elements take at the least', () => {
    // Three lists take 12 bytes or more; these are 11.
    const error = refusal(list(list(u8)), wire('03 00 00 00  00 00 00 00  00 00 00 00  00 00 00'))
    expect(error).to.be.instanceOf(EndOfBufferError)
    expect(error.message).to.contain('12 bytes').and.to.contain('11 are left')
  })

  it(`is ${COUNT_MAX} at the most where nothing else is said`, () => {
    const content = Buffer.alloc(4 + COUNT_MAX + 1, 1)
    content.writeUInt32LE(COUNT_MAX)
    expect(decodedFrom(list(u8), content)).to.have.length(COUNT_MAX)
    content.writeUInt32LE(COUNT_MAX + 1)
    expect(refusal(list(u8), content)).to.be.instanceOf(MalformedInputError)
    expect(decodedFrom(list(u8, { countMax: COUNT_MAX + 1 }), content)).to.have.length(
      COUNT_MAX + 1,
    )

    const values = Array.from({ length: COUNT_MAX + 1 }, () => 1)
    expect(encodeRefusal(list(u8), values)).to.be.instanceOf(InvalidArgumentError)
    values.pop()
    expect(encoded(list(u8), values)).to.have.length(4 + COUNT_MAX)
  })

  function decodedFrom<T>(codec: Codec<T>, content: Buffer<ArrayBuffer>): T {
    return codec.decode(new BufferList(content).cursor())
  }
})

describe('Nesting', () => {
  type Nest = Nest[]
  const nest: Codec<Nest> = list({
    encode: (target, value) => {
      nest.encode(target, value)
    },
    decode: (cursor) => nest.decode(cursor),
  })
  /** So many lists inside one another. */
  const deep = (levels: number): Nest => (levels === 1 ? [] : [deep(levels - 1)])
  const bytesOf = (levels: number): Buffer<ArrayBuffer> =>
    wire('01 00 00 00'.repeat(levels - 1) + '00 00 00 00')

  it(`goes ${NESTING_MAX} deep, and not one deeper`, () => {
    expect(decoded(nest, bytesOf(NESTING_MAX))).to.deep.equal(deep(NESTING_MAX))
    expect(encoded(nest, deep(NESTING_MAX)).equals(bytesOf(NESTING_MAX))).to.be.true

    const error = refusal(nest, bytesOf(NESTING_MAX + 1))
    expect(error).to.be.instanceOf(MalformedInputError)
    expect(error.message).to.contain(`offset ${NESTING_MAX * 4}`)
    expect(encodeRefusal(nest, deep(NESTING_MAX + 1))).to.be.instanceOf(InvalidArgumentError)
  })

  it('of a hostile message far deeper than the stack is refused as quickly', () => {
    expect(refusal(nest, bytesOf(100_000))).to.be.instanceOf(MalformedInputError)
  })

  it('of a value in itself is refused', () => {
    const itself: Nest = []
    itself.push(itself)
    expect(encodeRefusal(nest, itself)).to.be.instanceOf(InvalidArgumentError)
  })

  it('counts anew after each failure, and beside each other', () => {
    for (let i = 0; i < 3; i++) refusal(nest, bytesOf(NESTING_MAX + 1))
    const wide = Array.from({ length: 200 }, () => deep(3))
    expect(decoded(nest, encoded(nest, wide))).to.deep.equal(wide)
  })

  it('of optional values, pairs, records and maps is bounded as that of lists is', () => {
    interface Chain {
      next: Chain | undefined
    }
    const chain: Codec<Chain> = record({
      next: optional<Chain>({
        encode: (target, value) => {
          chain.encode(target, value)
        },
        decode: (cursor) => chain.decode(cursor),
      }),
    })
    expect(() => decoded(chain, wire('01'.repeat(31) + '00'))).not.to.throw()
    expect(refusal(chain, wire('01'.repeat(32) + '00'))).to.be.instanceOf(MalformedInputError)

    type Tree = Map<number, Tree>
    const tree: Codec<Tree> = map(u32, {
      encode: (target, value: Tree) => {
        tree.encode(target, value)
      },
      decode: (cursor) => tree.decode(cursor),
    })
    const forest = (levels: number): Buffer<ArrayBuffer> =>
      wire('01 00 00 00 07 00 00 00'.repeat(levels - 1) + '00 00 00 00')
    expect(() => decoded(tree, forest(32))).not.to.throw()
    expect(refusal(tree, forest(33))).to.be.instanceOf(MalformedInputError)
  })
})

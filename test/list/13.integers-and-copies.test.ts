import { expect } from 'chai'
import { BufferList, counters, InvalidArgumentError, ReleasedError } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'

/** Every integer and float that a list encodes: how, and the values at its limits. */
const NUMBERS = [
  { name: 'UInt8', values: [0, 1, 0x7f, 0xff], past: [-1, 0x100], width: 1 },
  { name: 'Int8', values: [0, -1, 0x7f, -0x80], past: [0x80, -0x81], width: 1 },
  ...both('UInt16', [0, 0x0102, 0xffff], [-1, 0x10000], 2),
  ...both('Int16', [0, -2, 0x7fff, -0x8000], [0x8000, -0x8001], 2),
  ...both('UInt32', [0, 0x01020304, 0xffffffff], [-1, 0x100000000], 4),
  ...both('Int32', [0, -2, 0x7fffffff, -0x80000000], [0x80000000, -0x80000001], 4),
  ...both('BigUInt64', [0n, 0x0102030405060708n, 2n ** 64n - 1n], [-1n, 2n ** 64n], 8),
  ...both('BigInt64', [0n, -2n, 2n ** 63n - 1n, -(2n ** 63n)], [2n ** 63n, -(2n ** 63n) - 1n], 8),
  ...both('Float', [0, -0, 1.5, Infinity, NaN], [], 4),
  ...both('Double', [0, 0.1, -Number.MAX_VALUE, NaN], [], 8),
]

type Value = number | bigint
interface NumberCase {
  readonly name: string
  readonly values: readonly Value[]
  /** One past the limits. */
  readonly past: readonly Value[]
  readonly width: number
}

function both(name: string, values: Value[], past: Value[], width: number): NumberCase[] {
  return [`${name}LE`, `${name}BE`].map((full) => ({ name: full, values, past, width }))
}

/** `appendX` of a list, `writeX` of a Buffer, `readX` of a cursor: all by the same name. */
function call(on: object, prefix: string, name: string, ...values: unknown[]): unknown {
  const method = (on as Record<string, (...all: unknown[]) => unknown>)[prefix + name]
  if (method === undefined) throw new Error(`There is no ${prefix}${name}`)
  return method.apply(on, values)
}

describe('Integers in a list', () => {
  for (const { name, values, past, width } of NUMBERS) {
    it(`append${name} writes what Buffer writes, and a cursor reads it back`, () => {
      const list = new BufferList()
      const flat = Buffer.alloc(width * values.length)
      values.forEach((value, i) => {
        call(list, 'append', name, value)
        call(flat, 'write', name, value, i * width)
      })
      expectSameBytes(list.toBuffer(), flat)
      const cursor = list.cursor()
      for (const value of values) {
        const read = call(cursor, 'read', name)
        if (name.startsWith('Float')) expect(read).to.be.deep.equal(Math.fround(Number(value)))
        else expect(read).to.deep.equal(value)
      }
    })

    it(`append${name} refuses what does not fit, and adds nothing`, () => {
      const list = new BufferList('ab')
      for (const wrong of [...past, undefined, null, '1', {}]) {
        expect(() => call(list, 'append', name, wrong)).to.throw(
          InvalidArgumentError,
          `append${name.replace(/[LB]E$/, '')}`,
        )
      }
      if (!/Float|Double/.test(name)) {
        const other = name.startsWith('Big') ? [1, NaN] : [1n, 1.5, NaN, Infinity]
        for (const wrong of other) {
          expect(() => call(list, 'append', name, wrong)).to.throw(InvalidArgumentError)
        }
      }
      expect(list.toString()).to.equal('ab')
    })
  }

  for (const name of ['UIntLE', 'UIntBE', 'IntLE', 'IntBE']) {
    it(`append${name} writes 1 to 6 bytes, at the limits and not one past them`, () => {
      for (let width = 1; width <= 6; width++) {
        const isSigned = name.startsWith('Int')
        const max = isSigned ? 2 ** (8 * width - 1) - 1 : 2 ** (8 * width) - 1
        const min = isSigned ? -(2 ** (8 * width - 1)) : 0
        const list = new BufferList()
        const flat = Buffer.alloc(width * 2)
        call(list, 'append', name, max, width)
        call(list, 'append', name, min, width)
        call(flat, 'write', name, max, 0, width)
        call(flat, 'write', name, min, width, width)
        expectSameBytes(list.toBuffer(), flat)
        for (const wrong of [max + 1, min - 1, 0.5, NaN, 1n]) {
          expect(() => call(list, 'append', name, wrong, width)).to.throw(InvalidArgumentError)
        }
        expect(list.length).to.equal(width * 2)
      }
      for (const width of [0, 7, 1.5, undefined]) {
        expect(() => call(new BufferList(), 'append', name, 1, width)).to.throw(
          InvalidArgumentError,
          'byteLength must be 1 to 6',
        )
      }
    })
  }

  it('go into the tail: a thousand of them are one segment', () => {
    const thousand = (): number => {
      const list = new BufferList()
      for (let i = 0; i < 1000; i++) list.appendUInt32LE(i)
      expect(list.length).to.equal(4000)
      return list.numBuffers
    }
    // Other tests may have left little of the block where first tails lie: the next list has a new one.
    expect(Math.min(thousand(), thousand())).to.equal(1)
  })

  it('are refused by a list that was released', () => {
    const list = new BufferList().appendUInt32LE(1)
    list.release()
    expect(() => list.appendUInt8(1)).to.throw(ReleasedError)
    expect(() => list.appendCopy('')).to.throw(ReleasedError)
    expect(() => list.appendCopy(Buffer.alloc(0))).to.throw(ReleasedError)
    expect(() => list.appendHole(0)).to.throw(ReleasedError)
  })
})

describe('The tail of a list', () => {
  it('keeps order with what is appended by reference, moved and cut in between', () => {
    const list = new BufferList()
    list.appendUInt8(1).append(Buffer.of(2, 3)).appendUInt16BE(0x0405).append(list)
    list.claimAppend(new BufferList().appendUInt8(9)).appendUInt8(10)
    list.splice(1, 1)
    list.appendUInt8(11).prepend(Buffer.of(0)).appendUInt8(12)
    expect([...list.toBuffer()]).to.deep.equal([0, 1, 3, 4, 5, 1, 2, 3, 4, 5, 9, 10, 11, 12])
  })

  it('never writes again what a view, a part or a claimed list shows', () => {
    const list = new BufferList().appendUInt32BE(0x01020304)
    const view = list.cStr()
    using part = list.substr(1, 2)
    using other = new BufferList().claimAppend(list)
    list.appendUInt32BE(0xffffffff)
    list.consume(4).appendUInt32BE(0xeeeeeeee)
    expect([...view]).to.deep.equal([1, 2, 3, 4])
    expect([...part.toBuffer()]).to.deep.equal([2, 3])
    expect([...other.toBuffer()]).to.deep.equal([1, 2, 3, 4])
  })

  it('two lists that are written by turns do not write into each other', () => {
    const lists = Array.from({ length: 50 }, () => new BufferList())
    for (let round = 0; round < 300; round++) {
      lists.forEach((list, i) => list.appendUInt8(i).appendCopy(`${round},`))
    }
    lists.forEach((list, i) => {
      const expected = Array.from(
        { length: 300 },
        (_, round) => `${String.fromCharCode(i)}${round},`,
      )
      expect(list.toString('latin1')).to.equal(expected.join(''))
    })
  })

  it('grows by doubling: 4 MiB of integers are few segments', () => {
    const list = new BufferList()
    for (let i = 0; i < 1 << 20; i++) list.appendUInt32LE(i)
    expect(list.length).to.equal(4 << 20)
    // 64 KiB of the arena at most, 4 KiB to 128 KiB, and then 256 KiB each.
    expect(list.numBuffers).to.be.within(16, 24)
    const cursor = list.cursor()
    for (let i = 0; i < 1 << 20; i++) if (cursor.readUInt32LE() !== i) expect.fail(`integer ${i}`)
  })

  for (const size of [0, 1, 16, 4095, 4096, 32_767, 32_768, 32_769, 300_000]) {
    it(`takes a copy of ${size} bytes that change afterwards`, () => {
      const scratch = Buffer.from(bytes(3, size))
      const before = counters.snapshot()
      const list = new BufferList('x').appendCopy(scratch).appendCopy('y')
      const after = counters.snapshot()
      scratch.fill(0)
      expectSameBytes(
        list.toBuffer(),
        Buffer.concat([Buffer.from('x'), bytes(3, size), Buffer.from('y')]),
      )
      const copied = (after.copied['append-copy'] ?? 0) - (before.copied['append-copy'] ?? 0)
      expect(copied).to.equal(size)
      expect((after.copied.encode ?? 0) - (before.copied.encode ?? 0)).to.equal(2)
    })
  }

  for (const text of [
    '',
    'ascii',
    'ünï¢ødé',
    '€'.repeat(5000),
    '😀'.repeat(3000),
    '\ud800 alone',
  ]) {
    it(`encodes strings as Buffer does: ${text.slice(0, 8)}… of ${text.length}`, () => {
      const list = new BufferList('<').append(text).appendCopy(text).append('>')
      expectSameBytes(list.toBuffer(), Buffer.from(`<${text}${text}>`))
    })
  }

  it('is left by an append while views of pipes or an iteration live, which then end', () => {
    const list = new BufferList().appendUInt8(1)
    expect(() => {
      for (const view of list) list.appendUInt8(view[0] as number)
    }).to.throw(InvalidArgumentError, 'changed while it was iterated')
    expect([...list.toBuffer()]).to.deep.equal([1, 1])
  })
})

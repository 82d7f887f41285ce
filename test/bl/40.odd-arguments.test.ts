import { inspect } from 'node:util'
import { expect } from 'chai'
import * as theirs from 'bl'
import * as ours from 'splicelist/bl'

/** Whatever a program may pass where an offset is expected. */
const ODD: readonly unknown[] = [
  ...[undefined, null, NaN, Infinity, -Infinity, true, false, '', '3', 'x', 1n, {}, [], [2]],
  ...[0, -0, 1, 2, 3, 4, 5, 9, 10, 11, 50, 2 ** 31, 2 ** 53, 0.5, 1.5, -0.5],
  ...[-1, -2, -3, -7, -9, -10, -11, -50, -(2 ** 53), Symbol('s'), () => 1],
]
/** What is held, in segments. */
const HELD: Readonly<Record<string, readonly string[]>> = {
  'a single segment': ['0123456789'],
  'three segments': ['012', '3456', '789'],
  'no segment': [],
}
const LENGTH = 10

/** A call, and on what. */
interface Call {
  readonly method: string
  readonly args: readonly unknown[]
  readonly segments: readonly string[]
}

/** Ways to call with an odd argument, or two. */
const CALLS: readonly (readonly [
  method: string,
  makeArgs: (a: unknown, b: unknown) => readonly unknown[],
])[] = [
  ['get', (a) => [a]],
  ['consume', (a) => [a]],
  ['append', (a) => [a]],
  ['prepend', (a) => [a]],
  ['slice', (a, b) => [a, b]],
  ['shallowSlice', (a, b) => [a, b]],
  ['toString', (a, b) => ['latin1', a, b]],
  ['copy', (a, b) => [null, 0, a, b]],
  ['indexOf', (a, b) => ['5', a, b]],
  ['indexOf', (a, b) => ['', a, b]],
  ['readUInt8', (a) => [a]],
  ['readInt16LE', (a) => [a]],
  ['readDoubleBE', (a) => [a]],
  ['readBigUInt64LE', (a) => [a]],
  ['readUIntBE', (a, b) => [a, b]],
  ['readIntLE', (a, b) => [a, b]],
]

/** What came of a call, and what is held then. */
interface Outcome {
  readonly result?: string
  readonly error?: { readonly name: string; readonly code: string | undefined }
  readonly held: string
}

type Callable = Record<string, (...args: readonly unknown[]) => unknown>

function outcome(lib: typeof ours | typeof theirs, { method, args, segments }: Call): Outcome {
  const bl = new lib.BufferList(segments.map((text) => Buffer.from(text)))
  const attempt = (): Omit<Outcome, 'held'> => {
    try {
      return { result: shown((bl as unknown as Callable)[method]?.(...args)) }
    } catch (error) {
      const { name, code } = error as Error & { readonly code?: string }
      return { error: { name, code } }
    }
  }
  const what = attempt()
  return { ...what, held: bl.toString('latin1') }
}

function shown(result: unknown): string {
  if (Buffer.isBuffer(result)) return `Buffer ${result.toString('latin1')}`
  if (ours.isBufferList(result)) return `list ${(result as ours.BufferList).toString('latin1')}`
  return `${typeof result} ${String(result)}`
}

/** The same class of error is the same, with the same code where bl's has one. */
function areSame(mine: Outcome, theirs: Outcome): boolean {
  if (mine.held !== theirs.held || mine.result !== theirs.result) return false
  if (mine.error === undefined || theirs.error === undefined) return mine.error === theirs.error
  const hasCode = theirs.error.code !== undefined
  return (
    mine.error.name === theirs.error.name && !(hasCode && mine.error.code !== theirs.error.code)
  )
}

const RANGES = ['slice', 'shallowSlice', 'toString', 'copy']
const offsetsOf = ({ method, args }: Call): readonly unknown[] =>
  RANGES.includes(method) ? args.slice(-2) : args

/** Where a range begins or ends, roughly as bl reads it. */
function edge(offset: unknown, otherwise: number, { method }: Call): number {
  if (method === 'shallowSlice' && otherwise === 0) return Number(offset) || 0
  return typeof offset === 'number' ? offset : otherwise
}
function isBackwards(call: Call): boolean {
  if (!RANGES.includes(call.method)) return false
  const [start, end] = offsetsOf(call)
  const fromEnd = (at: number): number => (at < 0 && call.method !== 'copy' ? at + LENGTH : at)
  return fromEnd(edge(start, 0, call)) > fromEnd(edge(end, LENGTH, call))
}
const isNothing = (x: unknown): boolean => typeof x !== 'symbol' && Number.isNaN(Number(x))

/** The differences that the documentation of the drop-in names, and the calls that each is about. */
const DIFFERENCES: Readonly<Record<string, (call: Call) => boolean>> = {
  'a range that ends before it begins is empty': isBackwards,
  'a fraction is cut off': (call) =>
    call.args.some((x) => typeof x === 'number' && Number.isFinite(x) && !Number.isInteger(x)),
  'a shallowSlice that ends at NaN is a RangeError': ({ method, args: [, end] }) =>
    method === 'shallowSlice' && Number.isNaN(end),
  'shallowSlice begins at 0 where its start is no number': ({ method, args: [start] }) =>
    method === 'shallowSlice' && isNothing(start),
  'shallowSlice draws in what is further from the end than the list is long': ({ method, args }) =>
    method === 'shallowSlice' && args.some((x) => typeof x === 'number' && x < -LENGTH),
  'an empty list has no byte to throw about, but a RangeError for NaN': ({
    method,
    args,
    segments,
  }) => segments.length === 0 && (/^get|^read/.test(method) || args.some((x) => Number.isNaN(x))),
  'a bigint counts as a number': ({ args }) => args.some((x) => typeof x === 'bigint'),
}

describe('What is no offset', () => {
  const met = new Set<string>()

  for (const [what, segments] of Object.entries(HELD)) {
    for (const [method, makeArgs] of CALLS) {
      const form = `${method}(${inspect(makeArgs('a', 'b')).slice(1, -1).trim()})`
      it(`means to ${form} what it means to bl, but for the known differences: ${what}`, () => {
        const unexplained: unknown[] = []
        const pairs = makeArgs.length === 1 ? [undefined] : ODD
        for (const a of ODD) {
          for (const b of pairs) {
            const call = { method, segments, args: makeArgs(a, b) }
            const [mine, blsOwn] = [outcome(ours, call), outcome(theirs, call)]
            if (areSame(mine, blsOwn)) continue
            const known = Object.keys(DIFFERENCES).filter((name) => DIFFERENCES[name]?.(call))
            if (known.length === 0) unexplained.push({ args: call.args, mine, blsOwn })
            else known.forEach((name) => met.add(name))
          }
        }
        expect(unexplained.slice(0, 5), inspect(unexplained.slice(0, 5), { depth: 4 })).to.be.empty
      })
    }
  }

  for (const name of Object.keys(DIFFERENCES)) {
    it(`does differ where the documentation says so: ${name}`, () => {
      expect([...met]).to.include(name)
    })
  }

  /** What the drop-in makes of the calls in which it differs. */
  const make = (): ours.BufferList => new ours.BufferList(['012', '3456', '789'])
  const any = (x: unknown): number => x as number
  const results: readonly (readonly [string, (bl: ours.BufferList) => unknown, unknown])[] = [
    ['slice(5, 2)', (bl) => bl.slice(5, 2).length, 0],
    ['slice(-3, 5)', (bl) => bl.slice(-3, 5).length, 0],
    ['toString(latin1, 9, 1)', (bl) => bl.toString('latin1', 9, 1), ''],
    ['shallowSlice(9, 5)', (bl) => bl.shallowSlice(9, 5).length, 0],
    ['shallowSlice(2, 0)', (bl) => bl.shallowSlice(2, 0).length, 0],
    ['shallowSlice(-50)', (bl) => bl.shallowSlice(-50).toString(), '0123456789'],
    ['shallowSlice(-50, -8)', (bl) => bl.shallowSlice(-50, -8).toString(), '01'],
    ['shallowSlice(0, -50)', (bl) => bl.shallowSlice(0, -50).length, 0],
    ["shallowSlice('x', 4)", (bl) => bl.shallowSlice(any('x'), 4).toString(), '0123'],
    ['shallowSlice(NaN, 4)', (bl) => bl.shallowSlice(NaN, 4).toString(), '0123'],
    ['slice(0.9, 4.9)', (bl) => bl.slice(0.9, 4.9).toString(), '0123'],
    ["indexOf('', 1.5)", (bl) => bl.indexOf('', 1.5), 1],
    ['get(1n)', (bl) => bl.get(any(1n)), 49],
    ['consume(1n)', (bl) => bl.consume(any(1n)).length, 9],
    ['get(0) of none', (bl) => bl.consume(10).get(0), undefined],
  ]
  for (const [call, act, expected] of results) {
    it(`is ${String(expected) || "''"} for ${call}`, () => {
      expect(act(make())).to.equal(expected)
    })
  }
  for (const [start, end] of [
    [NaN, 3],
    [0, NaN],
    [NaN, NaN],
  ] as const) {
    it(`is a RangeError for the range from ${start} to ${end}`, () => {
      const bl = make()
      for (const act of [() => bl.slice(start, end), () => bl.toString('hex', start, end)]) {
        expect(act).to.throw(RangeError).with.property('code', 'ERR_OUT_OF_RANGE')
      }
      if (Number.isNaN(end)) expect(() => bl.shallowSlice(0, end)).to.throw(RangeError)
    })
  }
})

describe('Arguments that are right, and the ones next to them', () => {
  for (const [name, { BufferList }] of Object.entries({ ours, theirs })) {
    const make = (): ours.BufferList => new BufferList(['ab', 'cd', 'ef']) as ours.BufferList
    const any = (x: unknown): number => x as number

    it(`consume takes whole positive numbers, all at most (${name})`, () => {
      for (const none of [0, -1, -1024, NaN, 0.9, any(undefined), any('x'), any(null), -Infinity]) {
        expect(make().consume(none).toString()).to.equal('abcdef')
      }
      expect(make().consume(any('3')).toString()).to.equal('def')
      expect(make().consume(3.9).toString()).to.equal('def')
      for (const all of [6, 7, 2 ** 31, 2 ** 53, Infinity]) {
        expect(make().consume(all).length).to.equal(0)
      }
    })

    it(`get knows the first and the last byte, and none next to them (${name})`, () => {
      expect([-1, 0, 5, 6, 2 ** 53, 1.5, NaN].map((at) => make().get(at))).to.deep.equal([
        undefined,
        97,
        102,
        undefined,
        undefined,
        undefined,
        undefined,
      ])
      expect(make().get(any('1'))).to.equal(98)
    })

    it(`numbers reach to the last byte, and no further (${name})`, () => {
      expect(make().readUInt16BE(4)).to.equal(0x6566)
      expect(make().readUIntBE(0, 6)).to.equal(0x616263646566)
      for (const read of [
        () => make().readUInt16BE(5),
        () => make().readUInt8(6),
        () => make().readUInt8(2 ** 53),
        () => make().readDoubleLE(0),
        () => make().readIntBE(3, 4),
        () => make().readUInt8(-1),
      ]) {
        expect(read).to.throw(RangeError).with.property('code')
      }
      expect(() => make().readIntBE(0, 7)).to.throw(RangeError)
      expect(() => make().readUIntLE(0, 0)).to.throw(RangeError)
      expect(make().readUInt16LE(-4)).to.equal(0x6463)
    })
  }
})

describe('copy', () => {
  const make = (): ours.BufferList => new ours.BufferList(['abc', 'def', 'ghi'])
  const any = (x: unknown): Buffer => x as Buffer

  it('returns the target, however many bytes it took', () => {
    for (const target of [Buffer.alloc(0), Buffer.alloc(4), Buffer.alloc(20)]) {
      expect(make().copy(target)).to.equal(target)
      expect(make().copy(target, 1, 2, 8)).to.equal(target)
      expect(make().copy(target, 30)).to.equal(target)
      expect(make().copy(target, 0, 9)).to.equal(target)
    }
  })

  it('writes what fits, and nothing beside it', () => {
    const written = (...args: [at: number, from?: number, to?: number]): string =>
      make()
        .copy(Buffer.alloc(8, '.'), ...args)
        .toString()
    expect(written(0)).to.equal('abcdefgh')
    expect(written(5)).to.equal('.....abc')
    expect(written(1, 2, 5)).to.equal('.cde....')
    expect(written(1, -2, 2)).to.equal('.ab.....')
    expect(written(1, 7, 100)).to.equal('.hi.....')
    expect(written(8)).to.equal('........')
    expect(written(0, 5, 2)).to.equal('........')
    expect(written('2' as unknown as number, 0, 1)).to.equal('..a.....')
  })

  it('is a slice without a target', () => {
    expect(make().copy(null, 5, 2, 4).toString()).to.equal('cd')
    expect(make().copy(any(undefined)).toString()).to.equal('abcdefghi')
  })

  it('refuses targets that are none with the errors of Buffers, as bl does', () => {
    for (const bl of [make(), new theirs.BufferList(['abc', 'def', 'ghi'])]) {
      for (const wrong of ['text', {}, [1], 5]) {
        expect(() => bl.copy(any(wrong)))
          .to.throw(TypeError)
          .with.property('code', 'ERR_INVALID_ARG_TYPE')
      }
      expect(() => bl.copy(Buffer.alloc(4), -1))
        .to.throw(RangeError)
        .with.property('code', 'ERR_OUT_OF_RANGE')
    }
  })
})

describe('indexOf', () => {
  const any = (x: unknown): string => x as string
  for (const [name, { BufferList }] of Object.entries({ ours, theirs })) {
    const bl = new BufferList(['abcdefg', 'abc', 'defg\u00e9']) as ours.BufferList

    it(`finds bytes, text, Buffers and lists, across segments (${name})`, () => {
      expect(bl.indexOf('ga')).to.equal(6)
      expect(bl.indexOf(99)).to.equal(2)
      expect(bl.indexOf(99 + 256)).to.equal(2)
      expect(bl.indexOf(99 - 256, 3)).to.equal(9)
      expect(bl.indexOf(Buffer.from('cd'), 3)).to.equal(9)
      expect(bl.indexOf(Uint8Array.of(99, 100), -9)).to.equal(9)
      expect(bl.indexOf(new BufferList(['g', 'ab']) as ours.BufferList)).to.equal(6)
      expect(bl.indexOf(any(Uint16Array.of(0x163, 0x264)))).to.equal(2)
    })

    it(`takes an encoding, also in the place of the offset (${name})`, () => {
      expect(bl.indexOf('\u00e9')).to.equal(14)
      expect(bl.indexOf('w6k=', 'base64')).to.equal(14)
      expect(bl.indexOf('6162', 3, 'hex')).to.equal(7)
      expect(bl.indexOf('\u00c3\u00a9', 0, 'latin1')).to.equal(14)
      expect(() => bl.indexOf('a', 'no encoding')).to.throw(TypeError, /encoding/)
    })

    it(`refuses what cannot be searched for with a TypeError (${name})`, () => {
      for (const wrong of [undefined, null, {}, [], [97], () => 1, true, 1n]) {
        expect(() => bl.indexOf(any(wrong))).to.throw(TypeError)
      }
    })
  }

  it("finds a list of splicelist's own too", () => {
    const bl = new ours.BufferList(['abc', 'def'])
    expect(bl.indexOf(new ours.BufferList(['c', 'd']).list)).to.equal(2)
  })
})

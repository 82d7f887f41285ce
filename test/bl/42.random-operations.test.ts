import { inspect } from 'node:util'
import { expect } from 'chai'
import * as theirs from 'bl'
import fc from 'fast-check'
import * as ours from 'splicelist/bl'

/** Runs of operations, and operations in each. */
const RUNS = 300
const OPERATIONS_MAX = 40

type Lists = readonly [mine: ours.BufferList, blsOwn: theirs.BufferList]
/** An operation on both lists: what came of it on each, and the lists to go on with. */
interface Step {
  readonly text: string
  run(lists: Lists): { readonly seen: readonly [unknown, unknown]; readonly next?: Lists }
}

/** Bytes of few values, so that searches find something. Not none: bl trips over empty Buffers. */
const memory = fc
  .array(fc.integer({ min: 97, max: 100 }), { minLength: 1, maxLength: 30 })
  .map((values) => Buffer.from(values))
const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 10 })
const part = fc.letrec((tie) => ({
  part: fc.oneof(
    { maxDepth: 3 },
    memory,
    memory.map((bytes) => new Uint8Array(bytes)),
    text,
    fc.integer(),
    fc.array(tie('part'), { maxLength: 4 }),
  ),
})).part as fc.Arbitrary<Buffer>
const shown = (value: unknown): string => inspect(value, { breakLength: Infinity })
const offset = fc.oneof(fc.integer({ min: -3, max: 60 }), fc.constant(undefined))
const width = fc.integer({ min: 0, max: 7 })

type Reader = Record<string, (...args: readonly unknown[]) => unknown>

/** A value, or the class of the error: the lists need not agree on its words. */
function attempt(list: unknown, method: string, args: readonly unknown[]): unknown {
  try {
    const result = (list as Reader)[method]?.(...args)
    return Buffer.isBuffer(result) ? result.toString('latin1') : result
  } catch (error) {
    return (error as Error).name
  }
}

/** Asks both the same. */
function ask(method: string, ...args: readonly unknown[]): Step {
  return {
    text: `${method}(${args.map(shown).join(', ')})`,
    run: ([mine, blsOwn]) => ({
      seen: [attempt(mine, method, args), attempt(blsOwn, method, args)],
    }),
  }
}
/** Copies out of both, into a target of its own each: what bl returns is not always the target. */
function copyOut(from: number, to: number): Step {
  const targetOf = (list: Lists[number]): string => {
    const target = Buffer.alloc(to - from + 3, '.')
    list.copy(target, 1, from, to)
    return target.toString('latin1')
  }
  return {
    text: `copy(…, 1, ${from}, ${to})`,
    run: ([mine, blsOwn]) => ({ seen: [targetOf(mine), targetOf(blsOwn)] }),
  }
}
/** Changes both the same way. */
function change(name: string, act: (list: ours.BufferList) => ours.BufferList): Step {
  return {
    text: name,
    run: ([mine, blsOwn]) => ({
      seen: [undefined, undefined],
      next: [act(mine), act(blsOwn as unknown as ours.BufferList) as unknown as theirs.BufferList],
    }),
  }
}
/** Ranges as bl can take them: what it does with others is specified elsewhere. */
function range(name: string, act: (list: ours.BufferList, from: number, to: number) => Step) {
  return fc.tuple(fc.nat({ max: 60 }), fc.nat({ max: 60 })).map(([from, length]): Step => ({
    text: `${name} ${from} + ${length}`,
    run: (lists) => act(lists[0], from, from + length).run(lists),
  }))
}

const READS = [
  ...['readUInt8', 'readInt8', 'readUInt16BE', 'readUInt16LE', 'readInt16BE', 'readInt16LE'],
  ...['readUInt32BE', 'readUInt32LE', 'readInt32BE', 'readInt32LE', 'readFloatBE', 'readFloatLE'],
  ...['readBigUInt64BE', 'readBigUInt64LE', 'readBigInt64BE', 'readBigInt64LE'],
  ...['readDoubleBE', 'readDoubleLE'],
]

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: part.map((p) => change(`append ${shown(p)}`, (list) => list.append(p))) },
  part.map((p) => change(`prepend ${shown(p)}`, (list) => list.prepend(p))),
  fc.integer({ min: -2, max: 40 }).map((n) => change(`consume ${n}`, (list) => list.consume(n))),
  fc.constant(change('append another', (list) => list.append(list.duplicate().consume(3)))),
  fc.constant(change('duplicate', (list) => list.duplicate())),
  range('shallowSlice', (list, from, to) =>
    change('shallowSlice', (each) =>
      each.shallowSlice(Math.min(from, list.length), Math.min(to, list.length)),
    ),
  ),
  range('slice', (_list, from, to) => ask('slice', from, to)),
  range('toString', (_list, from, to) => ask('toString', 'utf8', from, to)),
  range('copy', (_list, from, to) => copyOut(from, to)),
  fc.tuple(fc.integer({ min: -20, max: -1 }), fc.nat({ max: 9 })).map(([a, n]) =>
    // Both count from the end, and the first lies before the second.
    ask('slice', a - n, a),
  ),
  offset.map((at) => ask('get', at)),
  fc
    .tuple(fc.oneof(memory, text, fc.nat({ max: 255 })), offset)
    .map((args) => ask('indexOf', ...args)),
  fc.tuple(fc.constantFrom(...READS), offset).map(([name, at]) => ask(name, at)),
  fc
    .tuple(fc.constantFrom('readUIntBE', 'readUIntLE', 'readIntBE', 'readIntLE'), offset, width)
    .map(([name, at, n]) => ask(name, at, n)),
)

/** What is known to differ where there is nothing: see the odd arguments. */
const isKnown = (mine: unknown, blsOwn: unknown, length: number): boolean =>
  length === 0 && blsOwn === 'TypeError' && mine !== 'TypeError'

describe('Random operations', function () {
  this.timeout(60_000)

  for (const name of ['BufferList', 'BufferListStream'] as const) {
    it(`have the same results on a ${name} as on bl's`, () => {
      let compared = 0
      fc.assert(
        fc.property(fc.array(step, { maxLength: OPERATIONS_MAX }), (steps) => {
          const make = (lib: unknown): unknown => new (lib as typeof ours)[name]()
          let lists = [make(ours), make(theirs)] as unknown as Lists
          const done: string[] = []
          for (const { text, ...each } of steps) {
            done.push(text)
            const { seen, next = lists } = each.run(lists)
            if (!isKnown(...seen, lists[0].length)) {
              expect(seen[0], done.join('; ')).to.deep.equal(seen[1])
            }
            lists = next
            const [mine, blsOwn] = lists
            expect(mine.length, done.join('; ')).to.equal(blsOwn.length)
            expect(mine.toString('latin1'), done.join('; ')).to.equal(blsOwn.toString('latin1'))
            expect(Buffer.concat(mine.getBuffers()).toString('latin1')).to.equal(
              blsOwn.toString('latin1'),
            )
            compared++
          }
        }),
        { numRuns: RUNS },
      )
      expect(compared).to.be.greaterThan(RUNS)
    })
  }
})

import { expect } from 'chai'
import { BufferList, type Part } from 'splicelist'
import { crc32cByTable } from '#lib/list/crc32c-table.js'
import { pipeRaw } from '../raw/pipes.js'
import { bytes } from '../support/bytes.js'
import { firstDifference } from '../support/first-difference.js'
import { hasAddon } from '../support/needs.js'
import { extentList } from './kinds.js'

/** Lists that are operated on at the same time, and share their segments. */
const LISTS = 4
const OPERATIONS = 2000
/** A list that grows beyond this is cut down, so that every comparison stays cheap, in bytes. */
const LENGTH_MAX = 300_000

/** Numbers that look random and are the same for the same seed: mulberry32. */
class Dice {
  #state: number
  constructor(seed: number) {
    this.#state = seed
  }
  /** A whole number from 0 to `max`. */
  upTo(max: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * (max + 1))
  }
  /** One of some. */
  of<T>(some: readonly T[]): T {
    return some[this.upTo(some.length - 1)] as T
  }
  /** A length: often small, sometimes at a border of pages and blocks. */
  length(max: number): number {
    const lengths = [this.upTo(9), this.upTo(300), 4095 + this.upTo(2), 65_535 + this.upTo(2)]
    return Math.min(max, this.of([...lengths, this.upTo(max)]))
  }
}

/** A list, and what must be in it. */
interface Pair {
  readonly list: BufferList
  model: Buffer
}

/** A part, and its bytes. */
interface Given {
  readonly part: Part
  readonly content: Buffer
}

/** One operation on a pair; others may be read and, where that is said, changed. */
type Operation = (pair: Pair, other: Pair, dice: Dice, given: Given) => void

const join = (...parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts)

const OPERATIONS_BY_NAME: Readonly<Record<string, Operation>> = {
  append: (pair, _other, _dice, { part, content }) => {
    pair.list.append(part)
    pair.model = join(pair.model, content)
  },
  prepend: (pair, _other, _dice, { part, content }) => {
    pair.list.prepend(part)
    pair.model = join(content, pair.model)
  },
  'append another': (pair, other) => {
    pair.list.append(other.list)
    pair.model = join(pair.model, other.model)
  },
  'prepend another': (pair, other) => {
    pair.list.prepend(other.list)
    pair.model = join(other.model, pair.model)
  },
  claimAppend: (pair, other) => {
    if (pair === other) return
    pair.list.claimAppend(other.list)
    pair.model = join(pair.model, other.model)
    other.model = Buffer.alloc(0)
  },
  'substr to another': (pair, other, dice) => {
    const offset = dice.upTo(pair.model.length)
    const length = dice.length(pair.model.length - offset)
    using part = pair.list.substr(offset, length)
    const content = Buffer.from(pair.model.subarray(offset, offset + length))
    other.list.truncate(0).claimAppend(part)
    other.model = content
  },
  'splice a part in': (pair, _other, dice, { part, content }) => {
    const offset = dice.upTo(pair.model.length)
    const length = dice.length(pair.model.length - offset)
    using removed = pair.list.splice(offset, length, part)
    expectSame(removed.toBuffer(), pair.model.subarray(offset, offset + length))
    pair.model = join(pair.model.subarray(0, offset), content, pair.model.subarray(offset + length))
  },
  'splice out and in elsewhere': (pair, _other, dice) => {
    const offset = dice.upTo(pair.model.length)
    const length = dice.length(pair.model.length - offset)
    using removed = pair.list.splice(offset, length)
    const cut = Buffer.from(pair.model.subarray(offset, offset + length))
    pair.model = join(pair.model.subarray(0, offset), pair.model.subarray(offset + length))
    const at = dice.upTo(pair.model.length)
    pair.list.splice(at, 0, removed)
    pair.model = join(pair.model.subarray(0, at), cut, pair.model.subarray(at))
  },
  'take to the end of another': (pair, other, dice) => {
    const length = dice.length(pair.model.length)
    using taken = pair.list.take(length)
    const content = Buffer.from(pair.model.subarray(0, length))
    pair.model = pair.model.subarray(length)
    other.list.append(taken)
    other.model = join(other.model, content)
  },
  consume: (pair, _other, dice) => {
    const length = dice.length(pair.model.length)
    pair.list.consume(length)
    pair.model = pair.model.subarray(length)
  },
  truncate: (pair, _other, dice) => {
    const length = pair.model.length - dice.length(pair.model.length)
    pair.list.truncate(length)
    pair.model = pair.model.subarray(0, length)
  },
  rebuild: (pair, _other, dice) => {
    if (dice.upTo(9) === 0) pair.list.rebuild()
  },
  cStr: (pair, _other, dice) => {
    const offset = dice.upTo(pair.model.length)
    const length = dice.length(pair.model.length - offset)
    const view = pair.list.cStr(offset, length)
    expectSame(view, pair.model.subarray(offset, offset + length))
  },
  copyOut: (pair, _other, dice) => {
    const target = Buffer.alloc(dice.length(100_000), 0xaa)
    const offset = dice.upTo(pair.model.length)
    const copied = pair.list.copyOut(offset, target)
    expect(copied).to.equal(Math.min(target.length, pair.model.length - offset))
    expectSame(target.subarray(0, copied), pair.model.subarray(offset, offset + copied))
  },
  iterate: (pair) => {
    let at = 0
    for (const view of pair.list) {
      expectSame(view, pair.model.subarray(at, at + view.length))
      at += view.length
    }
    expect(at).to.equal(pair.model.length)
  },
  byteAt: (pair, _other, dice) => {
    if (pair.model.length === 0) return
    const at = dice.upTo(pair.model.length - 1)
    expect(pair.list.byteAt(at)).to.equal(pair.model[at])
  },
  'read by a cursor': (pair, other, dice) => {
    const { model } = pair
    const cursor = pair.list.cursor(dice.upTo(model.length))
    for (let i = 0; i < 8; i++) {
      const at = cursor.offset
      if (dice.upTo(3) === 0) cursor.seek(dice.upTo(model.length))
      else if (cursor.remaining >= 8 && dice.upTo(1) === 0) {
        expect(cursor.readBigUInt64LE()).to.equal(model.readBigUInt64LE(at))
      } else if (cursor.remaining >= 2) {
        expect(cursor.readUInt16BE()).to.equal(model.readUInt16BE(at))
      }
      const ahead = dice.length(cursor.remaining)
      const from = cursor.offset
      const way = dice.upTo(3)
      if (way === 0) {
        using list = cursor.readList(ahead)
        expectSame(list.toBuffer(), model.subarray(from, from + ahead))
      } else if (way === 1) {
        const text = cursor.readString(ahead, 'latin1')
        expect(text === model.toString('latin1', from, from + ahead)).to.equal(true)
      } else cursor.skip(ahead)
      expect(cursor.remaining).to.equal(model.length - from - ahead)
    }
    expect(other.list.length).to.equal(other.model.length)
  },
  indexOf: (pair, _other, dice) => {
    const from = dice.upTo(pair.model.length)
    const at = dice.upTo(pair.model.length)
    const needle = Buffer.from(pair.model.subarray(at, at + dice.upTo(40)))
    const expected = needle.length === 0 ? from : pair.model.indexOf(needle, from)
    expect(pair.list.indexOf(needle, from)).to.equal(expected)
  },
  compare: (pair, other) => {
    expect(pair.list.compare(other.list)).to.equal(Buffer.compare(pair.model, other.model))
    expect(pair.list.equals(other.list)).to.equal(pair.model.equals(other.model))
    expect(pair.list.equals(pair.model)).to.equal(true)
  },
  crc32c: (pair, _other, dice) => {
    const seed = dice.upTo(0xffffffff)
    expect(pair.list.crc32c(seed)).to.equal(crc32cByTable(pair.model, seed) >>> 0)
  },
}

function expectSame(actual: Uint8Array, expected: Uint8Array): void {
  const at = firstDifference(actual, expected)
  if (at >= 0) throw new Error(`It differs at ${at}, of ${actual.length} and ${expected.length}`)
}

/** Segments of every kind, cut out of which the operations take their parts. */
async function makeSources(): Promise<Given[]> {
  const content = bytes(1, 200_000)
  const extent = await (await extentList(content)).load()
  const sources: Given[] = [
    { part: new BufferList(content), content },
    { part: extent, content },
  ]
  if (!hasAddon) return sources
  const held = new BufferList()
  held.adoptRaw(pipeRaw(content))
  return [...sources, { part: held, content }, { part: held, content }]
}

/** A window of a source, as a list of its own, or bytes, or a string. */
function deal(dice: Dice, sources: readonly Given[]): Given & { release(): void } {
  const { part: source, content } = dice.of(sources)
  const offset = dice.upTo(content.length)
  const length = dice.length(content.length - offset)
  const run = Buffer.from(content.subarray(offset, offset + length))
  if (dice.upTo(9) === 0) {
    const text = 'é€😀'.repeat(dice.upTo(5))
    return { part: text, content: Buffer.from(text), release: () => undefined }
  }
  if (dice.upTo(4) === 0) return { part: run, content: run, release: () => undefined }
  const part = (source as BufferList).substr(offset, length)
  return { part, content: run, release: () => part.release() }
}

async function run(seed: number): Promise<void> {
  const dice = new Dice(seed)
  const sources = await makeSources()
  const pairs: Pair[] = Array.from({ length: LISTS }, () => ({
    list: new BufferList(),
    model: Buffer.alloc(0),
  }))
  const names = Object.keys(OPERATIONS_BY_NAME)
  let name = ''
  let count = 0
  try {
    for (; count < OPERATIONS; count++) {
      name = dice.of(names)
      const [pair, other] = [dice.of(pairs), dice.of(pairs)]
      const given = deal(dice, sources)
      OPERATIONS_BY_NAME[name]?.(pair, other, dice, given)
      given.release()
      for (const each of [pair, other]) {
        expect(each.list.length).to.equal(each.model.length)
        if (each.model.length > LENGTH_MAX) {
          each.list.consume(each.model.length - 1000)
          each.model = each.model.subarray(each.model.length - 1000)
        }
        expect(each.list.explain().reduce((sum, row) => sum + row.length, 0)).to.equal(
          each.model.length,
        )
      }
      if (count % 20 === 0) for (const { list, model } of pairs) expectSame(list.toBuffer(), model)
    }
    for (const { list, model } of pairs) expectSame(list.toBuffer(), model)
  } catch (error) {
    const where = `seed ${seed}, operation ${count} (${name})`
    throw new Error(`A list differs from its model: ${where}`, { cause: error })
  }
  for (const { list } of pairs) list.release()
  // Whatever was done, each source is held by its own list alone.
  for (const { part } of sources) {
    const [row] = (part as BufferList).explain()
    expect([null, 1]).to.include(row?.refs)
  }
  for (const { part } of sources) (part as BufferList).release()
}

describe('Lists against a model of flat bytes', () => {
  for (const seed of [1, 20_260, 987_654_321]) {
    it(`hold the same after ${OPERATIONS} operations, from seed ${seed}`, async () => {
      await run(seed)
    })
  }
})

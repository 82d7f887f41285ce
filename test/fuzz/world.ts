import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { BufferList } from 'splicelist'
import { expectSameBytes } from '../support/first-difference.js'
import { CONTENT_BYTES, filed, noise } from './contents.js'
import { Cells, Model } from './model.js'
import { Slot, type Given } from './slot.js'

/** The lists that are alive at once, and share their segments. */
const NAMES = ['a', 'b', 'c', 'd'] as const
/** How many lists there are. */
export const LISTS = NAMES.length
/** A list beyond this is cut down, so that every check stays cheap, in bytes. */
const LENGTH_MAX = 150_000
/** How many steps pass between two looks at everything. */
const STEPS_BETWEEN_LOOKS = 16
/** Up to so many segments a list's rows are told after each step. */
const ROWS_TOLD_MAX = 64
/** How many of the Buffers that lists gave are watched: the latest. */
const GIVEN_MAX = 8
/** Bytes of the extent that is not loaded. */
const EXTENT_BYTES = 9001
/** How many places of a list are remembered: the latest. */
const MARKS_MAX = 6
/** What its owner writes into adopted memory that came back. */
const POISON = 0xdd
/** Fibonacci hashing: spreads the numbers of the steps over the bytes that are looked at. */
const SPREAD = 0x9e3779b1

/** A list that steps take windows of, and what is in it. */
export interface Source {
  readonly name: string
  readonly list: BufferList
  readonly model: Model
}

/** Where the file is that extents are of. */
export interface ContentFile {
  readonly path: string
  /** Where steps send lists to. */
  readonly sinkPath: string
}

/** Writes the file that every world takes its extents and pages from. */
export async function makeContentFile(folder: string): Promise<ContentFile> {
  const path = join(folder, 'content')
  await writeFile(path, filed)
  return { path, sinkPath: join(folder, 'sink') }
}

/**
 * Everything that one sequence of steps works on: some lists, sources of segments of every kind, and
 * what was taken from them before. It is new for each sequence, so that a sequence can be repeated.
 */
export class World {
  readonly file: ContentFile
  readonly slots = NAMES.map((name) => new Slot(name))
  readonly cells = new Cells()
  sources: readonly Source[] = []
  /** As `sources`, but of files that are not loaded, or only where a step loaded them. */
  extents: readonly Source[] = []
  /** Lines that tell what was done; null where nobody reads them. */
  readonly trace: string[] | null
  #steps = 0
  readonly #given: Given[] = []
  /** How often each adopted memory was given back. */
  readonly #returned: number[] = []

  private constructor(file: ContentFile, trace: string[] | null) {
    this.file = file
    this.trace = trace
  }
  static async make(file: ContentFile, trace: string[] | null): Promise<World> {
    const world = new World(file, trace)
    const pages = new BufferList()
    await pages.spliceFrom({ file: file.path }, CONTENT_BYTES, { hold: 'pages' })
    const loaded = await (await BufferList.fromFile(file.path)).load()
    world.sources = [
      { name: 'heap', list: new BufferList(noise), model: new Model(noise) },
      { name: 'pages', list: pages, model: new Model(filed) },
      { name: 'loaded', list: loaded, model: new Model(filed) },
    ]
    const unloaded = await BufferList.fromFile(file.path, { offset: 777, length: EXTENT_BYTES })
    const content = filed.subarray(777, 777 + EXTENT_BYTES)
    const cells = world.cells.add(EXTENT_BYTES, false)
    world.extents = [{ name: 'unloaded', list: unloaded, model: new Model(content, cells) }]
    return world
  }

  /** A list of memory whose owner wants it back, and overwrites it then. */
  adopt(content: Uint8Array): BufferList {
    const bytes = Buffer.from(content)
    const index = this.#returned.push(0) - 1
    return BufferList.adopt(bytes, () => {
      bytes.fill(POISON)
      this.#returned[index] = (this.#returned[index] ?? 0) + 1
    })
  }
  /** Watches a Buffer that a list gave away for ever. */
  keep(what: string, bytes: Uint8Array): void {
    this.#given.push({ what, bytes, content: Buffer.from(bytes) })
    if (this.#given.length > GIVEN_MAX) this.#given.shift()
  }
  /** After a step: the lists hold what they must. Looks at all of it, or at a part, in turn another. */
  check(isThorough: boolean): void {
    const count = ++this.#steps
    const turn = this.slots[count % LISTS] as Slot
    const isForAll = isThorough || count % STEPS_BETWEEN_LOOKS === 0
    for (const slot of this.slots) {
      this.#cutDown(slot)
      checkShape(slot)
      if (isForAll || slot.list.numBuffers <= ROWS_TOLD_MAX) checkRows(slot)
      this.#checkMarks(slot, count % 3 > 0)
    }
    if (isForAll) this.checkAll()
    else {
      const { length } = turn.model
      const offset = (Math.imul(count, SPREAD) >>> 0) % (length + 1)
      const room = length - offset
      this.#checkBytes(turn, offset, count % 2 === 0 ? room : Math.min(room, count))
    }
  }
  /** All bytes of all lists, and all that they gave. */
  checkAll(): void {
    for (const slot of this.slots) {
      this.#checkBytes(slot, 0, slot.model.length)
      slot.checkViews()
    }
    for (const { name, list, model } of [...this.sources, ...this.extents]) {
      expect(list.length, `the length of ${name}`).to.equal(model.length)
    }
    for (const { what, bytes, content } of this.#given) {
      expectSameBytes(bytes, content, `what ${what} gave before`)
    }
  }
  /** Ends every list. Whatever was done, each source is held by its own list alone. */
  checkReferences(): void {
    for (const slot of this.slots) slot.become(new BufferList(), Model.EMPTY)
    for (const times of this.#returned) {
      expect(times, 'how often adopted memory was given back').to.equal(1)
    }
    for (const { name, list } of [...this.sources, ...this.extents]) {
      for (const { refs } of list.explain()) {
        expect(refs ?? 1, `the references to ${name}, once no other list is left`).to.equal(1)
      }
    }
  }
  /** Releases what is left, also after a failure. */
  end(): void {
    for (const { list } of [...this.slots, ...this.sources, ...this.extents]) list.release()
  }

  #checkBytes(slot: Slot, offset: number, length: number): void {
    const { list, model, name } = slot
    const expected = model.slice(offset, length)
    // What is not loaded cannot be looked at; that reading it is refused is a step's matter.
    if (!this.cells.areLoaded(expected.cells)) return
    const target = Buffer.allocUnsafe(length)
    expect(list.copyOut(offset, target), `bytes of ${name} from ${offset}`).to.equal(length)
    expectSameBytes(target, expected.bytes, `${name} from ${offset} on`)
  }
  /**
   * Where a list found something last it looks first, and every step must have seen to that. So bytes
   * are asked for where the list ended some steps ago, and at its end.
   */
  #checkMarks(slot: Slot, isEndLast: boolean): void {
    const { length } = slot.model
    if (isEndLast) slot.marks.push(length - 1)
    for (const mark of slot.marks) if (mark >= 0 && mark < length) this.#checkByte(slot, mark)
    slot.marks.push(length)
    if (slot.marks.length > MARKS_MAX) slot.marks.splice(0, slot.marks.length - MARKS_MAX)
  }
  #checkByte({ list, model, name }: Slot, index: number): void {
    if (!this.cells.areLoaded(model.slice(index, 1).cells)) return
    const byte = list.byteAt(index)
    if (byte !== model.bytes[index]) {
      expect.fail(`${name}.byteAt(${index}) is ${byte}, not ${model.bytes[index]}`)
    }
  }
  #cutDown(slot: Slot): void {
    if (slot.model.length <= LENGTH_MAX) return
    const length = slot.model.length - 1000
    this.trace?.push(`${slot.name}.consume(${length})`)
    slot.list.consume(length)
    slot.model = slot.model.slice(length)
  }
}

/** Length and number of segments agree with the model. */
function checkShape({ list, model, name }: Slot): void {
  const { length, numBuffers } = list
  expect(length, `the length of ${name}`).to.equal(model.length)
  if (length === 0) expect(numBuffers, `segments of ${name}, which is empty`).to.equal(0)
  else expect(numBuffers, `segments of ${name}`).to.be.at.least(1)
  expect(list.isContiguous(), `${name} is contiguous`).to.equal(numBuffers <= 1)
}

/** The segments add up, and none is empty. */
function checkRows({ list, model, name }: Slot): void {
  const rows = list.explain()
  expect(rows.length, `rows of ${name}`).to.equal(list.numBuffers)
  let sum = 0
  for (const row of rows) {
    if (row.length < 1) expect.fail(`A segment of ${name} is empty: ${row.kind}`)
    sum += row.length
  }
  expect(sum, `bytes in the rows of ${name}`).to.equal(model.length)
}

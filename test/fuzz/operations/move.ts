/** Operations that wait: for files, and for pages. What is done to the list meanwhile must not matter. */
import { closeSync, openSync, readSync } from 'node:fs'
import { expect } from 'chai'
import { BufferList, InvalidArgumentError } from 'splicelist'
import { rejection } from '../../list/rejection.js'
import { expectSameBytes } from '../../support/first-difference.js'
import { CONTENT_BYTES, filed } from '../contents.js'
import { Model } from '../model.js'
import type { Operations } from '../operation.js'
import type { Turn } from '../turn.js'

/** Bytes of an extent that a step takes at the most, and pages. */
const EXTENT_BYTES_MAX = 9000
const PAGES_BYTES_MAX = 140_000

export const move: Operations = {
  fromFile: {
    uses: ['static fromFile'],
    weight: 1,
    run: async (turn) => {
      const { a } = turn
      const offset = turn.offset() % CONTENT_BYTES
      const length = Math.min(turn.length(EXTENT_BYTES_MAX), CONTENT_BYTES - offset)
      turn.say(
        () =>
          `${a.name} = await BufferList.fromFile(content, { offset: ${offset}, length: ${length} })`,
      )
      const list = await BufferList.fromFile(turn.world.file.path, { offset, length })
      a.become(list, extent(turn, offset, length))
    },
  },
  'spliceFrom a file': {
    uses: ['spliceFrom'],
    weight: 1,
    run: async (turn) => {
      const { a } = turn
      const hold = turn.choose(['pages', 'extent', 'pages'] as const)
      const offset = turn.offset() % CONTENT_BYTES
      const most = hold === 'pages' ? PAGES_BYTES_MAX : EXTENT_BYTES_MAX
      const length = Math.min(turn.length(most), CONTENT_BYTES - offset)
      turn.say(
        () =>
          `await ${a.name}.spliceFrom(content, ${length}, { offset: ${offset}, hold: '${hold}' })`,
      )
      const count = await a.list.spliceFrom({ file: turn.world.file.path }, length, {
        offset,
        hold,
      })
      expect(count, 'spliceFrom').to.equal(length)
      const isFile = a.list.explain().at(-1)?.kind === 'file'
      const arrived = isFile
        ? extent(turn, offset, length)
        : new Model(filed.subarray(offset, offset + length))
      a.model = Model.join(a.model, arrived)
    },
  },
  'spliceFrom a list': {
    uses: ['spliceFrom'],
    weight: 1,
    run: async (turn) => {
      const { a, b } = turn
      const length = turn.length(b.model.length)
      turn.say(() => `await ${a.name}.spliceFrom(${b.name}, ${length})`)
      if (a === b) {
        const error = await rejection(a.list.spliceFrom(b.list, length))
        expect(error, 'spliceFrom itself').to.be.instanceOf(InvalidArgumentError)
        return
      }
      expect(await a.list.spliceFrom(b.list, length), 'spliceFrom').to.equal(length)
      const moved = b.model.slice(0, length)
      b.model = b.model.slice(length)
      a.model = Model.join(a.model, moved)
    },
  },
  load: {
    uses: ['load'],
    run: async (turn) => {
      const { a } = turn
      const [offset, length] = turn.range()
      turn.say(() => `await ${a.name}.load(${offset}, ${length}), and meanwhile:`)
      const { cells } = a.model.slice(offset, length)
      const loading = a.list.load(offset, length)
      meddle(turn)
      await loading
      if (cells !== null) turn.world.cells.load(cells)
    },
  },
  spliceTo: {
    uses: ['spliceTo'],
    weight: 1,
    run: async (turn) => {
      const { a } = turn
      const { sinkPath } = turn.world.file
      const consume = turn.number % 2 === 1
      turn.say(() => `await ${a.name}.spliceTo(sink, { consume: ${consume} }), and meanwhile:`)
      const sent = a.model
      const sending = a.list.spliceTo({ file: sinkPath, offset: 0 }, { consume })
      if (consume) a.model = Model.EMPTY
      meddle(turn)
      expect(await sending, 'spliceTo').to.equal(sent.length)
      if (sent.length > 0) expectSameBytes(readFront(sinkPath, sent.length), sent.bytes, 'the sink')
    },
  },
}

function extent(turn: Turn, offset: number, length: number): Model {
  return new Model(filed.subarray(offset, offset + length), turn.world.cells.add(length, false))
}

/** Does something to a list that is under way: it must not change what is under way. */
function meddle(turn: Turn): void {
  const { a } = turn
  const ways: readonly (readonly [code: string, change: () => void])[] = [
    ['nothing', () => undefined],
    [
      `${a.name}.append('x')`,
      () => {
        a.list.append('x')
        a.model = Model.join(a.model, new Model(Buffer.from('x')))
      },
    ],
    [
      `${a.name}.consume(half)`,
      () => {
        const half = a.model.length >>> 1
        a.list.consume(half)
        a.model = a.model.slice(half)
      },
    ],
    [
      `${a.name}.splice(half, 0, ${a.name})`,
      () => {
        const half = a.model.length >>> 1
        a.list.splice(half, 0, a.list).release()
        a.model = a.model.splice(half, 0, a.model)
      },
    ],
    [`${a.name} = ${a.name}.substr()`, () => a.become(a.list.substr(), a.model)],
    [`${a.name} = new BufferList()`, () => a.become(new BufferList(), Model.EMPTY)],
  ]
  const way = ways[(turn.number >>> 1) % ways.length]
  if (way === undefined) return
  turn.say(() => `    ${way[0]}`)
  way[1]()
}

function readFront(path: string, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  const fd = openSync(path, 'r')
  try {
    readSync(fd, bytes, 0, length, 0)
  } finally {
    closeSync(fd)
  }
  return bytes
}

/** Operations that cut a list. */
import { BufferList, EndOfBufferError, InvalidArgumentError, ReleasedError } from 'splicelist'
import { expectSameBytes } from '../../support/first-difference.js'
import { Model } from '../model.js'
import type { Operations } from '../operation.js'
import { expectError } from '../turn.js'
import { everyUse } from './every-use.js'

export const cut: Operations = {
  substr: {
    uses: ['substr'],
    weight: 2,
    run: (turn) => {
      const { a, b } = turn
      const [offset, length] = turn.range()
      turn.say(() => `${b.name} = ${a.name}.substr(${offset}, ${length})`)
      // When it is the same, the whole is released, and its piece is what remains.
      b.become(a.list.substr(offset, length), a.model.slice(offset, length))
    },
  },
  splice: {
    uses: ['splice'],
    weight: 6,
    run: (turn) => {
      const { a, b } = turn
      const [offset, length] = turn.range()
      const dealt = turn.part()
      turn.say(() => `${b.name}.prepend(${a.name}.splice(${offset}, ${length}, ${dealt.code}))`)
      const expected = a.model.slice(offset, length)
      using removed = a.list.splice(offset, length, dealt.part)
      a.model = a.model.splice(offset, length, dealt.model)
      dealt.end()
      b.list.prepend(removed)
      b.model = Model.join(expected, b.model)
    },
  },
  'splice in': {
    uses: ['splice'],
    weight: 4,
    run: (turn) => {
      const { a } = turn
      const offset = turn.offset()
      const dealt = turn.part()
      turn.say(() => `${a.name}.splice(${offset}, 0, ${dealt.code}).release()`)
      a.list.splice(offset, 0, dealt.part).release()
      a.model = a.model.splice(offset, 0, dealt.model)
      dealt.end()
    },
  },
  'splice out': {
    uses: ['splice'],
    weight: 4,
    run: (turn) => {
      const { a, b } = turn
      const [offset, length] = turn.range()
      turn.say(() => `${b.name}.claimAppend(${a.name}.splice(${offset}, ${length}))`)
      const removed = a.list.splice(offset, length)
      const model = a.model.slice(offset, length)
      a.model = a.model.splice(offset, length)
      b.list.claimAppend(removed)
      b.model = Model.join(b.model, model)
    },
  },
  take: {
    uses: ['take'],
    weight: 3,
    run: (turn) => {
      const { a, b } = turn
      const length = turn.length(a.model.length)
      turn.say(() => `${b.name}.append(${a.name}.take(${length}))`)
      const expected = a.model.slice(0, length)
      using taken = a.list.take(length)
      a.model = a.model.slice(length)
      b.list.append(taken)
      b.model = Model.join(b.model, expected)
    },
  },
  consume: {
    uses: ['consume'],
    weight: 3,
    run: (turn) => {
      const { a } = turn
      const length = turn.length(a.model.length)
      turn.say(() => `${a.name}.consume(${length})`)
      a.list.consume(length)
      a.model = a.model.slice(length)
    },
  },
  truncate: {
    uses: ['truncate'],
    weight: 2,
    run: (turn) => {
      const { a } = turn
      const length = a.model.length - turn.length(a.model.length)
      turn.say(() => `${a.name}.truncate(${length})`)
      a.list.truncate(length)
      a.model = a.model.slice(0, length)
    },
  },
  release: {
    uses: ['release'],
    weight: 1,
    run: (turn) => {
      const { a, b } = turn
      const [name, use] = turn.choose(everyUse)
      turn.say(() => `${a.name}.release(), then ${name}; ${a.name} = new BufferList()`)
      a.list.release()
      a.list.release()
      expectError(ReleasedError, () => use(a.list), `${name} of a list that was released`)
      if (a !== b) {
        expectError(
          ReleasedError,
          () => b.list.append(a.list),
          'append of a list that was released',
        )
      }
      const cursor = a.cursor?.at
      if (cursor !== undefined) {
        expectError(ReleasedError, () => cursor.readUInt8(), 'a cursor of a list that was released')
      }
      a.become(new BufferList(), Model.EMPTY)
    },
  },
  'a range that is not there': {
    uses: ['substr', 'splice', 'take', 'consume', 'truncate'],
    run: (turn) => {
      const { a } = turn
      const beyond = a.model.length + 1 + turn.number
      const wrong = turn.choose([beyond, -1, 0.5, NaN, Infinity, 2 ** 53, '1', null, -beyond])
      const ways: readonly (readonly [string, (list: BufferList, n: never) => unknown])[] = [
        ['substr(0, n)', (list, n) => list.substr(0, n)],
        ['substr(n)', (list, n) => list.substr(n)],
        ['splice(0, n)', (list, n) => list.splice(0, n)],
        ['splice(n, 0)', (list, n) => list.splice(n, 0)],
        ["splice(0, n, 'x')", (list, n) => list.splice(0, n, 'x')],
        ['take(n)', (list, n) => list.take(n)],
        ['consume(n)', (list, n) => list.consume(n)],
        ['truncate(n)', (list, n) => list.truncate(n)],
        ['cursor(n)', (list, n) => list.cursor(n)],
        ['toBuffer(0, n)', (list, n) => list.toBuffer(0, n)],
        ['toBuffer(n)', (list, n) => list.toBuffer(n)],
        ['cStr(n)', (list, n) => list.cStr(n)],
        ['toString(utf8, n)', (list, n) => list.toString('utf8', n)],
        ['copyOut(n)', (list, n) => list.copyOut(n, new Uint8Array(1))],
        ["indexOf('a', n)", (list, n) => list.indexOf('a', n)],
      ]
      const way = ways[turn.length(ways.length - 1)]
      if (way === undefined) return
      const [name, call] = way
      turn.say(() => `${a.name}.${name} where n = ${String(wrong)}`)
      expectError(InvalidArgumentError, () => call(a.list, wrong as never), name)
    },
  },
  'a byte that is not there': {
    uses: ['byteAt'],
    weight: 1,
    run: (turn) => {
      const { a } = turn
      const index = a.model.length + turn.number
      turn.say(() => `${a.name}.byteAt(${index})`)
      expectError(EndOfBufferError, () => a.list.byteAt(index), 'byteAt')
    },
  },
  'cut and put back': {
    uses: ['splice', 'append', 'claimAppend', 'take'],
    run: (turn) => {
      const { a } = turn
      const [offset, length] = turn.range()
      turn.say(
        () => `${a.name} is taken apart at ${offset} and ${offset + length}, and put together`,
      )
      const front = a.list.take(offset)
      using middle = a.list.take(length)
      const whole = front.append(middle).append('').claimAppend(a.list)
      expectSameBytes(Buffer.alloc(a.list.length), Buffer.alloc(0), 'a list that was claimed')
      a.become(whole, a.model)
    },
  },
}

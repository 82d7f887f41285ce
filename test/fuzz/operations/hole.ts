/** Holes: until they are filled, a list may grow, and nothing else. */
import {
  BufferList,
  InvalidArgumentError,
  ReleasedError,
  UnfilledHoleError,
  type Hole,
} from 'splicelist'
import { noise } from '../contents.js'
import { Model } from '../model.js'
import type { Operations } from '../operation.js'
import { expectError, type Turn } from '../turn.js'
import { usesOfAll } from './every-use.js'

/** Beyond what goes into the tail, in bytes. */
const HOLE_BYTES_MAX = 40_000

export const hole: Operations = {
  appendHole: {
    uses: ['appendHole'],
    weight: 3,
    run: (turn) => {
      const { a, b } = turn
      const length = turn.length(HOLE_BYTES_MAX)
      turn.say(() => `hole = ${a.name}.appendHole(${length}), and before it is filled:`)
      const opened = a.list.appendHole(length)
      a.model = Model.join(a.model, new Model(noise.subarray(0, length)))
      if (length > 0) {
        grow(turn)
        const [name, use] = turn.choose(usesOfAll)
        expectError(UnfilledHoleError, () => use(a.list), `${name} of a list with a hole`)
        if (a !== b) {
          expectError(
            UnfilledHoleError,
            () => b.list.append(a.list),
            'append of a list with a hole',
          )
          expectError(UnfilledHoleError, () => b.list.claimAppend(a.list), 'claimAppend of it')
        }
      }
      if (turn.number % 16 === 15) {
        turn.say(() => `    ${a.name}.release(); ${a.name} = new BufferList()`)
        a.become(new BufferList(), Model.EMPTY)
        expectError(ReleasedError, () => opened.fill(noise.subarray(0, length)), 'fill, released')
      } else fill(turn, opened)
    },
  },
}

/** A list with a hole grows at both ends. */
function grow(turn: Turn): void {
  const { a, number } = turn
  const dealt = turn.plainPart()
  const way = number % 4
  if (way === 1) {
    turn.say(() => `    ${a.name}.append(${dealt.code})`)
    a.list.append(dealt.part)
    a.model = Model.join(a.model, dealt.model)
  } else if (way === 2) {
    turn.say(() => `    ${a.name}.appendUInt8(7).appendUInt8(8)`)
    a.list.appendUInt8(7).appendUInt8(8)
    a.model = Model.join(a.model, new Model(Buffer.of(7, 8)))
  } else if (way === 3) {
    turn.say(() => `    ${a.name}.prepend(${dealt.code})`)
    a.list.prepend(dealt.part)
    a.model = Model.join(dealt.model, a.model)
  }
}

/** Fills it with the first bytes of `noise`, in two pieces, the second first. */
function fill(turn: Turn, opened: Hole): void {
  const { length } = opened
  const content = noise.subarray(0, length)
  const at = turn.offset() % (length + 1)
  turn.say(() => `    hole.fill(noise.subarray(${at}, ${length}), ${at}), then (0, ${at})`)
  const refused: readonly (() => void)[] = [
    () => opened.fill(content, 1),
    () => opened.fill(noise.subarray(0, length + 1)),
    () => opened.fill(content.subarray(0, 0), -1),
    () => opened.fill('text' as never),
  ]
  if (length > 0) expectError(InvalidArgumentError, turn.choose(refused), 'fill')
  opened.fill(content.subarray(at), at)
  if (at > 0 && at < length) {
    expectError(UnfilledHoleError, () => turn.a.list.toBuffer(), 'toBuffer, half filled')
    expectError(InvalidArgumentError, () => opened.fill(content.subarray(at), at), 'fill again')
  }
  opened.fill(content.subarray(0, at), 0)
}

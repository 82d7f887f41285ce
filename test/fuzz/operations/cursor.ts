/** Operations of a cursor that stays on its list while the list changes. */
import { expect } from 'chai'
import { EndOfBufferError, type Cursor } from 'splicelist'
import { expectSameBytes } from '../../support/first-difference.js'
import { referenceCrc } from '../crc.js'
import type { Operations } from '../operation.js'
import { decoded, SCALARS, type Scalar } from '../scalars.js'
import type { Slot } from '../slot.js'
import { expectError, type Turn } from '../turn.js'

/** Moves of one cursor in one step. */
const DECODE_MOVES = 20

type Read = (this: Cursor) => number | bigint

export const cursor: Operations = {
  cursor: {
    uses: ['cursor', 'Cursor.remaining'],
    run: (turn) => {
      const { a } = turn
      const offset = turn.offset()
      turn.say(() => `cursor of ${a.name} = ${a.name}.cursor(${offset})`)
      a.cursor = { at: a.list.cursor(offset), offset }
      expectPlace(a)
    },
  },
  'read a number': {
    uses: SCALARS.map(({ suffix }) => `Cursor.read${suffix}`),
    weight: 8,
    run: (turn) => {
      const { a } = turn
      const scalar = turn.choose(SCALARS)
      const method = `read${scalar.suffix}`
      move(turn, `${method}()`, scalar.widthBytes, (at, offset) => {
        const read = Reflect.get(at, method) as Read
        return () => {
          const value = read.call(at)
          const expected = decoded(scalar, a.model.bytes, offset)
          if (!Object.is(value, expected)) {
            expect.fail(`${method} at ${offset}: ${value} instead of ${expected}`)
          }
        }
      })
    },
  },
  readString: {
    uses: ['Cursor.readString'],
    run: (turn) => {
      const { a } = turn
      const length = ahead(turn)
      const encoding = turn.choose(['latin1', 'utf8', 'hex'] as const)
      move(turn, `readString(${length}, '${encoding}')`, length, (at, offset) => () => {
        const expected = a.model.bytes.toString(encoding, offset, offset + length)
        expect(at.readString(length, encoding) === expected, 'the same text').to.equal(true)
      })
    },
  },
  readList: {
    uses: ['Cursor.readList'],
    weight: 3,
    run: (turn) => {
      const { a, b } = turn
      const length = ahead(turn)
      const { cursor: standing } = a
      if (standing === null) return
      const { at, offset } = standing
      turn.say(() => `${b.name} = cursor of ${a.name}.readList(${length})`)
      if (offset + length > a.model.length) {
        expectError(EndOfBufferError, () => at.readList(length), 'readList')
        return
      }
      const read = at.readList(length)
      standing.offset += length
      expectPlace(a)
      b.become(read, a.model.slice(offset, length))
    },
  },
  'read an integer of one to six bytes': {
    uses: ['UIntLE', 'UIntBE', 'IntLE', 'IntBE'].map((suffix) => `Cursor.read${suffix}`),
    weight: 3,
    run: (turn) => {
      const { a } = turn
      const suffix = turn.choose(['UIntLE', 'UIntBE', 'IntLE', 'IntBE'] as const)
      const widthBytes = 1 + turn.length(5)
      move(turn, `read${suffix}(${widthBytes})`, widthBytes, (at, offset) => () => {
        const value = at[`read${suffix}`](widthBytes)
        expect(value).to.equal(a.model.bytes[`read${suffix}`](offset, widthBytes))
      })
    },
  },
  peekUInt8: {
    uses: ['Cursor.peekUInt8', 'Cursor.clone', 'Cursor.isAtEnd'],
    run: (turn) => {
      const { a, b } = turn
      const { cursor: standing } = a
      if (standing === null) return
      const { at, offset } = standing
      turn.say(() => `cursor of ${a.name}.clone().peekUInt8()`)
      const twin = at.clone()
      expect(twin.isAtEnd, 'isAtEnd').to.equal(offset >= a.model.length)
      if (offset >= a.model.length) expectError(EndOfBufferError, () => twin.peekUInt8(), 'peek')
      else {
        turn.read(
          a,
          [offset, 1],
          () => twin.peekUInt8(),
          (byte) => {
            expect(byte, 'peekUInt8').to.equal(a.model.bytes[offset])
            expect(twin.readUInt8(), 'readUInt8').to.equal(byte)
          },
        )
      }
      // The twin has moved by itself; either may go on.
      expectPlace(a)
      if (b !== a || offset >= a.model.length) return
      standing.at.seek(offset)
      a.cursor = { at: twin, offset: twin.offset }
    },
  },
  readBytes: {
    uses: ['Cursor.readBytes'],
    run: (turn) => {
      const { a } = turn
      const length = ahead(turn)
      move(turn, `readBytes(${length})`, length, (at, offset) => () => {
        const bytes = at.readBytes(length)
        expectSameBytes(bytes, a.model.bytes.subarray(offset, offset + length), 'readBytes')
        turn.world.keep(`readBytes(${length}) of ${a.name}`, bytes)
      })
    },
  },
  readInto: {
    uses: ['Cursor.readInto'],
    run: (turn) => {
      const { a } = turn
      const length = ahead(turn)
      const target = Buffer.alloc(length, 0xaa)
      move(turn, `readInto(new Uint8Array(${length}))`, length, (at, offset) => () => {
        at.readInto(target)
        expectSameBytes(target, a.model.bytes.subarray(offset, offset + length), 'readInto')
      })
    },
  },
  readStretch: {
    uses: ['Cursor.readStretch'],
    weight: 4,
    run: (turn) => {
      const { a } = turn
      const { cursor: standing, model } = a
      if (standing === null) return
      const { at, offset } = standing
      const asked = ahead(turn)
      turn.say(() => `cursor of ${a.name}.readStretch(${asked})`)
      const first = Math.min(1, asked, Math.max(0, model.length - offset))
      turn.read(
        a,
        [Math.min(offset, model.length), first],
        () => at.readStretch(asked),
        (view) => {
          if (first > 0 && view.length === 0) expect.fail('readStretch gave nothing')
          expect(view.length, 'readStretch').to.be.at.most(asked)
          expectSameBytes(view, model.bytes.subarray(offset, offset + view.length), 'readStretch')
          standing.offset += view.length
          a.watch('readStretch', offset, view)
        },
      )
      expectPlace(a)
    },
  },
  'crc32c of what is ahead': {
    uses: ['Cursor.crc32c'],
    run: (turn) => {
      const { a } = turn
      const { cursor: standing, model } = a
      if (standing === null || standing.offset > model.length) return
      const { at, offset } = standing
      const asked = ahead(turn)
      const length = Math.min(asked, model.length - offset)
      turn.say(() => `cursor of ${a.name}.crc32c(${asked}, ${turn.number})`)
      turn.read(
        a,
        [offset, length],
        () => at.crc32c(asked, turn.number),
        (crc) => {
          const bytes = model.bytes.subarray(offset, offset + length)
          expect(crc, 'crc32c').to.equal(referenceCrc(bytes, turn.number))
          standing.offset += length
        },
      )
      expectPlace(a)
    },
  },
  decode: {
    uses: ['cursor', 'Cursor.seek', 'Cursor.skip', 'Cursor.readStretch'],
    weight: 4,
    run: (turn) => {
      const { a } = turn
      if (!turn.isReadable(a)) return
      const views: { view: Uint8Array; offset: number }[] = []
      const at = a.list.cursor(turn.offset())
      turn.say(() => `new cursor of ${a.name}.cursor(${at.offset}):`)
      for (let move = 1; move <= DECODE_MOVES; move++) decodeOne(turn, at, move, views)
      for (const { view, offset } of views) {
        // Nothing has changed the list: each must still be there.
        expectSameBytes(view, a.model.bytes.subarray(offset, offset + view.length), 'a stretch')
        expect(view.buffer.byteLength, 'the memory of a stretch').to.be.greaterThan(0)
      }
    },
  },
  skip: {
    uses: ['Cursor.skip'],
    run: (turn) => {
      const { cursor: standing, model } = turn.a
      if (standing === null) return
      const { at } = standing
      const length = ahead(turn)
      turn.say(() => `cursor of ${turn.a.name}.skip(${length})`)
      if (standing.offset + length > model.length) {
        expectError(EndOfBufferError, () => at.skip(length), 'skip')
      } else {
        at.skip(length)
        standing.offset += length
      }
      expectPlace(turn.a)
    },
  },
  seek: {
    uses: ['Cursor.seek', 'Cursor.offset'],
    run: (turn) => {
      const { cursor: standing, model } = turn.a
      if (standing === null) return
      const { at } = standing
      const offset = turn.number === 7 ? model.length + 1 : turn.offset()
      turn.say(() => `cursor of ${turn.a.name}.seek(${offset})`)
      if (offset > model.length) expectError(EndOfBufferError, () => at.seek(offset), 'seek')
      else {
        at.seek(offset)
        standing.offset = offset
      }
      expectPlace(turn.a)
    },
  },
}

/** One move of a cursor that reads on and goes back, while nothing else happens to the list. */
function decodeOne(
  turn: Turn,
  at: Cursor,
  move: number,
  views: { view: Uint8Array; offset: number }[],
): void {
  const { bytes } = turn.a.model
  const { offset, remaining } = at
  expect(remaining, 'what the cursor has before it').to.equal(bytes.length - offset)
  // Numbers that differ from move to move, and are plain where the step's are.
  const number = (turn.number * move) % 251
  const place = turn.length(bytes.length) * move
  const scalar = SCALARS[number % SCALARS.length] as Scalar
  switch (number % 5) {
    case 0:
      if (remaining < scalar.widthBytes) return
      turn.say(() => `    read${scalar.suffix}() at ${offset}`)
      expect(readScalar(at, scalar), `read${scalar.suffix}`).to.deep.equal(
        decoded(scalar, bytes, offset),
      )
      break
    case 1: {
      // Around the blocks that held pages are read in, and anywhere.
      const far = offset + turn.choose([-65_536, 65_530, -3, 65_536])
      const to = Math.max(
        0,
        move % 2 === 0 ? Math.min(far, bytes.length) : place % (bytes.length + 1),
      )
      turn.say(() => `    seek(${to})`)
      at.seek(to)
      break
    }
    case 2: {
      const length = place % (remaining + 1)
      turn.say(() => `    skip(${length})`)
      at.skip(length)
      break
    }
    case 3: {
      const view = at.readStretch(place % 9000)
      turn.say(() => `    readStretch(${place % 9000}) at ${offset}`)
      expectSameBytes(view, bytes.subarray(offset, offset + view.length), 'readStretch')
      if (view.length > 0) views.push({ view, offset })
      break
    }
    default:
      if (remaining === 0) return
      turn.say(() => `    readUInt8() at ${offset}, and back`)
      expect(at.readUInt8(), `the byte at ${offset}`).to.equal(bytes[offset])
      at.seek(Math.max(0, offset - (number % 3)))
  }
}

function readScalar(at: Cursor, { suffix }: Scalar): number | bigint {
  return (Reflect.get(at, `read${suffix}`) as Read).call(at)
}

/** A length for a cursor to go on by: sometimes more than there is. */
function ahead(turn: Turn): number {
  const { cursor: standing, model } = turn.a
  const left = Math.max(0, model.length - (standing?.offset ?? 0))
  return turn.number % 16 === 7 ? left + 1 + turn.length(9) : turn.length(left)
}

/** A read of the list's cursor: it moves on, or, where it fails, stays where it was. */
function move(
  turn: Turn,
  code: string,
  length: number,
  reading: (at: Cursor, offset: number) => () => void,
): void {
  const { a } = turn
  const { cursor: standing } = a
  if (standing === null) return
  turn.say(() => `cursor of ${a.name}.${code}`)
  const { at, offset } = standing
  const read = reading(at, offset)
  if (offset + length > a.model.length) expectError(EndOfBufferError, read, code)
  else {
    const isReadable = turn.isReadable(a, offset, length)
    turn.read(a, [offset, length], read, () => undefined)
    if (isReadable) standing.offset += length
  }
  expectPlace(a)
}

function expectPlace({ cursor: standing, model }: Slot): void {
  if (standing === null) return
  expect(standing.at.offset, "the cursor's offset").to.equal(standing.offset)
  const remaining = Math.max(0, model.length - standing.offset)
  expect(standing.at.remaining, 'what the cursor has before it').to.equal(remaining)
}

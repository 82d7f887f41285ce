/** Operations that read a list, and leave it as it is. */
import { inspect } from 'node:util'
import { expect } from 'chai'
import { InvalidArgumentError } from 'splicelist'
import { expectSameBytes } from '../../support/first-difference.js'
import { letters, noise } from '../contents.js'
import { referenceCrc } from '../crc.js'
import { referenceHexdump } from '../hexdump.js'
import { Model } from '../model.js'
import type { Operations } from '../operation.js'
import { expectError, type Turn } from '../turn.js'

const ENCODINGS = ['utf8', 'latin1', 'hex', 'base64', 'base64url', 'ascii', 'utf16le'] as const
/** What a search looks for, in bytes at the most. */
const NEEDLE_BYTES_MAX = 300
/** Beyond this a dump would take longer than all the rest, in bytes. */
const DUMP_BYTES_MAX = 5000

export const read: Operations = {
  byteAt: {
    uses: ['byteAt'],
    run: (turn) => {
      const { a } = turn
      const index = turn.offset()
      if (index === a.model.length) return
      turn.say(() => `${a.name}.byteAt(${index})`)
      turn.read(
        a,
        [index, 1],
        () => a.list.byteAt(index),
        (byte) => {
          expect(byte, `byte ${index}`).to.equal(a.model.bytes[index])
        },
      )
    },
  },
  copyOut: {
    uses: ['copyOut'],
    run: (turn) => {
      const { a } = turn
      const [offset, asked] = turn.range()
      const target = Buffer.alloc(asked + (turn.number % 3), 0xaa)
      const length = Math.min(target.length, a.model.length - offset)
      turn.say(() => `${a.name}.copyOut(${offset}, new Uint8Array(${target.length}))`)
      turn.read(
        a,
        [offset, length],
        () => a.list.copyOut(offset, target),
        (copied) => {
          expect(copied, 'copied').to.equal(length)
          expectSameBytes(target.subarray(0, length), bytesOf(turn, offset, length), 'copyOut')
          expect(
            target.subarray(length).every((byte) => byte === 0xaa),
            'behind it',
          ).to.equal(true)
        },
      )
    },
  },
  cStr: {
    uses: ['cStr'],
    run: (turn) => {
      const { a } = turn
      const [offset, length] = turn.range()
      turn.say(() => `${a.name}.cStr(${offset}, ${length})`)
      turn.read(
        a,
        [offset, length],
        () => a.list.cStr(offset, length),
        (view) => {
          expectSameBytes(view, bytesOf(turn, offset, length), 'cStr')
          a.watch(`cStr(${offset}, ${length})`, offset, view)
        },
      )
    },
  },
  'cStr, and then a byte': {
    uses: ['cStr'],
    run: (turn) => {
      const { a } = turn
      const [offset, length] = turn.range()
      if (!turn.isReadable(a, offset, length)) return
      turn.say(() => `${a.name}.appendUInt8(7), cStr(${offset}, ${length}), appendUInt8(8)`)
      // The second goes where the first went, past all that a larger change would come by.
      a.list.appendUInt8(7)
      a.model = Model.join(a.model, new Model(Buffer.of(7)))
      a.watch(`cStr(${offset}, ${length})`, offset, a.list.cStr(offset, length))
      a.list.appendUInt8(8)
      a.model = Model.join(a.model, new Model(Buffer.of(8)))
      a.checkViews()
    },
  },
  toBuffer: {
    uses: ['toBuffer'],
    run: (turn) => {
      const { a } = turn
      const [offset, length] = turn.range()
      turn.say(() => `${a.name}.toBuffer(${offset}, ${length})`)
      turn.read(
        a,
        [offset, length],
        () => a.list.toBuffer(offset, length),
        (buffer) => {
          expectSameBytes(buffer, bytesOf(turn, offset, length), 'toBuffer')
          turn.world.keep(`${a.name}.toBuffer(${offset}, ${length})`, buffer)
        },
      )
    },
  },
  'as a string': {
    uses: ['toString'],
    run: (turn) => {
      const { a } = turn
      const [offset, asked] = turn.range()
      const encoding = turn.choose(ENCODINGS)
      // Of an odd count of bytes of UTF-16 at an odd address, Node 24 writes one past its memory
      // (nodejs/node#64697).
      const length = encoding === 'utf16le' ? asked - (asked % 2) : asked
      turn.say(() => `${a.name}.toString('${encoding}', ${offset}, ${length})`)
      turn.read(
        a,
        [offset, length],
        () => a.list.toString(encoding, offset, length),
        (text) => {
          expectSameText(text, bytesOf(turn, offset, length).toString(encoding))
        },
      )
    },
  },
  hexdump: {
    uses: ['hexdump'],
    weight: 1,
    run: (turn) => {
      const { a } = turn
      if (a.model.length > DUMP_BYTES_MAX) return
      turn.say(() => `${a.name}.hexdump()`)
      turn.read(
        a,
        [0, a.model.length],
        () => a.list.hexdump(),
        (dump) => {
          expectSameText(dump, referenceHexdump(a.model.bytes))
        },
      )
    },
  },
  inspect: {
    uses: [],
    weight: 1,
    run: (turn) => {
      const { a } = turn
      turn.say(() => `inspect(${a.name})`)
      const before = a.list.explain()
      const line = inspect(a.list)
      if (!line.startsWith(`BufferList(${a.model.length} byte`)) expect.fail(line)
      // A line of a log makes nothing readable, and says nothing of what is not.
      expect(a.list.explain()).to.deep.equal(before)
    },
  },
  indexOf: {
    uses: ['indexOf', 'includes'],
    weight: 3,
    run: (turn) => {
      const { a } = turn
      const from = turn.otherOffset()
      const [needle, code] = chooseNeedle(turn)
      turn.say(() => `${a.name}.indexOf(${code}, ${from})`)
      const expected = needleLength(needle) === 0 ? from : a.model.bytes.indexOf(needle, from)
      turn.readSome(
        [a],
        () => a.list.indexOf(needle, from),
        (found) => {
          expect(found, 'indexOf').to.equal(expected)
        },
      )
      turn.readSome(
        [a],
        () => a.list.includes(needle, from),
        (isThere) => {
          expect(isThere, 'includes').to.equal(expected >= 0)
        },
      )
    },
  },
  compare: {
    uses: ['compare', 'equals'],
    weight: 3,
    run: (turn) => {
      const { a, b } = turn
      turn.say(() => `${a.name}.compare(${b.name}), equals(${b.name})`)
      const order = Buffer.compare(a.model.bytes, b.model.bytes)
      turn.readSome(
        [a, b],
        () => a.list.compare(b.list),
        (got) => {
          expect(got, 'compare').to.equal(order)
        },
      )
      turn.readSome(
        [a, b],
        () => a.list.equals(b.list),
        (got) => {
          expect(got, 'equals').to.equal(order === 0)
        },
      )
    },
  },
  'compare with bytes': {
    uses: ['compare', 'equals'],
    run: (turn) => {
      const { a } = turn
      const other = Buffer.from(a.model.bytes)
      const at = turn.offset()
      const change = turn.choose([0, 1, 0x80, 0xff])
      if (at < other.length) other[at] = ((other[at] as number) + change) & 0xff
      turn.say(() => `${a.name}.compare(its own bytes, ${change} more at ${at})`)
      const order = Buffer.compare(a.model.bytes, other)
      turn.readSome(
        [a],
        () => a.list.compare(other),
        (got) => {
          expect(got, 'compare').to.equal(order)
        },
      )
      turn.readSome(
        [a],
        () => a.list.equals(other),
        (got) => {
          expect(got, 'equals').to.equal(order === 0)
        },
      )
    },
  },
  isZero: {
    uses: ['isZero'],
    weight: 1,
    run: (turn) => {
      const { a } = turn
      turn.say(() => `${a.name}.isZero()`)
      turn.readSome(
        [a],
        () => a.list.isZero(),
        (got) => {
          expect(got, 'isZero').to.equal(a.model.bytes.every((byte) => byte === 0))
        },
      )
    },
  },
  crc32c: {
    uses: ['crc32c'],
    weight: 3,
    run: (turn) => {
      const { a } = turn
      const seed = turn.choose([0, 0xffffffff, 1, turn.number * 0x1010101])
      turn.say(() => `${a.name}.crc32c(${seed})`)
      turn.read(
        a,
        [0, a.model.length],
        () => a.list.crc32c(seed),
        (crc) => {
          expect(crc, 'crc32c').to.equal(referenceCrc(a.model.bytes, seed))
        },
      )
    },
  },
  'crc32c of a piece': {
    uses: ['crc32c', 'substr'],
    run: (turn) => {
      const { a } = turn
      const [offset, length] = turn.range()
      const seed = turn.choose([0, 0xffffffff, turn.number * 0x1010101])
      turn.say(() => `${a.name}.substr(${offset}, ${length}).crc32c(${seed})`)
      using piece = a.list.substr(offset, length)
      turn.read(
        a,
        [offset, length],
        () => piece.crc32c(seed),
        (crc) => {
          expect(crc, 'crc32c').to.equal(referenceCrc(bytesOf(turn, offset, length), seed))
        },
      )
    },
  },
  carryCrc32c: {
    uses: ['carryCrc32c'],
    weight: 1,
    run: (turn) => {
      const { a } = turn
      const crc = referenceCrc(a.model.bytes, 0)
      turn.say(() => `${a.name}.carryCrc32c(${crc})`)
      const rows = a.list.explain()
      const held = rows.filter(({ kind }) => kind !== 'heap' && kind !== 'zero')
      const carry = (): unknown => a.list.carryCrc32c(crc)
      if (rows.length !== 1 && held.length === 0) {
        expectError(InvalidArgumentError, carry, 'carryCrc32c')
      } else if (!rows.some(({ kind }) => kind === 'file')) {
        // The model would have those of an unloaded extent throw.
        try {
          carry()
        } catch (error) {
          // The rows do not tell whether a segment is there twice.
          if (held.length < 2 || !String(error).includes('in the list once')) throw error
        }
        expect(a.list.crc32c(1), 'crc32c').to.equal(referenceCrc(a.model.bytes, 1))
      }
    },
  },
  iterate: {
    uses: ['@@iterator'],
    run: (turn) => {
      const { a } = turn
      turn.say(() => `[...${a.name}]`)
      const { bytes } = a.model
      let at = 0
      const walk = (): void => {
        for (const view of a.list) {
          if (view.length === 0) throw new Error('Iteration gave an empty view')
          expectSameBytes(view, bytes.subarray(at, at + view.length), 'a view of the iteration')
          a.watch(`iteration at ${at}`, at, view)
          at += view.length
        }
      }
      turn.read(a, [0, bytes.length], walk, () => {
        expect(at, 'iterated over').to.equal(bytes.length)
      })
    },
  },
  'iterate and change': {
    uses: ['views', 'append'],
    run: (turn) => {
      const { a } = turn
      if (a.model.length === 0 || !turn.isReadable(a)) return
      const change = turn.choose(['appendUInt8(7)', 'consume(0)', 'prependZero(1)'] as const)
      turn.say(() => `for (const view of ${a.name}.views()) ${a.name}.${change}`)
      const walk = (): void => {
        for (const view of a.list.views()) {
          a.watch('iteration', 0, view)
          if (change === 'appendUInt8(7)') a.list.appendUInt8(7)
          else if (change === 'consume(0)') a.list.consume(0)
          else a.list.prependZero(1)
        }
      }
      expectError(InvalidArgumentError, walk, 'an iteration over a list that changed')
      if (change === 'appendUInt8(7)') a.model = Model.join(a.model, new Model(Buffer.of(7)))
      if (change === 'prependZero(1)') a.model = Model.join(new Model(Buffer.of(0)), a.model)
    },
  },
}

function bytesOf({ a }: Turn, offset: number, length: number): Buffer {
  return a.model.bytes.subarray(offset, offset + length)
}

/** Chai would print both, however long they are. */
function expectSameText(actual: string, expected: string): void {
  if (actual === expected) return
  let at = 0
  while (actual[at] === expected[at]) at++
  const shown = (text: string): string => JSON.stringify(text.slice(at, at + 20))
  expect.fail(`The text differs at ${at}: ${shown(actual)} instead of ${shown(expected)}`)
}

type Needle = Buffer | string | number

function chooseNeedle(turn: Turn): [needle: Needle, code: string] {
  const { a, number } = turn
  const offset = turn.offset()
  const length = Math.min(turn.length(NEEDLE_BYTES_MAX), a.model.length - offset)
  const own = Buffer.from(bytesOf(turn, offset, length))
  const cut = `${a.name}.toBuffer(${offset}, ${length})`
  switch (number % 5) {
    case 0:
      return [own, cut]
    case 1:
      return [number, `${number}`]
    case 2:
      return [letters.subarray(0, length), `letters.subarray(0, ${length})`]
    case 3:
      // Nearly there: found up to its last byte.
      if (length > 0) own[length - 1] = (own[length - 1] as number) ^ 1
      return [own, `${cut} with another last byte`]
    default:
      return length > 4 ? [noise.subarray(0, 4), 'noise.subarray(0, 4)'] : ['é', "'é'"]
  }
}

function needleLength(needle: Needle): number {
  return typeof needle === 'number' ? 1 : needle.length
}

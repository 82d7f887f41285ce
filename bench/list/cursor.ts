/** Decoding a header of scalars that lies in one segment, or across many. */
import { repeated, type Case, type Contender } from '../harness/case.js'
import { segments } from './inputs.js'
import { blOf, uint8ArrayListOf } from './peers.js'
import { listOf } from './splicelist.js'

/** Each reads one byte, two and four; then a last round reads two times four. */
const ROUNDS = 6
const ROUND_BYTES = 7
const HEADER_BYTES = ROUNDS * ROUND_BYTES + 8
const SCALARS = 3 * ROUNDS + 2

export const CURSOR: readonly Case[] = [
  scalars('one-segment', 'in one segment', HEADER_BYTES),
  scalars('across-borders', 'across segments of 3 bytes', 3),
]

function scalars(name: string, where: string, segmentBytes: number): Case {
  return {
    name: `cursor/${name}`,
    operation: `one of ${SCALARS} scalars of a header, ${where}`,
    unit: 'ns',
    contenders: {
      splicelist: reading(segmentBytes, (parts) => {
        const list = listOf(parts)
        return () => {
          const cursor = list.cursor()
          let sum = 0
          for (let i = 0; i < ROUNDS; i++) {
            sum += cursor.readUInt8() + cursor.readUInt16LE() + cursor.readUInt32LE()
          }
          return sum + cursor.readUInt32LE() + cursor.readUInt32LE()
        }
      }),
      bl: reading(segmentBytes, (parts) => {
        const list = blOf(parts)
        return () => decode(list)
      }),
      uint8arraylist: reading(segmentBytes, (parts) => {
        const list = uint8ArrayListOf(parts)
        return () =>
          decode({
            readUInt8: (at) => list.getUint8(at),
            readUInt16LE: (at) => list.getUint16(at, true),
            readUInt32LE: (at) => list.getUint32(at, true),
          })
      }),
      Buffer: reading(segmentBytes, (parts) => {
        const flat = Buffer.concat(parts)
        return () => decode(flat)
      }),
    },
  }
}

interface Readable {
  readUInt8(at: number): number
  readUInt16LE(at: number): number
  readUInt32LE(at: number): number
}

/** Without a cursor the program counts. */
function decode(bytes: Readable): number {
  let sum = 0
  let at = 0
  for (let i = 0; i < ROUNDS; i++, at += ROUND_BYTES) {
    sum += bytes.readUInt8(at) + bytes.readUInt16LE(at + 1) + bytes.readUInt32LE(at + 3)
  }
  return sum + bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4)
}

function reading(segmentBytes: number, open: (parts: Buffer[]) => () => number): Contender {
  return () => {
    const [header = Buffer.alloc(0)] = segments(1, HEADER_BYTES)
    const count = Math.ceil(HEADER_BYTES / segmentBytes)
    const parts = Array.from({ length: count }, (_, i) =>
      // Copies, so that no two of them adjoin.
      Buffer.from(header.subarray(i * segmentBytes, (i + 1) * segmentBytes)),
    )
    return repeated(open(parts), SCALARS)
  }
}

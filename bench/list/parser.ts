/** A parser of a stream: chunks arrive, records leave, and some lie across two chunks. */
import type { Case, Contender } from '../harness/case.js'
import { BufferList } from 'splicelist'
import { segments } from './inputs.js'
import { Bl, Uint8ArrayList } from './peers.js'

const CHUNK_BYTES = 64 * 1024
const CHUNKS = 16
const RECORD_BYTES = 100
const RECORDS = Math.floor((CHUNKS * CHUNK_BYTES) / RECORD_BYTES)

export const PARSER: readonly Case[] = [
  {
    name: 'parser/records-100',
    operation:
      'a record of 100 bytes taken from a stream of chunks of 64 KiB, and its last byte read',
    unit: 'ns',
    contenders: {
      splicelist: parsing(() => {
        const list = new BufferList()
        return {
          feed: (chunk) => list.append(chunk),
          has: () => list.length >= RECORD_BYTES,
          next: () => list.take(RECORD_BYTES).byteAt(RECORD_BYTES - 1),
        }
      }),
      bl: parsing(() => {
        const list = new Bl()
        const next = (): number => {
          const record = list.shallowSlice(0, RECORD_BYTES)
          list.consume(RECORD_BYTES)
          return record.get(RECORD_BYTES - 1) as number
        }
        return {
          feed: (chunk) => list.append(chunk),
          has: () => list.length >= RECORD_BYTES,
          next,
        }
      }),
      uint8arraylist: parsing(() => {
        const list = new Uint8ArrayList()
        const next = (): number => {
          const record = list.sublist(0, RECORD_BYTES)
          list.consume(RECORD_BYTES)
          return record.get(RECORD_BYTES - 1)
        }
        return {
          feed: (chunk) => list.append(chunk),
          has: () => list.length >= RECORD_BYTES,
          next,
        }
      }),
      Buffer: parsing(() => {
        let rest: Buffer = Buffer.alloc(0)
        const next = (): number => {
          const record = rest.subarray(0, RECORD_BYTES)
          rest = rest.subarray(RECORD_BYTES)
          return record[RECORD_BYTES - 1] as number
        }
        return {
          feed: (chunk) => (rest = Buffer.concat([rest, chunk])),
          has: () => rest.length >= RECORD_BYTES,
          next,
        }
      }),
    },
  },
]

interface Parser {
  feed(chunk: Buffer): unknown
  has(): boolean
  next(): number
}

function parsing(open: () => Parser): Contender {
  return () => {
    const chunks = segments(CHUNKS, CHUNK_BYTES)
    return {
      kind: 'repeated',
      operations: RECORDS,
      repeat: (times) => {
        let sum = 0
        for (let left = times; left > 0; left--) {
          const parser = open()
          for (const chunk of chunks) {
            parser.feed(chunk)
            while (parser.has()) sum += parser.next()
          }
        }
        return sum
      },
    }
  }
}

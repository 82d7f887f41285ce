/** A parser of a stream: chunks arrive, records leave, and some lie across two chunks. */
import { BufferList } from 'splicelist'
import { repeated, type Case, type Contender } from '../harness/case.js'
import { segments } from './inputs.js'
import { Bl, Uint8ArrayList } from './peers.js'

const CHUNK_BYTES = 64 * 1024
const CHUNKS = 16
const RECORD_BYTES = 100
/** The byte of a record that is read. */
const LAST = RECORD_BYTES - 1
const RECORDS = Math.floor((CHUNKS * CHUNK_BYTES) / RECORD_BYTES)

export const PARSER: readonly Case[] = [
  {
    name: 'parser/records-100',
    operation:
      'a record of 100 bytes taken from a stream of chunks of 64 KiB, and its last byte read',
    unit: 'ns',
    contenders: {
      splicelist: parsing((chunks) => {
        const list = new BufferList()
        let sum = 0
        for (const chunk of chunks) {
          list.append(chunk)
          while (list.length >= RECORD_BYTES) sum += list.take(RECORD_BYTES).byteAt(LAST)
        }
        return sum
      }),
      bl: parsing((chunks) => {
        const list = new Bl()
        let sum = 0
        for (const chunk of chunks) {
          list.append(chunk)
          while (list.length >= RECORD_BYTES) {
            const record = list.shallowSlice(0, RECORD_BYTES)
            list.consume(RECORD_BYTES)
            sum += record.get(LAST) as number
          }
        }
        return sum
      }),
      uint8arraylist: parsing((chunks) => {
        const list = new Uint8ArrayList()
        let sum = 0
        for (const chunk of chunks) {
          list.append(chunk)
          while (list.length >= RECORD_BYTES) {
            const record = list.sublist(0, RECORD_BYTES)
            list.consume(RECORD_BYTES)
            sum += record.get(LAST)
          }
        }
        return sum
      }),
      Buffer: parsing((chunks) => {
        let rest: Buffer = Buffer.alloc(0)
        let sum = 0
        for (const chunk of chunks) {
          rest = Buffer.concat([rest, chunk])
          while (rest.length >= RECORD_BYTES) {
            const record = rest.subarray(0, RECORD_BYTES)
            rest = rest.subarray(RECORD_BYTES)
            sum += record[LAST] as number
          }
        }
        return sum
      }),
    },
  },
]

/** `parse` takes all records out of the chunks, which arrive one after the other. */
function parsing(parse: (chunks: Buffer[]) => number): Contender {
  return () => {
    const chunks = segments(CHUNKS, CHUNK_BYTES)
    return repeated(() => parse(chunks), RECORDS)
  }
}

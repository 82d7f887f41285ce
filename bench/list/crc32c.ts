/** Checksums: of bytes never seen, of bytes seen before, and of ranges of those. */
import type { BufferList } from 'splicelist'
import {
  consuming,
  repeated,
  type Case,
  type Contender,
  type Scale,
  type Target,
} from '../harness/case.js'
import { offsetsBelow, segments } from './inputs.js'
import { listOf } from './splicelist.js'

const PIECE_BYTES = 4096
const PIECES = 16 * 1024
const RANGE_BYTES = 1024 * 1024
/** Pieces that a range touches: at a random offset it cuts two. */
const RANGE_PIECES = RANGE_BYTES / PIECE_BYTES + 1
/** Ranges that are cut before the clock runs. */
const RANGES = 100
const FASTER_THAN_CEPH: Target = { times: 1.05, of: 'ceph' }
const PIECE_MAX_NS = 15

export const CRC32C: readonly Case[] = [
  {
    name: 'crc32c/64-MiB',
    operation: 'the crc32c of 64 MiB in one piece, not seen before',
    unit: 'ms',
    target: FASTER_THAN_CEPH,
    contenders: { splicelist: (scale) => cold(1, onePiece(scale)) },
  },
  crcCase('cold', 'not seen before', FASTER_THAN_CEPH, (scale) => {
    const parts = pieces(scale)
    return cold(parts.length, parts)
  }),
  crcCase('cached', 'seen before', undefined, (scale) => {
    const { list, count } = seen(scale)
    return repeated(() => list.crc32c(0), count)
  }),
  crcCase('other-seed', 'seen before with another seed', undefined, (scale) => {
    const { list, count } = seen(scale)
    let seed = 0
    return repeated(() => list.crc32c(++seed), count)
  }),
  rangeCase('sub-range', 'cut out of 64 MiB that were seen before (substr, crc32c)', (scale) => {
    const { list, nextOffset, rangeBytes } = ranges(scale)
    return repeated(() => list.substr(nextOffset(), rangeBytes).crc32c(0), scale(RANGE_PIECES))
  }),
  rangeCase('sub-range-alone', 'that was cut out of such before (crc32c alone)', (scale) => {
    const { list, nextOffset, rangeBytes } = ranges(scale)
    const count = scale(RANGES)
    return consuming(count * scale(RANGE_PIECES), () => {
      const cut: BufferList[] = []
      for (let i = 0; i < count; i++) cut.push(list.substr(nextOffset(), rangeBytes))
      return () => summedUp(cut)
    })
  }),
]

/** One function for all runs: see `inBatches`. */
function summedUp(lists: readonly BufferList[]): number {
  let sum = 0
  for (const list of lists) sum += list.crc32c(0)
  return sum
}

function crcCase(name: string, what: string, target: Target | undefined, of: Contender): Case {
  return {
    name: `crc32c/4-KiB-${name}`,
    operation: `a piece of 4 KiB in the crc32c of 64 MiB of them, ${what}`,
    unit: 'ns',
    ...(target === undefined ? {} : { target }),
    contenders: { splicelist: of },
  }
}

function rangeCase(name: string, what: string, of: Contender): Case {
  return {
    name: `crc32c/${name}`,
    operation: `a piece of 4 KiB in the crc32c of a random MiB, ${what}`,
    unit: 'ns',
    target: PIECE_MAX_NS,
    contenders: { splicelist: of },
  }
}

function pieces(scale: Scale): Buffer[] {
  return segments(scale(PIECES), PIECE_BYTES)
}

function onePiece(scale: Scale): Buffer[] {
  return [Buffer.concat(pieces(scale))]
}

/** What a list keeps is kept with its raws, so new raws over the same memory have seen nothing. */
function cold(operations: number, parts: readonly Buffer[]) {
  return consuming(operations, () => {
    const list = listOf(parts.map((part) => part.subarray()))
    return () => list.crc32c(0)
  })
}

function seen(scale: Scale): { readonly list: BufferList; readonly count: number } {
  const parts = pieces(scale)
  const list = listOf(parts)
  list.crc32c(0)
  return { list, count: parts.length }
}

function ranges(scale: Scale) {
  const { list } = seen(scale)
  const rangeBytes = Math.min(RANGE_BYTES, list.length / 2)
  return { list, rangeBytes, nextOffset: offsetsBelow(list.length - rangeBytes) }
}

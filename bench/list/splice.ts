/** Cutting a range out of a long list and putting it back elsewhere. */
import { consuming, type Case, type Contender } from '../harness/case.js'
import { offsetsBelow, segments } from './inputs.js'
import { Bl, Uint8ArrayList, blOf, uint8ArrayListOf } from './peers.js'
import { listOf } from './splicelist.js'

const COUNT = 100_000
const SEGMENT_BYTES = 4096
const RANGE_BYTES = 64 * 1024
/** Every cut leaves splinters, so after so many a new list is begun. */
const CUTS = 100

export const SPLICE: readonly Case[] = [
  {
    name: `splice/move-in-${COUNT}`,
    operation: '64 KiB cut out of 100,000 segments, put back elsewhere, and a byte read',
    unit: 'µs',
    target: 50,
    contenders: {
      splicelist: moving((parts) => {
        const list = listOf(parts)
        return (from, to, index) => {
          list.splice(to, 0, list.splice(from, RANGE_BYTES))
          return list.byteAt(index)
        }
      }),
      // The peers cannot cut or insert, only make a new list of windows of the old one.
      bl: moving((parts) => {
        let list = blOf(parts)
        return (from, to, index) => {
          const range = list.shallowSlice(from, from + RANGE_BYTES)
          const rest = new Bl([list.shallowSlice(0, from), list.shallowSlice(from + RANGE_BYTES)])
          list = new Bl([rest.shallowSlice(0, to), range, rest.shallowSlice(to)])
          return list.get(index) as number
        }
      }),
      uint8arraylist: moving((parts) => {
        let list = uint8ArrayListOf(parts)
        return (from, to, index) => {
          const range = list.sublist(from, from + RANGE_BYTES)
          const rest = new Uint8ArrayList(list.sublist(0, from), list.sublist(from + RANGE_BYTES))
          list = new Uint8ArrayList(rest.sublist(0, to), range, rest.sublist(to))
          return list.get(index)
        }
      }),
    },
  },
]

function moving(
  open: (parts: Buffer[]) => (from: number, to: number, index: number) => number,
): Contender {
  return (scale) => {
    const parts = segments(scale(COUNT), SEGMENT_BYTES)
    const length = parts.length * SEGMENT_BYTES
    const cuts = scale(CUTS)
    return consuming(cuts, () => {
      const move = open(parts)
      const nextOffset = offsetsBelow(length - RANGE_BYTES)
      return () => moved(move, nextOffset, cuts)
    })
  }
}

/** One function for all runs: see `inBatches`. */
function moved(
  move: (from: number, to: number, index: number) => number,
  nextOffset: () => number,
  cuts: number,
): number {
  let sum = 0
  for (let i = 0; i < cuts; i++) sum += move(nextOffset(), nextOffset(), nextOffset())
  return sum
}

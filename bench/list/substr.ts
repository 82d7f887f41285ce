/** Cutting a window out of a list, at a random place; the list keeps its bytes. */
import { repeated, type Case, type Contender } from '../harness/case.js'
import { offsetsBelow, segments } from './inputs.js'
import { blOf, uint8ArrayListOf } from './peers.js'
import { listOf } from './splicelist.js'

const SEGMENT_BYTES = 4096
const WINDOW_BYTES = 64 * 1024

export const SUBSTR: readonly Case[] = [substr(64), substr(1024, 300), substr(100_000, 600)]

function substr(count: number, target?: number): Case {
  return {
    name: `substr/${count}`,
    operation: `substr of 64 KiB at random, and release, in ${count} segments of 4 KiB`,
    unit: 'ns',
    ...(target === undefined ? {} : { target }),
    contenders: {
      splicelist: cutting(count, (parts) => {
        const list = listOf(parts)
        return (offset) => {
          const window = list.substr(offset, WINDOW_BYTES)
          const { length } = window
          window.release()
          return length
        }
      }),
      bl: cutting(count, (parts) => {
        const list = blOf(parts)
        return (offset) => list.shallowSlice(offset, offset + WINDOW_BYTES).length
      }),
      uint8arraylist: cutting(count, (parts) => {
        const list = uint8ArrayListOf(parts)
        return (offset) => list.sublist(offset, offset + WINDOW_BYTES).length
      }),
    },
  }
}

function cutting(count: number, open: (parts: Buffer[]) => (offset: number) => number): Contender {
  return (scale) => {
    const parts = segments(scale(count), SEGMENT_BYTES)
    const nextOffset = offsetsBelow(parts.length * SEGMENT_BYTES - WINDOW_BYTES)
    const cut = open(parts)
    return repeated(() => cut(nextOffset()))
  }
}

/** What a list itself weighs, without the bytes in it and without the Buffers that hold them. */
import type { Case, Contender } from '../harness/case.js'
import { segments } from './inputs.js'
import { blOf, uint8ArrayListOf } from './peers.js'
import { listOf } from './splicelist.js'

const COUNT = 100_000
const SEGMENT_BYTES = 64

export const HEAP: readonly Case[] = [
  {
    name: 'heap/per-segment',
    operation: `memory held for each of ${COUNT} appended segments, beside their own`,
    unit: 'bytes',
    target: 80,
    contenders: {
      splicelist: weighing(listOf),
      bl: weighing(blOf),
      uint8arraylist: weighing(uint8ArrayListOf),
    },
  },
]

function weighing(open: (parts: Buffer[]) => object): Contender {
  return (scale) => {
    const parts = segments(scale(COUNT), SEGMENT_BYTES)
    return { kind: 'weighed', operations: parts.length, prepare: () => () => open(parts) }
  }
}

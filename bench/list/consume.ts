/** Taking bytes from the front, as a reader of a stream does. */
import { consuming, type Case, type Contender } from '../harness/case.js'
import { inBatches } from './batches.js'
import { segments } from './inputs.js'
import { blOf, uint8ArrayListOf } from './peers.js'
import { listOf } from './splicelist.js'

const COUNT = 200_000
const SEGMENT_BYTES = 16

interface Consumed {
  readonly length: number
  consume(length: number): unknown
}

export const CONSUME: readonly Case[] = [
  {
    name: `consume/${COUNT}`,
    operation: 'a segment of 16 bytes consumed, of 200,000',
    unit: 'ns',
    target: 30,
    contenders: {
      splicelist: emptying(listOf),
      bl: emptying(blOf),
      uint8arraylist: emptying(uint8ArrayListOf),
    },
  },
]

function emptying(open: (parts: Buffer[]) => Consumed): Contender {
  return (scale) => {
    const parts = segments(scale(COUNT), SEGMENT_BYTES)
    return consuming(parts.length, () => {
      const list = open(parts)
      return () => inBatches(parts.length, (from, to) => consumed(list, to - from))
    })
  }
}

function consumed(list: Consumed, count: number): number {
  let sum = 0
  for (let left = count; left > 0; left--) {
    list.consume(SEGMENT_BYTES)
    sum += list.length
  }
  return sum
}

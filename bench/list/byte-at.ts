/** Reading single bytes of a list. */
import { repeated, type Case, type Contender, type Scale } from '../harness/case.js'
import { offsetsBelow, segments } from './inputs.js'
import { blOf, uint8ArrayListOf } from './peers.js'
import { listOf } from './splicelist.js'

const SEGMENT_BYTES = 4096
const SEQUENTIAL_SEGMENTS = 1024

export const BYTE_AT: readonly Case[] = [
  atRandom(64, 60),
  atRandom(1024, 90),
  atRandom(10_000, 150),
  {
    name: 'byteAt/sequential',
    operation: `the next byte, in ${SEQUENTIAL_SEGMENTS} segments of 4 KiB`,
    unit: 'ns',
    target: 12,
    contenders: contenders(SEQUENTIAL_SEGMENTS, indexesBelow),
  },
]

function atRandom(count: number, target: number): Case {
  return {
    name: `byteAt/random-${count}`,
    operation: `the byte at a random index, in ${count} segments of 4 KiB`,
    unit: 'ns',
    target,
    contenders: contenders(count, offsetsBelow),
  }
}

function contenders(count: number, indexes: (end: number) => () => number): Case['contenders'] {
  const reading =
    (open: (parts: Buffer[]) => (index: number) => number): Contender =>
    (scale: Scale) => {
      const parts = segments(scale(count), SEGMENT_BYTES)
      const nextIndex = indexes(parts.length * SEGMENT_BYTES)
      const read = open(parts)
      return repeated(() => read(nextIndex()))
    }
  return {
    splicelist: reading((parts) => {
      const list = listOf(parts)
      return (index) => list.byteAt(index)
    }),
    bl: reading((parts) => {
      const list = blOf(parts)
      return (index) => list.get(index) as number
    }),
    uint8arraylist: reading((parts) => {
      const list = uint8ArrayListOf(parts)
      return (index) => list.get(index)
    }),
    Buffer: reading((parts) => {
      const flat = Buffer.concat(parts)
      return (index) => flat[index] as number
    }),
  }
}

/** One after the other, over and over again. */
function indexesBelow(end: number): () => number {
  let index = 0
  return () => {
    const at = index++
    if (index === end) index = 0
    return at
  }
}

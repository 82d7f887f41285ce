/** Reading single bytes of a list. */
import { repeated, type Case, type Contender, type Scale } from '../harness/case.js'
import { offsetsBelow, segments } from './inputs.js'
import { blOf, uint8ArrayListOf } from './peers.js'
import { listOf } from './splicelist.js'

const SEGMENT_BYTES = 4096
/** Small enough for caches: what is left is what the list itself takes to find a byte. */
const SMALL_SEGMENT_BYTES = 64
const SEQUENTIAL_SEGMENTS = 1024

export const BYTE_AT: readonly Case[] = [
  atRandom(64, 60),
  atRandom(1024, 90),
  atRandom(10_000, 150),
  // In 4 or 40 MB most of the time is one cache and TLB miss, on the byte itself, that no list can help.
  amongSmall(1024, 90),
  amongSmall(10_000, 150),
  {
    name: 'byteAt/sequential',
    operation: `the next byte, in ${SEQUENTIAL_SEGMENTS} segments of 4 KiB`,
    unit: 'ns',
    target: 12,
    contenders: contenders(SEQUENTIAL_SEGMENTS, SEGMENT_BYTES, indexesBelow),
  },
]

function atRandom(count: number, target: number): Case {
  return {
    name: `byteAt/random-${count}`,
    operation: `the byte at a random index, in ${count} segments of 4 KiB`,
    unit: 'ns',
    target,
    contenders: contenders(count, SEGMENT_BYTES, offsetsBelow),
  }
}

function amongSmall(count: number, target: number): Case {
  return {
    name: `byteAt/random-${count}-small`,
    operation: `the byte at a random index, in ${count} segments of ${SMALL_SEGMENT_BYTES} bytes`,
    unit: 'ns',
    target,
    contenders: contenders(count, SMALL_SEGMENT_BYTES, offsetsBelow),
  }
}

function contenders(
  count: number,
  segmentBytes: number,
  indexes: (end: number) => () => number,
): Case['contenders'] {
  const reading =
    (open: (parts: Buffer[]) => (index: number) => number): Contender =>
    (scale: Scale) => {
      const parts = segments(scale(count), segmentBytes)
      const nextIndex = indexes(parts.length * segmentBytes)
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

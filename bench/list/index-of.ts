/** Searching: bytes that are not there, and bytes that are nearly there everywhere. */
import { repeated, type Case, type Contender, type Target } from '../harness/case.js'
import { randomBytes, segments, zeroSegments } from './inputs.js'
import { blOf, uint8ArrayListOf } from './peers.js'
import { listOf } from './splicelist.js'

const COUNT = 10_000
const SEGMENT_BYTES = 1024
const NEEDLE_BYTES = 16
/** Another seed than the haystack's. */
const NEEDLE_SEED = 7
const FLAT: Target = { times: 1.3, of: 'Buffer' }

export const INDEX_OF: readonly Case[] = [
  {
    ...searching((count) => ({
      parts: segments(count, SEGMENT_BYTES),
      needle: randomBytes(NEEDLE_BYTES, NEEDLE_SEED),
    })),
    name: 'indexOf/random-miss',
    operation: 'a search for 16 bytes that are not there, in 10,000 x 1 KiB of random bytes',
    target: 3,
  },
  amongZeros('zeros-then-one', '15 zeros and a one', NEEDLE_BYTES - 1, FLAT),
  amongZeros('one-amid-zeros', 'a one amid 15 zeros', NEEDLE_BYTES / 2, FLAT),
  // Not hard at all: the first byte is nowhere. Here a list pays for its segments alone.
  amongZeros('one-then-zeros', 'a one and 15 zeros', 0),
  {
    ...searching(splitOverBorders),
    name: 'indexOf/split-over-borders',
    operation: 'a search for 16 bytes that begin at every border, and end right at the last only',
    target: FLAT,
  },
]

interface Search {
  readonly parts: Buffer[]
  readonly needle: Buffer
}

/** Almost all of the needle is found at almost every place. */
function amongZeros(name: string, needle: string, oneAt: number, target?: Target): Case {
  return {
    ...searching((count) => ({
      parts: zeroSegments(count, SEGMENT_BYTES),
      needle: bytesWith(NEEDLE_BYTES, oneAt, 1),
    })),
    name: `indexOf/${name}`,
    operation: `a search for ${needle}, in 10,000 x 1 KiB of zeros`,
    ...(target === undefined ? {} : { target }),
  }
}

/** All but the last byte of the needle lies across every border. */
function splitOverBorders(count: number): Search {
  const needle = randomBytes(NEEDLE_BYTES, NEEDLE_SEED)
  const half = NEEDLE_BYTES / 2
  const parts = segments(count, SEGMENT_BYTES)
  for (const [i, part] of parts.entries()) {
    needle.copy(part, SEGMENT_BYTES - half, 0, half)
    needle.copy(part, 0, half)
    if (i < count - 1) part[half - 1] = ~(needle[NEEDLE_BYTES - 1] as number)
  }
  return { parts, needle }
}

function bytesWith(length: number, at: number, value: number): Buffer {
  const bytes = Buffer.alloc(length)
  bytes[at] = value
  return bytes
}

function searching(make: (count: number) => Search): Pick<Case, 'unit' | 'contenders'> {
  const search =
    (open: (parts: Buffer[]) => (needle: Buffer) => number): Contender =>
    (scale) => {
      const { parts, needle } = make(scale(COUNT))
      const indexOf = open(parts)
      return repeated(() => indexOf(needle))
    }
  return {
    unit: 'ms',
    contenders: {
      splicelist: search((parts) => {
        const list = listOf(parts)
        return (needle) => list.indexOf(needle)
      }),
      bl: search((parts) => {
        const list = blOf(parts)
        return (needle) => list.indexOf(needle)
      }),
      uint8arraylist: search((parts) => {
        const list = uint8ArrayListOf(parts)
        return (needle) => list.indexOf(needle)
      }),
      Buffer: search((parts) => {
        const flat = Buffer.concat(parts)
        return (needle) => flat.indexOf(needle)
      }),
    },
  }
}

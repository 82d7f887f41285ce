/** Adding to a list's end: copied bytes, encoded integers, and shared parts. */
import type { Case, Contender, Repeated } from '../harness/case.js'
import { segments } from './inputs.js'
import { Bl, Uint8ArrayList } from './peers.js'
import { BufferList } from 'splicelist'
import { encodingList } from './splicelist.js'

/** Every list grows to 1 MiB, then the next is begun, as in Ceph's own benchmark of appends. */
const LIST_BYTES = 1024 * 1024
const SCRAP_BYTES = 16
const UINT32_BYTES = 4
const SEGMENT_BYTES = 4096

export const APPEND: readonly Case[] = [
  {
    name: 'append/copied-16',
    operation: 'a copy of 16 bytes added, to lists of up to 1 MiB',
    unit: 'ns',
    target: 28,
    contenders: {
      splicelist: growing(SCRAP_BYTES, (scrap) => () => {
        const list = new BufferList()
        return { add: () => list.appendCopy(scrap), lengthBytes: () => list.length }
      }),
      bl: growing(SCRAP_BYTES, (scrap) => () => {
        const list = new Bl()
        return { add: () => list.append(Buffer.from(scrap)), lengthBytes: () => list.length }
      }),
      uint8arraylist: growing(SCRAP_BYTES, (scrap) => () => {
        const list = new Uint8ArrayList()
        return { add: () => list.append(Uint8Array.from(scrap)), lengthBytes: () => list.length }
      }),
    },
  },
  {
    name: 'append/uint32',
    operation: 'a 32-bit integer added, little-endian, to lists of up to 1 MiB',
    unit: 'ns',
    target: 6,
    contenders: {
      splicelist: growing(UINT32_BYTES, () => {
        const open = encodingList('appendUInt32LE')
        if (typeof open === 'string') return open
        return () => {
          const list = open()
          return { add: (i) => list.appendUInt32LE(i), lengthBytes: () => list.length }
        }
      }),
      bl: growing(UINT32_BYTES, () => () => {
        const list = new Bl()
        const add = (i: number): void => {
          const bytes = Buffer.allocUnsafe(UINT32_BYTES)
          bytes.writeUInt32LE(i)
          list.append(bytes)
        }
        return { add, lengthBytes: () => list.length }
      }),
      uint8arraylist: growing(UINT32_BYTES, () => () => {
        const list = new Uint8ArrayList()
        const add = (i: number): void => {
          const bytes = Buffer.allocUnsafe(UINT32_BYTES)
          bytes.writeUInt32LE(i)
          list.append(bytes)
        }
        return { add, lengthBytes: () => list.length }
      }),
    },
  },
  byReference(1000, 26),
  byReference(100_000, 60),
]

function byReference(count: number, target: number): Case {
  const sharing =
    (open: () => Growing<Buffer>): Contender =>
    (scale) => {
      const parts = segments(scale(count), SEGMENT_BYTES)
      return repeatedly(parts.length, open, (i) => parts[i] as Buffer)
    }
  return {
    name: `append/reference-${count}`,
    operation: `a part added by reference, to lists of up to ${count}`,
    unit: 'ns',
    target,
    contenders: {
      splicelist: sharing(() => {
        const list = new BufferList()
        return { add: (part) => list.append(part), lengthBytes: () => list.length }
      }),
      bl: sharing(() => {
        const list = new Bl()
        return { add: (part) => list.append(part), lengthBytes: () => list.length }
      }),
      uint8arraylist: sharing(() => {
        const list = new Uint8ArrayList()
        return { add: (part) => list.append(part), lengthBytes: () => list.length }
      }),
    },
  }
}

/** A list that grows. */
interface Growing<Added> {
  add(added: Added): unknown
  lengthBytes(): number
}

function growing(
  stepBytes: number,
  prepare: (scrap: Buffer) => (() => Growing<number>) | string,
): Contender {
  return (scale) => {
    const [scrap = Buffer.alloc(0)] = segments(1, stepBytes)
    const open = prepare(scrap)
    if (typeof open === 'string') return open
    return repeatedly(scale(LIST_BYTES / stepBytes), open, (i) => i)
  }
}

/** One repetition makes one whole list: the making, and its garbage, are part of the figure. */
function repeatedly<Added>(
  operations: number,
  open: () => Growing<Added>,
  nth: (i: number) => Added,
): Repeated {
  return {
    kind: 'repeated',
    operations,
    repeat: (times) => {
      let sum = 0
      for (let left = times; left > 0; left--) {
        const list = open()
        for (let i = 0; i < operations; i++) list.add(nth(i))
        sum += list.lengthBytes()
      }
      return sum
    },
  }
}

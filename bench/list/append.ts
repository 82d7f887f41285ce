/**
 * Adding to a list's end: copied bytes, encoded integers, and shared parts. A repetition makes one
 * whole list: the making of it, and its garbage, are part of the figure.
 */
import { BufferList } from 'splicelist'
import { repeated, type Case, type Contender } from '../harness/case.js'
import { segments } from './inputs.js'
import { Bl, Uint8ArrayList, blOf, uint8ArrayListOf } from './peers.js'
import { listOf } from './splicelist.js'

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
      splicelist: growing(SCRAP_BYTES, (scrap) => (count) => {
        const list = new BufferList()
        for (let left = count; left > 0; left--) list.appendCopy(scrap)
        return list.length
      }),
      bl: growing(SCRAP_BYTES, (scrap) => (count) => {
        const list = new Bl()
        for (let left = count; left > 0; left--) list.append(Buffer.from(scrap))
        return list.length
      }),
      uint8arraylist: growing(SCRAP_BYTES, (scrap) => (count) => {
        const list = new Uint8ArrayList()
        for (let left = count; left > 0; left--) list.append(Buffer.from(scrap))
        return list.length
      }),
    },
  },
  {
    name: 'append/uint32',
    operation: 'a 32-bit integer added, little-endian, to lists of up to 1 MiB',
    unit: 'ns',
    target: 6,
    contenders: {
      splicelist: growing(UINT32_BYTES, () => (count) => {
        const list = new BufferList()
        for (let i = 0; i < count; i++) list.appendUInt32LE(i)
        return list.length
      }),
      bl: growing(UINT32_BYTES, () => (count) => {
        const list = new Bl()
        for (let i = 0; i < count; i++) list.append(encoded(i))
        return list.length
      }),
      uint8arraylist: growing(UINT32_BYTES, () => (count) => {
        const list = new Uint8ArrayList()
        for (let i = 0; i < count; i++) list.append(encoded(i))
        return list.length
      }),
    },
  },
  byReference(1000, 26),
  byReference(100_000, 60),
]

function byReference(count: number, target: number): Case {
  return {
    name: `append/reference-${count}`,
    operation: `a part added by reference, to lists of up to ${count}`,
    unit: 'ns',
    target,
    contenders: {
      splicelist: sharing(count, listOf),
      bl: sharing(count, blOf),
      uint8arraylist: sharing(count, uint8ArrayListOf),
    },
  }
}

function sharing(count: number, open: (parts: Buffer[]) => { readonly length: number }): Contender {
  return (scale) => {
    const parts = segments(scale(count), SEGMENT_BYTES)
    return repeated(() => open(parts).length, parts.length)
  }
}

/** Of lists that grow by so many bytes a step. `prepare` returns what makes a list of so many. */
function growing(
  stepBytes: number,
  prepare: (scrap: Buffer) => ((count: number) => number) | string,
): Contender {
  return (scale) => {
    const [scrap = Buffer.alloc(0)] = segments(1, stepBytes)
    const make = prepare(scrap)
    if (typeof make === 'string') return make
    const count = scale(LIST_BYTES / stepBytes)
    return repeated(() => make(count), count)
  }
}

/** What a program writes that has no encoders. */
function encoded(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(UINT32_BYTES)
  bytes.writeUInt32LE(value)
  return bytes
}

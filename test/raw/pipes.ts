/**
 * Pipe segments made by hand: the bytes are written into pipes of the pool, without any transfer.
 */
import { BufferList } from 'splicelist'
import { opened } from '#lib/reactor.js'
import { PipeParcel, readPipe, type Parcel } from '#lib/raw/parcel.js'
import { LENT, PipeRaw } from '#lib/raw/pipe.js'
import { pipePool, type HeldPipe } from '#lib/raw/pipe-pool.js'
import type { BufferRaw, PageOwnership } from '#lib/raw/raw.js'
import { afterwards } from '../support/cleanup.js'
import { hasAddon } from '../support/needs.js'

if (hasAddon) {
  // The addon opens /dev/null with the first byte that it drops, and keeps it.
  const pipe = opened().pipe(1)
  if (typeof pipe !== 'number') {
    opened().discard(pipe, 0)
    opened().drop(pipe)
  }
}

/** Pipes of the pool that hold these bytes, as many as it takes. */
export function heldPipes(content: Uint8Array): HeldPipe[] {
  const pipes: HeldPipe[] = []
  for (let at = 0; at < content.length;) {
    const held = pipePool.borrow(content.length - at)
    if (held === undefined) throw new Error('The budget of this test is too small for it')
    const n = opened().writev(held.pipe, [content], at, false)
    if (n <= 0) throw new Error(`An empty pipe took ${n} bytes`)
    held.bytes = n
    pipes.push(held)
    at += n
  }
  return pipes
}

/** A pipe segment of these bytes. */
export function pipeRaw(content: Uint8Array, pages: PageOwnership = 'foreign'): PipeRaw {
  return new PipeRaw(heldPipes(content), pages)
}

/** A list of one segment, which it takes over. Released after the test. */
export function listOfRaw(raw: BufferRaw): BufferList {
  const list = new BufferList()
  list.adoptRaw(raw)
  afterwards(() => list.release())
  return list
}

/** A list whose bytes are held in pipes. Released after the test. */
export function pipeList(content: Uint8Array): BufferList {
  return listOfRaw(pipeRaw(content))
}

/** A list of one pipe segment each of whose slots holds one of `parts`. */
export function sparsePipeRaw(parts: readonly Uint8Array[]): PipeRaw {
  const held = pipePool.borrow(1 << 20)
  const one = opened().pipe(1)
  if (held === undefined || typeof one === 'number') throw new Error('There are no pipes')
  for (const part of parts) {
    // Spliced from another pipe, a page keeps its slot; written, it would join the last.
    opened().writev(one, [part], 0, false)
    const n = opened().move(one, -1, held.pipe, -1, part.length, false)
    if (n !== part.length) throw new Error(`A pipe took ${n} of ${part.length} bytes`)
    held.bytes += n
  }
  opened().drop(one)
  return new PipeRaw([held], 'foreign')
}

/** What a list that gives its bytes up sends of a range: the pipes themselves, where it may. */
export function givenUp(raw: PipeRaw, offset: number, length: number): Parcel {
  const lent: HeldPipe[] = []
  const ready = raw.lend(offset, length, lent)
  return ready === 0 ? raw.parcel(offset, length) : new PipeParcel(lent, ready, LENT)
}

/** Reads what a parcel carries, and closes it. `limit` leaves the rest in it. */
export function readParcel(parcel: Parcel | number, limit = Infinity): Buffer {
  if (typeof parcel === 'number') throw new Error(`There is no parcel: ${parcel}`)
  const read: Uint8Array[] = []
  for (let left = Math.min(parcel.remaining, limit); left > 0;) {
    const next = frontOf(parcel, left)
    parcel.accept(next.length)
    left -= next.length
    read.push(next)
  }
  parcel.close()
  return Buffer.concat(read)
}

function frontOf(parcel: Parcel, length: number): Uint8Array {
  if (parcel instanceof PipeParcel) {
    return readPipe(parcel.first, Math.min(length, parcel.first.bytes), 'to-buffer')
  }
  return (parcel.parts[0] as Uint8Array).subarray(parcel.skip).subarray(0, length)
}

/** Sends a range of a segment, parcel by parcel, into memory. */
export function sendRange(raw: PipeRaw, offset: number, length: number): Buffer {
  const parts: Buffer[] = []
  for (let done = 0; done < length;) {
    const part = readParcel(raw.parcel(offset + done, length - done))
    if (part.length === 0) throw new Error('A parcel was empty')
    parts.push(part)
    done += part.length
  }
  return Buffer.concat(parts)
}

/** Leaves the pool so many slots beyond what is in use, for the rest of the test. */
export function withBudget(slotsFree: number): void {
  pipePool.drain()
  // The reserved pipe is made with the first budget, and is none of what is free.
  pipePool.setBudget()
  pipePool.setBudget(pipePool.slotsReserved + slotsFree)
  afterwards(() => {
    pipePool.drain()
    pipePool.setBudget()
  })
}

import { shareNow, writeEachNow, type DirectPlace, type Relayed } from '../endpoints/direct.js'
import { MemoryWindow, RawWindow } from '../list/window.js'
import type { Segments } from '../list/segments.js'
import { PipeRaw } from '../raw/pipe.js'
import { pipePool } from '../raw/pipe-pool.js'
import type { PageOwnership } from '../raw/raw.js'

/** Parts of a chunk in memory that are offered at the most: those of a header and what it speaks of. */
const PARTS_MAX = 16

/** What may be offered bytes that others need too. It never throws: what goes wrong is its own. */
export interface Taker {
  /** Where it takes pages of such an owner without waiting; undefined where nowhere, or not now. */
  placeFor(pages: PageOwnership | null): DirectPlace | undefined
  /** It has been given pages: what it took of them. */
  tookPages(place: DirectPlace, moved: Relayed): void
  /** Where it takes memory without waiting; undefined where nowhere, or not now. */
  placeForMemory(): DirectPlace | undefined
  /** It has been given memory: how many bytes it took, or −errno. */
  tookMemory(bytes: number): void
}

/**
 * Offers the front of a chunk to several sinks, one after another, before any of them waits for it: the
 * memory or the pages that it begins with, which stay the chunk's. Returns how many bytes each took.
 *
 * They are offered by one call for all sinks: between two calls the kernel has driven the code for the
 * next one out of the caches, which costs 20 µs (1 MiB to each of 8 TCP sockets).
 */
export function offer(chunk: Segments, takers: readonly Taker[]): readonly number[] {
  const first = chunk.first()
  if (first instanceof MemoryWindow) return offerMemory(chunk, takers)
  return first instanceof RawWindow ? offerPages(first, takers) : takers.map(() => 0)
}

function offerMemory(chunk: Segments, takers: readonly Taker[]): number[] {
  let parts: readonly Uint8Array[]
  try {
    parts = chunk.gather(chunk.length, PARTS_MAX)
  } catch {
    // Memory that is there no more is each sink's own failure, as soon as it comes to send it.
    return takers.map(() => 0)
  }
  const places = takers.map((taker) => taker.placeForMemory())
  const to = places.filter((place) => place !== undefined)
  const lengthBytes = parts.reduce((sum, { length }) => sum + length, 0)
  const written = to.length === 0 ? [] : writeEachNow(parts, to, chunk.length > lengthBytes)
  let at = 0
  return takers.map((taker, i) => {
    if (places[i] === undefined) return 0
    const bytes = written[at++] as number
    taker.tookMemory(bytes)
    return Math.max(0, bytes)
  })
}

function offerPages({ raw, offset, length }: RawWindow, takers: readonly Taker[]): number[] {
  const taken = takers.map(() => 0)
  const held = raw instanceof PipeRaw ? raw.pipeAt(offset, length) : undefined
  if (held === undefined) return taken
  const places = takers.map((taker) => taker.placeFor(raw.pages))
  const to = places.filter((place) => place !== undefined)
  const through = to.length === 0 ? undefined : pipePool.borrow(length, held.slots, 'shared')
  if (through === undefined) return taken
  try {
    const shared = shareNow(held, through, to, length)
    let at = 0
    for (const [i, place] of places.entries()) {
      const moved = place === undefined ? undefined : shared[at++]
      if (place === undefined || moved === undefined) continue
      taken[i] = moved.bytes
      takers[i]?.tookPages(place, moved)
    }
  } finally {
    pipePool.giveBack(through)
  }
  return taken
}

import {
  shareNow,
  writeEachNow,
  type DirectPlace,
  type Relayed,
  type Sharer,
} from '../endpoints/direct.js'
import { MemoryWindow, RawWindow } from '../list/window.js'
import type { Segments } from '../list/segments.js'
import { PipeRaw } from '../raw/pipe.js'
import { pipePool, type HeldPipe } from '../raw/pipe-pool.js'
import type { PageOwnership } from '../raw/raw.js'

/** Parts of a chunk in memory that are offered at the most: those of a header and what it speaks of. */
const PARTS_MAX = 16

/**
 * Sinks that are given their bursts in turns, at the most: seven others take longer than a packet of
 * a paced socket is held back. Each has a pipe of its own meanwhile.
 */
const TURNS_MAX = 8

/** What may be offered bytes that others need too. It never throws: what goes wrong is its own. */
export interface Taker {
  /** Where it takes pages of such an owner without waiting; undefined where nowhere, or not now. */
  placeFor(pages: PageOwnership | null): DirectPlace | undefined
  /** Of a share of so many bytes, the most that such a place is given before others have theirs. */
  burstBytes(place: DirectPlace, lengthBytes: number): number
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
  const sharers: (Sharer & { readonly taker: number })[] = []
  for (const [i, taker] of takers.entries()) {
    const place = taker.placeFor(raw.pages)
    if (place === undefined) continue
    sharers.push({ place, burstBytes: taker.burstBytes(place, length), taker: i })
  }
  const through = pipesBetween(held, sharers, length)
  if (through.length === 0) return taken
  try {
    const shared = shareNow(held, through, sharers, length)
    for (const [i, { place, taker }] of sharers.entries()) {
      const moved = shared[i]
      if (moved === undefined) break
      taken[taker] = moved.bytes
      takers[taker]?.tookPages(place, moved)
    }
  } finally {
    for (const one of through) pipePool.giveBack(one)
  }
  return taken
}

/** A pipe for each sink that takes turns with others, as far as there are some; else one for all. */
function pipesBetween(
  { slots }: HeldPipe,
  sharers: readonly Sharer[],
  lengthBytes: number,
): readonly HeldPipe[] {
  const takeTurns = sharers.some(({ burstBytes }) => burstBytes < lengthBytes)
  const wanted = takeTurns ? Math.min(sharers.length, TURNS_MAX) : Math.min(sharers.length, 1)
  const through: HeldPipe[] = []
  while (through.length < wanted) {
    const isNeeded = through.length === 0
    const one = isNeeded
      ? pipePool.borrow(lengthBytes, slots, 'shared')
      : pipePool.borrowSpare(lengthBytes, slots, 'shared')
    if (one === undefined) break
    through.push(one)
  }
  return through
}

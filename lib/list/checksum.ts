/**
 * The checksum of a list out of those of its segments. Each window keeps its own once it is known, as
 * all lists do that share the window; so only bytes that were never summed up are read, and a change
 * of the seed, a cut between windows or a join costs a few nanoseconds a segment.
 */
import { checkSeed } from '../arguments.js'
import { InvalidArgumentError, NotLoadedError } from '../errors.js'
import type { Lease } from '../raw/slabs.js'
import { endAll } from './body.js'
import { combine, crc32cOfZeros } from './crc32c-algebra.js'
import { crc32cWord } from './crc32c.js'
import type { Leaf } from './leaf.js'
import type { Segments } from './segments.js'
import { MemoryWindow, type Window } from './window.js'

/** CRC-32C of a range, as a signed word. */
export function crcOfRange(
  segments: Segments,
  offset: number,
  length: number,
  seed: number,
): number {
  let crc = seed | 0
  let at = offset
  const sumUp = (window: Window, within: number, n: number): boolean => {
    if (n === window.length && (window.crc !== undefined || keepsCrc(window))) {
      crc = combine(crc, keptCrc(window, at), n)
    } else crc = crcOf(window, within, n, crc, at)
    at += n
    return true
  }
  segments.visit(offset, length, sumUp, (leaf) => {
    const sum = (leaf.crc ??= crcOfLeaf(leaf, at))
    if (sum === undefined) return false
    crc = combine(crc, sum, leaf.lengthBytes)
    at += leaf.lengthBytes
    return true
  })
  return crc
}

/** Of a whole leaf; undefined where a window of it keeps no checksum. */
function crcOfLeaf(leaf: Leaf, at: number): number | undefined {
  let crc = 0
  for (let i = leaf.head; i < leaf.windows.length; i++) {
    const window = leaf.windows[i] as Window
    if (!keepsCrc(window)) return undefined
    crc = combine(crc, keptCrc(window, at), window.length)
  }
  return crc
}

/** Of a whole window, which keeps it. */
function keptCrc(window: Window, at: number): number {
  return (window.crc ??= crcOf(window, 0, window.length, 0, at))
}

/** Gives the only segment of a list the checksum that its producer has computed. */
export function carryCrc(segments: Segments, crc: number): void {
  checkSeed('crc', crc)
  const window = segments.first()
  if (window === undefined || segments.count > 1) {
    throw new InvalidArgumentError(
      `A checksum belongs to one segment, and this list has ${segments.count}. Join lists afterwards`,
    )
  }
  if (!keepsCrc(window)) {
    throw new InvalidArgumentError(
      "Others can change these pages, so no checksum of theirs lasts. Pull them with mode 'stable'",
    )
  }
  window.crc = crc | 0
}

/** Whether nobody else can change the bytes: loans and foreign pages keep no checksum. */
function keepsCrc(window: Window): boolean {
  return window.pages === null || window.pages === 'owned'
}

/** Reads what it must. `at` is the range's offset in the list, for an error. */
function crcOf(window: Window, within: number, length: number, seed: number, at: number): number {
  if (window instanceof MemoryWindow) return crc32cWord(window.view(within, length), seed)
  if (window.kind === 'zero') return crc32cOfZeros(seed, length)
  let crc = seed
  const leases: Lease[] = []
  try {
    for (let done = 0; done < length;) {
      const stretch = window.stretch(within + done, leases)
      if (stretch === undefined) throw new NotLoadedError(at + done, length - done)
      const from = within + done - stretch.start
      const bytes = stretch.bytes.subarray(from, from + length - done)
      crc = crc32cWord(bytes, crc)
      done += bytes.length
      endAll(leases.splice(0))
    }
  } finally {
    endAll(leases)
  }
  return crc
}

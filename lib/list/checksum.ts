/**
 * The checksum of a list out of those of its segments. Each window keeps its own once it is known, as
 * all lists do that share the window, and each leaf those of its runs of windows (`Marks`). So only bytes
 * that were never summed up are read; and a change of the seed, a cut or a join costs some
 * nanoseconds a leaf of 128 segments, and reads what is left of those that were cut.
 */
import { checkSeed } from '../arguments.js'
import { InvalidArgumentError, NotLoadedError } from '../errors.js'
import type { Lease } from '../raw/slabs.js'
import { endAll } from './body.js'
import { combine, crc32cOfZeros, frontOf } from './crc32c-algebra.js'
import { crc32cWord } from './crc32c.js'
import type { Leaf } from './leaf.js'
import { Marks, NO_MARKS } from './marks.js'
import type { Segments } from './segments.js'
import { MemoryWindow, type Window } from './window.js'

/** CRC-32C of all the bytes, as a signed word. */
export function crcOf(segments: Segments, seed: number): number {
  const { single, inLeaves } = segments
  let crc = seed | 0
  if (single !== undefined) return continuedByWindow(crc, single, 0)
  let at = 0
  for (const leaf of inLeaves) {
    crc = continuedByLeaf(crc, leaf, at)
    at += leaf.lengthBytes
  }
  return crc
}

/** A checksum that is continued by a leaf. `at` is the leaf's offset in the list, for an error. */
function continuedByLeaf(crc: number, leaf: Leaf, at: number): number {
  if (leaf.marks === NO_MARKS) leaf.marks = marksOf(leaf, at)
  const { windows, head, marks } = leaf
  let sum = crc
  let done = 0
  for (let i = head; i < windows.length;) {
    if (i === marks.first && i < marks.end) {
      sum = marks.continued(sum)
      done += marks.lengthBytes
      i = marks.end
      continue
    }
    const window = windows[i] as Window
    sum = continuedByWindow(sum, window, at + done)
    done += window.length
    i += 1
  }
  return sum
}

/** Of a leaf that lies at an offset; none where a window of it keeps no checksum. */
function marksOf(leaf: Leaf, at: number): Marks {
  const { windows, head } = leaf
  const borders = [0, 0]
  let crc = 0
  let lengthBytes = 0
  for (let i = head; i < windows.length; i++) {
    const window = windows[i] as Window
    if (window.crc === undefined && !keepsCrc(window)) return NO_MARKS
    crc = combine(crc, keptCrc(window, at + lengthBytes), window.length)
    lengthBytes += window.length
    borders.push(crc, lengthBytes)
  }
  return new Marks(borders, head, head, windows.length)
}

/** A checksum that is continued by a window. `at` is its offset in the list, for an error. */
function continuedByWindow(crc: number, window: Window, at: number): number {
  if (window.crc === undefined && !keepsCrc(window)) return read(window, crc, at)
  return combine(crc, keptCrc(window, at), window.length)
}

/** Of a whole window, which keeps it. */
function keptCrc(window: Window, at: number): number {
  return (window.crc ??= read(window, 0, at))
}

/**
 * Gives a list's only segment, or the only one that is not in memory, the checksum that follows from the
 * whole list's, which its producer has computed.
 */
export function carryCrc(segments: Segments, crc: number): void {
  checkSeed('crc', crc)
  const target = segments.count === 1 ? segments.first() : onlyHeld(segments)
  let before = 0
  let after = 0
  let afterBytes = 0
  let isBehind = false
  for (const window of segments.windows()) {
    if (window === target) {
      isBehind = true
    } else if (isBehind) {
      after = combine(after, keptCrc(window, 0), window.length)
      afterBytes += window.length
    } else before = combine(before, keptCrc(window, 0), window.length)
  }
  if (target === undefined) return
  const front = afterBytes === 0 ? crc | 0 : frontOf(crc, after, afterBytes)
  target.crc = combine(before, front, target.length)
  for (const leaf of segments.inLeaves) leaf.marks = NO_MARKS
}

/** The only segment that is not in memory. */
function onlyHeld(segments: Segments): Window {
  const held = [...segments.windows()].filter(({ kind }) => kind !== 'heap' && kind !== 'zero')
  const [first] = held
  if (first === undefined || held.length > 1) {
    throw new InvalidArgumentError(
      'A checksum tells of one segment, alone or beside memory, and this list has ' +
        `${held.length} that are not in memory, of ${segments.count}. Join lists afterwards`,
    )
  }
  return first
}

/**
 * Whether nobody else can change the bytes. Of loans and foreign pages no checksum of ours is kept: it
 * is one of the moment of looking, and what is sent later may be other bytes. That of a producer is:
 * it says what the bytes should be, whatever they are, and whoever checks finds out.
 */
function keepsCrc(window: Window): boolean {
  return window.pages === null || window.pages === 'owned'
}

/** Reads a window. `at` is its offset in the list, for an error. */
function read(window: Window, seed: number, at: number): number {
  const { length } = window
  if (window instanceof MemoryWindow) return crc32cWord(window.view(0, length), seed)
  if (window.kind === 'zero') return crc32cOfZeros(seed, length)
  let crc = seed
  const leases: Lease[] = []
  try {
    for (let done = 0; done < length;) {
      const stretch = window.stretch(done, leases)
      if (stretch === undefined) throw new NotLoadedError(at + done, length - done)
      const bytes = stretch.bytes.subarray(done - stretch.start)
      crc = crc32cWord(bytes, crc)
      done += bytes.length
      endAll(leases.splice(0))
    }
  } finally {
    endAll(leases)
  }
  return crc
}

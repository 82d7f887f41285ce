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

/** CRC-32C of a range, as a signed word. */
export function crcOfRange(
  segments: Segments,
  offset: number,
  length: number,
  seed: number,
): number {
  let crc = seed | 0
  let at = offset
  if (segments.single !== undefined) return continued(crc, segments.single, offset, length, at)
  segments.visitLeaves(offset, length, (leaf, index, within, n) => {
    crc = continuedInLeaf(crc, leaf, { index, within, length: n, at })
    at += n
  })
  return crc
}

/** A range of a leaf: the window it begins in, where in that, its bytes, and its offset in the list. */
interface LeafRange {
  readonly index: number
  readonly within: number
  readonly length: number
  readonly at: number
}

function continuedInLeaf(crc: number, leaf: Leaf, range: LeafRange): number {
  const { length, at } = range
  if (leaf.marks === NO_MARKS && length === leaf.lengthBytes) leaf.marks = marksOf(leaf, at)
  const { marks } = leaf
  let { index, within } = range
  let sum = crc
  for (let done = 0; done < length;) {
    if (within === 0 && index >= marks.first && index < marks.last) {
      const next = marks.within(index, length - done)
      if (next > index) {
        sum = marks.continued(sum, index, next)
        done += marks.bytesBetween(index, next)
        index = next
        continue
      }
    }
    const window = leaf.windows[index] as Window
    const n = Math.min(length - done, window.length - within)
    sum = continued(sum, window, within, n, at + done)
    done += n
    index++
    within = 0
  }
  return sum
}

/** Of a leaf that lies at an offset; none where a window of it keeps no checksum. */
function marksOf(leaf: Leaf, at: number): Marks {
  const sums = [0]
  const ends = [0]
  let crc = 0
  let end = 0
  for (let i = leaf.head; i < leaf.windows.length; i++) {
    const window = leaf.windows[i] as Window
    if (window.crc === undefined && !keepsCrc(window)) return NO_MARKS
    crc = combine(crc, keptCrc(window, at + end), window.length)
    end += window.length
    sums.push(crc)
    ends.push(end)
  }
  return new Marks(sums, ends, -leaf.head, leaf.head, leaf.windows.length)
}

/** A checksum that is continued by a part of a window. `at` is its offset in the list, for an error. */
function continued(
  crc: number,
  window: Window,
  within: number,
  length: number,
  at: number,
): number {
  if (length < window.length || (window.crc === undefined && !keepsCrc(window))) {
    return crcOf(window, within, length, crc, at)
  }
  return combine(crc, keptCrc(window, at), length)
}

/** Of a whole window, which keeps it. */
function keptCrc(window: Window, at: number): number {
  return (window.crc ??= crcOf(window, 0, window.length, 0, at))
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

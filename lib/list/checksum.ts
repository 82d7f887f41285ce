/**
 * The checksum of a list out of those of its segments. Each window keeps its own once it is known, as
 * all lists do that share the window, and each leaf those of its runs of windows (`Marks`). So only bytes
 * that were never summed up are read; and a change of the seed, a cut or a join costs some
 * nanoseconds a leaf of 128 segments, and reads what is left of those that were cut.
 */
import { checkSeed } from '../arguments.js'
import { InvalidArgumentError, NotLoadedError } from '../errors.js'
import type { LookReason } from '../audit/causes.js'
import type { Lease } from '../raw/slabs.js'
import { endAll } from './body.js'
import { combine, crc32cOfZeros, frontOf } from './crc32c-algebra.js'
import { crc32cWord } from './crc32c.js'
import { isJoint, jointRunAt } from './joint-sum.js'
import type { Leaf } from './leaf.js'
import { Marks, NO_MARKS } from './marks.js'
import type { Segments } from './segments.js'
import { MemoryWindow, RawWindow, type Window } from './window.js'

/** CRC-32C of all the bytes, as a signed word. `cause`: why they are looked at. */
export function crcOf(segments: Segments, seed: number, cause: LookReason): number {
  const { single, inLeaves } = segments
  let crc = seed | 0
  if (single !== undefined) return continuedByWindow(crc, single, 0, cause)
  let at = 0
  for (const leaf of inLeaves) {
    if (hasJoint(leaf)) return continuedByWindows(crc, segments, at, cause)
    crc = continuedByLeaf(crc, leaf, at, cause)
    at += leaf.lengthBytes
  }
  return crc
}

/** Whether some of a leaf's windows have a checksum together. */
function hasJoint(leaf: Leaf): boolean {
  return leaf.isCounted && leaf.marks === NO_MARKS && leaf.windows.some(isJoint)
}

/**
 * A checksum that is continued by all windows from an offset on, one after the other, or as many as have a
 * checksum together.
 */
function continuedByWindows(
  crc: number,
  segments: Segments,
  offset: number,
  cause: LookReason,
): number {
  const knownCrc = (window: Window, at: number): number | undefined =>
    window.crc ?? (keepsCrc(window) ? keptCrc(window, at, cause) : undefined)
  let sum = crc
  for (let at = offset; at < segments.length;) {
    const window = segments.at(at)
    const run = jointRunAt(segments, at, window, knownCrc)
    if (run === undefined) {
      sum = continuedByWindow(sum, window, at, cause)
      at += window.length
    } else {
      sum = combine(sum, run.crc, run.lengthBytes)
      at += run.lengthBytes
    }
  }
  return sum
}

/** A checksum that is continued by a leaf. `at` is the leaf's offset in the list, for an error. */
function continuedByLeaf(crc: number, leaf: Leaf, at: number, cause: LookReason): number {
  if (leaf.marks === NO_MARKS) leaf.marks = marksOf(leaf, at, cause)
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
    sum = continuedByWindow(sum, window, at + done, cause)
    done += window.length
    i += 1
  }
  return sum
}

/** Of a leaf that lies at an offset; none where a window of it keeps no checksum of its own. */
function marksOf(leaf: Leaf, at: number, cause: LookReason): Marks {
  const { windows, head } = leaf
  const borders = [0, 0]
  let crc = 0
  let lengthBytes = 0
  for (let i = head; i < windows.length; i++) {
    const window = windows[i] as Window
    if (isJoint(window) || (window.crc === undefined && !keepsCrc(window))) return NO_MARKS
    crc = combine(crc, keptCrc(window, at + lengthBytes, cause), window.length)
    lengthBytes += window.length
    borders.push(crc, lengthBytes)
  }
  return new Marks(borders, head, head, windows.length)
}

/** A checksum that is continued by a window. `at` is its offset in the list, for an error. */
function continuedByWindow(crc: number, window: Window, at: number, cause: LookReason): number {
  if (window.crc === undefined && !keepsCrc(window)) return read(window, crc, at, cause)
  return combine(crc, keptCrc(window, at, cause), window.length)
}

/** Of a whole window, which keeps it. */
function keptCrc(window: Window, at: number, cause: LookReason): number {
  return (window.crc ??= read(window, 0, at, cause))
}

/**
 * Gives the segments of a list that are not in memory, or its only one, the checksum that follows from
 * the whole list's, which its producer has computed: to those of them that carry none yet, if there
 * are such, and to several together.
 */
export function carryCrc(segments: Segments, crc: number): void {
  checkSeed('crc', crc)
  const targets = targetsOf([...segments.windows()])
  const starts: number[] = []
  let others = 0
  let at = 0
  let end = 0
  for (const window of segments.windows()) {
    const { length } = window
    const isTarget = targets.has(window)
    others = combine(others, isTarget ? 0 : keptCrc(window, at, 'look'), length)
    if (isTarget) {
      starts.push(at)
      end = at + length
    }
    at += length
  }
  const own = frontOf(crc ^ others, 0, at - end)
  giveCrc([...targets], starts, end, own)
  // They were made of what the segments carried before.
  for (const leaf of segments.inLeaves) leaf.marks = NO_MARKS
}

/** Where the targets begin, and where the last of them ends; and the checksum that they have together. */
function giveCrc(
  targets: readonly Window[],
  starts: readonly number[],
  end: number,
  crc: number,
): void {
  const [first] = targets
  if (first !== undefined && targets.length === 1) {
    first.crc = crc
    return
  }
  const start = starts[0] as number
  const sum = { crc, starts: starts.map((at) => at - start), lengthBytes: end - start }
  for (const [index, target] of targets.entries()) {
    if (target instanceof RawWindow) target.joint = { sum, index }
  }
}

function targetsOf(windows: readonly Window[]): ReadonlySet<Window> {
  if (windows.length === 1) return new Set(windows)
  const held = windows.filter(({ kind }) => kind !== 'heap' && kind !== 'zero')
  if (held.length === 0) {
    throw new InvalidArgumentError(
      'A checksum tells of one segment, or of those that are not in memory, and the ' +
        `${windows.length} segments of this list lie in memory. Join lists afterwards`,
    )
  }
  const unknown = held.filter((window) => window.crc === undefined)
  const chosen = unknown.length > 0 ? unknown : held
  const targets = new Set(chosen)
  if (targets.size === chosen.length) return targets
  throw new InvalidArgumentError(
    'A checksum tells of segments that are in the list once. Repeat them afterwards',
  )
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
function read(window: Window, seed: number, at: number, cause: LookReason): number {
  const { length } = window
  if (window instanceof MemoryWindow) return crc32cWord(window.view(0, length), seed)
  if (window.kind === 'zero') return crc32cOfZeros(seed, length)
  let crc = seed
  const leases: Lease[] = []
  try {
    for (let done = 0; done < length;) {
      const stretch = window.stretch(done, leases, cause)
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

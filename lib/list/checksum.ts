/**
 * The checksum of a list out of those of its segments. Each window keeps its own once it is known, as
 * all lists do that share the window, and each leaf those of its runs of windows (`Marks`). So only bytes
 * that were never summed up are read; and a change of the seed, a cut or a join costs some
 * nanoseconds a leaf of 128 segments, and reads what is left of those that were cut.
 */
import { checkSeed } from '../arguments.js'
import type { LookReason } from '../audit/causes.js'
import { InvalidArgumentError, NotLoadedError } from '../errors.js'
import type { Lease } from '../raw/slabs.js'
import { endAll } from './body.js'
import { combine, crc32cOfZeros, frontOf } from './crc32c-algebra.js'
import { crc32cWord } from './crc32c.js'
import { isJoint, jointRunAt } from './joint-sum.js'
import type { Leaf } from './leaf.js'
import { Marks } from './marks.js'
import type { Segments } from './segments.js'
import { MemoryWindow, RawWindow, type Window } from './window.js'

/** CRC-32C of a range, as a signed word. */
export function crcOfRange(
  segments: Segments,
  offset: number,
  length: number,
  seed: number,
  cause: LookReason,
): number {
  let crc = seed | 0
  let at = offset
  const { single } = segments
  if (single !== undefined) return continued(crc, single, { within: offset, length, at, cause })
  let isJointFrom = false as boolean
  segments.visitLeaves(offset, length, (leaf, index, within, n) => {
    isJointFrom ||= hasJoint(leaf)
    if (isJointFrom) return
    crc = continuedInLeaf(crc, leaf, index, { within, length: n, at, cause })
    at += n
  })
  return isJointFrom ? crcByWindows(segments, at, offset + length - at, crc, cause) : crc
}

/** Whether some of a leaf's windows have a checksum together. */
function hasJoint(leaf: Leaf): boolean {
  return leaf.isCounted && leaf.marks === undefined && leaf.windows.some(isJoint)
}

/** As `crcOfRange`, one window after the other, or as many as have a checksum together. */
function crcByWindows(
  segments: Segments,
  offset: number,
  length: number,
  seed: number,
  cause: LookReason,
): number {
  const knownCrc = (window: Window, at: number): number | undefined =>
    window.crc ?? (keepsCrc(window) ? keptCrc(window, at, cause) : undefined)
  let crc = seed
  for (let at = offset; at < offset + length;) {
    const window = segments.at(at)
    const { within } = segments
    const left = offset + length - at
    const run = within === 0 ? jointRunAt(segments, at, window, knownCrc) : undefined
    if (run !== undefined && run.lengthBytes <= left) {
      crc = combine(crc, run.crc, run.lengthBytes)
      at += run.lengthBytes
    } else {
      const n = Math.min(left, window.length - within)
      crc = continued(crc, window, { within, length: n, at, cause })
      at += n
    }
  }
  return crc
}

/** A range: where in a window it begins, its bytes, and where in the list; and why it is looked at. */
interface Range {
  readonly within: number
  readonly length: number
  readonly at: number
  readonly cause: LookReason
}

/** As `continued`, by a range of a leaf that begins in the window of an index. */
function continuedInLeaf(crc: number, leaf: Leaf, first: number, range: Range): number {
  const { length, at, cause } = range
  const marks = length === leaf.lengthBytes ? (leaf.marks ??= marksOf(leaf, at, cause)) : leaf.marks
  let index = first
  let { within } = range
  let sum = crc
  for (let done = 0; done < length;) {
    if (marks !== undefined && within === 0 && index >= marks.first && index < marks.last) {
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
    sum = continued(sum, window, { within, length: n, at: at + done, cause })
    done += n
    index++
    within = 0
  }
  return sum
}

/** Of a leaf that lies at an offset; undefined where a window of it keeps no checksum of its own. */
function marksOf(leaf: Leaf, at: number, cause: LookReason): Marks | undefined {
  const sums = [0]
  const ends = [0]
  let crc = 0
  let end = 0
  for (let i = leaf.head; i < leaf.windows.length; i++) {
    const window = leaf.windows[i] as Window
    if (isJoint(window) || (window.crc === undefined && !keepsCrc(window))) return undefined
    crc = combine(crc, keptCrc(window, at + end, cause), window.length)
    end += window.length
    sums.push(crc)
    ends.push(end)
  }
  return new Marks(sums, ends, -leaf.head, leaf.head, leaf.windows.length)
}

/** A checksum that is continued by a part of a window. */
function continued(crc: number, window: Window, range: Range): number {
  const { length, at, cause } = range
  if (length < window.length || (window.crc === undefined && !keepsCrc(window))) {
    return crcOf(window, crc, range)
  }
  return combine(crc, keptCrc(window, at, cause), length)
}

/** Of a whole window, which keeps it. */
function keptCrc(window: Window, at: number, cause: LookReason): number {
  return (window.crc ??= crcOf(window, 0, { within: 0, length: window.length, at, cause }))
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
  if (segments.single === undefined) {
    segments.visitLeaves(0, segments.length, (leaf) => (leaf.marks = undefined))
  }
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

/** Reads what it must. */
function crcOf(window: Window, seed: number, { within, length, at, cause }: Range): number {
  if (window instanceof MemoryWindow) return crc32cWord(window.view(within, length), seed)
  if (window.kind === 'zero') return crc32cOfZeros(seed, length)
  let crc = seed
  const leases: Lease[] = []
  try {
    for (let done = 0; done < length;) {
      const stretch = window.stretch(within + done, leases, cause)
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

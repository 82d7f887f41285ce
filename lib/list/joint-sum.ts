/**
 * A checksum that a producer told of several segments together, and so of none of them alone: a frame's
 * payload comes in as many pipes as it takes. Each of its segments refers to it, so it goes wherever they
 * go; and it tells something wherever all of them follow each other, whole, and as far apart as they
 * were. What lies between them has a checksum of its own, which is taken out of theirs.
 */
import { combine } from './crc32c-algebra.js'
import type { Segments } from './segments.js'
import { RawWindow, type Window } from './window.js'

/** See the head of this file. */
export interface JointSum {
  /** CRC-32C from seed 0 of the bytes from the first segment to the last, less what lies between. */
  readonly crc: number
  /** Where each of the segments begins, in bytes from the first. */
  readonly starts: readonly number[]
  /** Bytes from the first segment's first to the last one's last. */
  readonly lengthBytes: number
}

/** What one of the segments keeps. */
export interface JointShare {
  readonly sum: JointSum
  /** Which of them it is. */
  readonly index: number
}

/** All segments of a joint checksum, in a list: what is known of the bytes from the first to the last. */
export interface JointRun {
  readonly crc: number
  readonly lengthBytes: number
}

/** Whether a window is one of several that have a checksum together. */
export function isJoint(window: Window): window is RawWindow & { readonly joint: JointShare } {
  return window instanceof RawWindow && window.joint !== undefined
}

/**
 * The run that begins with a window, at an offset of the list, where all of it follows. `crcOf` tells the
 * checksum of what lies between, or undefined.
 */
export function jointRunAt(
  segments: Segments,
  at: number,
  window: Window,
  crcOf: (between: Window, at: number) => number | undefined,
): JointRun | undefined {
  if (!isJoint(window) || window.joint.index > 0) return undefined
  const { sum } = window.joint
  const { starts, lengthBytes } = sum
  if (at + lengthBytes > segments.length) return undefined
  let crc = 0
  let done = 0
  let next = 0
  segments.visit(at, lengthBytes, (each, _within, n) => {
    const isOurs = isJoint(each) && each.joint.sum === sum
    if (isOurs && (each.joint.index !== next || starts[next] !== done)) return false
    const known = isOurs ? 0 : crcOf(each, at + done)
    if (known === undefined) return false
    crc = combine(crc, known, n)
    done += n
    if (isOurs) next += 1
    return true
  })
  return done === lengthBytes && next === starts.length
    ? { crc: crc ^ sum.crc, lengthBytes }
    : undefined
}

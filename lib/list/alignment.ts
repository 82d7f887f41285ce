/**
 * Alignment of a list's segments, for sinks that ask for it (`O_DIRECT`). Only addresses that are
 * known count: those of pages of ours. Where V8 keeps its memory is V8's secret.
 */
import { InvalidArgumentError, NoPagesError } from '../errors.js'
import { PagesRaw } from '../raw/pages.js'
import { PAGE_BYTES } from '../raw/pipe-pool.js'
import { Segments } from './segments.js'
import { RawWindow, windowOf, type Window } from './window.js'

/** Refuses all but a power of two up to a page: more is known of no address. */
export function checkAlignment(alignBytes: unknown): asserts alignBytes is number {
  const is = typeof alignBytes === 'number' && alignBytes >= 1 && alignBytes <= PAGE_BYTES
  if (is && Number.isInteger(Math.log2(alignBytes))) return
  throw new InvalidArgumentError(
    `alignBytes must be a power of two from 1 to ${PAGE_BYTES}, not ${String(alignBytes)}`,
  )
}

/** Whether every segment is known to begin at an aligned address. */
export function areAligned(segments: Segments, alignBytes: number): boolean {
  for (const window of segments.windows()) if (!isAligned(window, alignBytes)) return false
  return true
}

/** Whether the length of every segment is a multiple. */
export function areOfSize(segments: Segments, alignBytes: number): boolean {
  for (const { length } of segments.windows()) if (length % alignBytes !== 0) return false
  return true
}

/**
 * The same bytes in segments that begin at aligned addresses and whose lengths, but for the last, are
 * multiples. Segments that comply where they are stay; runs of others are copied into pages: `copy`
 * fills one for a range of the list. What it is given stays as it is.
 */
export function realigned(
  segments: Segments,
  alignBytes: number,
  copy: (offset: number, target: Uint8Array) => void,
): Segments {
  const result = new Segments()
  try {
    for (const { offset, length, keep } of plan(segments, alignBytes)) {
      if (keep !== undefined) {
        result.push(keep.part(0, keep.length))
        continue
      }
      const pages = PagesRaw.make(length)
      if (pages === undefined) throw new NoPagesError()
      result.push(windowOf(pages))
      copy(offset, pages.bytes)
    }
  } catch (error) {
    result.clear()
    throw error
  }
  return result
}

/** A run of a list: one window that stays, or bytes that go into pages. */
interface Run {
  readonly offset: number
  readonly length: number
  readonly keep?: Window
}

function plan(segments: Segments, alignBytes: number): Run[] {
  const runs: Run[] = []
  let offset = 0
  let length = 0
  for (const window of segments.windows()) {
    const complies = isAligned(window, alignBytes) && window.length % alignBytes === 0
    if (length === 0 && complies) {
      runs.push({ offset, length: window.length, keep: window })
      offset += window.length
      continue
    }
    length += window.length
    if (length % alignBytes !== 0) continue
    runs.push({ offset, length })
    offset += length
    length = 0
  }
  if (length > 0) runs.push({ offset, length })
  return runs
}

function isAligned(window: Window, alignBytes: number): boolean {
  if (!(window instanceof RawWindow)) return false
  const { alignmentBytes } = window.raw
  if (alignmentBytes === undefined || alignmentBytes < alignBytes) return false
  return window.offset % alignBytes === 0
}

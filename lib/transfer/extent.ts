import type { PullOptions } from '../contract.js'
import type { SourceEnd } from '../endpoints/end.js'
import { FileEnd } from '../endpoints/file-end.js'
import { addon } from '../native.js'
import { FileRaw } from '../raw/file.js'

/**
 * The next range of a regular file itself, unless pages or copies were asked for; the place goes on
 * behind it. Within the source's turn.
 */
export function takeExtent(
  source: SourceEnd,
  length: number,
  options: PullOptions,
): FileRaw | undefined {
  // What was given back comes first, and is no part of the file's range.
  if (source.front.length > 0) return undefined
  const { hold, mode = 'auto' } = options
  const isReference = mode === 'auto' || (mode === 'reference' && addon !== null)
  const isAsked = hold !== 'pages' && isReference
  if (!isAsked || !(source instanceof FileEnd) || !source.givesExtents) return undefined
  const at = source.position()
  if (at === undefined) return undefined
  const sizeBytes = source.file.sizeBytes()
  // Files of /proc and /sys have no size and yet bytes: they are read.
  if (sizeBytes === 0) return undefined
  const there = Math.max(0, Math.min(length, sizeBytes - at))
  source.skip(there)
  return new FileRaw(source.file.retain(), at, there)
}

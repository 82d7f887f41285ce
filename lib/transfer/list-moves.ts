/**
 * `spliceFrom` and `spliceTo`: a list's own faces of the machine. Loading this floor installs them.
 */
import type { PullOptions, PushOptions } from '../contract.js'
import type { SourceEnd } from '../endpoints/end.js'
import { FileEnd } from '../endpoints/file-end.js'
import { oneWay } from '../endpoints/recognize.js'
import { InvalidArgumentError, ReleasedError } from '../errors.js'
import { BufferList, segmentsOf } from '../list/buffer-list.js'
import type { Sink, Source } from '../list/endpoint.js'
import { installMover } from '../list/mover.js'
import type { Segments } from '../list/segments.js'
import { addon } from '../native.js'
import { FileRaw } from '../raw/file.js'
import { checkPull } from './checks.js'
import { openEnds, placeOptions, withSink } from './open.js'
import { pullInto } from './pull.js'
import { pushWhole } from './push.js'
import { inTurn } from './turn.js'

async function spliceFrom(
  list: BufferList,
  source: Source,
  length: number,
  options: PullOptions,
): Promise<number> {
  if (list.isReleased) throw new ReleasedError()
  checkPull(length, options)
  if (BufferList.isBufferList(source)) return moveFromList(list, source, length)
  const { ends, close } = await openEnds(source, placeOptions(false, options))
  try {
    const end = ends.source
    if (end === undefined) throw oneWay(false)
    // In its turn: another operation may be moving the file's own position.
    const taking = inTurn(end.readTurns, options.signal, () => takeExtent(end, length, options))
    const extent = taking instanceof Promise ? await taking : taking
    if (extent !== undefined) return addTo(list, extent)
    const { segments, error } = await pullInto(end, length, options)
    const arrived = addTo(list, segments)
    if (error !== undefined) throw error
    return arrived
  } finally {
    close()
  }
}

function moveFromList(list: BufferList, source: BufferList, length: number): number {
  if (source === list) {
    throw new InvalidArgumentError(
      'A list cannot be spliced from itself. To repeat its bytes: list.append(list)',
    )
  }
  using taken = source.take(Math.min(length, source.length))
  const { length: moved } = taken
  list.claimAppend(taken)
  return moved
}

/** The range of a regular file itself, unless pages or copies were asked for. */
function takeExtent(source: SourceEnd, length: number, options: PullOptions): FileRaw | undefined {
  // What was given back comes first, and is no part of the file's range.
  if (source.front.length > 0) return undefined
  const { hold, mode = 'auto' } = options
  const isReference = mode === 'auto' || (mode === 'reference' && addon !== null)
  const isAsked = hold !== 'pages' && isReference
  if (!isAsked || !(source instanceof FileEnd) || !source.givesExtents) return undefined
  const at = source.position()
  if (at === undefined) return undefined
  const sizeBytes = source.file.sizeBytes()
  // Files of /proc have no size and yet bytes: they are read.
  if (sizeBytes === 0) return undefined
  const there = Math.max(0, Math.min(length, sizeBytes - at))
  source.skip(there)
  return new FileRaw(source.file.retain(), at, there)
}

/** Adds what arrived to a list, which may have been released meanwhile. */
function addTo(list: BufferList, arrived: Segments | FileRaw): number {
  const { length } = arrived
  if (list.isReleased || length === 0) {
    if (arrived instanceof FileRaw) arrived.release()
    else arrived.clear()
    if (list.isReleased) throw new ReleasedError()
  } else if (arrived instanceof FileRaw) list.adoptRaw(arrived)
  else segmentsOf(list).pushAll(arrived)
  return length
}

async function spliceTo(list: BufferList, sink: Sink, options: PushOptions): Promise<number> {
  const place = placeOptions(true, options)
  const sent = await withSink(sink, place, (open) => pushWhole(list, open, options))
  return sent.bytesMoved
}

installMover({ spliceFrom, spliceTo })

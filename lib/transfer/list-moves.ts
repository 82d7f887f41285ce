/**
 * `spliceFrom` and `spliceTo`: a list's own faces of the machine. Loading this floor installs them.
 */
import { beginOperation } from '../audit/observers.js'
import type { PullOptions, PushOptions } from '../contract.js'
import { oneWay } from '../endpoints/recognize.js'
import { InvalidArgumentError, ReleasedError, setResidual } from '../errors.js'
import { BufferList, listOf, segmentsOf } from '../list/buffer-list.js'
import type { Sink, Source } from '../list/endpoint.js'
import { installMover } from '../list/mover.js'
import type { Segments } from '../list/segments.js'
import type { FileRaw } from '../raw/file.js'
import { brokenOff, checkPull } from './checks.js'
import { takeExtent } from './extent.js'
import { hearing } from './hearing.js'
import { openEnds, placeOptions, SinkOpening } from './open.js'
import { pullInto } from './pull.js'
import { pushWhole } from './push.js'
import { inTurn } from './turn.js'

async function spliceFrom(
  list: BufferList,
  source: Source,
  length: number,
  options: PullOptions,
): Promise<number> {
  refuseReleased(list)
  checkPull(length, options)
  if (BufferList.isBufferList(source)) return whole(moveFromList(list, source, length), options)
  const { ends, close } = await openEnds(source, placeOptions(false, options))
  try {
    const end = ends.source
    if (end === undefined) throw oneWay(false)
    // In its turn: another operation may be moving the file's own position.
    const taking = inTurn(end.readTurns, options.signal, () => {
      refuseReleased(list)
      const extent = takeExtent(end, length, options)
      return extent === undefined ? undefined : addExtent(list, extent)
    })
    const extentBytes = taking instanceof Promise ? await taking : taking
    if (extentBytes !== undefined) return whole(extentBytes, options)
    const came = { bytes: 0, isTooLate: false }
    const pulling = pullInto(end, length, options, ({ segments }) => {
      came.bytes = segments.length
      came.isTooLate = list.isReleased
      if (segments.length === 0) return
      if (!list.isReleased) segmentsOf(list).pushAll(segments)
      // Within the turn: what the list takes no longer comes first for whoever is next.
      else end.takeBack(segments)
    })
    const { segments, error } = pulling instanceof Promise ? await pulling : pulling
    if (came.isTooLate) throw releasedMeanwhile(segments, error)
    if (error !== undefined) throw error
    return whole(came.bytes, options)
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

function addExtent(list: BufferList, extent: FileRaw): number {
  const { length } = extent
  if (length === 0) extent.release()
  else list.adoptRaw(extent)
  return length
}

function refuseReleased(list: BufferList): void {
  if (list.isReleased) throw new ReleasedError()
}

/** The error of a list that was released while bytes came for it, with those that nobody took back. */
function releasedMeanwhile(segments: Segments, error: Error | undefined): Error {
  const told = error ?? new ReleasedError()
  if (segments.length > 0) setResidual(told, listOf(segments))
  return told
}

/** A count of bytes that came, unless the stream broke off. */
function whole(gotBytes: number, options: PullOptions): number {
  const error = brokenOff(gotBytes, options)
  if (error !== undefined) throw error
  return gotBytes
}

async function spliceTo(list: BufferList, sink: Sink, options: PushOptions): Promise<number> {
  const sent = await pushWhole(list, new SinkOpening(sink, placeOptions(true, options)), options)
  return sent.bytesMoved
}

installMover({
  spliceFrom: (list, source, length, options) =>
    beginOperation(() => hearing([source], () => spliceFrom(list, source, length, options))),
  spliceTo: (list, sink, options) =>
    beginOperation(() => hearing([sink], () => spliceTo(list, sink, options))),
})

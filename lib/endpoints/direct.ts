/**
 * Bytes that go from one place to another by one call of the kernel, with no pipe of ours between:
 * nothing is pulled that was not accepted, so there is never a residual.
 */
import type { Descriptor, Pipe } from '../native.js'
import { opened, runJob, type JobResult, type RunningJob } from '../reactor.js'

/** What a place is to the kernel: a regular file, a stream socket, a pipe. */
export type DirectKind = 'file' | 'socket' | 'pipe'

/** A place that one call can move from or to. */
export interface DirectPlace {
  readonly kind: DirectKind
  readonly descriptor: Descriptor
  /** Where in the file; −1 for the descriptor's own position. */
  readonly offset: number
  /** Bytes that are there at the most. */
  readonly lengthBytes: number
}

/** The call that moves bytes between two places. */
export type DirectCall = 'sendfile' | 'copy_file_range' | 'splice'

/** The call for two kinds of places; undefined where a pipe has to be between them. */
export function directCall(from: DirectKind, to: DirectKind): DirectCall | undefined {
  if (from === 'pipe' || to === 'pipe') return 'splice'
  if (from === 'socket') return undefined
  return to === 'socket' ? 'sendfile' : 'copy_file_range'
}

/** Whether bytes have to go through a pipe, but by calls that need no JavaScript between them. */
export function mayRelay(from: DirectKind, to: DirectKind): boolean {
  return from === 'socket' && to !== 'pipe'
}

/** Moves at most so many bytes through an empty pipe: at once, or on a disk thread into a file. */
export function relay(
  from: DirectPlace,
  pipe: Pipe,
  to: DirectPlace,
  lengthBytes: number,
): RunningJob | JobResult {
  if (to.kind === 'file') {
    return runJob((token) =>
      opened().relayAt(from.descriptor, pipe, to.descriptor, to.offset, lengthBytes, token),
    )
  }
  const relayed = opened().relay(from.descriptor, pipe, to.descriptor, lengthBytes)
  if (typeof relayed === 'number') return { bytes: 0, errno: -relayed }
  return { bytes: relayed[0], errno: relayed[1] }
}

/** Moves at most so many bytes: at once, or on a disk thread where a file is one of the places. */
export function moveDirect(
  from: DirectPlace,
  to: DirectPlace,
  lengthBytes: number,
): RunningJob | JobResult {
  if (from.kind === 'file' || to.kind === 'file') {
    return runJob((token) =>
      opened().pump(from.descriptor, from.offset, to.descriptor, to.offset, [lengthBytes], token),
    )
  }
  const n = opened().move(from.descriptor, -1, to.descriptor, -1, lengthBytes, false)
  return n < 0 ? { bytes: 0, errno: -n } : { bytes: n, errno: 0 }
}

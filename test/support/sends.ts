/**
 * What the addon is asked to send to a socket, call by call, and whether more was promised to follow.
 */
import type { Socket } from 'node:net'
import { fdOf } from './socket-pairs.js'
import { watch } from './watch.js'

/** One call that a socket has taken bytes of. */
export interface Send {
  /** Bytes that it was handed. */
  readonly askedBytes: number
  /** Bytes that it took. */
  readonly takenBytes: number
  /** Whether it was promised that more follow at once (`SPLICE_F_MORE`, `MSG_MORE`). */
  readonly more: boolean
}

/** Watches every call until the test is over: what was sent to this socket, which nobody has used yet. */
export function sendsTo(socket: Socket): readonly Send[] {
  const its = handlesOf(socket)
  const sends: Send[] = []
  const sent = (sink: unknown, askedBytes: number, takenBytes: number, more: boolean): void => {
    if (its.has(sink) && takenBytes > 0) sends.push({ askedBytes, takenBytes, more })
  }
  watch('move', ([, , sink, , asked, more], n) => sent(sink, asked, n, more))
  for (const name of ['writev', 'lend'] as const) {
    watch(name, ([sink, parts, skip, more], n) => sent(sink, sum(parts) - skip, n, more))
  }
  watch('writeEach', ([sinks, parts, more, taken], n) => {
    if (n >= 0) sinks.forEach((sink, i) => sent(sink, sum(parts), taken[i] as number, more))
  })
  return sends
}

/** The addon's handles of a socket that nobody has used yet, as they are made until the test is over. */
export function handlesOf(socket: Socket): ReadonlySet<unknown> {
  const fd = fdOf(socket)
  const handles = new Set<unknown>()
  watch('adopt', ([number], made) => {
    if (number === fd) handles.add(made)
  })
  return handles
}

function sum(parts: readonly Uint8Array[]): number {
  return parts.reduce((total, { length }) => total + length, 0)
}

/**
 * What the addon is asked to send to a socket, call by call, and whether more was promised to follow.
 */
import type { Socket } from 'node:net'
import type { Addon } from '#lib/native.js'
import { opened } from '#lib/reactor.js'
import { afterwards } from './cleanup.js'

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
  const { fd } = (socket as unknown as { readonly _handle: { readonly fd: number } })._handle
  const its = new Set<unknown>()
  const sends: Send[] = []
  const sent = (sink: unknown, askedBytes: number, takenBytes: number, more: boolean): void => {
    if (its.has(sink) && takenBytes > 0) sends.push({ askedBytes, takenBytes, more })
  }
  watch('adopt', ([number], made) => {
    if (number === fd) its.add(made)
  })
  watch('move', ([, , sink, , asked, more], n) => sent(sink, asked, n, more))
  for (const name of ['writev', 'lend'] as const) {
    watch(name, ([sink, parts, skip, more], n) => sent(sink, sum(parts) - skip, n, more))
  }
  watch('writeEach', ([sinks, parts, more, taken], n) => {
    if (n >= 0) sinks.forEach((sink, i) => sent(sink, sum(parts), taken[i] as number, more))
  })
  return sends
}

/** Tells of each call of one of the addon's functions, until the test is over. */
export function watch<K extends 'adopt' | 'lowWater' | 'move' | 'writev' | 'writeEach' | 'lend'>(
  name: K,
  tell: (args: Parameters<Addon[K]>, result: ReturnType<Addon[K]>) => void,
): void {
  const door = opened()
  const real = door[name] as (...args: Parameters<Addon[K]>) => ReturnType<Addon[K]>
  const watched = (...args: Parameters<Addon[K]>): ReturnType<Addon[K]> => {
    const result = real(...args)
    tell(args, result)
    return result
  }
  Object.assign(door, { [name]: watched })
  afterwards(() => void Object.assign(door, { [name]: real }))
}

function sum(parts: readonly Uint8Array[]): number {
  return parts.reduce((total, { length }) => total + length, 0)
}

import fs from 'node:fs'
import { addon } from '../native.js'
import { opened } from '../reactor.js'
import type { Eventually } from '../eventually.js'
import { DescriptorEnd } from './descriptor-end.js'

const O_NONBLOCK = 0o4000
/** The bits of `F_GETFL` that say whether it was opened to be read, written, or both. */
const O_ACCMODE = 3

/**
 * A named pipe that was opened by its path, without waiting for its other end.
 *
 * Reading waits, without a thread, for a writer: until one has come, the kernel would say that the
 * pipe has ended.
 */
export class FifoEnd extends DescriptorEnd {
  readonly #isSink: boolean
  #hasBegun = false

  constructor(fd: number, isSink: boolean) {
    super(fd, 'duplicate', false, undefined, isSink ? 'sink' : 'source')
    this.#isSink = isSink
  }
  override startReading(): Eventually<void> {
    if (this.#isSink || this.#hasBegun) return
    // Bytes, or the end of a writer that came and went: no writer at all is neither.
    return this.readable(1).then(() => {
      this.#hasBegun = true
    })
  }
}

/**
 * A second, non-blocking description of a pipe that is blocking, as inherited ones are: ours, to be
 * closed. Undefined where it is not blocking, or where there can be none (another user's pipe, no
 * /proc, no reader left): the number is used as it is then. The caller's flags stay as they are.
 */
export function secondDescription(fd: number): number | undefined {
  const flags = addon === null ? undefined : flagsOf(fd)
  if (flags === undefined || (flags & O_NONBLOCK) !== 0) return undefined
  try {
    return fs.openSync(`/proc/self/fd/${fd}`, (flags & O_ACCMODE) | O_NONBLOCK)
  } catch {
    return undefined
  }
}

function flagsOf(fd: number): number | undefined {
  const descriptor = opened().adopt(fd, 'borrow')
  if (typeof descriptor === 'number') return undefined
  const known = opened().describe(descriptor)
  opened().drop(descriptor)
  return typeof known === 'number' ? undefined : known.flags
}

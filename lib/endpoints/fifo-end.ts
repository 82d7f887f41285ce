import fs from 'node:fs'
import { addon } from '../native.js'
import { opened } from '../reactor.js'
import { EAGAIN } from '../errno.js'
import type { HeldPipe } from '../raw/pipe-pool.js'
import { DescriptorEnd } from './descriptor-end.js'
import type { DirectPlace } from './direct.js'

const O_NONBLOCK = 0o4000
/** The bits of `F_GETFL` that say whether it was opened to be read, written, or both. */
const O_ACCMODE = 3

/**
 * A named pipe that was opened by its path, without waiting for its other end.
 *
 * Until a writer has come, the kernel would say that the pipe has ended: nothing is asked before, and
 * reading waits for one, without a thread.
 */
export class FifoEnd extends DescriptorEnd {
  /** Whether a writer has come, who may have gone again. */
  #hasBegun = false
  /** How often a wait was ended by us. */
  #wakes = 0

  constructor(fd: number, isSink: boolean) {
    super(fd, 'duplicate', false, undefined, isSink ? 'sink' : 'source')
  }
  override fill(pipes: readonly HeldPipe[], lengthBytes: number): number {
    return this.#hasBegun ? super.fill(pipes, lengthBytes) : -EAGAIN
  }
  override readNow(lengthBytes: number): Uint8Array | number {
    return this.#hasBegun ? super.readNow(lengthBytes) : -EAGAIN
  }
  override get directSource(): DirectPlace | undefined {
    return this.#hasBegun ? super.directSource : undefined
  }
  override async readable(wantedBytes: number): Promise<void> {
    const wakes = this.#wakes
    await super.readable(wantedBytes)
    // Bytes, or the end of a writer that came and went: no writer at all is neither.
    if (wakes === this.#wakes) this.#hasBegun = true
  }
  override wakeReader(): void {
    this.#wakes += 1
    super.wakeReader()
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

import { ledger } from '../audit/ledger.js'
import { EINVAL, ENOSYS, EOPNOTSUPP, ESPIPE } from '../errno.js'
import { systemError } from '../errors.js'
import { CACHE_DROP, CACHE_SETTLE, CACHE_WRITE_BACK } from '../native.js'
import type { OpenFile } from '../raw/open-file.js'
import { PAGE_BYTES } from '../raw/pipe-pool.js'

/**
 * Bytes that are transferred between two looks at the page cache. A look costs a disk job; and the
 * more is written back at once, the longer the runs on the disk.
 */
const DROP_BYTES = 8 << 20
/** How far behind the place that was reached pages are dropped again: a peer may have held them. */
const AGAIN_BYTES = 64 << 20
/** Errors of `sync_file_range` that say that there is no such call here. */
const NO_RANGES: ReadonlySet<number> = new Set([EINVAL, ESPIPE, ENOSYS, EOPNOTSUPP])

/**
 * Keeps what one operation on a file reads or writes out of the page cache, behind it.
 *
 * Pages can be dropped once they are clean and nobody uses them. So what was written is first written
 * back, a batch behind the one that is being written, which also bounds the dirty pages; and what was
 * read is dropped when the next batch is asked for. Pages that a pipe or a socket's queue still holds
 * stay, and are tried again later, the last time when the file is let go of. Best effort: the kernel
 * may keep what it likes. It drops whoever's pages lie in the range.
 */
export class CacheDrop {
  readonly #file: OpenFile
  /** The operation's range so far. */
  #from = Infinity
  #to = 0
  /** Up to where it is on the disk, and up to where it was told to go there. */
  #settledTo = 0
  #startedTo = 0
  #errno = 0

  constructor(file: OpenFile) {
    this.#file = file
  }
  /** Bytes were read up to `position`, and what lies before has been passed on. */
  read(from: number, to: number): void {
    this.#file.dropLater(from, pageEnd(to))
    this.#from = Math.min(this.#from, from)
    if (from - this.#settledTo < DROP_BYTES && this.#settledTo <= from) return
    this.#settledTo = from
    void this.#drop(Math.max(this.#from, from - AGAIN_BYTES), from)
  }
  /** Bytes were written from one position to another. Resolves when more may be written. */
  async wrote(from: number, to: number): Promise<void> {
    if (this.#to === 0) this.#settledTo = this.#startedTo = from
    this.#from = Math.min(this.#from, from)
    this.#to = Math.max(this.#to, to)
    this.#file.dropLater(from, pageEnd(to))
    if (this.#to - this.#startedTo < DROP_BYTES) return
    const begun = this.#startedTo
    this.#startedTo = this.#to
    await this.#file.cacheRange(CACHE_WRITE_BACK, begun, this.#to - begun).done
    if (begun <= this.#settledTo) return
    await this.#settle(begun)
    await this.#drop(Math.max(this.#from, begun - AGAIN_BYTES), begun)
  }
  /** The operation is over: 0, or −errno of what could not be brought to the disk. */
  async finish(): Promise<number> {
    if (this.#to > 0) {
      await this.#settle(this.#to)
      await this.#drop(this.#from, this.#to)
    }
    const failed = this.#errno
    this.#from = Infinity
    this.#to = this.#settledTo = this.#startedTo = this.#errno = 0
    return -failed
  }
  /** Waits until all up to a position is on the disk. */
  async #settle(to: number): Promise<void> {
    const from = this.#settledTo
    this.#settledTo = to
    if (to <= from) return
    const { errno } = await this.#file.cacheRange(CACHE_SETTLE, from, to - from).done
    if (errno === 0) return
    if (!NO_RANGES.has(errno)) {
      this.#errno ||= errno
      return
    }
    ledger.countFallback('sync_file_range', systemError(errno)[0])
    const { errno: failed } = await this.#file.sync(true).done
    this.#errno ||= failed
  }
  async #drop(from: number, to: number): Promise<void> {
    const start = from - (from % PAGE_BYTES)
    const { errno } = await this.#file.cacheRange(CACHE_DROP, start, pageEnd(to) - start).done
    if (errno !== 0) ledger.countFallback('posix_fadvise', systemError(errno)[0])
  }
}

/** The end of the page that a position lies in: pages are dropped as a whole or not at all. */
function pageEnd(position: number): number {
  return Math.ceil(position / PAGE_BYTES) * PAGE_BYTES
}

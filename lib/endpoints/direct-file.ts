import fs from 'node:fs'
import { open } from 'node:fs/promises'
import { ledger } from '../audit/ledger.js'
import { addon } from '../native.js'
import { OpenFile, type FileJob } from '../raw/open-file.js'
import type { PipeParcel } from '../raw/parcel.js'
import { PAGE_BYTES, pipePool, type HeldPipe } from '../raw/pipe-pool.js'
import { opened } from '../reactor.js'
import { EAGAIN, EINVAL, ENOTSUP } from '../errno.js'

/** `O_DIRECT`; on platforms without it nothing here is used. */
const O_DIRECT = (fs.constants as { readonly O_DIRECT?: number }).O_DIRECT ?? 0
/**
 * Refusals in a row after which direct writes are not tried again in an operation: pages of a socket
 * lie anywhere and are refused every time, which costs a disk job (10 µs) each.
 */
const REFUSALS_MAX = 4

/**
 * A file past the page cache: a second description of it, opened with `O_DIRECT`.
 *
 * Pages that are read are owned: the device fills them, and nobody else has them. So no later write
 * changes them, and no processor copies them; an unaligned beginning or end comes by way of a scratch
 * pipe, whose page is cut there. Pages that are written are the device's source. They must be whole
 * and begin at whole pages of the file; `drain` answers a refusal for all others, which then go
 * through the page cache. The two never meet in one page, so the kernel keeps them coherent.
 *
 * Flags of the caller's description are never changed. Each call waits for the device, on a thread.
 */
export class DirectFile {
  /** Whether the file system says that it transfers directly; else that is not known. */
  readonly isKnown: boolean
  readonly #file: OpenFile
  readonly #alignBytes: number
  #refusals = 0

  private constructor(file: OpenFile, toldBytes: number) {
    this.#file = file
    this.isKnown = toldBytes > 0
    this.#alignBytes = Math.max(PAGE_BYTES, toldBytes)
  }
  /**
   * Opens an open file once more. Undefined where it has no direct way (tmpfs before Linux 6.6, many
   * of FUSE, a process without /proc): counted, and the page cache is the next way.
   */
  static async open(fd: number, file: OpenFile): Promise<DirectFile | undefined> {
    if (addon === null || O_DIRECT === 0 || !file.isSeekable) return undefined
    const told = file.directAlignment()
    if (told === 0) {
      ledger.countFallback('statx', 'EOPNOTSUPP')
      return undefined
    }
    const { dev, ino } = fs.fstatSync(fd, { bigint: true })
    try {
      const handle = await open(`/proc/self/fd/${fd}`, file.accessMode | O_DIRECT)
      return await OpenFile.takeOver(handle, async () => {
        // Its owner may have closed the number meanwhile, and something else may be open under it.
        const second = await handle.stat({ bigint: true })
        if (second.dev !== dev || second.ino !== ino) throw closedMeanwhile()
        return new DirectFile(OpenFile.ours(handle), told)
      })
    } catch (error) {
      ledger.countFallback('open', (error as NodeJS.ErrnoException).code ?? 'UNKNOWN')
      return undefined
    }
  }
  close(): void {
    this.#file.release()
  }
  /** Another operation begins: what was refused in the last is tried again. */
  begin(): void {
    this.#refusals = 0
  }

  /** Pages of the file into pipes: bytes, 0 at the end, or −errno. Does the pipes' account. */
  async fill(
    pipes: readonly HeldPipe[],
    offset: number,
    lengthBytes: number,
    run: (job: FileJob) => Promise<number>,
  ): Promise<number> {
    const lengths = this.#shares(pipes, lengthBytes)
    if (offset % this.#alignBytes !== 0 || (lengths[0] ?? 0) === 0) {
      return this.#fillFromBlock(pipes[0] as HeldPipe, offset, lengthBytes, run)
    }
    const n = await run(this.#file.fill(pipes, offset, lengths))
    let left = Math.max(0, n)
    pipes.forEach((held, i) => {
      const here = Math.min(left, lengths[i] as number)
      held.bytes += here
      left -= here
    })
    return n
  }
  /**
   * Whole pages of a parcel into the file: bytes, −errno, or −ENOTSUP where they do not lie so that
   * the device could take them. Does not accept them.
   */
  async drain(
    parcel: PipeParcel,
    offset: number,
    run: (job: FileJob) => Promise<number>,
  ): Promise<number> {
    const lengths = this.#wholeLengths(parcel)
    const isAligned = offset % this.#alignBytes === 0 && lengths.length > 0
    if (!isAligned || this.#refusals >= REFUSALS_MAX) return -ENOTSUP
    const n = await run(this.#file.drain(parcel.waiting.slice(0, lengths.length), offset, lengths))
    if (n !== -EINVAL) {
      this.#refusals = 0
      return n
    }
    this.#refusals += 1
    ledger.countFallback('splice', 'EINVAL')
    return -ENOTSUP
  }
  /** Bytes from a position to the next place where direct writes may begin. */
  bytesToAligned(offset: number): number {
    return (this.#alignBytes - (offset % this.#alignBytes)) % this.#alignBytes
  }

  /** One block by way of a scratch pipe, of which what lies outside the range is cut off. */
  async #fillFromBlock(
    held: HeldPipe,
    offset: number,
    lengthBytes: number,
    run: (job: FileJob) => Promise<number>,
  ): Promise<number> {
    const skip = offset % this.#alignBytes
    const scratch = pipePool.borrow(this.#alignBytes)
    if (scratch === undefined) return -ENOTSUP
    try {
      const block = this.#file.fill([scratch], offset - skip, [this.#alignBytes])
      const got = await run(block)
      if (got <= 0) return got
      scratch.bytes = got
      if (got <= skip) return this.#isEnd(offset - skip + got) ? 0 : -ENOTSUP
      const cut = this.#discard(scratch, skip)
      // What lies before the range would be taken for it: the block is read again.
      if (cut < skip) return cut < 0 ? cut : -EAGAIN
      const n = opened().move(
        scratch.pipe,
        -1,
        held.pipe,
        -1,
        Math.min(lengthBytes, got - skip),
        false,
      )
      if (n <= 0) return n === 0 ? -EAGAIN : n
      scratch.bytes -= n
      held.bytes += n
      return n
    } finally {
      this.#discard(scratch, scratch.bytes)
      pipePool.giveBack(scratch)
    }
  }
  /** Whether a read that came so far has met the end: the device may have failed behind it. */
  #isEnd(position: number): boolean {
    // A block device states no size. The second description's position is nobody's.
    const sizeBytes = this.#file.sizeBytes() || opened().seek(this.#file.descriptor, 0, 2)
    return position >= sizeBytes
  }
  /** Drops bytes from a pipe's front: how many, or −errno. */
  #discard(held: HeldPipe, lengthBytes: number): number {
    const n = lengthBytes > 0 ? opened().discard(held.pipe, lengthBytes) : 0
    held.bytes -= Math.max(0, n)
    return n
  }
  /** How many whole blocks each pipe has slots for. */
  #shares(pipes: readonly HeldPipe[], lengthBytes: number): number[] {
    let left = this.#whole(lengthBytes)
    return pipes.map(({ slots, bytes }) => {
      // A slot that is not full is used all the same.
      const used = Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES
      const here = Math.min(left, Math.max(0, this.#whole(slots * PAGE_BYTES - used)))
      left -= here
      return here
    })
  }
  /** How many whole blocks of each pipe, from the first on, may go in one run. */
  #wholeLengths(parcel: PipeParcel): number[] {
    const lengths: number[] = []
    for (const lengthBytes of parcel.lengthsBytes()) {
      const whole = this.#whole(lengthBytes)
      if (whole > 0) lengths.push(whole)
      if (whole !== lengthBytes || whole === 0) break
    }
    return lengths
  }
  #whole(lengthBytes: number): number {
    return lengthBytes - (lengthBytes % this.#alignBytes)
  }
}

function closedMeanwhile(): Error {
  return Object.assign(new Error('The file was closed meanwhile'), { code: 'EBADF' })
}

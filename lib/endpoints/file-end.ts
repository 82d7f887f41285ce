import type { KernelCause } from '../audit/causes.js'
import { ledger } from '../audit/ledger.js'
import { BufferList } from '../list/buffer-list.js'
import type { Segments } from '../list/segments.js'
import { addon, whyNoAddon } from '../native.js'
import type { LoanParcel } from '../raw/loan.js'
import type { FileJob, OpenFile } from '../raw/open-file.js'
import type { PipeParcel } from '../raw/parcel.js'
import { PAGE_BYTES, type HeldPipe } from '../raw/pipe-pool.js'
import type { PageOwnership } from '../raw/raw.js'
import type { JobResult } from '../reactor.js'
import { CacheDrop } from './cache-drop.js'
import type { Device } from './device.js'
import type { DirectFile } from './direct-file.js'
import { DirectPlace } from './direct.js'
import { withoutAddon, type Obstacle, type SinkEnd, type SourceEnd } from './end.js'
import { ENODATA, ENOTSUP } from '../errno.js'
import type { Eventually } from '../eventually.js'
import { Turns } from './turns.js'

/** Memory that one read of a file asks for, at the most, in bytes: the optimum of read/write copies. */
const READ_BYTES_MAX = 1 << 20

/**
 * Bytes that one disk job moves at the most. A job costs two thread switches, so it is worth several
 * pipes; it can be cancelled between any two calls.
 */
const JOB_BYTES_MAX = 8 << 20

/** How a file end is made. */
export interface FileEndOptions {
  readonly flush?: 'none' | 'data' | 'full' | undefined
  readonly isSink?: boolean
  /** Pages do not stay in the page cache. */
  readonly dropsCache?: boolean
  /** The way past the page cache, where it was asked for and there is one. The end closes it. */
  readonly direct?: DirectFile | undefined
  /** What it is, when it is no file but a device that behaves like one. */
  readonly device?: Device | undefined
}

/**
 * A place in a file: an offset that advances by what was accepted, or the file's own position.
 *
 * Whatever may wait for the disk runs on the addon's threads. A buffered file takes pages by copying
 * them into its page cache, once, in the kernel: the ledger says so. With `cache: 'direct'` whole
 * pages go to and from the device itself, and what cannot goes the buffered way; with 'drop', and
 * with 'direct' for what went the buffered way, nothing stays in the page cache behind it.
 */
export class FileEnd implements SourceEnd, SinkEnd {
  readonly label: string
  readonly pages: PageOwnership
  readonly batchBytes = JOB_BYTES_MAX
  readonly memoryCopies: KernelCause | undefined
  readonly lentCopies: KernelCause | undefined
  readonly stagingCopies = addon === null ? undefined : 'staging'
  readonly readTurns: Turns
  readonly writeTurns: Turns
  readonly file: OpenFile
  readonly obstacle: Obstacle | undefined
  readonly #flush: 'none' | 'data' | 'full'
  readonly #uncached: DirectFile | undefined
  readonly #drop: CacheDrop | undefined
  readonly #device: Device | undefined
  /** −1: the file's own position. */
  #offset: number
  #job: FileJob | undefined
  #sizeAtStart = 0
  /** What was given back and not taken again, where anything ever was. */
  #front: BufferList | undefined
  /** Whether the last pages went directly: the device took them where they lay. */
  #wasDirect = false

  /** Takes over one reference of `file`. `turns`: those of whoever uses its own position. */
  constructor(
    file: OpenFile,
    offset: number | undefined,
    options: FileEndOptions = {},
    turnsOfPosition?: Turns,
  ) {
    const { direct, device } = options
    this.file = file
    this.#offset = offset ?? -1
    this.#flush = options.flush ?? 'none'
    this.#uncached = direct
    this.#device = device
    this.#drop = options.dropsCache === true && addon !== null ? new CacheDrop(file) : undefined
    this.label = device === undefined ? 'file' : 'device'
    this.pages = direct === undefined && device === undefined ? 'loan' : 'owned'
    this.memoryCopies = device === undefined ? 'page-cache-write' : undefined
    this.lentCopies = this.memoryCopies
    const turns = (offset === undefined ? turnsOfPosition : undefined) ?? new Turns()
    this.readTurns = turns
    this.writeTurns = turns
    this.obstacle = addon === null ? withoutAddon(whyNoAddon) : undefined
    if (this.obstacle === undefined && options.isSink === true && file.isAppending) {
      this.obstacle = APPENDING
    }
  }
  /** Made when it is asked for: a sink is not, and most ends are made for one operation. */
  get front(): BufferList {
    return (this.#front ??= new BufferList())
  }
  /** What the kernel copied of the pages that came last. */
  get pageCopies(): KernelCause | undefined {
    return this.#device !== undefined || this.#wasDirect ? undefined : 'page-cache-write'
  }
  /** Whether a list may hold a range of the file instead of pages. Direct pages are worth more. */
  get givesExtents(): boolean {
    return this.file.isRegular && this.#uncached === undefined
  }

  startReading(sizeAtStart = 0): void {
    this.#uncached?.begin()
    if (this.file.isRegular) this.#sizeAtStart = Math.max(sizeAtStart, this.file.sizeBytes())
  }
  stopReading(): void {
    // The file stays open for the next operation.
  }
  takeBack(segments: Segments): boolean {
    // Within the turn: who waits for the file's own position must find it where this ends.
    if (this.position() === undefined) return false
    this.skip(-segments.length)
    segments.clear()
    return true
  }
  startWriting(): void {
    this.#uncached?.begin()
  }
  stopWriting(errno: number): Eventually<number> {
    if (errno !== 0) return 0
    if (this.#flush === 'none') return this.#drop?.finish() ?? 0
    const flushing = this.#await(this.file.sync(this.#flush === 'data'))
    return flushing.then((failed) => (failed === 0 ? (this.#drop?.finish() ?? 0) : failed))
  }
  fill(pipes: readonly HeldPipe[], lengthBytes: number): Promise<number> {
    if (this.#uncached !== undefined) return this.#fillDirect(this.#uncached, pipes, lengthBytes)
    this.#dropBehind(lengthBytes)
    const lengths = shares(pipes, lengthBytes, this.#offset)
    return this.#run(this.file.fill(pipes, this.#offset, lengths)).then((n) => {
      let left = Math.max(0, n)
      pipes.forEach((held, i) => {
        const here = Math.min(left, lengths[i] as number)
        held.bytes += here
        left -= here
      })
      if (this.#device !== undefined) ledger.countKernelCopied('device-read', n)
      return n === 0 ? this.#atEnd() : n
    })
  }
  async read(lengthBytes: number): Promise<Uint8Array | number> {
    const bytes = Buffer.allocUnsafeSlow(Math.min(lengthBytes, this.#readBytes()))
    this.#dropBehind(bytes.length)
    const n = await this.#run(this.file.readAt(this.#offset, bytes, 0, bytes.length))
    if (n === 0) return this.#atEnd()
    return n < 0 ? n : bytes.subarray(0, n)
  }
  drain(parcel: PipeParcel): Promise<number> {
    this.#wasDirect = false
    const at = this.#uncached === undefined ? undefined : this.position()
    if (this.#uncached !== undefined && at !== undefined) {
      return this.#drainDirect(this.#uncached, parcel, at)
    }
    return this.#write(this.file.drain(parcel.waiting, this.#offset, parcel.lengthsBytes()))
  }
  write(parts: readonly Uint8Array[], skipBytes: number): Promise<number> {
    return this.#write(this.file.writeAt(this.#offset, parts, skipBytes))
  }
  get directSource(): DirectPlace | undefined {
    return this.#isDirect()
      ? new DirectPlace('file', this.file.descriptor, this.#offset)
      : undefined
  }
  get directSink(): DirectPlace | undefined {
    if (!this.#isDirect()) return undefined
    const { descriptor, copiesRanges } = this.file
    return new DirectPlace('file', descriptor, this.#offset, Infinity, copiesRanges)
  }
  leftDirectly(bytes: number): void {
    if (this.#offset >= 0) this.#offset += bytes
  }
  endedDirectly(): number {
    return this.#atEnd()
  }
  cameDirectly(bytes: number): void {
    if (this.#offset >= 0) this.#offset += bytes
  }
  /** The file has the bytes, or a copy of them, when the call has returned. */
  lend(parcel: LoanParcel): Promise<number> {
    return this.#write(this.file.lendAt(this.#offset, parcel.bytes))
  }
  readable(): Promise<void> {
    return Promise.resolve()
  }
  writable(): Promise<void> {
    return Promise.resolve()
  }
  wakeReader(): void {
    this.#job?.cancel()
  }
  wakeWriter(): void {
    this.#job?.cancel()
  }
  /** Where the next byte comes from or goes to; undefined where the file has no position. */
  position(): number | undefined {
    return this.#offset >= 0 ? this.#offset : this.file.position()
  }
  /** Bytes from the position to the end; undefined where that is not known. */
  leftBytes(): number | undefined {
    const sizeBytes = this.file.isRegular ? this.file.sizeBytes() : 0
    const at = this.position()
    // Files of /proc and /sys have no size and yet bytes.
    return at === undefined || sizeBytes === 0 ? undefined : Math.max(0, sizeBytes - at)
  }
  /** Nothing more to read: 0, or −ENODATA where the file had `sizeAtStart` bytes, and was cut since. */
  endedAt(sizeAtStart: number): number {
    if (sizeAtStart === 0) return 0
    const at = this.position()
    const isCut = at !== undefined && at < sizeAtStart
    // One may state a size that is not real.
    return isCut && this.file.sizeBytes() < sizeAtStart ? -ENODATA : 0
  }
  /** Moves on past bytes that were taken as an extent, or back over those that were given back. */
  skip(lengthBytes: number): void {
    const at = this.position()
    if (at === undefined) return
    if (this.#drop !== undefined && lengthBytes > 0) this.file.dropLater(at, at + lengthBytes)
    if (this.#offset >= 0) this.#offset = at + lengthBytes
    else this.file.seekTo(at + lengthBytes)
  }
  /** Goes back over what was given back and not taken again. */
  close(): void {
    const front = this.#front
    if (front !== undefined) {
      if (front.length > 0) this.skip(-front.length)
      front.release()
    }
    if (this.#drop !== undefined) this.file.dropPages()
    this.#uncached?.close()
    this.file.release()
  }

  /**
   * Whether one call of the kernel can move from and to it, which knows nothing of what is to leave the
   * cache.
   */
  #isDirect(): boolean {
    if (!this.file.isRegular || this.obstacle !== undefined) return false
    return this.#drop === undefined && this.#uncached === undefined
  }
  async #fillDirect(
    direct: DirectFile,
    pipes: readonly HeldPipe[],
    lengthBytes: number,
  ): Promise<number> {
    const at = this.position()
    if (at === undefined) return -ENOTSUP
    const n = await direct.fill(pipes, at, lengthBytes, (job) => this.#await(job))
    if (n > 0) {
      this.skip(n)
      // A file system that does not say that it transfers directly may copy into the pages.
      if (!direct.isKnown) ledger.countUnknown(n)
    }
    return n === 0 ? this.#atEnd() : n
  }
  async #drainDirect(direct: DirectFile, parcel: PipeParcel, at: number): Promise<number> {
    const n = await direct.drain(parcel, at, (job) => this.#await(job))
    if (n !== -ENOTSUP) return this.#drained(n, direct)
    const lengths = upTo(direct.bytesToAligned(at), parcel.remaining, parcel.lengthsBytes())
    const pipes = parcel.waiting.slice(0, lengths.length)
    return this.#write(this.file.drain(pipes, this.#offset, lengths))
  }
  #drained(n: number, direct: DirectFile): number {
    if (n <= 0) return n
    this.skip(n)
    this.#wasDirect = true
    if (!direct.isKnown) ledger.countUnknown(n)
    return n
  }
  /** A job that writes through the page cache, which its bytes may have to leave. */
  #write(job: FileJob): Promise<number> {
    const drop = this.#drop
    const writing = this.#run(job)
    return drop === undefined ? writing : writing.then((n) => this.#written(n, drop))
  }
  #written(n: number, drop: CacheDrop): Eventually<number> {
    const to = n > 0 ? this.position() : undefined
    return to === undefined ? n : drop.wrote(to - n, to).then(() => n)
  }
  #dropBehind(lengthBytes: number): void {
    const at = this.#drop === undefined ? undefined : this.position()
    if (at !== undefined) this.#drop?.read(at, at + lengthBytes)
  }
  #atEnd(): number {
    return this.endedAt(this.#sizeAtStart)
  }
  /** Memory that is worth a read: what is left of the file, so that none is pinned for nothing. */
  #readBytes(): number {
    const at = this.file.isRegular ? this.position() : undefined
    if (at === undefined) return READ_BYTES_MAX
    return Math.min(READ_BYTES_MAX, Math.max(PAGE_BYTES, this.file.sizeBytes() - at))
  }
  /** As `#await`, for a job at the place where the end stands, which moves on with it. */
  #run(job: FileJob): Promise<number> {
    this.#job = job
    return job.done.then((result) => {
      const n = this.#ended(result)
      if (n > 0 && this.#offset >= 0) this.#offset += n
      return n
    })
  }
  #await(job: FileJob): Promise<number> {
    this.#job = job
    return job.done.then((result) => this.#ended(result))
  }
  /** A job's bytes, 0 at the end, or −errno; an error behind bytes comes again when it is tried. */
  #ended({ bytes, errno }: JobResult): number {
    this.#job = undefined
    if (bytes === 0) return errno === 0 ? 0 : -errno
    return bytes
  }
}

/** How many bytes of a file, from an offset on, each pipe has slots for. */
function shares(pipes: readonly HeldPipe[], lengthBytes: number, offset: number): number[] {
  let left = lengthBytes
  let at = Math.max(0, offset)
  return pipes.map((held) => {
    const room = held.slots * PAGE_BYTES - held.bytes - (at % PAGE_BYTES)
    const here = Math.min(left, Math.max(0, room))
    left -= here
    at += here
    return here
  })
}

/** The first `headBytes` of a parcel, so that the rest is aligned; all of it where that is no gain. */
function upTo(headBytes: number, remaining: number, lengths: readonly number[]): number[] {
  if (headBytes === 0 || remaining - headBytes < PAGE_BYTES) return [...lengths]
  const cut: number[] = []
  let left = headBytes
  for (const lengthBytes of lengths) {
    if (left === 0) break
    cut.push(Math.min(left, lengthBytes))
    left -= Math.min(left, lengthBytes)
  }
  return cut
}

const APPENDING: Obstacle = {
  cause: 'append-file',
  reason: 'A file that was opened for appending takes no pages (splice answers EINVAL)',
  remedy: "Open it with 'r+' and give the offset, or use mode 'auto', which copies",
}

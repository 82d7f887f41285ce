import type { FileHandle } from 'node:fs/promises'
import { checkLength, describe } from '../arguments.js'
import type { FileEnd as FilePlace } from '../contract.js'
import { InvalidArgumentError, UnsupportedEndpointError } from '../errors.js'
import { BufferList } from '../list/buffer-list.js'
import type { Segments } from '../list/segments.js'
import { addon, whyNoAddon } from '../native.js'
import { OpenFile, type FileJob } from '../raw/open-file.js'
import type { LoanParcel } from '../raw/loan.js'
import type { PipeParcel } from '../raw/parcel.js'
import { PAGE_BYTES, type HeldPipe } from '../raw/pipe-pool.js'
import type { DirectPlace } from './direct.js'
import { withoutAddon, type Obstacle, type SinkEnd, type SourceEnd } from './end.js'
import type { Eventually } from '../eventually.js'
import { Turns } from './turns.js'

/** Memory that one read of a file asks for, at the most, in bytes: the optimum of read/write copies. */
const READ_BYTES_MAX = 1 << 20

/**
 * Bytes that one disk job moves at the most. A job costs two thread switches, so it is worth several
 * pipes; it can be cancelled between any two calls.
 */
const JOB_BYTES_MAX = 8 << 20

/** Operations that use a handle's own position wait for each other. */
const turnsOfHandle = new WeakMap<object, Turns>()

/**
 * A place in a file: an offset that advances by what was accepted, or the file's own position.
 *
 * Whatever may wait for the disk runs on the addon's threads. A buffered file takes pages by copying
 * them into its page cache, once, in the kernel: the ledger says so.
 */
export class FileEnd implements SourceEnd, SinkEnd {
  readonly label = 'file'
  readonly pages = 'loan'
  readonly batchBytes = JOB_BYTES_MAX
  readonly pageCopies = 'page-cache-write'
  readonly memoryCopies = 'page-cache-write'
  readonly lentCopies = 'page-cache-write'
  readonly stagingCopies = addon === null ? undefined : 'staging'
  readonly readTurns: Turns
  readonly writeTurns: Turns
  readonly front = new BufferList()
  readonly file: OpenFile
  readonly obstacle: Obstacle | undefined
  readonly #flush: 'none' | 'data' | 'full'
  /** −1: the file's own position. */
  #offset: number
  #job: FileJob | undefined

  /** Takes over one reference of `file`. */
  constructor(file: OpenFile, offset: number | undefined, options: FileEndOptions = {}) {
    this.file = file
    this.#offset = offset ?? -1
    this.#flush = options.flush ?? 'none'
    const turns = (offset === undefined ? options.turns : undefined) ?? new Turns()
    this.readTurns = turns
    this.writeTurns = turns
    this.obstacle = addon === null ? withoutAddon(whyNoAddon) : undefined
    if (this.obstacle === undefined && options.isSink === true && file.isAppending) {
      this.obstacle = APPENDING
    }
  }
  /** The end of an open handle, at an offset or at its own position. */
  static ofHandle(
    handle: FileHandle,
    offset: number | undefined,
    options: FileEndOptions,
  ): FileEnd {
    let turns = turnsOfHandle.get(handle)
    if (turns === undefined) turnsOfHandle.set(handle, (turns = new Turns()))
    return new FileEnd(OpenFile.adopt(handle), offset, { ...options, turns })
  }
  /** The end of a place that names a file. Opens it where it is a path. */
  static of(place: FilePlace, isSink: boolean): Eventually<FileEnd> {
    checkPlace(place)
    const { file, offset, flush = 'none' } = place
    if (typeof file !== 'string' && !(file instanceof URL)) {
      return FileEnd.ofHandle(file, offset, { flush, isSink })
    }
    const flags = place.flags ?? (isSink ? (offset === undefined ? 'w' : 'r+') : 'r')
    return openOrCreate(file, flags, place).then((open) => {
      const hasOffsets = open.isRegular && !flags.startsWith('a')
      return new FileEnd(open, offset ?? (hasOffsets ? 0 : undefined), { flush, isSink })
    })
  }

  startReading(): void {
    // A file is always ready.
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
    // A file is always ready.
  }
  stopWriting(errno: number): Eventually<number> {
    if (errno !== 0 || this.#flush === 'none') return 0
    return this.#run(this.file.sync(this.#flush === 'data'))
  }
  fill(pipes: readonly HeldPipe[], lengthBytes: number): Promise<number> {
    const lengths = shares(pipes, lengthBytes, this.#offset)
    return this.#run(this.file.fill(pipes, this.#offset, lengths)).then((n) => {
      let left = Math.max(0, n)
      pipes.forEach((held, i) => {
        const here = Math.min(left, lengths[i] as number)
        held.bytes += here
        left -= here
      })
      return n
    })
  }
  async read(lengthBytes: number): Promise<Uint8Array | number> {
    const bytes = Buffer.allocUnsafeSlow(Math.min(lengthBytes, this.#readBytes()))
    const n = await this.#run(this.file.readAt(this.#offset, bytes, 0, bytes.length))
    return n < 0 ? n : bytes.subarray(0, n)
  }
  drain(parcel: PipeParcel): Promise<number> {
    return this.#run(this.file.drain(parcel.waiting, this.#offset, parcel.lengthsBytes()))
  }
  write(parts: readonly Uint8Array[], skipBytes: number): Promise<number> {
    return this.#run(this.file.writeAt(this.#offset, parts, skipBytes))
  }
  get directSource(): DirectPlace | undefined {
    return this.#direct
  }
  get directSink(): DirectPlace | undefined {
    return this.#direct
  }
  leftDirectly(bytes: number): void {
    if (this.#offset >= 0) this.#offset += bytes
  }
  get copiesRanges(): boolean {
    return this.file.copiesRanges
  }
  cameDirectly(bytes: number): void {
    if (this.#offset >= 0) this.#offset += bytes
  }
  /** The file has the bytes, or a copy of them, when the call has returned. */
  lend(parcel: LoanParcel): Promise<number> {
    return this.#run(this.file.lendAt(this.#offset, parcel.bytes))
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
  /** Moves on past bytes that were taken as an extent, or back over those that were given back. */
  skip(lengthBytes: number): void {
    const at = this.position()
    if (at === undefined) return
    if (this.#offset >= 0) this.#offset = at + lengthBytes
    else this.file.seekTo(at + lengthBytes)
  }
  close(): void {
    this.file.release()
    this.front.release()
  }
  get #direct(): DirectPlace | undefined {
    if (!this.file.isRegular || this.obstacle !== undefined) return undefined
    return { kind: 'file', lengthBytes: Infinity, ...this.file.at(this.#offset) }
  }
  /** Memory that is worth a read: what is left of the file, so that none is pinned for nothing. */
  #readBytes(): number {
    const at = this.file.isRegular ? this.position() : undefined
    if (at === undefined) return READ_BYTES_MAX
    return Math.min(READ_BYTES_MAX, Math.max(PAGE_BYTES, this.file.sizeBytes() - at))
  }
  /** A job's bytes, 0 at the end, or −errno; an error behind bytes comes again when it is tried. */
  #run(job: FileJob): Promise<number> {
    this.#job = job
    return job.done.then(({ bytes, errno }) => {
      this.#job = undefined
      if (bytes === 0) return errno === 0 ? 0 : -errno
      if (this.#offset >= 0) this.#offset += bytes
      return bytes
    })
  }
}

/** How a file end is made. */
export interface FileEndOptions {
  readonly flush?: 'none' | 'data' | 'full'
  readonly turns?: Turns
  readonly isSink?: boolean
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

const APPENDING: Obstacle = {
  cause: 'append-file',
  reason: 'A file that was opened for appending takes no pages (splice answers EINVAL)',
  remedy: "Open it with 'r+' and give the offset, or use mode 'auto', which copies",
}

function checkPlace(place: FilePlace): void {
  if (place.offset !== undefined) checkLength('offset', place.offset)
  const { file, cache = 'keep', flush = 'none' } = place
  if (typeof file !== 'string' && !(file instanceof URL) && !isFileHandle(file)) {
    throw new InvalidArgumentError(
      `file must be a FileHandle, a path or a URL, not ${describe(file)}`,
    )
  }
  if (!['none', 'data', 'full'].includes(flush)) {
    throw new InvalidArgumentError(`flush must be 'none', 'data' or 'full', not '${flush}'`)
  }
  if (cache !== 'keep') {
    throw new UnsupportedEndpointError(
      `cache: '${cache}' is not supported yet`,
      'Leave cache out: pages then stay in the page cache',
    )
  }
}

/** A sink at an offset keeps what is around it, and is created when it is not there. */
async function openOrCreate(
  path: string | URL,
  flags: string,
  place: FilePlace,
): Promise<OpenFile> {
  try {
    return await OpenFile.open(path, flags)
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    if (!isMissing || place.flags !== undefined || flags !== 'r+') throw error
    return OpenFile.open(path, 'w+')
  }
}

/** Whether a value is one of Node's file handles. */
export function isFileHandle(x: unknown): x is FileHandle {
  if (typeof x !== 'object' || x === null) return false
  return 'fd' in x && typeof (x as Partial<FileHandle>).datasync === 'function'
}

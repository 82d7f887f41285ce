import type { EventEmitter } from 'node:events'
import fs from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { describe } from '../arguments.js'
import { EBADF } from '../errno.js'
import { InvalidArgumentError, TransferError } from '../errors.js'
import { addon, CACHE_DROP, type Descriptor } from '../native.js'
import { opened, runJob, type JobResult, type RunningJob } from '../reactor.js'
import { copiesRanges, statesSizes } from './file-system.js'
import type { HeldPipe } from './pipe-pool.js'

/** `O_APPEND`, as `F_GETFL` reports it on every Linux. */
const O_APPEND = 0o2000
/** The bits of `F_GETFL` that say whether it was opened to be read, written, or both. */
const O_ACCMODE = 3
const S_IFMT = 0o170000
const S_IFREG = 0o100000
const S_IFDIR = 0o040000
const S_IFBLK = 0o060000

/** What is known of a file that cannot be asked. */
const NOTHING = { sizeBytes: 0, blocks: 0 }

/** Files of handles that are open. */
const adopted = new WeakMap<FileHandle, OpenFile>()

/** What one job on a file did, and how to ask it to stop. */
export type FileJob = RunningJob

/**
 * A file that transfers and extents share: counted, closed with the last reference.
 *
 * With the addon it is a duplicate of the caller's descriptor, so that the caller may close its own
 * at any time, and every call that may wait for the disk runs on the addon's threads. Without it
 * the caller's descriptor is used through `node:fs`, and must stay open.
 */
export class OpenFile {
  readonly #descriptor: Descriptor | undefined
  readonly #fd: number
  /** Keeps the caller's handle from being collected, or is our own, to be closed. */
  readonly #handle: FileHandle | undefined
  readonly #ownsHandle: boolean
  #refs = 1
  #fileSystem: number | undefined
  /** Where the pages begin and end that shall not stay in the page cache, in bytes. */
  #dropFrom = Infinity
  #dropTo = 0
  /** Whether it is a regular file: has offsets, an end and a page cache. */
  readonly isRegular: boolean
  /** Whether it has offsets: a regular file or a disk. */
  readonly isSeekable: boolean
  /** How it was opened: `O_RDONLY`, `O_WRONLY` or `O_RDWR`. Unknown (`O_RDONLY`) without the addon. */
  readonly accessMode: number
  /** Whether it was opened for appending: it takes no pages then. */
  readonly isAppending: boolean

  private constructor(
    fd: number,
    handle: FileHandle | undefined,
    ownsHandle: boolean,
    side: 'source' | 'sink',
  ) {
    this.#fd = fd
    this.#handle = handle
    if (addon === null) {
      const stat = fs.fstatSync(fd)
      refuseDirectory(stat.isDirectory())
      this.#ownsHandle = ownsHandle
      this.isRegular = stat.isFile()
      this.isSeekable = stat.isFile() || stat.isBlockDevice()
      this.isAppending = false
      this.accessMode = 0
      return
    }
    const descriptor = opened().adopt(fd, 'duplicate')
    const known = typeof descriptor === 'number' ? descriptor : opened().describe(descriptor)
    if (typeof descriptor === 'number' || typeof known === 'number') {
      if (typeof descriptor !== 'number') opened().drop(descriptor)
      throw new TransferError({
        side,
        errno: typeof known === 'number' ? known : EBADF,
        syscall: 'fcntl',
        bytesMoved: 0,
      })
    }
    this.#descriptor = descriptor
    this.#ownsHandle = ownsHandle
    this.isRegular = (known.type & S_IFMT) === S_IFREG
    this.isSeekable = this.isRegular || (known.type & S_IFMT) === S_IFBLK
    this.accessMode = known.flags & O_ACCMODE
    this.isAppending = (known.flags & O_APPEND) !== 0
    if ((known.type & S_IFMT) === S_IFDIR) {
      opened().drop(descriptor)
      refuseDirectory(true)
    }
  }

  /** A file that is open already, and stays the caller's. `side`: what fails where it cannot be used. */
  static adopt(file: FileHandle | number, side: 'source' | 'sink' = 'source'): OpenFile {
    const fd: unknown = typeof file === 'number' ? file : (file as Partial<FileHandle> | null)?.fd
    if (!Number.isInteger(fd)) {
      throw new InvalidArgumentError(`Expected a FileHandle or a path, not ${describe(file)}`)
    }
    if ((fd as number) < 0) {
      throw new InvalidArgumentError('This FileHandle is closed. Pass one that is still open')
    }
    if (typeof file === 'number') return new OpenFile(file, undefined, false, side)
    return adopted.get(file)?.retain() ?? OpenFile.#keep(file, side)
  }
  /** Whether a handle was adopted before, and is one of a file or device therefore. */
  static isKnown(handle: FileHandle): boolean {
    return adopted.has(handle)
  }
  /** Adopts a handle for as long as its owner keeps it open, so that no operation does it anew. */
  static #keep(handle: FileHandle, side: 'source' | 'sink'): OpenFile {
    const file = new OpenFile(handle.fd, handle, false, side)
    adopted.set(handle, file.retain())
    ;(handle as unknown as EventEmitter).once('close', () => {
      adopted.delete(handle)
      file.release()
    })
    return file
  }
  /** Opens a path. Rejects with Node's own error when it cannot be opened. */
  static async open(path: string | URL, flags: string): Promise<OpenFile> {
    return OpenFile.takeOver(await open(path, flags), (handle) => OpenFile.ours(handle))
  }
  /**
   * Makes something of a handle of our own, which is closed afterwards, or, without the addon, with
   * the file that was made of it.
   */
  static async takeOver<T>(
    handle: FileHandle,
    make: (handle: FileHandle) => T,
  ): Promise<Awaited<T>> {
    let isKept = false
    try {
      const made = await make(handle)
      isKept = addon === null
      return made
    } finally {
      if (!isKept) await handle.close()
    }
  }
  /** The file of a handle of our own, within `takeOver`. */
  static ours(handle: FileHandle, side: 'source' | 'sink' = 'source'): OpenFile {
    return new OpenFile(handle.fd, handle, addon === null, side)
  }

  retain(): this {
    this.#refs += 1
    return this
  }
  /** Closes with the last reference; a job that still runs keeps the descriptor until it returns. */
  release(): void {
    this.#refs -= 1
    if (this.#refs > 0) return
    if (this.#dropTo > 0) {
      this.dropPages()
      this.#dropTo = 0
      return
    }
    if (this.#descriptor !== undefined) opened().drop(this.#descriptor)
    if (this.#ownsHandle) void this.#handle?.close()
  }

  /** The file's size now, in bytes; 0 where none is known: that of /sys and /proc is found by reading. */
  sizeBytes(): number {
    const { sizeBytes, blocks } = this.#stat()
    // Asking for the file system may ask a server, and what lies on one has blocks.
    return sizeBytes > 0 && blocks === 0 && !this.statesSize ? 0 : sizeBytes
  }
  /** Whether the size that the file states says where it ends. */
  get statesSize(): boolean {
    return statesSizes(this.#magic())
  }
  /** The descriptor's own position; undefined where there is none, or without the addon. */
  position(): number | undefined {
    if (this.#descriptor === undefined || !this.isSeekable) return undefined
    const at = opened().seek(this.#descriptor, 0, 1)
    return at < 0 ? undefined : at
  }
  /** Sets the descriptor's own position, which the caller's descriptor shares. */
  seekTo(offset: number): void {
    if (this.#descriptor !== undefined) opened().seek(this.#descriptor, offset, 0)
  }

  /** Pages of the file into pipes, `lengthsBytes[i]` into the i-th, by reference. Only with the addon. */
  fill(pipes: readonly HeldPipe[], offset: number, lengthsBytes: readonly number[]): FileJob {
    const kernelPipes = pipes.map(({ pipe }) => pipe)
    return runJob((token) =>
      opened().pump(this.#kernel(), offset, kernelPipes, -1, lengthsBytes, token),
    )
  }
  /** Pages of pipes into the file, `lengthsBytes[i]` of the i-th. Only with the addon. */
  drain(pipes: readonly HeldPipe[], offset: number, lengthsBytes: readonly number[]): FileJob {
    const kernelPipes = pipes.map(({ pipe }) => pipe)
    return runJob((token) =>
      opened().pump(kernelPipes, -1, this.#kernel(), offset, lengthsBytes, token),
    )
  }
  /**
   * Whether `copy_file_range` into it copies bytes for certain: its file system cannot share extents.
   */
  get copiesRanges(): boolean {
    return copiesRanges(this.#magic())
  }
  /** Its descriptor, for a call that needs no pipe of ours. Only with the addon. */
  get descriptor(): Descriptor {
    return this.#kernel()
  }
  /** Reads into memory that nobody else sees until the job is done. */
  readAt(offset: number, target: Uint8Array, at: number, lengthBytes: number): FileJob {
    if (this.#descriptor === undefined) {
      return nodeJob((done) =>
        fs.read(this.#fd, target, at, lengthBytes, offset < 0 ? null : offset, done),
      )
    }
    return runJob((token) =>
      opened().readAt(this.#kernel(), offset, target, at, lengthBytes, token),
    )
  }
  /** Writes from memory; with the addon the bytes are copied before this returns. */
  writeAt(offset: number, parts: readonly Uint8Array[], skipBytes: number): FileJob {
    if (this.#descriptor === undefined) {
      const [first, ...rest] = parts
      const views = first === undefined ? [] : [first.subarray(skipBytes), ...rest]
      return nodeJob((done) => fs.writev(this.#fd, views, offset < 0 ? null : offset, done))
    }
    return runJob((token) => opened().writeAt(this.#kernel(), offset, parts, skipBytes, token))
  }
  /** Writes mapped memory from where it lies; it stays as it is until the job is done. */
  lendAt(offset: number, bytes: Uint8Array): FileJob {
    return runJob((token) => opened().lendAt(this.#kernel(), offset, bytes, 0, bytes.length, token))
  }
  /** Brings what was written to the disk. */
  sync(dataOnly: boolean): FileJob {
    if (this.#descriptor === undefined) {
      const flush = dataOnly ? fs.fdatasync : fs.fsync
      return nodeJob((done) => flush(this.#fd, (error) => done(error, 0)))
    }
    return runJob((token) => opened().sync(this.#kernel(), dataOnly, token))
  }

  /** One call on a range of its page cache; `step` is one of the addon's. Only with the addon. */
  cacheRange(step: number, offset: number, lengthBytes: number): FileJob {
    return runJob((token) => opened().cacheRange(this.#kernel(), step, offset, lengthBytes, token))
  }
  /** Remembers that a range shall not stay in the page cache once nobody uses the file. */
  dropLater(from: number, to: number): void {
    if (this.#descriptor === undefined) return
    this.#dropFrom = Math.min(this.#dropFrom, from)
    this.#dropTo = Math.max(this.#dropTo, to)
  }
  /** Drops what `dropLater` has remembered from the page cache, but for pages that are in use. */
  dropPages(): void {
    if (this.#dropTo === 0) return
    this.retain()
    const job = this.cacheRange(CACHE_DROP, this.#dropFrom, this.#dropTo - this.#dropFrom)
    void job.done.then(() => this.release())
  }
  /** See the addon's call of this name. Only with the addon. */
  directAlignment(): number {
    return opened().directAlignment(this.#kernel())
  }

  #stat(): { readonly sizeBytes: number; readonly blocks: number } {
    if (this.#descriptor === undefined) {
      const { size, blocks } = fs.fstatSync(this.#fd)
      return { sizeBytes: size, blocks }
    }
    const known = opened().describe(this.#descriptor)
    return typeof known === 'number' ? NOTHING : known
  }
  /** The magic number of its file system; 0 where there is none to ask for. */
  #magic(): number {
    return (this.#fileSystem ??=
      this.#descriptor === undefined ? magicOf(this.#fd) : opened().fileSystem(this.#descriptor))
  }
  #kernel(): Descriptor {
    if (this.#descriptor === undefined) throw new Error('Pages can only be moved by the addon')
    return this.#descriptor
  }
}

function magicOf(fd: number): number {
  try {
    return fs.statfsSync(`/proc/self/fd/${fd}`).type
  } catch {
    return 0
  }
}

function refuseDirectory(isDirectory: boolean): void {
  if (isDirectory) throw new InvalidArgumentError('This is a directory. Pass a file')
}

/** A call of node:fs in the shape of a job. It cannot be cancelled. */
function nodeJob(
  start: (done: (error: NodeJS.ErrnoException | null, bytes: number) => void) => void,
): FileJob {
  const done = new Promise<JobResult>((resolve) => {
    start((error, bytes) => {
      resolve({ bytes: error === null ? bytes : 0, errno: Math.abs(error?.errno ?? 0) })
    })
  })
  return { done, cancel: () => undefined }
}

import { ECONNABORTED } from '../errno.js'
import { InvalidArgumentError, TransferError, UnsupportedEndpointError } from '../errors.js'
import type { Eventually } from '../eventually.js'
import { BufferList, segmentsOf } from '../list/buffer-list.js'
import type { Segments } from '../list/segments.js'
import type { Description, Descriptor, Ownership } from '../native.js'
import type { KernelCause } from '../audit/causes.js'
import { opened, Watch, type RunningJob } from '../reactor.js'
import type { PipeParcel } from '../raw/parcel.js'
import type { HeldPipe } from '../raw/pipe-pool.js'
import { DirectPlace } from './direct.js'
import { TURN_BYTES_MAX, type Obstacle, type SinkEnd, type SourceEnd } from './end.js'
import { lowWaterFor } from './low-water.js'
import { readIntoBlock, SHARED_READ_BYTES_MAX } from './receive-block.js'
import { Turns, type SideTurns } from './turns.js'

const O_NONBLOCK = 0o4000
const S_IFMT = 0o170000
const S_IFSOCK = 0o140000
const S_IFIFO = 0o010000
const SOCK_STREAM = 1
const AF_UNIX = 1
/** Memory that one attempt to read asks for, at the most, in bytes. */
const READ_BYTES_MAX = 262144
/** Memory that it asks for at the least, in bytes. */
const READ_BYTES_MIN = 4096

/**
 * A non-blocking descriptor that can be waited for: a stream socket or a pipe.
 *
 * Use it for what is given as a number. The descriptor is duplicated, so that the caller may close
 * its own; its flags are never changed, so a blocking one is refused. Idle, it costs one place in the
 * epoll set: no pipe and no thread. `SocketEnd` builds on it for Node's sockets.
 */
export class DescriptorEnd implements SourceEnd, SinkEnd {
  readonly label: string
  readonly pages = 'foreign'
  readonly batchBytes = TURN_BYTES_MAX
  readonly obstacle: Obstacle | undefined = undefined
  readonly pageCopies = undefined
  readonly memoryCopies: KernelCause
  readonly hidesCopies: boolean
  readonly readTurns: Turns
  readonly writeTurns: Turns
  readonly front = new BufferList()
  readonly #descriptor: Descriptor
  readonly #isSocket: boolean
  readonly #place: DirectPlace
  #watch: Watch | undefined
  /** Jobs that work on duplicates of the descriptor: one that reads, one that writes. */
  readonly #borrowers = new Set<RunningJob>()
  #lowWater = 1

  /** Whether somebody can pull what is given back: the owner's stream, or an endpoint. */
  readonly #keepsFront: boolean

  /** `side`: what fails where the descriptor cannot be used. */
  constructor(
    fd: number,
    ownership: Ownership,
    keepsFront: boolean,
    turns?: SideTurns,
    side: 'source' | 'sink' = 'source',
  ) {
    this.#keepsFront = keepsFront
    this.readTurns = turns?.read ?? new Turns()
    this.writeTurns = turns?.write ?? new Turns()
    const descriptor = opened().adopt(fd, ownership)
    if (typeof descriptor === 'number') throw notOpen(fd, descriptor, side)
    this.#descriptor = descriptor
    const known = opened().describe(descriptor)
    try {
      if (typeof known === 'number') throw notOpen(fd, known, side)
      this.label = labelOf(known)
      refuseBlocking(fd, known)
    } catch (error) {
      opened().drop(descriptor)
      throw error
    }
    this.#isSocket = (known.type & S_IFMT) === S_IFSOCK
    this.#place = new DirectPlace(this.#isSocket ? 'socket' : 'pipe', descriptor)
    this.hidesCopies = this.#isSocket
    this.memoryCopies = this.#isSocket ? 'socket-write' : 'pipe-write'
  }
  /** Whether the descriptor may still be used: its owner may have closed it. */
  protected isOpen(): boolean {
    return true
  }
  /** Why it may not be used any more: the errno of what closed it. */
  protected closedErrno(): number {
    return ECONNABORTED
  }
  /** Bytes were moved, for whoever watches idleness. */
  protected moved(): void {
    // Nobody does.
  }
  startReading(): void {
    // Nothing to take over.
  }
  stopReading(_errno: number): void {
    // Nothing to give back.
  }
  takeBack(segments: Segments): boolean {
    if (this.#keepsFront) segmentsOf(this.front).unshiftAll(segments)
    return this.#keepsFront
  }
  startWriting(): Eventually<void> {
    // Nothing to wait for.
  }
  stopWriting(_errno: number): Eventually<number> {
    return 0
  }
  fill(pipes: readonly HeldPipe[], lengthBytes: number): number {
    if (!this.isOpen()) return -this.closedErrno()
    const held = pipes[0] as HeldPipe
    const n = opened().move(this.#descriptor, -1, held.pipe, -1, lengthBytes, false)
    if (n <= 0) return n
    held.bytes += n
    this.moved()
    return n
  }
  read(lengthBytes: number): Uint8Array | number {
    return this.readNow(lengthBytes)
  }
  readNow(lengthBytes: number): Uint8Array | number {
    if (!this.isOpen()) return -this.closedErrno()
    if (lengthBytes <= SHARED_READ_BYTES_MAX) {
      return readIntoBlock(lengthBytes, (target, at) => {
        const n = opened().read(this.#descriptor, target, at, lengthBytes)
        if (n > 0) this.moved()
        return n
      })
    }
    const bytes = Buffer.allocUnsafeSlow(Math.min(lengthBytes, this.#readBytes()))
    const n = opened().read(this.#descriptor, bytes, 0, bytes.length)
    if (n > 0) this.moved()
    return n < 0 ? n : bytes.subarray(0, n)
  }
  drain({ first, remaining }: PipeParcel, more: boolean): number {
    if (!this.isOpen()) return -this.closedErrno()
    const here = Math.min(remaining, first.bytes)
    const moreFollow = more || remaining > here
    const n = opened().move(first.pipe, -1, this.#descriptor, -1, here, moreFollow)
    if (n > 0) this.moved()
    return n
  }
  write(parts: readonly Uint8Array[], skipBytes: number, more: boolean): number {
    if (!this.isOpen()) return -this.closedErrno()
    const n = opened().writev(this.#descriptor, parts, skipBytes, more)
    if (n > 0) this.moved()
    return n
  }
  get directSource(): DirectPlace | undefined {
    return this.#direct
  }
  get directSink(): DirectPlace | undefined {
    return this.#direct
  }
  leftDirectly(): void {
    this.moved()
  }
  cameDirectly(): void {
    this.moved()
  }
  lendTo(job: RunningJob): void {
    this.#borrowers.add(job)
  }
  returnedBy(job: RunningJob): void {
    this.#borrowers.delete(job)
  }
  mayHearLate(): boolean {
    return true
  }
  lendLowWater(): boolean {
    this.#setLowWater(1)
    return this.#heedsLowWater
  }
  readable(wantedBytes: number): Promise<void> {
    if (!this.isOpen()) return Promise.resolve()
    this.#setLowWater(lowWaterFor(wantedBytes))
    return this.#watching().readable()
  }
  writable(): Promise<void> {
    return this.isOpen() ? this.#watching().writable() : Promise.resolve()
  }
  wakeReader(): void {
    this.#watch?.wakeReader()
  }
  wakeWriter(): void {
    this.#watch?.wakeWriter()
  }
  /** Ends its waits. Further attempts are the owner's mistake. */
  close(): void {
    this.endWaits()
    opened().drop(this.#descriptor)
    this.front.release()
  }
  /** Wakes who waits and leaves the epoll set, before the number means something else. */
  protected endWaits(): void {
    this.endJobs()
    this.#setLowWater(1)
    this.#watch?.close()
    this.#watch = undefined
  }
  /** Ends what jobs do with it, whose duplicates of the descriptor would keep the connection alive. */
  protected endJobs(): void {
    for (const job of this.#borrowers) job.cancel()
  }
  /** Memory that is worth a read: what is there, so that a trickle does not pin it for nothing. */
  #readBytes(): number {
    return Math.min(READ_BYTES_MAX, Math.max(READ_BYTES_MIN, opened().pending(this.#descriptor)))
  }
  /** A unix socket has a mark, which no wait heeds. */
  get #heedsLowWater(): boolean {
    return this.label === 'tcp'
  }
  get #direct(): DirectPlace | undefined {
    return this.isOpen() ? this.#place : undefined
  }
  #watching(): Watch {
    return (this.#watch ??= new Watch(this.#descriptor))
  }
  /** Wakes the reader only when much of what is missing is there: fewer, larger moves. */
  #setLowWater(bytes: number): void {
    if (bytes === this.#lowWater || !this.#heedsLowWater || !this.isOpen()) return
    if (opened().lowWater(this.#descriptor, bytes) >= 0) this.#lowWater = bytes
  }
}

function labelOf({ type, family, socketType }: Description): string {
  if ((type & S_IFMT) === S_IFIFO) return 'pipe'
  if ((type & S_IFMT) === S_IFSOCK && socketType === SOCK_STREAM) {
    return family === AF_UNIX ? 'unix' : 'tcp'
  }
  throw new UnsupportedEndpointError(
    'This descriptor is neither a regular file, a pipe nor a stream socket',
    'Open a Node stream on it and pass that: its bytes will be copied',
  )
}

function refuseBlocking(fd: number, { flags }: Description): void {
  if ((flags & O_NONBLOCK) !== 0) return
  throw new UnsupportedEndpointError(
    `Descriptor ${fd} is blocking, so a transfer could stop the whole program`,
    'Open it with O_NONBLOCK, or pass a net.Socket: flags of yours are never changed here',
  )
}

function notOpen(fd: number, errno: number, side: 'source' | 'sink'): Error {
  return Number.isInteger(fd) && fd >= 0
    ? new TransferError({
        side,
        errno,
        syscall: 'fcntl',
        bytesMoved: 0,
        detail: `Descriptor ${fd} is not open`,
      })
    : new InvalidArgumentError(`A descriptor must be a whole number from 0 up, not ${fd}`)
}

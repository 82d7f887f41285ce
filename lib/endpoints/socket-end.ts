import type { Socket } from 'node:net'
import { ECONNABORTED, ECONNRESET, EHOSTUNREACH, ENETRESET, ETIMEDOUT } from '../errno.js'
import { systemError } from '../errors.js'
import { closedSocket } from './connected.js'
import { DescriptorEnd } from './descriptor-end.js'
import type { Eventually } from '../eventually.js'
import type { Segments } from '../list/segments.js'
import type { LoanParcel } from '../raw/loan.js'
import type { RunningJob } from '../reactor.js'
import { SocketLending } from './lending.js'
import { partsToGiveBack } from './give-back.js'
import {
  failSocket,
  isReadByParser,
  LiveHandle,
  nodeError,
  refreshTimeout,
  whenTimeoutIsSet,
} from './node-socket.js'
import { errnoOf } from './own-failure.js'
import { SocketReading } from './socket-reading.js'
import { notWritable, SocketWriting } from './socket-writing.js'
import { RELAY_MS_MAX } from './relays.js'
import { Turns } from './turns.js'

const ends = new WeakMap<Socket, SocketEnd>()

/** The shortest idle timer that may hear of bytes when a relay has ended, in milliseconds. */
const IDLE_MS_MIN = 2 * RELAY_MS_MAX

/** Errors after which a connection is no more. */
const FINAL: ReadonlySet<number> = new Set([
  ENETRESET,
  ECONNABORTED,
  ECONNRESET,
  ETIMEDOUT,
  EHOSTUNREACH,
])

/**
 * A TCP or unix socket of Node's, over its own descriptor: no duplicate, so that FIN and RST happen
 * when Node closes it.
 *
 * It is shared by all operations on the socket and let go with the last; what it has taken over
 * from Node (reading, the write queue) is given back then. An `attach` holds it for a conversation.
 */
export class SocketEnd extends DescriptorEnd {
  readonly #socket: Socket
  readonly #handle: LiveHandle
  readonly #writing: SocketWriting
  #users = 0
  #reading: SocketReading | undefined
  #readers = 0
  /** What broke reading: errno of the first failure, or 0. */
  #failure = 0
  readonly #onLoss = new Set<() => void>()
  readonly #onOver = (): void => this.endJobs()
  #unhook: (() => void) | undefined
  readonly #onClose = (): void => {
    this.endWaits()
    for (const tell of this.#onLoss) tell()
  }

  private constructor(socket: Socket, handle: LiveHandle, writing: SocketWriting) {
    super(handle.fd, 'borrow', true, { read: new Turns(), write: writing })
    this.#socket = socket
    this.#handle = handle
    this.#writing = writing
    handle.onOver.add(this.#onOver)
    socket.once('close', this.#onClose)
    ends.set(socket, this)
  }

  /** The end of a connected socket, for one more user, who calls `letGo` once. */
  static of(socket: Socket): SocketEnd {
    const handle = LiveHandle.of(socket)
    if (handle === undefined || socket.destroyed) throw closedSocket()
    const end = ends.get(socket) ?? SocketEnd.#make(socket, handle)
    end.#users += 1
    return end
  }
  static #make(socket: Socket, handle: LiveHandle): SocketEnd {
    const writing = SocketWriting.of(socket)
    try {
      return new SocketEnd(socket, handle, writing)
    } catch (error) {
      writing.letGo()
      throw error
    }
  }
  /** Ends one use. With the last, Node has its socket back. */
  letGo(): void {
    // It throws where bytes cannot be given back: the socket stays taken over then, as a whole.
    if (this.#users === 1) this.#endReading()
    this.#users -= 1
    if (this.#users > 0) return
    this.#writing.letGo()
    this.#unhook?.()
    this.#handle.onOver.delete(this.#onOver)
    this.#socket.off('close', this.#onClose)
    ends.delete(this.#socket)
    this.close()
  }
  /** Keeps reading taken over until `releaseReading`, between operations too. */
  holdReading(): void {
    if (this.#readers === 0) this.#reading = new SocketReading(this.#socket, this.front)
    this.#readers += 1
  }
  releaseReading(): void {
    this.#readers -= 1
    if (this.#readers === 0) this.#endReading()
  }
  /** Whether Node's HTTP parser reads this socket: it can be written to only. */
  get isReadByParser(): boolean {
    return isReadByParser(this.#socket)
  }

  get error(): unknown {
    return this.isOpen() ? undefined : this.#socket.errored
  }
  get lostErrno(): number {
    return this.isOpen() ? 0 : this.closedErrno()
  }
  whenLost(tell: () => void): () => void {
    this.#onLoss.add(tell)
    return () => this.#onLoss.delete(tell)
  }
  protected override isOpen(): boolean {
    return this.#handle.isOf(this.#socket) && !FINAL.has(this.#failure)
  }
  protected override closedErrno(): number {
    // The kernel tells a reset once, and an end afterwards.
    if (FINAL.has(this.#failure)) return this.#failure
    // Node may have met the reset that we were about to meet.
    const { errored } = this.#socket
    return errored == null ? super.closedErrno() : errnoOf(errored, ECONNABORTED)
  }
  override lendTo(job: RunningJob): void {
    super.lendTo(job)
    // A timer that is set meanwhile has not seen what the job has moved, nor will it at once.
    this.#unhook ??= whenTimeoutIsSet(this.#socket, () => this.endJobs())
  }
  /** An idle timer that is short, or nearly so, would fire while bytes move. */
  override mayHearLate(): boolean {
    const { timeout = 0 } = this.#socket
    return timeout === 0 || timeout >= IDLE_MS_MIN
  }
  /** Node's idle timer does not see bytes that do not pass through Node. */
  protected override moved(): void {
    refreshTimeout(this.#socket)
  }
  override startReading(): void {
    this.#handle.check(this.#socket)
    this.holdReading()
  }
  override stopReading(errno: number): void {
    if (errno !== 0 && this.#failure === 0) this.#failure = Math.abs(errno)
    this.releaseReading()
  }
  override takeBack(segments: Segments): boolean {
    super.takeBack(segments)
    // Reading may be Node's again already, with the end of the only operation.
    if (this.#reading === undefined) {
      const parts = this.#partsToGiveBack()
      if (!this.#socket.destroyed) for (const part of parts.toReversed()) this.#socket.unshift(part)
    }
    return true
  }
  override startWriting(): void {
    this.#handle.check(this.#socket)
    // Everything written before is with the kernel: the turn was a place in Node's own queue.
    if (this.#socket.destroyed) throw notWritable(this.#socket, 'it was destroyed')
  }
  override stopWriting(errno: number): Eventually<number> {
    if (errno !== 0) this.#fail(errno, 'write')
    return 0
  }
  /** TCP says when it needs memory no more; a unix socket's receiver may hold it for ever. */
  lend(parcel: LoanParcel, more: boolean): number | undefined {
    if (this.label !== 'tcp' || !this.isOpen()) return undefined
    return SocketLending.of(this.#socket, this.#handle.fd)?.lend(parcel, more)
  }
  #endReading(): void {
    const reading = this.#reading
    if (reading === undefined) return
    const leftover = this.#partsToGiveBack()
    this.#reading = undefined
    this.#readers = 0
    // Node's own reading must not wait for the low-water mark of a pull.
    this.endWaits()
    reading.end(leftover)
    if (this.#failure !== 0) this.#fail(this.#failure, 'read')
  }
  /** What is left of one connection is no part of the next. */
  #partsToGiveBack(): readonly Uint8Array[] {
    const isReplaced = this.#handle.isReplacedIn(this.#socket)
    return isReplaced ? [] : partsToGiveBack(this.#socket, this.front)
  }
  /** Node is told of a failure, unless it has met it, or has another connection since. */
  #fail(errno: number, syscall: string): void {
    if (this.#socket.destroyed || this.#handle.isReplacedIn(this.#socket)) return
    const [code] = systemError(errno)
    failSocket(this.#socket, nodeError(code, errno, syscall))
  }
}

import type { Socket } from 'node:net'
import {
  AbortError,
  EndpointBusyError,
  systemError,
  TransferError,
  UnsupportedEndpointError,
} from '../errors.js'
import { DescriptorEnd } from './descriptor-end.js'
import { EPIPE } from './end.js'
import type { Eventually } from '../eventually.js'
import { SocketLending } from './lending.js'
import type { LoanParcel } from '../raw/loan.js'
import { partsToGiveBack } from './give-back.js'
import { isReadByParser, nodeError, refreshTimeout, socketFd, type Done } from './node-socket.js'
import { SocketReading } from './socket-reading.js'
import { SocketWriting } from './socket-writing.js'

const ends = new WeakMap<Socket, SocketEnd>()

/**
 * A TCP or unix socket of Node's, over its own descriptor: no duplicate, so that FIN and RST happen
 * when Node closes it.
 *
 * It is shared by all operations on the socket and let go with the last; what it has taken over
 * from Node (reading, the write queue) is given back then. An `attach` holds it for a conversation and
 * keeps others out.
 */
export class SocketEnd extends DescriptorEnd {
  readonly #socket: Socket
  readonly #fd: number
  #users = 0
  #isAttached = false
  #reading: SocketReading | undefined
  #readers = 0
  #writing: SocketWriting | undefined
  #done: Done | undefined
  #failure = 0
  readonly #onClose = (): void => {
    this.endWaits()
  }

  private constructor(socket: Socket, fd: number) {
    super(fd, 'borrow', true)
    this.#socket = socket
    this.#fd = fd
    socket.once('close', this.#onClose)
    ends.set(socket, this)
  }

  /** The end of a connected socket, for one more user, who calls `letGo` once. */
  static async of(
    socket: Socket,
    use: 'attach' | 'operation',
    signal?: AbortSignal,
  ): Promise<SocketEnd> {
    if (socket.connecting) await connected(socket, signal)
    return SocketEnd.ofConnected(socket, use)
  }
  /** As `of`, for a socket that is connected already. */
  static ofConnected(socket: Socket, use: 'attach' | 'operation'): SocketEnd {
    const known = ends.get(socket)
    if (known !== undefined && (known.#isAttached || use === 'attach')) throw busy(known)
    const fd = socketFd(socket)
    if (fd === undefined || socket.destroyed) throw closedSocket()
    const end = known ?? new SocketEnd(socket, fd)
    end.#users += 1
    end.#isAttached = use === 'attach'
    return end
  }
  /** Ends one use. With the last, Node has its socket back. */
  letGo(): void {
    // It throws where bytes cannot be given back: the socket stays taken over then, as a whole.
    if (this.#users === 1) this.#endReading()
    this.#users -= 1
    if (this.#users > 0) return
    this.#writing?.end()
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

  protected override isOpen(): boolean {
    return !this.#socket.destroyed && socketFd(this.#socket) === this.#fd
  }
  protected override closedErrno(): number {
    // Node may have met the reset that we were about to meet.
    const { errno } = (this.#socket.errored ?? {}) as NodeJS.ErrnoException
    return errno === undefined ? super.closedErrno() : Math.abs(errno)
  }
  override startReading(): void {
    this.holdReading()
  }
  override stopReading(errno: number): void {
    super.stopReading(errno)
    refreshTimeout(this.#socket)
    if (errno !== 0 && this.#failure === 0) this.#failure = errno
    this.releaseReading()
  }
  override startWriting(): Eventually<void> {
    const { destroyed, writableEnded } = this.#socket
    if (destroyed || writableEnded) throw notWritable('it was ended or destroyed')
    this.#writing ??= new SocketWriting(this.#socket)
    const turn = this.#writing.turn()
    if (!(turn instanceof Promise)) {
      this.#done = turn
      return
    }
    return turn.then(
      (done) => {
        this.#done = done
      },
      (cause: unknown) => {
        throw notWritable('it was closed before the send began', cause)
      },
    )
  }
  override stopWriting(errno: number): Eventually<number> {
    refreshTimeout(this.#socket)
    const done = this.#done
    this.#done = undefined
    if (errno === 0 || !this.isOpen()) done?.()
    else this.#fail(errno, 'write', done)
    return 0
  }
  /** TCP says when it needs memory no more; a unix socket's receiver may hold it for ever. */
  lend(parcel: LoanParcel, more: boolean): number | undefined {
    if (this.label !== 'tcp' || !this.isOpen()) return undefined
    return SocketLending.of(this.#socket, this.#fd)?.lend(parcel, more)
  }
  #endReading(): void {
    const reading = this.#reading
    if (reading === undefined) return
    const leftover = partsToGiveBack(this.front)
    this.#reading = undefined
    this.#readers = 0
    // Node's own reading must not wait for the low-water mark of a pull.
    this.endWaits()
    reading.end(leftover)
    if (this.#failure !== 0 && this.isOpen()) this.#fail(this.#failure, 'read', undefined)
  }
  /**
   * Ends the socket as Node would have, had it met the error itself. Where nobody listens for errors
   * the operation's own rejection tells, and the program must not be ended for it a second time.
   */
  #fail(errno: number, syscall: string, done: Done | undefined): void {
    const [code] = systemError(errno)
    const error = nodeError(code, errno, syscall)
    if (this.#socket.listenerCount('error') === 0) {
      this.#socket.destroy()
      done?.()
    } else if (done !== undefined) done(error)
    else this.#socket.destroy(error)
  }
}

/** Resolves when a socket has connected; rejects when it fails, is destroyed, or on an abort. */
function connected(socket: Socket, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      socket.off('connect', onConnect)
      socket.off('error', settle)
      socket.off('close', onClose)
      signal?.removeEventListener('abort', onAbort)
      if (error === undefined) resolve()
      else reject(error)
    }
    const onConnect = (): void => settle()
    const onClose = (): void => settle(closedSocket())
    const onAbort = (): void => settle(new AbortError(0, signal?.reason))
    socket.on('connect', onConnect)
    socket.on('error', settle)
    socket.on('close', onClose)
    signal?.addEventListener('abort', onAbort)
    if (signal?.aborted === true) onAbort()
  })
}

function busy(end: SocketEnd): EndpointBusyError {
  return new EndpointBusyError(
    end.isReadByParser
      ? 'This socket is in use'
      : 'This socket is attached or in use. Use its endpoint, or wait for what is running and detach',
  )
}

function closedSocket(): UnsupportedEndpointError {
  return new UnsupportedEndpointError(
    'This socket is closed, or has no descriptor on this runtime',
    'Pass a socket that is connected and not destroyed',
  )
}

function notWritable(why: string, cause?: unknown): TransferError {
  return new TransferError({
    side: 'sink',
    errno: EPIPE,
    syscall: 'write',
    bytesMoved: 0,
    detail: `The socket takes no more bytes: ${why}`,
    cause,
  })
}

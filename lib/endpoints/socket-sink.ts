import type { Socket } from 'node:net'
import type { KernelCause } from '../audit/causes.js'
import { ECANCELED, ECONNABORTED } from '../errno.js'
import type { Eventually } from '../eventually.js'
import { bufferOf } from '../list/buffer-view.js'
import { kindOf } from './device.js'
import { TURN_BYTES_MAX, type Obstacle, type SinkEnd } from './end.js'
import { failSocket, socketFd } from './node-socket.js'
import { errnoOf } from './own-failure.js'
import { notWritable, SocketWriting } from './socket-writing.js'

/**
 * A socket that takes its bytes in memory, from Node: one that carries TLS, or any where there is no
 * addon. A send is one piece of the socket's own write order, as by the descriptor: what others write
 * meanwhile comes behind it.
 *
 * Bytes are handed over a megabyte at a time. A send that is given up between two ends there, and
 * hands back the rest; the one that Node has counts as accepted, and its failure as none of it.
 */
export class SocketSink implements SinkEnd {
  readonly label = 'stream'
  readonly pageCopies = undefined
  readonly memoryCopies: KernelCause | undefined
  readonly batchBytes = TURN_BYTES_MAX
  readonly writeTurns: SocketWriting
  readonly obstacle: Obstacle
  readonly #socket: Socket
  #error: Error | undefined
  #wake: (() => void) | undefined

  /** For one user, who calls `close` once. Users share the socket's turns. */
  constructor(socket: Socket, obstacle: Obstacle) {
    this.#socket = socket
    this.obstacle = obstacle
    this.memoryCopies = copiesOfWrites(socket)
    this.writeTurns = SocketWriting.of(socket)
  }
  get error(): unknown {
    return this.#error ?? this.#socket.errored
  }
  get lostErrno(): number {
    return this.#socket.destroyed ? this.#closedErrno() : 0
  }
  startWriting(): void {
    if (this.#socket.destroyed) throw notWritable(this.#socket, 'it was destroyed')
  }
  stopWriting(errno: number): number {
    const error = this.#error
    this.#error = undefined
    if (errno !== 0 && error !== undefined) failSocket(this.#socket, error)
    return 0
  }
  drain(): number {
    throw new Error('A stream takes no pages')
  }
  write(parts: readonly Uint8Array[], skipBytes: number): Eventually<number> {
    const socket = this.#socket
    if (socket.destroyed) return -this.#closedErrno()
    const views = parts.map(bufferOf)
    const [first] = views
    if (first !== undefined && skipBytes > 0) views[0] = first.subarray(skipBytes)
    const lengthBytes = views.reduce((sum, view) => sum + view.length, 0)
    let result: number | undefined
    let settle = (n: number): void => {
      result = n
    }
    this.writeTurns.send(views, (error) => settle(this.#sent(lengthBytes, error)))
    if (result !== undefined) return result
    return new Promise((resolve) => {
      const onClose = (): void => settle(-this.#closedErrno())
      settle = (n) => {
        this.#wake = undefined
        socket.off('close', onClose)
        resolve(n)
      }
      socket.once('close', onClose)
      this.#wake = () => settle(lengthBytes)
    })
  }
  writable(): Promise<void> {
    return Promise.resolve()
  }
  wakeWriter(): void {
    this.#wake?.()
  }
  close(): void {
    this.writeTurns.letGo()
  }
  /** What became of a piece. Node reports no failure for one that `destroy()` ended. */
  #sent(lengthBytes: number, error: Error | null | undefined): number {
    const isEnded = error == null || errnoOf(error, ECONNABORTED) === ECANCELED
    if (error != null && !(isEnded && this.#socket.destroyed)) {
      this.#error = error
      return -errnoOf(error, ECONNABORTED)
    }
    return this.#socket.destroyed ? -this.#closedErrno() : lengthBytes
  }
  #closedErrno(): number {
    const { errored } = this.#socket
    return errored == null ? ECONNABORTED : errnoOf(errored, ECONNABORTED)
  }
}

/**
 * What the kernel copies of memory that Node writes to a socket: what came to it, of TLS its ciphertext.
 * Undefined where there is no kernel's socket or pipe behind it.
 */
export function copiesOfWrites(socket: Socket): KernelCause | undefined {
  const fd = socketFd(socket)
  if (fd === undefined) return undefined
  try {
    const { kind } = kindOf(fd)
    // Of what a number of Node's own is open on, all else is a socket.
    return kind === 'other' ? 'socket-write' : kind === 'pipe' ? 'pipe-write' : undefined
  } catch {
    return undefined
  }
}

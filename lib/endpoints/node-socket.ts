/**
 * What of Node's sockets is used beyond their documented face, in one place.
 *
 * `_handle.fd` is undocumented and undefined on some runtimes; each use is checked, and what is
 * missing makes the socket a plain stream, whose bytes are copied.
 */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { isHeardByOthers } from './hearing.js'

/** Node's stream wrapper of a socket. */
export interface SocketHandle {
  readonly fd?: number
  reading?: boolean
  readStart(): number
  readStop(): number
  close?: (...args: unknown[]) => unknown
  /** Of TCP alone: closes with a reset. */
  reset?: (...args: unknown[]) => unknown
}

interface Inner {
  readonly _handle?: SocketHandle | null
  readonly parser?: object | null
  readonly _readableState: { reading: boolean; ended: boolean }
  _read?: (size: number) => void
  _write: WriteFunction
  /** Null where the handle cannot gather. */
  _writev?: WritevFunction | null
  _final: FinalFunction
  pause?: () => Socket
  emit?: (name: string | symbol, ...args: unknown[]) => boolean
  _unrefTimer?: () => void
}

/** `Writable`'s `_write`. */
export type WriteFunction = (chunk: unknown, encoding: BufferEncoding, done: Done) => void
/** `Writable`'s `_writev`. */
export type WritevFunction = (chunks: WritevChunks, done: Done) => void
/** What `_writev` is given. */
export type WritevChunks = { chunk: unknown; encoding: BufferEncoding }[] & { allBuffers?: boolean }
/** `Writable`'s `_final`. */
export type FinalFunction = (done: Done) => void
/** How `_write`, `_writev` and `_final` report. */
export type Done = (error?: Error | null) => void

/** The undocumented face of a socket. */
export function inner(socket: Socket): Inner {
  return socket as unknown as Inner
}

/** The socket's descriptor, or undefined when it has none (any more). */
export function socketFd(socket: Socket): number | undefined {
  const fd = inner(socket)._handle?.fd
  return Number.isInteger(fd) && (fd as number) >= 0 ? fd : undefined
}

const liveHandles = new WeakMap<SocketHandle, LiveHandle>()

/**
 * Node's handle of a socket, and whether it has its descriptor still, whose number may mean something
 * else from then on. Before each call on the descriptor `isOf` is asked, which costs nothing; `check`
 * asks the handle itself, once an operation. (Asked each time, six times a turn, the handles took a
 * twenty-fifth of all CPU with a hundred busy sockets.)
 *
 * It is told by functions in place of the handle's own `close` and `reset`, which are how Node closes
 * one, at once when its socket is destroyed, and which stay there. Only `check` sees a close that goes
 * past them, or a class of sockets that closes later than it is destroyed. (Asked before each call
 * whether it is destroyed, a thousand busy sockets took a twentieth more CPU: it is far from what else
 * a turn touches.)
 */
export class LiveHandle {
  readonly fd: number
  /** Who is called before it is closed: nothing of theirs may keep its connection open. */
  readonly onOver = new Set<() => void>()
  readonly #handle: SocketHandle
  #isOver = false

  private constructor(handle: SocketHandle, fd: number) {
    this.fd = fd
    this.#handle = handle
    liveHandles.set(handle, this)
    for (const name of ['close', 'reset'] as const) {
      const end = handle[name]
      if (end === undefined) continue
      const value = (...args: unknown[]): unknown => {
        this.#isOver = true
        for (const tell of this.onOver) tell()
        return end.apply(handle, args)
      }
      Object.defineProperty(handle, name, { value, configurable: true, writable: true })
    }
  }
  /** That of a socket; undefined where it has no descriptor (any more). */
  static of(socket: Socket): LiveHandle | undefined {
    const handle = inner(socket)._handle
    const fd = socketFd(socket)
    if (handle == null || fd === undefined) return undefined
    return liveHandles.get(handle) ?? new LiveHandle(handle, fd)
  }
  /** Whether it is the socket's, and has its descriptor as far as is known. */
  isOf(socket: Socket): boolean {
    return inner(socket)._handle === this.#handle && !this.#isOver
  }
  /** Whether the socket has another one: it has connected anew. */
  isReplacedIn(socket: Socket): boolean {
    const now = inner(socket)._handle
    return now != null && now !== this.#handle
  }
  /** Asks the handle and its socket, and remembers what they say for `isOf`. */
  check(socket: Socket): void {
    // A handle that was handed on is another socket's by now.
    const isDestroyed = socket.destroyed && inner(socket)._handle === this.#handle
    if (isDestroyed || this.#handle.fd !== this.fd) this.#isOver = true
  }
}

/** Whether the socket carries TLS: its descriptor then carries ciphertext. */
export function isEncrypted(socket: Socket): boolean {
  return (socket as Partial<TLSSocket>).encrypted === true
}

/** Whether Node's HTTP parser reads this socket, below JavaScript. */
export function isReadByParser(socket: Socket): boolean {
  return inner(socket).parser != null
}

/** Tells Node's idle timer that bytes moved. */
export function refreshTimeout(socket: Socket): void {
  inner(socket)._unrefTimer?.()
}

/** Calls a function whenever the socket's idle timer is about to be set, until the returned one is called. */
export function whenTimeoutIsSet(socket: Socket, tell: () => void): () => void {
  const own = Object.getOwnPropertyDescriptor(socket, 'setTimeout')
  const setTimeout = socket.setTimeout.bind(socket)
  const value: Socket['setTimeout'] = (...given) => {
    tell()
    return setTimeout(...given)
  }
  Object.defineProperty(socket, 'setTimeout', { value, configurable: true, writable: true })
  return () => {
    if (own !== undefined) Object.defineProperty(socket, 'setTimeout', own)
    else delete (socket as Partial<Socket>).setTimeout
  }
}

/** An error as Node would have emitted it for a failed read or write. */
export function nodeError(code: string, errno: number, syscall: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${syscall} ${code}`), { code, errno: -Math.abs(errno), syscall })
}

/**
 * Ends a socket as Node would have, had it met the error itself. Where nobody listens for errors the
 * operation's own rejection tells, and the program must not be ended for it a second time.
 */
export function failSocket(socket: Socket, error: Error): void {
  if (isHeardByOthers(socket)) socket.destroy(error)
  else socket.destroy()
}

/**
 * Whether Node reads the socket into one buffer of its owner's (`onread`): its bytes then reach no
 * stream, so there is nothing that takes over or gives back.
 */
export function readsIntoOwnBuffer(socket: Socket): boolean {
  ownBuffer ??= Object.getOwnPropertySymbols(socket).find((it) => it.description === 'kBuffer')
  return ownBuffer !== undefined && Reflect.get(socket, ownBuffer) != null
}
let ownBuffer: symbol | undefined

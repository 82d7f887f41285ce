/**
 * What of Node's sockets is used beyond their documented face, in one place.
 *
 * `_handle.fd` is undocumented and undefined on some runtimes; each use is checked, and what is
 * missing makes the socket a plain stream, whose bytes are copied.
 */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

/** Node's stream wrapper of a socket. */
export interface SocketHandle {
  readonly fd?: number
  reading?: boolean
  readStart(): number
  readStop(): number
}

interface Inner {
  readonly _handle?: SocketHandle | null
  readonly parser?: object | null
  readonly _readableState: { reading: boolean; ended: boolean }
  _read?: (size: number) => void
  _write?: WriteFunction
  _writev?: WritevFunction
  emit?: (name: string | symbol, ...args: unknown[]) => boolean
  _unrefTimer?: () => void
}

/** `Writable`'s `_write`. */
export type WriteFunction = (chunk: unknown, encoding: BufferEncoding, done: Done) => void
/** `Writable`'s `_writev`. */
export type WritevFunction = (chunks: WritevChunks, done: Done) => void
/** What `_writev` is given. */
export type WritevChunks = { chunk: unknown; encoding: BufferEncoding }[] & { allBuffers?: boolean }
/** How `_write` and `_writev` report. */
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

/** An error as Node would have emitted it for a failed read or write. */
export function nodeError(code: string, errno: number, syscall: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${syscall} ${code}`), { code, errno: -Math.abs(errno), syscall })
}

import type { Socket } from 'node:net'
import { UnsupportedEndpointError } from '../errors.js'
import type { BufferList } from '../list/buffer-list.js'
import { inner, isReadByParser, readsIntoOwnBuffer } from './node-socket.js'
import { setFlowing } from './stream-reading.js'

/**
 * Reading, taken over from Node and given back, without losing a byte.
 *
 * Node reads ahead: up to 64 KiB are in JavaScript already, and `pause()` lets one more chunk in. So
 * the handle is stopped and the stream drained in one tick; what was there comes first in the
 * transfer. While it is taken, `resume()` and 'data' listeners of others cannot restart the handle.
 */
export class SocketReading {
  readonly #socket: Socket
  readonly #wasFlowing: boolean | null
  readonly #wasReading: boolean
  readonly #hadEnded: boolean
  #isPaused = false

  /** Takes over. Bytes that Node had read are appended to `front`, shared. */
  constructor(socket: Socket, front: BufferList) {
    refuseReader(socket)
    this.#socket = socket
    this.#wasFlowing = socket.readableFlowing
    const handle = inner(socket)._handle
    this.#wasReading = handle?.reading === true
    setFlowing(socket, false)
    // A stream that knows its end emits it when it is drained, and takes nothing back afterwards.
    const state = inner(socket)._readableState
    this.#hadEnded = state.ended && socket.readableLength > 0
    if (this.#hadEnded) state.ended = false
    inner(socket)._read = () => undefined
    inner(socket).pause = () => {
      this.#isPaused = true
      delete inner(socket).pause
      return socket.pause()
    }
    drain(socket, front)
    handle?.readStop()
    if (handle != null) handle.reading = false
  }
  /** Gives back, with the bytes that were not consumed, as Node would have had them. */
  end(leftover: readonly Uint8Array[]): void {
    const socket = this.#socket
    delete inner(socket)._read
    delete inner(socket).pause
    if (socket.destroyed) return
    for (const part of leftover.toReversed()) socket.unshift(part)
    const handle = inner(socket)._handle
    // A read that the stream believes to be under way must really be; an end is read once more.
    const { reading } = inner(socket)._readableState
    if (handle != null && (this.#wasReading || this.#hadEnded || reading)) {
      handle.reading = true
      handle.readStart()
    }
    const isWanted = this.#wasFlowing === null && socket.listenerCount('data') > 0
    // What its owner said last holds: told to flow, told to pause, or neither.
    if (socket.readableFlowing === true) socket.resume()
    else if (this.#isPaused) return
    else if (this.#wasFlowing === true || isWanted) socket.resume()
    else setFlowing(socket, this.#wasFlowing)
  }
}

/** Takes what the stream holds, without its 'data' listeners seeing bytes that they do not get. */
function drain(socket: Socket, front: BufferList): void {
  const emit = socket.emit.bind(socket)
  inner(socket).emit = (name, ...args) => (name === 'data' ? false : emit(name, ...args))
  try {
    while (socket.readableLength > 0) {
      const chunk: unknown = socket.read()
      if (!(chunk instanceof Uint8Array)) break
      front.append(chunk)
    }
  } finally {
    delete inner(socket).emit
  }
}

function refuseReader(socket: Socket): void {
  if (isReadByParser(socket)) {
    throw new UnsupportedEndpointError(
      "Node's HTTP parser reads this socket",
      "Use the request or response itself as the source, or the socket of an 'upgrade' event",
    )
  }
  if (readsIntoOwnBuffer(socket)) {
    throw new UnsupportedEndpointError(
      "Node reads this socket into a buffer of its owner's",
      "Make it without the option 'onread'",
    )
  }
  if (socket.readableEncoding !== null) {
    throw new UnsupportedEndpointError(
      'This socket decodes its bytes into strings',
      'Do not call setEncoding() on a socket whose bytes you want',
    )
  }
}

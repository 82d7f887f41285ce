import type { Socket } from 'node:net'
import type { Eventually } from '../eventually.js'
import { inner, type Done, type WritevChunks } from './node-socket.js'

/** Our place in the write queue: called when all that was written before is with the kernel. */
type Begin = (done: Done) => void

/**
 * Sends in the socket's own write order.
 *
 * A send takes its place by writing an empty chunk, which is recognized again when its turn comes:
 * all writes before it are with the kernel then, and all writes and `end()` after it wait. Node's
 * back-pressure, `finish` and error handling stay in force.
 */
export class SocketWriting {
  readonly #socket: Socket
  readonly #places = new Map<unknown, Begin>()

  constructor(socket: Socket) {
    this.#socket = socket
    const { _write: write, _writev: writev } = inner(socket)
    inner(socket)._write = (chunk, encoding, done) => {
      const begin = this.#take(chunk)
      if (begin === undefined) write?.call(socket, chunk, encoding, done)
      else begin(done)
    }
    inner(socket)._writev = (chunks, done) => {
      this.#writeInOrder(chunks, done, (some, after) => writev?.call(socket, some, after))
    }
  }
  /**
   * Our turn: the function that ends it, at once where nothing was written before. Rejects when the
   * socket is closed before.
   */
  turn(): Eventually<Done> {
    const place = Buffer.alloc(0)
    let turn: Done | undefined
    let resolve: Begin = (done) => {
      turn = done
    }
    let reject: (error: Error) => void = () => undefined
    this.#places.set(place, (done) => resolve(done))
    this.#socket.write(place, (error) => {
      this.#places.delete(place)
      if (error != null) reject(error)
    })
    if (turn !== undefined) return turn
    return new Promise((...settle) => {
      ;[resolve, reject] = settle
    })
  }
  /** Gives the socket its own writing back. Only between turns. */
  end(): void {
    delete inner(this.#socket)._write
    delete inner(this.#socket)._writev
  }
  #take(chunk: unknown): Begin | undefined {
    const begin = this.#places.get(chunk)
    this.#places.delete(chunk)
    return begin
  }
  /** Writes chunks by Node's own `_writev`, stopping for each place of ours among them. */
  #writeInOrder(
    chunks: WritevChunks,
    done: Done,
    writev: (chunks: WritevChunks, done: Done) => void,
  ): void {
    const next = chunks.findIndex(({ chunk }) => this.#places.has(chunk))
    if (next < 0) return writev(chunks, done)
    const rest: WritevChunks = chunks.slice(next + 1)
    const before: WritevChunks = chunks.slice(0, next)
    if (chunks.allBuffers !== undefined) {
      rest.allBuffers = chunks.allBuffers
      before.allBuffers = chunks.allBuffers
    }
    const goOn: Done = (error) => {
      if (error != null || rest.length === 0) done(error)
      else this.#writeInOrder(rest, done, writev)
    }
    const ours: Done = (error) => {
      if (error != null) done(error)
      else this.#take(chunks[next]?.chunk)?.(goOn)
    }
    if (before.length === 0) ours()
    else writev(before, ours)
  }
}

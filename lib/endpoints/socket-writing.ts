import type { Socket } from 'node:net'
import { EPIPE } from '../errno.js'
import { TransferError } from '../errors.js'
import {
  failSocket,
  inner,
  type Done,
  type FinalFunction,
  type WriteFunction,
  type WritevChunks,
  type WritevFunction,
} from './node-socket.js'
import { failedBefore } from './own-failure.js'
import { Turns } from './turns.js'

/** A send's place in Node's write queue: an empty chunk, recognized again when its turn comes. */
interface Place {
  readonly promise: Promise<void>
  /** Called when all that was written before is with the kernel. */
  begin: (done: Done) => void
  reject: (error: Error) => void
}

/** What Node had in the place of ours. */
interface Replaced {
  readonly write: WriteFunction
  readonly writev: WritevFunction | undefined
  readonly final: FinalFunction
  readonly restore: () => void
}

const queues = new WeakMap<Socket, SocketWriting>()

/**
 * Turns at a socket's writing side, which are places in Node's own write order: all that was written
 * before is with the kernel when a turn begins, and every `write()` and `end()` after it waits for
 * its end, whoever made them. Node's back-pressure, 'drain', 'finish' and error handling stay in force.
 *
 * Where Node has nothing to write, a turn costs nothing: what Node is given meanwhile is held back
 * between its queue and its handle. Else the turn takes its place by writing an empty chunk.
 */
export class SocketWriting extends Turns {
  readonly #socket: Socket
  readonly #places = new Map<unknown, Place>()
  #users = 0
  /** Turns that are held or awaited. */
  #wanted = 0
  readonly #whenIdle: (() => void)[] = []
  #replaced: Replaced | undefined
  /** A turn is held that Node knows nothing of. */
  #isAside = false
  /** What Node was given during such a turn; at most one, because it waits for it. */
  #held: (() => void) | undefined
  /** Ends the turn that is held, where it was a place in Node's queue. */
  #done: Done | undefined
  /** The promise of the turn that is held, where it was awaited. */
  #current: Promise<void> | undefined
  /** Memory of ours is with the handle: a turn that ends meanwhile ends with it. */
  #isInFlight = false
  #isEnding = false

  private constructor(socket: Socket) {
    super()
    this.#socket = socket
  }
  /** The turns of a socket, for one more user, who calls `letGo` once. */
  static of(socket: Socket): SocketWriting {
    const writing = queues.get(socket) ?? new SocketWriting(socket)
    queues.set(socket, writing)
    writing.#users += 1
    return writing
  }
  /** Ends one use. With the last, the socket has its own writing back, once its turns are over. */
  letGo(): void {
    this.#users -= 1
    this.#restoreIfUnused()
  }

  override take(): Promise<void> | undefined {
    const socket = this.#socket
    if (socket.destroyed || socket.writableEnded)
      throw notWritable(socket, 'it was ended or destroyed')
    this.#replaced ??= this.#replace()
    this.#wanted += 1
    const isOurs = this.#isAside || this.#done !== undefined || this.#places.size > 0
    if (isOurs || socket.writableLength > 0 || socket.writableCorked > 0) return this.#queue()
    this.#isAside = true
    return undefined
  }
  override end(): void {
    this.#current = undefined
    this.#leave()
    if (this.#isInFlight) this.#isEnding = true
    else this.#goOn()
  }
  override giveUp(promised: Promise<void>): void {
    if (this.#current === promised) return this.end()
    for (const place of this.#places.values()) {
      if (place.promise !== promised) continue
      // It stays in Node's queue, and ends as soon as it begins.
      place.begin = (done) => {
        done()
        this.#restoreIfUnused()
      }
      place.reject = () => undefined
      return this.#leave()
    }
  }
  override idle(): Promise<void> {
    if (this.#wanted === 0) return Promise.resolve()
    return new Promise((resolve) => this.#whenIdle.push(resolve))
  }
  /**
   * Hands memory to the handle, below Node's queue, within a turn. `done` is called once, perhaps
   * before this returns. All of it is taken or none, as far as can be known.
   */
  send(views: readonly Buffer[], done: Done): void {
    this.#isInFlight = true
    this.#write(views, (error) => {
      this.#isInFlight = false
      done(error)
      if (!this.#isEnding) return
      this.#isEnding = false
      // Nobody waits for it any more: Node would have met the error by itself.
      if (error != null) failSocket(this.#socket, error)
      this.#goOn()
    })
  }

  #queue(): Promise<void> {
    const chunk = Buffer.alloc(0)
    let settle: [resolve: () => void, reject: (error: Error) => void] | undefined
    const promise = new Promise<void>((...both) => {
      settle = both
    })
    const place: Place = {
      promise,
      begin: (done) => {
        this.#done = done
        this.#current = promise
        settle?.[0]()
      },
      reject: (error) => {
        this.#leave()
        settle?.[1](error)
      },
    }
    this.#places.set(chunk, place)
    this.#socket.write(chunk, (error) => {
      if (!this.#places.delete(chunk)) return
      place.reject(notWritable(this.#socket, 'it was closed before the send began', error))
      this.#restoreIfUnused()
    })
    return promise
  }
  #leave(): void {
    this.#wanted -= 1
    if (this.#wanted > 0 || this.#whenIdle.length === 0) return
    for (const resolve of this.#whenIdle.splice(0)) resolve()
  }
  /** The turn is over: Node's queue goes on. */
  #goOn(): void {
    const done = this.#done
    const held = this.#held
    this.#done = undefined
    this.#held = undefined
    if (done !== undefined) done()
    else if (held === undefined) this.#isAside = false
    else {
      // What it calls is its owner's, and not to run within an operation of ours.
      process.nextTick(() => {
        this.#isAside = false
        held()
        this.#restoreIfUnused()
      })
    }
    this.#restoreIfUnused()
  }

  #replace(): Replaced {
    const it = inner(this.#socket)
    const names = ['_write', '_writev', '_final'] as const
    const own = names.map((name) => [name, Object.getOwnPropertyDescriptor(it, name)] as const)
    const { _write: write, _writev: writev, _final: final } = it
    it._write = (chunk, encoding, done) => this.#onWrite(chunk, encoding, done)
    // Without one, Node writes chunk by chunk.
    if (writev != null) it._writev = (chunks, done) => this.#onWritev(chunks, done)
    it._final = (done) => this.#onFinal(done)
    const restore = (): void => {
      for (const [name, descriptor] of own) {
        if (descriptor === undefined) Reflect.deleteProperty(it, name)
        else Object.defineProperty(it, name, descriptor)
      }
    }
    return { write, writev: writev ?? undefined, final, restore }
  }
  #restoreIfUnused(): void {
    if (this.#users > 0 || this.#places.size > 0 || this.#done !== undefined) return
    if (this.#isAside || this.#isInFlight) return
    this.#replaced?.restore()
    this.#replaced = undefined
    queues.delete(this.#socket)
  }

  #onWrite(chunk: unknown, encoding: BufferEncoding, done: Done): void {
    if (this.#isAside) this.#held = () => this.#onWrite(chunk, encoding, done)
    else if (this.#places.size === 0 || !this.#begin(chunk, done)) {
      this.#replaced?.write.call(this.#socket, chunk, encoding, done)
    }
  }
  #onWritev(chunks: WritevChunks, done: Done): void {
    if (this.#isAside) this.#held = () => this.#onWritev(chunks, done)
    else this.#writeInOrder(chunks, done)
  }
  #onFinal(done: Done): void {
    if (this.#isAside) this.#held = () => this.#onFinal(done)
    else this.#replaced?.final.call(this.#socket, done)
  }
  /** Begins a turn, if this chunk is its place. */
  #begin(chunk: unknown, done: Done): boolean {
    const place = this.#places.get(chunk)
    if (place === undefined) return false
    this.#places.delete(chunk)
    place.begin(done)
    return true
  }
  /** Writes chunks by Node's own `_writev`, stopping for each place of ours among them. */
  #writeInOrder(chunks: WritevChunks, done: Done): void {
    const next = chunks.findIndex(({ chunk }) => this.#places.has(chunk))
    if (next < 0) return this.#replaced?.writev?.call(this.#socket, chunks, done)
    const rest: WritevChunks = chunks.slice(next + 1)
    const before: WritevChunks = chunks.slice(0, next)
    if (chunks.allBuffers !== undefined) {
      rest.allBuffers = chunks.allBuffers
      before.allBuffers = chunks.allBuffers
    }
    const goOn: Done = (error) => {
      if (error != null || rest.length === 0) done(error)
      else this.#writeInOrder(rest, done)
    }
    const ours: Done = (error) => {
      if (error != null) done(error)
      else this.#begin(chunks[next]?.chunk, goOn)
    }
    if (before.length === 0) ours()
    else this.#replaced?.writev?.call(this.#socket, before, ours)
  }
  #write(views: readonly Buffer[], done: Done): void {
    const { write, writev } = this.#replaced as Replaced
    const [first, ...rest] = views
    if (first === undefined) return done()
    if (rest.length === 0) return write.call(this.#socket, first, 'buffer' as BufferEncoding, done)
    if (writev !== undefined) {
      const chunks: WritevChunks = views.map((chunk) => ({
        chunk,
        encoding: 'buffer' as BufferEncoding,
      }))
      chunks.allBuffers = true
      return writev.call(this.#socket, chunks, done)
    }
    write.call(this.#socket, first, 'buffer' as BufferEncoding, (error) => {
      if (error != null) done(error)
      else this.#write(rest, done)
    })
  }
}

/** What a send to a socket that takes no more is told: the socket's own error, where that ended it. */
export function notWritable(socket: Socket, why: string, cause?: unknown): TransferError {
  if (socket.errored != null) return failedBefore('sink', socket)
  return new TransferError({
    side: 'sink',
    errno: EPIPE,
    syscall: 'write',
    bytesMoved: 0,
    detail: `The socket takes no more bytes: ${why}`,
    cause,
  })
}

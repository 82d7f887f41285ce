import { OutgoingMessage, type ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { EMSGSIZE, EPIPE } from '../errno.js'
import { TransferError, UnsupportedEndpointError } from '../errors.js'
import type { Eventually } from '../eventually.js'
import type { KernelCause } from '../audit/causes.js'
import type { PipeParcel } from '../raw/parcel.js'
import type { RunningJob } from '../reactor.js'
import { Activity } from './abandoned.js'
import type { DirectPlace } from './direct.js'
import { TURN_BYTES_MAX, type Obstacle, type SinkEnd } from './end.js'
import { isEncrypted, socketFd } from './node-socket.js'
import { SocketEnd } from './socket-end.js'
import { copiesOfWrites } from './socket-sink.js'
import { STREAM, TLS, WritableEnd } from './stream-end.js'
import { Turns } from './turns.js'

/** What of Node's responses is used beyond their documented face. */
interface Inner {
  readonly _header: string | null
  readonly _hasBody: boolean
  readonly _contentLength: number | null
  readonly chunkedEncoding: boolean
}

/** Bytes of bodies that went past Node. */
const sentBytes = new WeakMap<ServerResponse, number>()

/**
 * The body of an HTTP response whose Content-Length was set: headers by Node, then pages straight to
 * the socket.
 *
 * It takes its place in the socket's own write order, so what was written before and after keeps its
 * place, and Node's end, `finish` and keep-alive follow as usual. The response is not ended here:
 * `res.end()` is its owner's. It may come while the body is on its way, and then waits for it; where
 * bodies are copied it may not, so await the send first. Bodies that Node frames
 * or drops (chunked, HEAD, 204, 304), responses that wait behind another on their connection, TLS,
 * and responses whose `write` or `end` somebody has replaced (compression) are copied, by way of
 * `res.write`.
 */
export class ResponseEnd implements SinkEnd {
  readonly label: string
  readonly pageCopies = undefined
  readonly batchBytes = TURN_BYTES_MAX
  readonly memoryCopies: KernelCause
  readonly writeTurns: Turns
  readonly obstacle = undefined
  readonly #response: ServerResponse
  readonly #socket: SocketEnd
  readonly #activity: Activity

  private constructor(response: ServerResponse, socket: SocketEnd) {
    this.#response = response
    this.#socket = socket
    this.#activity = Activity.of(response)
    this.label = socket.label
    this.memoryCopies = socket.memoryCopies
    this.writeTurns = new BodyTurns(response, socket.writeTurns)
  }
  /** The end of a response that `whyNotByReference` found nothing against. `letGo` is due once. */
  static of(response: ServerResponse): ResponseEnd {
    return new ResponseEnd(response, SocketEnd.of(response.socket as Socket))
  }
  letGo(): void {
    this.#socket.letGo()
  }

  get error(): unknown {
    return this.#response.errored ?? this.#socket.error
  }
  get lostErrno(): number {
    const { lostErrno } = this.#socket
    return lostErrno !== 0 && this.#activity.isAbandoned ? EPIPE : lostErrno
  }
  whenLost(tell: () => void): () => void {
    const forget = this.#socket.whenLost(tell)
    const unguard = this.#activity.guard()
    return () => {
      unguard()
      forget()
    }
  }
  startWriting(): Eventually<void> {
    return this.#socket.startWriting()
  }
  stopWriting(errno: number): Eventually<number> {
    return this.#socket.stopWriting(errno)
  }
  drain(parcel: PipeParcel, more: boolean): number {
    return this.#sent(this.#hasRoom() ? this.#socket.drain(parcel, more) : -EMSGSIZE)
  }
  write(parts: readonly Uint8Array[], skipBytes: number, more: boolean): number {
    return this.#sent(this.#hasRoom() ? this.#socket.write(parts, skipBytes, more) : -EMSGSIZE)
  }
  get directSink(): DirectPlace | undefined {
    return this.#hasRoom() ? this.#socket.directSink : undefined
  }
  cameDirectly(bytes: number): void {
    this.#sent(bytes)
    this.#socket.cameDirectly()
  }
  lendTo(job: RunningJob): void {
    this.#activity.begin()
    this.#socket.lendTo(job)
  }
  returnedBy(job: RunningJob): void {
    this.#activity.end()
    this.#socket.returnedBy(job)
  }
  writable(): Promise<void> {
    this.#activity.begin()
    return this.#socket.writable().finally(() => this.#activity.end())
  }
  wakeWriter(): void {
    this.#socket.wakeWriter()
  }
  #hasRoom(): boolean {
    return roomOf(this.#response) !== 0
  }
  #sent(n: number): number {
    if (n <= 0) return n
    count(this.#response, n)
    this.#activity.step()
    return n
  }
}

/** Turns at a socket for the body of a response: its headers go first. */
class BodyTurns extends Turns {
  readonly #response: ServerResponse
  readonly #socket: Turns

  constructor(response: ServerResponse, socket: Turns) {
    super(socket.number)
    this.#response = response
    this.#socket = socket
  }
  override take(): Promise<void> | undefined {
    const response = this.#response
    if (response.writableEnded || response.destroyed) throw ended()
    response.flushHeaders()
    // Only now is it certain how Node frames the body.
    if (innerOf(response).chunkedEncoding) throw chunkedAfterAll()
    const turn = this.#socket.take()
    showPending(response)
    // A turn that never comes is not ended either.
    turn?.catch(() => endPending(response))
    return turn
  }
  override end(): void {
    endPending(this.#response)
    this.#socket.end()
  }
  override giveUp(promised: Promise<void>): void {
    endPending(this.#response)
    this.#socket.giveUp(promised)
  }
  override idle(): Promise<void> {
    return this.#socket.idle()
  }
}

/** The body of a response by way of `res.write`, which is told apart only by being counted here. */
export class CopiedResponseEnd implements SinkEnd {
  readonly label: string
  readonly pageCopies = undefined
  readonly memoryCopies: KernelCause | undefined
  readonly batchBytes: number
  readonly writeTurns: Turns
  readonly obstacle: Obstacle
  readonly #response: ServerResponse
  readonly #stream: WritableEnd

  constructor(response: ServerResponse, obstacle: Obstacle) {
    this.#response = response
    this.#stream = WritableEnd.of(response, obstacle)
    this.memoryCopies = response.socket === null ? undefined : copiesOfWrites(response.socket)
    this.label = this.#stream.label
    this.batchBytes = this.#stream.batchBytes
    this.writeTurns = this.#stream.writeTurns
    this.obstacle = obstacle
  }
  get error(): unknown {
    return this.#stream.error
  }
  get lostErrno(): number {
    return this.#stream.lostErrno
  }
  startWriting(): void {
    this.#stream.startWriting()
  }
  stopWriting(): number {
    return this.#stream.stopWriting()
  }
  drain(): number {
    return this.#stream.drain()
  }
  async write(parts: readonly Uint8Array[], skipBytes: number): Promise<number> {
    const n = await this.#stream.write(parts, skipBytes)
    if (n > 0) sentBytes.set(this.#response, (sentBytes.get(this.#response) ?? 0) + n)
    return n
  }
  writable(): Promise<void> {
    return this.#stream.writable()
  }
  wakeWriter(): void {
    this.#stream.wakeWriter()
  }
}

/** Why the body of a response cannot be sent by reference; undefined where it can. */
export function whyNotByReference(response: ServerResponse): Obstacle | undefined {
  const { socket } = response
  if (socket === null) return WAITING
  if (isEncrypted(socket)) return TLS
  if (isReplaced(response) || !(socket instanceof Socket)) return STREAM
  if (socketFd(socket) === undefined) return STREAM
  return lengthOf(response) === undefined ? UNKNOWN_LENGTH : undefined
}

/** Bytes that are left of the Content-Length; undefined where there is none, or no body at all. */
export function roomOf(response: ServerResponse): number | undefined {
  const length = lengthOf(response)
  if (length === undefined) return undefined
  const byNode = response.strictContentLength ? (countOfNode(response)?.get() ?? 0) : 0
  return Math.max(0, length - Math.max(byNode, sentBytes.get(response) ?? 0))
}

/** The Content-Length that goes, or went, with the headers of a body. */
function lengthOf(response: ServerResponse): number | undefined {
  const { _header: header, _hasBody: hasBody, chunkedEncoding, _contentLength } = innerOf(response)
  const { statusCode } = response
  if (!hasBody || statusCode === 204 || statusCode === 304) return undefined
  if (header !== null) {
    return chunkedEncoding || _contentLength === null ? undefined : _contentLength
  }
  if (response.hasHeader('transfer-encoding')) return undefined
  const length = Number(response.getHeader('content-length') ?? Number.NaN)
  return Number.isSafeInteger(length) && length >= 0 ? length : undefined
}

/** Whether somebody has put a method of their own before Node's: bytes must go through that. */
function isReplaced(response: ServerResponse): boolean {
  const { prototype } = OutgoingMessage
  return response.write !== prototype.write || response.end !== prototype.end
}

/** Bodies that are on their way, or wait for their turn. */
const pending = new WeakMap<ServerResponse, number>()

/**
 * While a body is on its way, Node must not believe that nothing is: it would say that the response
 * has finished as soon as it is ended, and time the connection out as idle.
 */
function showPending(response: ServerResponse): void {
  const before = pending.get(response) ?? 0
  pending.set(response, before + 1)
  if (before > 0) return
  Object.defineProperty(response, 'writableLength', {
    configurable: true,
    get: () => Math.max(1, roomOf(response) ?? 0),
  })
}

function endPending(response: ServerResponse): void {
  const left = (pending.get(response) ?? 1) - 1
  pending.set(response, left)
  if (left === 0) Reflect.deleteProperty(response, 'writableLength')
}

/** Node's own account of the body, which it checks against the length where it was told to. */
function countOfNode(
  response: ServerResponse,
): { get(): number; set(bytes: number): void } | undefined {
  const symbol = Object.getOwnPropertySymbols(response).find(
    ({ description }) => description === 'kBytesWritten',
  )
  if (symbol === undefined) return undefined
  const counted = response as unknown as Record<symbol, number>
  return {
    get: () => counted[symbol] ?? 0,
    set: (bytes) => {
      counted[symbol] = bytes
    },
  }
}

function count(response: ServerResponse, bytes: number): void {
  sentBytes.set(response, (sentBytes.get(response) ?? 0) + bytes)
  if (!response.strictContentLength) return
  const ofNode = countOfNode(response)
  ofNode?.set(ofNode.get() + bytes)
}

function innerOf(response: ServerResponse): Inner {
  return response as unknown as Inner
}

const UNKNOWN_LENGTH: Obstacle = {
  cause: 'stream',
  reason: 'Node frames the body of this response, or sends none: no Content-Length was set',
  remedy: "Set Content-Length before you send the body, or use mode 'auto', which copies",
}
const WAITING: Obstacle = {
  cause: 'stream',
  reason: 'This response waits behind an earlier one on its connection, in the memory of Node',
  remedy: "Send it once the earlier one has finished, or use mode 'auto', which copies",
}

function ended(): TransferError {
  return new TransferError({
    side: 'sink',
    errno: EPIPE,
    syscall: 'write',
    bytesMoved: 0,
    detail: 'The response takes no more bytes: it was ended or destroyed',
  })
}

function chunkedAfterAll(): UnsupportedEndpointError {
  return new UnsupportedEndpointError(
    'Node has framed the body of this response although its Content-Length was set',
    'Remove the Transfer-Encoding header before you send the body',
  )
}

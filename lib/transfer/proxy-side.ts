import { Duplex } from 'node:stream'
import { describe } from '../arguments.js'
import type { TransferOptions, TransferResult } from '../contract.js'
import type { SinkEnd, SourceEnd } from '../endpoints/end.js'
import { oneWay } from '../endpoints/recognize.js'
import { SocketEnd } from '../endpoints/socket-end.js'
import { AbortError, InvalidArgumentError, TransferError } from '../errors.js'
import { listOf, takeSegments, type BufferList } from '../list/buffer-list.js'
import type { Endpoint } from '../list/endpoint.js'
import { EndSink, EndSource } from './end-sides.js'
import { AttachedEndpoint } from './endpoint.js'
import { Machine } from './machine.js'
import { openEnds, placeOptions, type OpenedEnds } from './open.js'
import { Plan } from './plan.js'

/** What a proxy stands between: a socket, another duplex stream, or a socket's endpoint. */
export type ProxyPeer = Duplex | Endpoint

/** One of the two sockets of a proxy, taken over from Node until it is closed. */
export class ProxySide {
  readonly socket: Duplex
  readonly source: SourceEnd
  readonly sink: SinkEnd
  readonly #opened: readonly OpenedEnds[]
  readonly #isEndpoint: boolean

  private constructor(socket: Duplex, isEndpoint: boolean, opened: readonly OpenedEnds[]) {
    const [{ ends: reading }, { ends: writing }] = opened as [OpenedEnds, OpenedEnds]
    if (reading.source === undefined) throw oneWay(false)
    if (writing.sink === undefined) throw oneWay(true)
    this.socket = socket
    this.source = reading.source
    this.sink = writing.sink
    this.#opened = opened
    this.#isEndpoint = isEndpoint
    // Or Node would see the end of a direction while the other goes on.
    if (this.source instanceof SocketEnd) this.source.holdReading()
  }
  static async open(peer: ProxyPeer, signal: AbortSignal | undefined): Promise<ProxySide> {
    const socket = duplexOf(peer)
    const opened: OpenedEnds[] = []
    try {
      opened.push(await openEnds(peer, placeOptions(false, { signal })))
      opened.push(await openEnds(peer, placeOptions(true, { signal })))
      return new ProxySide(socket, peer instanceof AttachedEndpoint, opened)
    } catch (error) {
      for (const { close } of opened) close()
      throw error
    }
  }
  /** Half-close: its peer reads an end behind all that was sent. */
  endWriting(): void {
    if (!this.socket.destroyed && !this.socket.writableEnded) this.socket.end()
  }
  /** What Node had read of a socket that is lost. An endpoint keeps it, and can be pulled. */
  takeFront(): BufferList | undefined {
    const { front } = this.source
    if (this.#isEndpoint || front.length === 0) return undefined
    return listOf(takeSegments(front, front.length))
  }
  /** Gives the socket back. With `hasEnded` Node meets its end as well, and closes it. */
  close(hasEnded: boolean): void {
    try {
      if (this.source instanceof SocketEnd) this.source.releaseReading()
    } finally {
      for (const { close } of this.#opened) close()
    }
    if (hasEnded && !this.#isEndpoint && !this.socket.destroyed) this.socket.resume()
  }
}

/** One direction of a proxy. */
export class ProxyDirection {
  readonly #machine: Machine
  readonly #plan: Plan
  #residual: BufferList | undefined

  /** `mayGiveBack` says whether what was pulled may go back to its source on an abort. */
  constructor(
    from: ProxySide,
    to: ProxySide,
    options: TransferOptions,
    mayGiveBack: () => boolean,
  ) {
    const { source } = from
    const plan = new Plan(options.mode, options.intended)
    plan.meet(source.obstacle)
    plan.meet(to.sink.obstacle)
    if (plan.isStable && source.pages !== 'owned') plan.prefer('stable-mode')
    this.#plan = plan
    this.#machine = new Machine({
      source: new EndSource(source, plan),
      sink: new EndSink(to.sink, plan),
      plan,
      length: Infinity,
      atLeast: Infinity,
      more: false,
      options,
      takeBack: (segments) => mayGiveBack() && source.takeBack(segments),
    })
  }
  get bytesMoved(): number {
    return this.#machine.bytesMoved
  }
  get result(): TransferResult {
    const { bytesMoved, isEof: eof } = this.#machine
    return { bytesMoved, eof, ways: [...this.#plan.ways] }
  }
  /** Runs to the end: undefined, or why it ended before. Never rejects. */
  async run(): Promise<Error | undefined> {
    const error = await this.#machine.run()
    if (error instanceof TransferError || error instanceof AbortError) {
      this.#residual = error.takeResidual()
    }
    return error
  }
  /** What was pulled and not accepted, with what would have come next. */
  takeResidual(next: BufferList | undefined): BufferList | undefined {
    const residual = this.#residual
    this.#residual = undefined
    if (residual === undefined || next === undefined) return residual ?? next
    return residual.claimAppend(next)
  }
}

function duplexOf(peer: ProxyPeer): Duplex {
  const socket = peer instanceof AttachedEndpoint ? peer.place : peer
  if (socket instanceof Duplex) return socket
  throw new InvalidArgumentError(
    `A proxy stands between two sockets, or other duplex streams, not ${describe(socket)}`,
  )
}

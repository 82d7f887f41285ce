import { setImmediate as nextRound } from 'node:timers/promises'
import type { FileHandle } from 'node:fs/promises'
import { Socket } from 'node:net'
import { beginOperation } from '../audit/observers.js'
import type { FileEnd, PullOptions, PushOptions } from '../contract.js'
import { EndpointBusyError, InvalidArgumentError, setResidual, TransferError } from '../errors.js'
import type { Eventually } from '../eventually.js'
import { endsOf, oneWay, type Ends, type Place } from '../endpoints/recognize.js'
import { failedBefore } from '../endpoints/own-failure.js'
import { BufferList, listOf, segmentsOf, takeSegments } from '../list/buffer-list.js'
import type { Endpoint } from '../list/endpoint.js'
import type { Segments } from '../list/segments.js'
import { brokenOff, checkPull } from './checks.js'
import { endLeakWatch } from '../raw/leaks.js'
import { turnOfOthers } from './fairness.js'
import { watchEndpoint } from './forgotten.js'
import { PLAIN_PULL, pullInto } from './pull.js'
import { pushWhole } from './push.js'
import { orAborted } from './turn.js'

/**
 * Takes a place over for a whole conversation, losslessly: what Node had read already comes first.
 *
 * Use it for protocols: pull a header, pull its payload, push an answer, without handing the socket
 * back and forth. For one operation on a socket the list's own methods are enough. `detach()` (or
 * `await using`) gives the place back with what was not consumed; FIN and errors reach Node then as
 * before. Until then an 'error' for which nobody listens does not end the program: the next operation
 * tells. A socket's `bytesRead` and `bytesWritten` do not count what is moved past Node. It may still
 * be connecting. Throws `EndpointBusyError` for a socket that is in use, `UnsupportedEndpointError` for
 * one that Node's HTTP parser reads.
 *
 * ```ts
 * import net from 'node:net'
 * import { attach } from 'splicelist'
 * const server = net.createServer({ pauseOnConnect: true }, async (socket) => {
 *   await using peer = attach(socket)
 *   using head = await peer.pull(4)
 *   using body = await peer.pull(head.cursor().readUInt32LE())
 *   await peer.push(body)
 * })
 * ```
 */
export function attach(what: Socket | FileHandle | FileEnd | number): Endpoint {
  if (what instanceof AttachedEndpoint) throw new EndpointBusyError('This is an endpoint already')
  if (BufferList.isBufferList(what)) {
    throw new InvalidArgumentError('A list needs no attaching: cut it, or send it')
  }
  return new AttachedEndpoint(what)
}

const NEVER = new AbortController().signal

function stayOpen(): void {
  // The ends are an endpoint's, for all of its operations.
}

/** What `attach` returns. */
export class AttachedEndpoint implements Endpoint {
  /** What was attached, for operations that must know whether two places are one. @internal */
  readonly place: Place
  #ends: Ends | undefined
  readonly #opening: Promise<Ends>
  /** Bytes that were given back before the place was there. */
  readonly #early = new BufferList()
  #detaching: Promise<void> | undefined
  /** Operations that were asked for before the place was there, and may not have taken their turn. */
  #entering = 0
  #lastEntry: Promise<unknown>

  /** @internal */
  constructor(place: Place) {
    this.place = place
    const ends = endsOf(place, { isSink: false, use: 'attach' })
    if (ends instanceof Promise) {
      this.#opening = ends.then((opened) => this.#opened(opened))
      // Whoever pulls or pushes first is told; until then nobody listens.
      this.#opening.catch(() => undefined)
    } else {
      this.#opening = Promise.resolve(ends)
      this.#ends = ends
    }
    this.#lastEntry = this.#opening
    watchEndpoint(this, place, ends)
  }
  pull(length: number, options: PullOptions = PLAIN_PULL): Promise<BufferList> {
    return beginOperation(() => this.#pull(length, options, false))
  }
  peek(length: number, options: PullOptions = PLAIN_PULL): Promise<BufferList> {
    return beginOperation(() => this.#pull(length, options, true))
  }
  unpull(list: BufferList): void {
    this.#use()
    if (!BufferList.isBufferList(list)) throw new InvalidArgumentError('unpull takes a list')
    const front = this.#ends === undefined ? this.#early : this.#ends.source?.front
    if (front === undefined) throw oneWay(false)
    segmentsOf(front).unshiftAll(takeSegments(list, list.length))
  }
  async push(list: BufferList, options: PushOptions = {}): Promise<number> {
    this.#use()
    refuseOffset(options)
    const opening = (): Eventually<Ends> => this.opened('sink', this.ends(options.signal))
    const to = { open: opening, close: stayOpen }
    const pushing = beginOperation(() => pushWhole(list, to, options))
    const { bytesMoved } = await pushing
    const turn = turnOfOthers(bytesMoved)
    if (turn !== undefined) await turn
    return bytesMoved
  }
  async detach(): Promise<void> {
    this.#detaching ??= beginOperation(() => this.#detach())
    try {
      await this.#detaching
    } catch (error) {
      // The place takes the rest neither back nor silently: it stays attached, and can be pulled.
      this.#detaching = undefined
      throw error
    }
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.detach()
  }
  /** The ends, for transfers; they stay this endpoint's. @internal */
  ends(signal?: AbortSignal): Eventually<Ends> {
    this.#use()
    if (this.#ends !== undefined && this.#entering === 0) return this.#ends
    // As many steps with a signal as without: none overtakes another.
    return orAborted(this.#enter(), signal ?? NEVER)
  }

  /** The ends for one side, whose failure it is when the place's socket has failed. @internal */
  opened(side: 'source' | 'sink', opening: Eventually<Ends>): Eventually<Ends> {
    if (!(opening instanceof Promise)) return opening
    return opening.catch((error: unknown) => {
      const { place } = this
      throw place instanceof Socket && error === place.errored ? failedBefore(side, place) : error
    })
  }

  async #pull(length: number, options: PullOptions, isPeek: boolean): Promise<BufferList> {
    this.#use()
    checkPull(length, options)
    refuseOffset(options)
    const opening = this.ends(options.signal)
    const { source } = opening instanceof Promise ? await this.opened('source', opening) : opening
    if (source === undefined) throw oneWay(false)
    let broken: Error | undefined
    const pulling = pullInto(source, length, options, ({ segments, error }) => {
      // Within the turn: a pull that waits behind this one must find the bytes again.
      const front = segmentsOf(source.front)
      if (!isPeek && error === undefined) broken = brokenOff(segments.length, options)
      if (broken !== undefined) front.unshiftAll(segments)
      else if (error !== undefined && !(error instanceof TransferError)) front.unshiftAll(segments)
      else if (error === undefined && isPeek) front.unshiftAll(segments.share(0, segments.length))
    })
    const { segments, error = broken } = pulling instanceof Promise ? await pulling : pulling
    if (error === undefined) {
      // Not before it: a pull that was asked for later would be first.
      const turn = turnOfOthers(segments.length)
      if (turn !== undefined) await turn
      return listOf(segments)
    }
    if (error instanceof TransferError) setResidual(error, nonEmpty(segments))
    throw error
  }
  /**
   * The ends, for what was asked for before they were there: in the order of the calls, whatever each
   * has to do before it takes its turn. So one is let in a round of the event loop after the other.
   */
  async #enter(): Promise<Ends> {
    const before = this.#lastEntry
    if (this.#ends === undefined) {
      const oneRoundLater = before.then(
        () => nextRound(),
        () => undefined,
      )
      this.#entering += 1
      this.#lastEntry = oneRoundLater.then(() => {
        this.#entering -= 1
      })
    }
    await before
    return this.#opening
  }
  #opened(ends: Ends): Ends {
    this.#ends = ends
    if (this.#early.length > 0 && ends.source !== undefined) {
      segmentsOf(ends.source.front).pushAll(segmentsOf(this.#early))
    }
    return ends
  }
  async #detach(): Promise<void> {
    const ends = await this.#opening.catch(() => undefined)
    if (this.#entering > 0) await this.#lastEntry
    await ends?.source?.readTurns.idle()
    await ends?.sink?.writeTurns.idle()
    ends?.close()
    endLeakWatch(this)
    this.#early.release()
  }
  #use(): void {
    if (this.#detaching !== undefined)
      throw new EndpointBusyError('This endpoint was detached. Attach again')
  }
}

/** A conversation goes on where it is. */
export function refuseOffset({ offset }: { readonly offset?: number }): void {
  if (offset === undefined) return
  throw new InvalidArgumentError(
    'An endpoint goes on where it is. Attach { file, offset }, or use the methods of a list',
  )
}

function nonEmpty(segments: Segments): BufferList | undefined {
  return segments.length === 0 ? undefined : listOf(segments)
}

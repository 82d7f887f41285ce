/**
 * Two connections with a proxy between them, now and then: their far ends send, end, stall and reset
 * as they like, and each direction has to be what a queue of bytes would have been.
 */
import { setImmediate as nextRound } from 'node:timers/promises'
import type { Socket } from 'node:net'
import {
  AbortError,
  attach,
  proxy,
  ProxyAbortError,
  ProxyError,
  type Endpoint,
  type ProxyResult,
} from 'splicelist'
import { addon, type ScriptRule } from '#lib/native.js'
import { bytes } from '../support/bytes.js'
import { firstDifference } from '../support/first-difference.js'
import { tcpPair, unixPair } from '../support/socket-pairs.js'
import { Collector } from '../transfer/collector.js'
import { within } from '../transfer/outcomes.js'
import { reset } from '../transfer/reset.js'
import { ruleOf, type FaultStep } from './faults.js'
import type { ProxyScenario, ProxyStep, Side } from './proxy-steps.js'

type Direction = keyof ProxyResult
const DIRECTIONS = ['aToB', 'bToA'] as const satisfies readonly Direction[]

/** Bytes that runs are made of: more than any run needs. */
const SOURCES = { left: bytes(31, 24 << 20), right: bytes(32, 24 << 20) }
/** Bounds, not measurements, in milliseconds; see world.ts. */
const END_MS = { usual: 6_000, shrinking: 400 } as const

/** One of the two connections. */
interface Connection {
  readonly kind: 'tcp' | 'unix'
  /** Who sends and receives. */
  readonly far: Socket
  /** What the proxy is given. */
  readonly near: Socket
  readonly endpoint: Endpoint | undefined
  readonly collector: Collector
  fedBytes: number
  hasEnded: boolean
  isReset: boolean
}

/** One direction: what it has moved so far, over all proxies. */
interface Flow {
  accepted: number
  residual: Buffer
  isEof: boolean
}

/** One run. */
export class ProxyWorld {
  readonly #sides: Readonly<Record<Side, Connection>>
  readonly #finish: ProxyScenario['finish']
  readonly #flows: Readonly<Record<Direction, Flow>> = { aToB: newFlow(), bToA: newFlow() }
  readonly #rules: ScriptRule[] = []
  #running: { readonly promise: Promise<void>; readonly aborter: AbortController } | undefined
  #isBroken = false
  readonly #endMs: number

  private constructor(
    left: Connection,
    right: Connection,
    finish: ProxyScenario['finish'],
    pace: keyof typeof END_MS,
  ) {
    this.#sides = { left, right }
    this.#finish = finish
    this.#endMs = END_MS[pace]
  }
  static async of(
    { left, right, peers, finish }: ProxyScenario,
    pace: keyof typeof END_MS,
  ): Promise<ProxyWorld> {
    const connections: Connection[] = []
    for (const kind of [left, right]) {
      const { client, server } = await (kind === 'tcp' ? tcpPair() : unixPair())
      for (const socket of [client, server]) socket.on('error', () => undefined)
      connections.push({
        kind,
        far: client,
        near: server,
        endpoint: peers === 'endpoints' ? attach(server) : undefined,
        collector: new Collector(client),
        fedBytes: 0,
        hasEnded: false,
        isReset: false,
      })
    }
    return new ProxyWorld(...(connections as [Connection, Connection]), finish, pace)
  }

  async do(step: ProxyStep): Promise<void> {
    switch (step.kind) {
      case 'feed':
        this.#feed(step.side, step.bytes)
        break
      case 'end':
        this.#end(step.side)
        break
      case 'stall':
        this.#sides[step.side].far.pause()
        break
      case 'drain':
        this.#sides[step.side].far.resume()
        break
      case 'wait':
        for (let i = 0; i < step.turns; i++) await nextRound()
        break
      case 'reset':
        this.#reset(this.#sides[step.side])
        break
      case 'proxy':
        this.#proxy(step)
        break
      case 'abort':
        this.#running?.aborter.abort()
        break
      case 'fault':
        this.#fault(step)
    }
  }
  /** Lets everything come to its end, and compares each direction with a queue of bytes. */
  async end(): Promise<void> {
    addon?.script(null)
    for (const { far } of Object.values(this.#sides)) far.resume()
    if (this.#running !== undefined) {
      if (this.#finish === 'abort') this.#running.aborter.abort()
      else for (const side of ['left', 'right'] as const) this.#end(side)
      if ((await within(this.#endMs, this.#running.promise)) === 'pending') {
        throw new Error('A proxy does not end, though both its sides have')
      }
    }
    for (const direction of DIRECTIONS) await this.#compare(direction)
  }
  async close(): Promise<void> {
    this.#running?.aborter.abort()
    await this.#running?.promise.catch(() => undefined)
    const endpoints = Object.values(this.#sides).flatMap(({ endpoint }) => endpoint ?? [])
    await within(this.#endMs, Promise.allSettled(endpoints.map((endpoint) => endpoint.detach())))
  }

  #feed(side: Side, length: number): void {
    const connection = this.#sides[side]
    if (connection.hasEnded || connection.isReset || connection.far.destroyed) return
    const from = connection.fedBytes
    connection.fedBytes += length
    connection.far.write(SOURCES[side].subarray(from, from + length))
  }
  #end(side: Side): void {
    const connection = this.#sides[side]
    if (connection.isReset || connection.far.destroyed) return
    connection.hasEnded = true
    connection.far.end()
  }
  #reset(connection: Connection): void {
    connection.isReset = true
    // Node has no reset for the others. Closed with bytes that nobody has read, they reset as well.
    if (connection.kind === 'tcp' && !connection.hasEnded) reset(connection.far)
    else connection.far.destroy()
  }
  #fault(step: FaultStep): void {
    this.#rules.push(ruleOf(step))
    addon?.script(this.#rules)
  }
  /** Starts one where none runs. What a failure has destroyed, or an end has closed, stays so. */
  #proxy({ mode, abort }: Extract<ProxyStep, { kind: 'proxy' }>): void {
    if (this.#running !== undefined || this.#isBroken) return
    if (DIRECTIONS.some((direction) => this.#flows[direction].isEof)) return
    const aborter = new AbortController()
    if (abort === 'before') aborter.abort()
    const promise = this.#proxied(mode, aborter.signal).finally(() => {
      this.#running = undefined
    })
    promise.catch(() => undefined)
    this.#running = { promise, aborter }
    if (typeof abort === 'number') void abortAfter(abort, aborter)
  }
  async #proxied(mode: 'auto' | 'copy', signal: AbortSignal): Promise<void> {
    const { left, right } = this.#sides
    let told = 0
    const onProgress = (bytesMoved: number): void => {
      if (bytesMoved <= told) throw new Error('Progress goes back')
      told = bytesMoved
    }
    const peers = [left.endpoint ?? left.near, right.endpoint ?? right.near] as const
    try {
      const result = await proxy(...peers, { mode, signal, onProgress })
      this.#add(result)
      if (!result.aToB.eof || !result.bToA.eof) throw new Error('A proxy ended before its sides')
    } catch (error) {
      if (error instanceof ProxyError || error instanceof ProxyAbortError) this.#add(error)
      else if (!(error instanceof AbortError && error.bytesMoved === 0 && told === 0)) throw error
      if (error instanceof ProxyError) {
        this.#isBroken = true
        for (const direction of DIRECTIONS) {
          using residual = error.takeResidual(direction)
          addon?.script(null)
          this.#flows[direction].residual = residual?.toBuffer() ?? Buffer.alloc(0)
        }
      }
    }
  }
  #add(result: Pick<ProxyResult, Direction>): void {
    for (const direction of DIRECTIONS) {
      const flow = this.#flows[direction]
      flow.accepted += result[direction].bytesMoved
      flow.isEof ||= result[direction].eof
    }
  }

  /** What was fed is what was accepted, then the residual, then what is left at the source. */
  async #compare(direction: Direction): Promise<void> {
    const { left, right } = this.#sides
    const [from, to] = direction === 'aToB' ? [left, right] : [right, left]
    const fed = SOURCES[from === left ? 'left' : 'right'].subarray(0, from.fedBytes)
    const { accepted, residual, isEof } = this.#flows[direction]
    const isAllEnded = this.#flows.aToB.isEof && this.#flows.bToA.isEof && !this.#isBroken
    const isDelivered = !to.isReset && (isAllEnded || !to.near.destroyed)
    const received = await within(this.#endMs, to.collector.take(accepted))
    if (received === 'pending') throw new Error(`${direction}: fewer bytes came than were accepted`)
    if (isDelivered && received.length < accepted) {
      throw new Error(`${direction}: accepted bytes did not come`)
    }
    expectNext(fed, 0, received, `${direction}, what came`)
    expectNext(fed, accepted, residual, `${direction}, the residual`)
    if (isEof && !from.isReset && accepted < fed.length) {
      throw new Error(`${direction}: the end came before ${fed.length - accepted} bytes`)
    }
    if (!from.isReset && !from.near.destroyed) {
      const at = accepted + residual.length
      expectNext(fed, at, await this.#rest(from, fed.length - at), `${direction}, the rest`)
    }
    await nextRound()
    if (to.collector.length > 0) throw new Error(`${direction}: more came than was accepted`)
    if (isDelivered && isEof) await this.#ended(to, direction)
    else if (isDelivered && to.collector.isEnded) throw new Error(`${direction}: an end of nobody`)
  }
  async #rest({ near, endpoint }: Connection, left: number): Promise<Buffer> {
    if (left === 0) return Buffer.alloc(0)
    const source = endpoint ?? attach(near)
    const pulled = await within(this.#endMs, source.pull(left))
    if (pulled === 'pending') throw new Error(`${left} bytes are missing at the source`)
    using list = pulled
    if (endpoint === undefined) await source.detach()
    return list.toBuffer()
  }
  async #ended({ collector }: Connection, direction: Direction): Promise<void> {
    if ((await within(this.#endMs, collector.rest())) === 'pending') {
      throw new Error(`${direction}: the end did not come`)
    }
  }
}

function newFlow(): Flow {
  return { accepted: 0, residual: Buffer.alloc(0), isEof: false }
}

async function abortAfter(turns: number, aborter: AbortController): Promise<void> {
  for (let i = 0; i < turns; i++) await nextRound()
  aborter.abort()
}

/** These are the bytes that were fed from there on. */
function expectNext(fed: Buffer, at: number, found: Buffer, who: string): void {
  const expected = fed.subarray(at, at + found.length)
  const differs = firstDifference(found, expected)
  if (differs < 0 && expected.length === found.length) return
  throw new Error(`${who}: byte ${differs} of ${found.length}, from ${at} on, is another`)
}

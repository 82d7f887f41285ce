/**
 * `lists`, `fanOut` and `proxy` as scenes of the sweep: several pulls, several sinks, two directions.
 */
import type { Socket } from 'node:net'
import { expect } from 'chai'
import {
  AbortError,
  BufferList,
  fanOut,
  FanOutAbortError,
  FanOutError,
  lists,
  proxy,
  ProxyAbortError,
  ProxyError,
  TransferError,
  type Endpoint,
  type FanOutResult,
  type Mode,
  type ProxyResult,
  type SinkResult,
} from 'splicelist'
import { destroyed, tcpPair, unixPair } from '../support/socket-pairs.js'
import { expectSameBytes } from '../support/first-difference.js'
import { Collector } from '../transfer/collector.js'
import { attached, target, type PlaceKind, type Target } from './ends.js'
import { SOURCE_CALLS, type Outcome, type Prepared, type Scene } from './scenes.js'

/** Several lists, or chunks, and no multiple of a page or of what calls are cut to. */
const CHUNK_BYTES = 70_001
/** More than one call's, so that a list waits for the next. */
const AT_LEAST_BYTES = 50_000

/** What an operation handed back, as bytes. */
function residualOf(error: unknown): Buffer {
  if (!(error instanceof TransferError || error instanceof AbortError)) return Buffer.alloc(0)
  using residual = error.takeResidual()
  return residual?.toBuffer() ?? Buffer.alloc(0)
}

/** What an endpoint still has, or why it gives no more. */
async function restOf(
  peer: Endpoint,
  length: number,
): Promise<{ readonly bytes: Buffer; readonly sourceError?: unknown }> {
  try {
    using rest = await peer.pull(length)
    return { bytes: rest.toBuffer() }
  } catch (sourceError) {
    return { bytes: residualOf(sourceError), sourceError }
  }
}

/** A loop over the lists of a place. */
export function looping(from: PlaceKind, mode: Mode): Scene {
  return {
    name: `${from} → lists, ${mode}`,
    sink: 'list',
    isAccounted: true,
    mayGoDirect: false,
    sides: { ...SOURCE_CALLS, splice: 'source' },
    prepare: async (content) => {
      const peer = await attached(from, content, 'end')
      const got = new BufferList()
      return {
        run: async (running) => {
          const limits = { chunkBytes: CHUNK_BYTES, atLeast: AT_LEAST_BYTES }
          const options = { mode, hold: 'pages', ...limits, ...running } as const
          for await (using list of lists(peer, options)) got.claimAppend(list)
        },
        finish: async (error) => {
          const parts = [got.toBuffer(), residualOf(error)]
          got.release()
          const accepted = parts.reduce((sum, { length }) => sum + length, 0)
          const { bytes, sourceError } = await restOf(peer, content.length - accepted)
          await peer.detach()
          return { accepted, whole: Buffer.concat([...parts, bytes]), sourceError }
        },
      }
    },
  }
}

/** How a fan-out of a scene ended: whatever its promise did, the places have a record each. */
interface FannedOut {
  readonly records: readonly SinkResult[]
  /** Bytes that every sink that is left has accepted. */
  readonly least: number
  /** What is left for them, up to where the source goes on. */
  readonly residual: Buffer
}

/** Where the bytes of a fan-out come from and go. */
export interface FanOutOf {
  readonly from: PlaceKind
  readonly to: readonly PlaceKind[]
  /** How many sinks must live. Default: all. */
  readonly atLeast?: number
  readonly mode: Mode
}

/** One source to several sinks. */
export function fanningOut({ from, to, atLeast = to.length, mode }: FanOutOf): Scene {
  return {
    name: `${from} → ${to.join(', ')} at once, at least ${atLeast}, ${mode}`,
    sink: 'list',
    // Each byte goes many ways: the ledger's own tests tell them apart.
    isAccounted: false,
    mayGoDirect: false,
    sides: mode === 'copy' && from !== 'tmpfs file' ? { recv: 'source', sendmsg: 'sink' } : {},
    prepare: async (content) => {
      const peer = await attached(from, content)
      const targets = await Promise.all(to.map((kind) => target(kind, content.length)))
      const sinks = targets.map(({ sink }) => sink)
      let result: FanOutResult | undefined
      return {
        run: async (running) => {
          const { length } = content
          const limits = { length, atLeast, windowBytes: 2 * CHUNK_BYTES }
          result = await fanOut(peer, sinks, { ...limits, mode, ...running })
          // Nobody is told but by the record.
          for (const { error } of result.sinks) if (error !== undefined) throw error
        },
        finish: async (error) => {
          const ended = endOfFanOut(result, error, targets.length)
          const at = ended.least + ended.residual.length
          const { bytes, sourceError } = await restOf(peer, content.length - at)
          await peer.detach()
          const left = Buffer.concat([ended.residual, bytes])
          for (const [i, each] of targets.entries()) {
            await checkSink(each, ended, { i, left, content })
          }
          const known = content.subarray(0, ended.least)
          const outcome = { accepted: ended.least, whole: Buffer.concat([known, left]) }
          return { ...outcome, sourceError }
        },
      }
    },
  }
}

function endOfFanOut(result: FanOutResult | undefined, error: unknown, sinks: number): FannedOut {
  const residual = residualOf(error)
  if (result !== undefined) {
    return { records: result.sinks, least: result.bytesPulled, residual }
  }
  if (error instanceof FanOutError || error instanceof FanOutAbortError) {
    return { records: error.sinks, least: error.bytesMoved, residual }
  }
  // It did not begin.
  return { records: Array<SinkResult>(sinks).fill({ bytesMoved: 0 }), least: 0, residual }
}

/** A sink has what its record says, and, where it was not left behind, goes on with what is left. */
async function checkSink(
  sink: Target,
  { records, least }: FannedOut,
  { i, left, content }: { readonly i: number; readonly left: Buffer; readonly content: Buffer },
): Promise<void> {
  const { bytesMoved, error } = records[i] as SinkResult
  const got = await sink.taken(bytesMoved, error ?? { bytesMoved })
  expectSameBytes(got, content.subarray(0, got.length), `what sink ${i} has got`)
  expect(got.length, `what the record of sink ${i} says`).to.equal(bytesMoved)
  if (error !== undefined) expect(error.bytesMoved).to.equal(bytesMoved)
  if (bytesMoved < least) {
    expect(error, `why sink ${i} was left behind`).to.be.instanceOf(TransferError)
  } else {
    const whole = Buffer.concat([got, left.subarray(bytesMoved - least)])
    expectSameBytes(whole, content.subarray(0, whole.length), `what sink ${i} can be given`)
  }
}

/** Two sockets with a peer each, that send half of the content each and end. */
export function proxying(kind: 'tcp' | 'unix', mode: Mode): Scene {
  return {
    name: `${kind} ↔ ${kind}, proxy, ${mode}`,
    sink: kind,
    isAccounted: true,
    mayGoDirect: true,
    sides: mode === 'copy' ? { recv: 'source', sendmsg: 'sink' } : {},
    prepare: (content) => preparedProxy(kind, mode, content),
  }
}

async function preparedProxy(kind: 'tcp' | 'unix', mode: Mode, content: Buffer): Promise<Prepared> {
  const pair = kind === 'tcp' ? tcpPair : unixPair
  const [left, right] = [await pair(), await pair()]
  const sockets = [left.client, left.server, right.client, right.server]
  for (const socket of sockets) socket.on('error', () => undefined)
  const [a, b] = [left.server, right.client]
  const half = content.length >> 1
  const sent = { aToB: content.subarray(0, half), bToA: content.subarray(half) }
  left.client.end(sent.aToB)
  right.server.end(sent.bToA)
  const arrived = { aToB: new Collector(right.server), bToA: new Collector(left.client) }
  let result: ProxyResult | undefined
  return {
    run: async (running) => {
      result = await proxy(a, b, { mode, ...running })
    },
    finish: async (error) => {
      const ways = result ?? waysOf(error)
      const rests = await Promise.all([a, b].map(restOfSocket))
      const lost = { aToB: b.destroyed, bToA: a.destroyed }
      if (result === undefined) await Promise.all([a, b].map(endedOrDestroyed))
      const wholes: Buffer[] = []
      for (const [i, direction] of (['aToB', 'bToA'] as const).entries()) {
        const { bytesMoved } = ways[direction]
        const got = await arrived[direction].rest()
        expectSameBytes(got, sent[direction].subarray(0, got.length), `what came ${direction}`)
        // Accepted is not delivered, where a socket was lost with bytes that nobody had read.
        if (lost[direction] && result === undefined) expect(got.length).to.be.at.most(bytesMoved)
        else expect(got.length, `accepted, ${direction}`).to.equal(bytesMoved)
        using residual =
          error instanceof ProxyError ? error.takeResidual(direction) : new BufferList()
        const back = residual?.toBuffer() ?? Buffer.alloc(0)
        const rest = rests[i] ?? sent[direction].subarray(bytesMoved + back.length)
        wholes.push(sent[direction].subarray(0, bytesMoved), back, rest)
      }
      const ledgerBytes = ways.aToB.bytesMoved + ways.bToA.bytesMoved
      const accepted = error instanceof ProxyError ? ways[error.direction].bytesMoved : ledgerBytes
      return { accepted, ledgerBytes, whole: Buffer.concat(wholes) } satisfies Outcome
    },
  }
}

function waysOf(error: unknown): Pick<ProxyResult, 'aToB' | 'bToA'> {
  if (error instanceof ProxyError || error instanceof ProxyAbortError) return error
  const nothing = { bytesMoved: 0, eof: false, ways: [] }
  return { aToB: nothing, bToA: nothing }
}

/** What a socket of a proxy still had, when its peer has ended; undefined where it is lost. */
async function restOfSocket(socket: Socket): Promise<Buffer | undefined> {
  return socket.destroyed ? undefined : new Collector(socket).rest()
}

/** Lets all that was accepted go out, and the end behind it. */
async function endedOrDestroyed(socket: Socket): Promise<void> {
  if (!socket.destroyed) await new Promise<void>((resolve) => socket.end(resolve))
  await destroyed(socket)
}

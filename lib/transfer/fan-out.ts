import { beginOperation } from '../audit/observers.js'
import { checkLength, describe } from '../arguments.js'
import type { FanOutResult, TransferOptions } from '../contract.js'
import { oneWay } from '../endpoints/recognize.js'
import type { Turns } from '../endpoints/turns.js'
import { InvalidArgumentError, TransferError } from '../errors.js'
import type { Sink, Source } from '../list/endpoint.js'
import { checkOptions, withinRoom } from './checks.js'
import { EndChunks, openChunks, type Chunks } from './chunks.js'
import { FanOutRun, type FanOutLimits } from './fan-out-run.js'
import { closeSinks, openSinks, type OpenedSink } from './fan-out-open.js'
import { FanOutSink } from './fan-out-sink.js'
import { hearing, whenOver } from './hearing.js'
import { Plan } from './plan.js'
import { inAllTurns } from './turn-order.js'

/**
 * Bytes that a fan-out holds at the most for its slowest sink: four chunks, so that a sink which
 * falls a little behind holds nobody up. 16 MiB took no less CPU (file to 8 TCP sockets), and pin four
 * times as many pages.
 */
export const WINDOW_BYTES_DEFAULT = 4 << 20

/** What `fanOut` takes besides its places. */
export interface FanOutOptions extends TransferOptions {
  /** Bytes to take from the source at the most. Default: to its end. */
  readonly length?: number
  /**
   * How many sinks must live: with fewer it rejects. Default 1. With the default a sink may have
   * failed although the promise resolves: look at each one's `error`.
   */
  readonly atLeast?: number
  /** Bytes that may be pulled and not yet accepted by the slowest sink. Default 4 MiB. */
  readonly windowBytes?: number
  /**
   * What to do when the window is full. 'wait' (default): the slowest sink sets the pace. 'drop': a
   * sink that fills the window while another has nothing left to send is dropped, ENOBUFS in its
   * record. When all are slow the source waits, whatever was asked for.
   */
  readonly onSlow?: 'wait' | 'drop'
}

/**
 * Sends the same bytes from one source to several sinks, each at its own pace within a window: one
 * pull, and as many sends of the same references. Pages are teed for each sink (25 ns a page), never
 * copied, where source and sinks move by reference. Less than 16 KiB at once costs less as a counted copy,
 * and is one, but in mode 'reference': of a length that is asked for, or of a source that trickles.
 *
 * Every sink gets the source's bytes in order. One that fails is left out from then on, and its record
 * says why and after how many bytes: `{ bytesMoved, error }`. It is not ended or destroyed but for what
 * Node would do to a broken socket. `onProgress` is told what every sink has accepted that is left.
 *
 * Rejects with a `FanOutError` when the source fails, after every sink has got what was pulled, or
 * when fewer than `atLeast` sinks are left; with a `FanOutAbortError` on an abort. Both tell what each
 * sink has got. Two sinks, or source and sink, that are one place are refused before any byte moves.
 * A list given as the source is consumed.
 *
 * ```ts
 * import { fanOut } from 'splicelist'
 * const { sinks } = await fanOut({ file: 'from' }, [{ file: 'one' }, { file: 'two' }])
 * console.log(sinks) // [ { bytesMoved: 19 }, { bytesMoved: 19 } ]
 * ```
 */
export function fanOut(
  source: Source,
  sinks: readonly Sink[],
  options: FanOutOptions = {},
): Promise<FanOutResult> {
  const places = Array.isArray(sinks) ? [source, ...(sinks as readonly Sink[])] : [source]
  const run = () => fanOutPlaces(source, sinks, options)
  // A sink that has failed has its record, whatever becomes of the others.
  const failed = (done: FanOutResult): unknown[] => sinks.filter((_, i) => done.sinks[i]?.error)
  return beginOperation(() => hearing(places, run, failed))
}

async function fanOutPlaces(
  source: Source,
  sinks: readonly Sink[],
  options: FanOutOptions,
): Promise<FanOutResult> {
  const limits = limitsOf(sinks, options)
  const { signal, mode, intended } = options
  const chunks = await openChunks(source, signal === undefined ? {} : { signal })
  try {
    if (chunks instanceof EndChunks) new Plan(mode, intended).meet(chunks.end.obstacle)
    const from = chunks instanceof EndChunks ? chunks.end : undefined
    const opened = await openSinks(sinks, { source, from, length: limits.length, signal })
    try {
      const places = opened.map((place) => {
        if (place instanceof TransferError) return place
        if (place.ends.sink === undefined) throw oneWay(true)
        return new FanOutSink(place.ends.sink, new Plan(mode, intended))
      })
      const length = lengthWithin(chunks, limits.length, opened)
      const run = () => {
        const watch = (tell: () => void) => watchSinks(sinks, places, tell)
        return new FanOutRun(chunks, places, { ...limits, length }, watch).run()
      }
      return await inAllTurns(turnsOf(chunks, places), signal, run, refusedIn(places))
    } finally {
      closeSinks(opened)
    }
  } finally {
    chunks.close()
  }
}

/** Calls a function when a sink is lost, until the returned one is called. */
function watchSinks(
  sinks: readonly Sink[],
  places: readonly (FanOutSink | TransferError)[],
  tell: () => void,
): () => void {
  const forget = sinks.flatMap((sink, i) => {
    const place = places[i]
    return place instanceof FanOutSink ? [whenOver(sink, place.end, tell)] : []
  })
  return () => {
    for (const it of forget) it()
  }
}

function limitsOf(sinks: readonly Sink[], options: FanOutOptions): FanOutLimits {
  checkOptions(options)
  const { length = Infinity, atLeast = 1, windowBytes = WINDOW_BYTES_DEFAULT } = options
  const onSlow: unknown = options.onSlow ?? 'wait'
  if (!Array.isArray(sinks) || sinks.length === 0) {
    throw new InvalidArgumentError(
      `fanOut takes an array of at least one sink, not ${
        Array.isArray(sinks) ? 'an empty one' : describe(sinks)
      }`,
    )
  }
  if (length !== Infinity) checkLength('length', length)
  checkLength('windowBytes', windowBytes)
  if (windowBytes === 0) throw new InvalidArgumentError('windowBytes must be at least 1')
  if (!Number.isInteger(atLeast) || atLeast < 1 || atLeast > sinks.length) {
    throw new InvalidArgumentError(
      `atLeast must be a whole number from 1 to the ${sinks.length} sinks, not ${describe(atLeast)}`,
    )
  }
  if (onSlow !== 'wait' && onSlow !== 'drop') {
    throw new InvalidArgumentError(`onSlow must be 'wait' or 'drop', not ${describe(onSlow)}`)
  }
  const { mode, intended: isIntended = false, signal, onProgress } = options
  return { length, atLeast, windowBytes, onSlow, mode, isIntended, signal, onProgress }
}

/** What the sink with the least room takes. Of a list all is known, however much was asked for. */
function lengthWithin(chunks: Chunks, length: number, opened: readonly OpenedSink[]): number {
  let roomBytes = Infinity
  for (const place of opened) {
    if (place instanceof TransferError) continue
    roomBytes = Math.min(roomBytes, place.ends.roomBytes ?? Infinity)
  }
  const known = chunks.isList ? Math.min(length, chunks.leftBytes()) : length
  withinRoom(known, () => chunks.leftBytes(), roomBytes === Infinity ? undefined : roomBytes)
  return Math.min(length, roomBytes)
}

/** A sink that fails while the others' turns are waited for has failed before its first byte. */
function refusedIn(places: (FanOutSink | TransferError)[]): (turns: Turns, error: unknown) => void {
  return (turns, error) => {
    const at = places.findIndex((it) => it instanceof FanOutSink && it.end.writeTurns === turns)
    if (at < 0 || !(error instanceof TransferError)) throw error
    places[at] = error
  }
}

function turnsOf(chunks: Chunks, places: readonly (FanOutSink | TransferError)[]): Turns[] {
  const sinks = places.filter((place) => place instanceof FanOutSink)
  const turns = sinks.map(({ end }) => end.writeTurns)
  return chunks.turns === undefined ? turns : [chunks.turns, ...turns]
}

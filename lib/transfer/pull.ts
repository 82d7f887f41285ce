import { transfers } from '../audit/channels.js'
import { ledger } from '../audit/ledger.js'
import { observation } from '../audit/observers.js'
import type { PullOptions } from '../contract.js'
import type { SourceEnd } from '../endpoints/end.js'
import { ownFailure } from '../endpoints/own-failure.js'
import { EAGAIN } from '../errno.js'
import { TransferError } from '../errors.js'
import { after, type Eventually } from '../eventually.js'
import { segmentsOf } from '../list/buffer-list.js'
import { Segments } from '../list/segments.js'
import { windowOfMemory } from '../list/window.js'
import { EndSource } from './end-sides.js'
import { ListSink } from './list-sides.js'
import { Machine } from './machine.js'
import { isCopyForced, Plan, REFERENCE_BYTES_MIN } from './plan.js'
import { inTurn } from './turn.js'

/** What a pull came to: the segments that arrived, whatever else happened. */
export interface Pulled {
  readonly segments: Segments
  readonly error: Error | undefined
  /** Whether the source is known to have had no more behind them. */
  readonly hasRunDry?: boolean
}

/** Called within the turn, however it went. */
type AtEnd = (pulled: Pulled) => void

/** The options of a pull of an endpoint whose caller has said nothing but a length. */
export const PLAIN_PULL: PullOptions = {}
/** The same of a source that was found to have nothing. */
const DRY_PULL: PullStep = { isDry: true }

/** Takes bytes from a place into segments. */
export function pullInto(
  source: SourceEnd,
  length: number,
  options: PullOptions,
  atEnd?: AtEnd,
): Eventually<Pulled> {
  if (options === PLAIN_PULL && isSmall(source, length)) {
    return inTurn(source.readTurns, undefined, () => pullSmall(source, length, atEnd))
  }
  const pulling = preparePull(source, length, options, atEnd)
  return inTurn(source.readTurns, options.signal, () => pulling.run())
}

/** Whether it is a pull as of a header: of bytes that are read anyway, and that nobody looks on. */
function isSmall(source: SourceEnd, length: number): boolean {
  if (length === 0 || length >= REFERENCE_BYTES_MIN || source.readNow === undefined) return false
  return !isCopyForced && !observation.isOn && !transfers.hasSubscribers
}

/**
 * One attempt without the machine, which is 3 of the 10 µs that a header costs between two payloads.
 * What is not there at once, and as a whole, is the machine's.
 */
function pullSmall(
  source: SourceEnd,
  length: number,
  atEnd: AtEnd | undefined,
): Eventually<Pulled> {
  const read = source.front.length > 0 ? undefined : readNow(source, length)
  if (read instanceof Uint8Array) {
    ledger.countCopied('threshold', read.length)
    const isLast = read.length === length || read.length === 0
    const segments = isLast ? new Segments() : segmentsOf(source.front)
    if (read.length > 0) segments.push(windowOfMemory(read))
    if (isLast) return told(segments, undefined, atEnd)
  } else if (read !== undefined && read !== -EAGAIN) {
    const failure = { side: 'source', syscall: 'read', bytesMoved: 0 } as const
    const error = new TransferError({ ...failure, ...ownFailure(source.error, read) })
    return told(new Segments(), error, atEnd)
  }
  return preparePull(source, length, read === -EAGAIN ? DRY_PULL : PLAIN_PULL, atEnd).run()
}

/** One attempt to read as an operation of its own. */
function readNow(source: SourceEnd, length: number): Uint8Array | number | undefined {
  // It takes no time where a read does not.
  void source.startReading()
  const read = source.readNow?.(length)
  source.stopReading(typeof read === 'number' && read !== -EAGAIN ? read : 0)
  return read
}

function told(
  segments: Segments,
  error: Error | undefined,
  atEnd: AtEnd | undefined,
  hasRunDry = false,
): Pulled {
  const pulled = { segments, error, hasRunDry }
  atEnd?.(pulled)
  return pulled
}

/** A pull in the making, for whoever has the turn already or takes it around `run`. */
export interface Pulling {
  run(): Eventually<Pulled>
  /** Ends it where it is, as its signal does. */
  abort(): void
}

/** A pull's options, and what an operation of many pulls knows besides. */
export interface PullStep extends PullOptions {
  /** The file's size in bytes before the first of them. */
  readonly sizeAtStart?: number
  /** Whether the source was found to have nothing, a moment ago: it is waited for, not asked. */
  readonly isDry?: boolean
}

/** As `pullInto`, without the turn. */
export function preparePull(
  source: SourceEnd,
  length: number,
  options: PullStep,
  atEnd?: AtEnd,
): Pulling {
  const plan = new Plan(options.mode, options.intended)
  plan.meet(source.obstacle)
  if (plan.isStable && source.pages !== 'owned') plan.prefer('stable-mode')
  if (length < REFERENCE_BYTES_MIN && options.hold !== 'pages') plan.prefer('threshold')
  const sink = new ListSink(source.pages, plan)
  const machine = new Machine({
    source: new EndSource(source, plan, options.sizeAtStart),
    sink,
    plan,
    length,
    atLeast: options.atLeast ?? length,
    more: false,
    // What was given back comes first, and is there.
    isDry: options.isDry === true && source.front.length === 0,
    options,
  })
  const pulled = (error: Error | undefined): Pulled =>
    told(sink.takeAll(), error, atEnd, machine.hasRunDry)
  return { run: () => after(machine.run(), pulled), abort: () => machine.abort() }
}

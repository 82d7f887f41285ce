import { checkLength } from '../arguments.js'
import { beginOperation } from '../audit/observers.js'
import type { TransferOptions, TransferResult } from '../contract.js'
import { oneWay, type Ends } from '../endpoints/recognize.js'
import { leftBytesOf, type SinkEnd, type SourceEnd } from '../endpoints/end.js'
import { FileEnd } from '../endpoints/file-end.js'
import { InvalidArgumentError } from '../errors.js'
import { BufferList } from '../list/buffer-list.js'
import type { Sink, Source } from '../list/endpoint.js'
import { checkOptions, withinRoom } from './checks.js'
import { EndSink, EndSource } from './end-sides.js'
import { hearing, whenOver } from './hearing.js'
import { Machine } from './machine.js'
import { openEnds, placeOptions, SinkOpening } from './open.js'
import { Plan } from './plan.js'
import { pushList } from './push.js'
import { areOnePlace, pathOf, refuseOverlap, spanOfSink } from './same-place.js'
import { inTurn } from './turn.js'

/** What `transfer` takes besides its two places. */
export interface TransferLimits extends TransferOptions {
  /** Bytes to move at the most. Default: to the end of the source. */
  readonly length?: number
}

/**
 * Moves bytes from one place to another, to the source's end or `length` bytes, holding one pipe.
 *
 * Its turn at either place is taken when both are open: await one operation before the next where
 * their order matters. By reference where both can; otherwise by counted copies: `ways` tells.
 * Nothing is lost: on a failure the error says which side, how much was accepted, and hands out what
 * was pulled and not accepted; on an abort that is given back to the source. A list given as the
 * source is consumed.
 *
 * A sink that fails is heard of while the source is silent too. A peer that ends its side may read on,
 * and ends nothing; but a response whose client has done so fails when nothing has come for it for half a
 * second to a second (EPIPE), unless `httpAllowHalfOpen` was set: Node has given up its connection.
 *
 * ```ts
 * import { transfer } from 'splicelist'
 * const { bytesMoved } = await transfer({ file: 'from' }, { file: 'to' })
 * ```
 */
export function transfer(
  source: Source,
  sink: Sink,
  options: TransferLimits = {},
): Promise<TransferResult> {
  return beginOperation(() => hearing([source, sink], () => transferPlaces(source, sink, options)))
}

async function transferPlaces(
  source: Source,
  sink: Sink,
  options: TransferLimits,
): Promise<TransferResult> {
  checkOptions(options)
  const { length = Infinity } = options
  if (length !== Infinity) checkLength('length', length)
  if (BufferList.isBufferList(source)) return transferList(source, sink, options, length)
  const { signal } = options
  const opening = openEnds(source, placeOptions(false, { signal }))
  const from = opening instanceof Promise ? await opening : opening
  try {
    // Before the sink is opened, and perhaps truncated.
    if (from.ends.source === undefined) throw oneWay(false)
    new Plan(options.mode, options.intended).meet(from.ends.source.obstacle)
    const asking = areOnePlace(source, from.ends.source, sink)
    const areOne = asking instanceof Promise ? await asking : asking
    const isNamed = pathOf(sink) !== undefined
    if (areOne && isNamed) refuseSelf(from.ends.source, sink, undefined, length)
    const sinking = openEnds(sink, placeOptions(true, { signal }))
    const to = sinking instanceof Promise ? await sinking : sinking
    try {
      if (areOne && !isNamed) refuseSelf(from.ends.source, sink, to.ends.sink, length)
      const moving = machineFor(from.ends, to.ends, options, length)
      const forget = whenOver(sink, moving.sink, () => moving.machine.sinkOver())
      try {
        return await runInTurns(moving, options.signal)
      } finally {
        forget()
      }
    } finally {
      to.close()
    }
  } finally {
    from.close()
  }
}

/** Refuses a file as its own sink. From its path alone, where opening the sink would truncate it. */
function refuseSelf(
  source: SourceEnd,
  sink: Sink,
  opened: SinkEnd | undefined,
  length: number,
): void {
  const sizeBytes = source instanceof FileEnd ? source.file.sizeBytes() : 0
  refuseOverlap(source, spanOfSink(sink, opened, sizeBytes), length)
}

function transferList(
  list: BufferList,
  sink: Sink,
  options: TransferOptions,
  length: number,
): Promise<TransferResult> {
  const to = new SinkOpening(sink, placeOptions(true, { signal: options.signal }))
  return pushList(list, to, { ...options, consume: true }, Math.min(length, list.length))
}

/** A machine, and what it moves between. */
interface Moving {
  readonly machine: Machine
  readonly source: SourceEnd
  readonly sink: SinkEnd
  readonly plan: Plan
}

function machineFor(from: Ends, to: Ends, options: TransferOptions, length: number): Moving {
  const { source } = from
  const { sink } = to
  if (source === undefined) throw oneWay(false)
  if (sink === undefined) throw oneWay(true)
  const plan = new Plan(options.mode, options.intended)
  plan.meet(source.obstacle)
  plan.meet(sink.obstacle)
  const limit = withinRoom(length, () => leftBytesOf(source), to.roomBytes)
  if (plan.isStable && source.pages !== 'owned') plan.prefer('stable-mode')
  const machine = new Machine({
    source: new EndSource(source, plan),
    sink: new EndSink(sink, plan),
    plan,
    length: limit,
    atLeast: limit,
    more: false,
    options,
    takeBack: (segments) => source.takeBack(segments),
  })
  return { machine, source, sink, plan }
}

async function runInTurns(
  { machine, source, sink, plan }: Moving,
  signal: AbortSignal | undefined,
): Promise<TransferResult> {
  // Always in one order, so that two transfers cannot wait for each other's turns.
  const reading = source.readTurns
  const writing = sink.writeTurns
  if (reading === writing) throw sharedPosition()
  const isReadFirst = reading.number < writing.number
  const running = inTurn(isReadFirst ? reading : writing, signal, () =>
    inTurn(isReadFirst ? writing : reading, signal, () => machine.run()),
  )
  const error = running instanceof Promise ? await running : running
  if (error !== undefined) throw error
  return { bytesMoved: machine.bytesMoved, eof: machine.isEof, ways: plan.ways }
}

function sharedPosition(): InvalidArgumentError {
  return new InvalidArgumentError(
    "Source and sink are the same file at the same position, each waiting for the other's turn. " +
      'Give each its offset: { file, offset }',
  )
}

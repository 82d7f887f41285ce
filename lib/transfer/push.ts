import type { PushOptions, TransferResult } from '../contract.js'
import { oneWay } from '../endpoints/recognize.js'
import { InvalidArgumentError } from '../errors.js'
import { checkLength, describe } from '../arguments.js'
import { BufferList, segmentsOf, takeSegments } from '../list/buffer-list.js'
import type { Segments } from '../list/segments.js'
import { checkOptions, checkRoom } from './checks.js'
import { EndSink } from './end-sides.js'
import { ListSource } from './list-sides.js'
import { Machine } from './machine.js'
import type { Opening } from './open.js'
import { Plan } from './plan.js'
import { inTurn } from './turn.js'

/**
 * Sends a list to a place: all of it, or the error says how far it came. Throws at once what is wrong
 * with the arguments.
 */
export function pushWhole(
  list: BufferList,
  to: Opening,
  options: PushOptions,
): Promise<TransferResult> {
  checkPush(list, options)
  return pushList(list, to, options, list.length)
}

/** As `pushWhole`, for the first `length` bytes. */
export async function pushList(
  list: BufferList,
  to: Opening,
  options: PushOptions,
  length: number,
): Promise<TransferResult> {
  const consume = options.consume === true
  // First, for it may throw while the list still has its bytes.
  const plan = new Plan(options.mode, options.intended)
  // The operation owns what it sends: what becomes of the list meanwhile changes nothing.
  const segments = consume ? takeSegments(list, length) : shareOf(list, length)
  const source = new ListSource(segments, consume, plan)
  try {
    const opening = to.open()
    const { sink, roomBytes } = opening instanceof Promise ? await opening : opening
    if (sink === undefined) throw oneWay(true)
    checkRoom(length, roomBytes)
    plan.meet(sink.obstacle)
    // A sink that copies pages when it takes them keeps what they were.
    if (plan.isStable && sink.pageCopies === undefined) plan.keepOnlyOwned()
    const machine = new Machine({
      source,
      sink: new EndSink(sink, plan),
      plan,
      length,
      atLeast: length,
      more: options.more === true,
      options,
    })
    const running = inTurn(sink.writeTurns, options.signal, () => machine.run())
    const error = running instanceof Promise ? await running : running
    if (error !== undefined) throw error
    return { bytesMoved: machine.bytesMoved, eof: true, ways: plan.ways }
  } finally {
    giveBack(list, source.takeRest(), consume)
    to.close()
  }
}

/** The same bytes again, by way of a list of their own: sending a list ends none of its views. */
function shareOf(list: BufferList, length: number): Segments {
  return segmentsOf(list.substr(0, length))
}

/** What was not accepted is the list's again, in front of what it was given meanwhile. */
function giveBack(list: BufferList, rest: Segments, consume: boolean): void {
  if (!consume || list.isReleased) rest.clear()
  else if (rest.length > 0) segmentsOf(list).unshiftAll(rest)
}

function checkPush(list: BufferList, options: PushOptions): void {
  if (!BufferList.isBufferList(list)) {
    throw new InvalidArgumentError(`Expected a list to send, not ${describe(list)}`)
  }
  checkOptions(options)
  if (options.offset !== undefined) checkLength('offset', options.offset)
}

import type { PullOptions } from '../contract.js'
import type { SourceEnd } from '../endpoints/end.js'
import { after, type Eventually } from '../eventually.js'
import type { Segments } from '../list/segments.js'
import { EndSource } from './end-sides.js'
import { ListSink } from './list-sides.js'
import { Machine } from './machine.js'
import { Plan, REFERENCE_BYTES_MIN } from './plan.js'
import { inTurn } from './turn.js'

/** What a pull came to: the segments that arrived, whatever else happened. */
export interface Pulled {
  readonly segments: Segments
  readonly error: Error | undefined
}

/** Takes bytes from a place into segments. `atEnd` is called within the turn, however it went. */
export function pullInto(
  source: SourceEnd,
  length: number,
  options: PullOptions,
  atEnd?: (pulled: Pulled) => void,
): Eventually<Pulled> {
  const pull = preparePull(source, length, options, atEnd)
  return inTurn(source.readTurns, options.signal, pull)
}

/** As `pullInto`, for whoever has the turn already, or takes it around what this returns. */
export function preparePull(
  source: SourceEnd,
  length: number,
  options: PullOptions,
  atEnd?: (pulled: Pulled) => void,
): () => Eventually<Pulled> {
  const plan = new Plan(options.mode, options.intended)
  plan.meet(source.obstacle)
  if (plan.isStable && source.pages !== 'owned') plan.prefer('stable-mode')
  if (length < REFERENCE_BYTES_MIN && options.hold !== 'pages') plan.prefer('threshold')
  const sink = new ListSink(source.pages, plan)
  const machine = new Machine({
    source: new EndSource(source, plan),
    sink,
    plan,
    length,
    atLeast: options.atLeast ?? length,
    more: false,
    options,
  })
  const pulled = (error: Error | undefined): Pulled => {
    const came = { segments: sink.takeAll(), error }
    atEnd?.(came)
    return came
  }
  return () => after(machine.run(), pulled)
}

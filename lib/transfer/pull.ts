import type { PullOptions } from '../contract.js'
import type { SourceEnd } from '../endpoints/end.js'
import type { Segments } from '../list/segments.js'
import { EndSource } from './end-sides.js'
import { ListSink } from './list-sides.js'
import { Machine } from './machine.js'
import { Plan, REFERENCE_BYTES_MIN } from './plan.js'
import { takeTurn } from './turn.js'

/** What a pull came to: the segments that arrived, whatever else happened. */
export interface Pulled {
  readonly segments: Segments
  readonly error: Error | undefined
}

/** Takes bytes from a place into segments. `atEnd` is called within the turn when all went well. */
export async function pullInto(
  source: SourceEnd,
  length: number,
  options: PullOptions,
  atEnd?: (segments: Segments) => void,
): Promise<Pulled> {
  const plan = new Plan(options.mode)
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
  const endTurn = await takeTurn(source.readTurns, options.signal)
  try {
    await machine.run()
    const segments = sink.takeAll()
    atEnd?.(segments)
    return { segments, error: undefined }
  } catch (error) {
    return { segments: sink.takeAll(), error: error as Error }
  } finally {
    endTurn()
  }
}

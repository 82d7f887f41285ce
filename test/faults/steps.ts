/**
 * Steps of a random run of the machine: what a program, its peers and the kernel may do at any moment.
 */
import fc from 'fast-check'
import type { FaultStep } from './faults.js'

/** When an operation is aborted: never, before it starts, or that many turns of the loop later. */
export type Abort = 'never' | 'before' | number

/** What may become of a list while it is sent. */
export type Edit = 'none' | 'release' | 'append' | 'truncate'

/** One step. Operations are started, and not awaited. */
export type Step =
  | { readonly kind: 'feed'; readonly bytes: number }
  | {
      readonly kind: 'pull' | 'peek'
      readonly bytes: number
      readonly atLeast: number
      readonly mode: 'auto' | 'copy'
      readonly abort: Abort
    }
  | { readonly kind: 'unpull'; readonly bytes: number }
  | {
      readonly kind: 'push'
      /** Memory of so many bytes, in front of what was pulled before. */
      readonly bytes: number
      readonly isPulledSent: boolean
      readonly consume: boolean
      readonly mode: 'auto' | 'copy'
      readonly edit: Edit
      readonly abort: Abort
    }
  | {
      readonly kind: 'transfer'
      readonly bytes: number
      readonly mode: 'auto' | 'copy'
      readonly abort: Abort
    }
  | {
      readonly kind: 'lists'
      /** Of each list at the most. */
      readonly bytes: number
      readonly atLeast: number
      readonly count: number
      readonly mode: 'auto' | 'copy'
      readonly abort: Abort
      /** When the loop is left: after its last list, or that many turns after it was begun. */
      readonly leave: 'after' | number
    }
  | {
      readonly kind: 'fanOut'
      readonly bytes: number
      readonly windowBytes: number
      readonly atLeast: number
      readonly onSlow: 'wait' | 'drop'
      readonly mode: 'auto' | 'copy'
      readonly abort: Abort
    }
  | { readonly kind: 'stall' | 'drain'; readonly which: 'to' | 'aside' }
  | { readonly kind: 'wait'; readonly turns: number }
  | FaultStep

/** What runs: between what places, and which steps. */
export interface Scenario {
  readonly from: 'unix' | 'tcp' | 'pipe'
  readonly to: 'unix' | 'tcp' | 'pipe'
  /** The second sink of fan-outs. */
  readonly aside: 'unix' | 'tcp' | 'pipe'
  readonly steps: readonly Step[]
}

/** Around the sizes at which something changes: a page, the least by reference, a pipe, a turn. */
export const size = fc.oneof(
  fc.integer({ min: 1, max: 9_000 }),
  fc.integer({ min: 15_000, max: 70_000 }),
  fc.integer({ min: 70_000, max: 1_300_000 }),
)
/** How an operation moves its bytes. */
export const mode = fc.constantFrom('auto' as const, 'auto' as const, 'copy' as const)
/** When an operation is aborted. */
export const abort = fc.oneof(
  { weight: 5, arbitrary: fc.constant('never' as const) },
  { weight: 1, arbitrary: fc.constant('before' as const) },
  { weight: 3, arbitrary: fc.nat({ max: 4 }) },
)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('feed' as const), bytes: size }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom('pull' as const, 'pull' as const, 'peek' as const),
      bytes: size,
      atLeast: fc.oneof(fc.constant(Infinity), size),
      mode,
      abort,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('unpull' as const),
      bytes: fc.integer({ min: 1, max: 40_000 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('push' as const),
      bytes: size,
      isPulledSent: fc.boolean(),
      consume: fc.boolean(),
      mode,
      edit: fc.constantFrom(
        'none' as const,
        'release' as const,
        'append' as const,
        'truncate' as const,
      ),
      abort,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('transfer' as const), bytes: size, mode, abort }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('lists' as const),
      bytes: size,
      atLeast: fc.oneof(fc.constant(1), size),
      count: fc.integer({ min: 1, max: 4 }),
      mode,
      abort,
      leave: fc.oneof(fc.constant('after' as const), fc.nat({ max: 4 })),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('fanOut' as const),
      bytes: size,
      windowBytes: fc.oneof(fc.integer({ min: 2_000, max: 70_000 }), fc.constant(1 << 20)),
      atLeast: fc.integer({ min: 1, max: 2 }),
      onSlow: fc.constantFrom('wait' as const, 'drop' as const),
      mode,
      abort,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('stall' as const, 'drain' as const),
      which: fc.constantFrom('to' as const, 'aside' as const),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), turns: fc.nat({ max: 5 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('fault' as const),
      call: fc.constantFrom('splice', 'splice', 'recv', 'sendmsg', 'writev', 'tee', 'pipe2'),
      fault: fc.oneof(
        fc.integer({ min: 1, max: 20_000 }),
        fc.constantFrom('EAGAIN' as const, 'EINTR' as const, 'EINVAL' as const, 'EIO' as const),
      ),
      skip: fc.nat({ max: 5 }),
      times: fc.integer({ min: 1, max: 6 }),
    }),
  },
)

const place = fc.constantFrom('unix' as const, 'tcp' as const, 'pipe' as const)

/** Any run of up to so many steps. */
export function scenarios(stepsMax: number): fc.Arbitrary<Scenario> {
  return fc.record({
    from: place,
    to: place,
    aside: place,
    steps: fc.array(step, { maxLength: stepsMax }),
  })
}

/**
 * Steps of a random run of proxies: what they, the two peers and the kernel may do at any moment.
 */
import fc from 'fast-check'
import { abort, mode, size, type Abort } from './steps.js'
import type { FaultStep } from './faults.js'

/** One of the two connections. */
export type Side = 'left' | 'right'

/** One step. Proxies are started, and not awaited; one that is to start while another runs, is not. */
export type ProxyStep =
  | { readonly kind: 'feed'; readonly side: Side; readonly bytes: number }
  | { readonly kind: 'end' | 'stall' | 'drain' | 'reset'; readonly side: Side }
  | { readonly kind: 'wait'; readonly turns: number }
  | { readonly kind: 'proxy'; readonly mode: 'auto' | 'copy'; readonly abort: Abort }
  | { readonly kind: 'abort' }
  | FaultStep

/** What runs: between what connections, and which steps. */
export interface ProxyScenario {
  readonly left: 'unix' | 'tcp'
  readonly right: 'unix' | 'tcp'
  readonly peers: 'sockets' | 'endpoints'
  /** How a proxy ends that still runs then: aborted, or because both far ends have ended. */
  readonly finish: 'abort' | 'ends'
  readonly steps: readonly ProxyStep[]
}

const side = fc.constantFrom('left' as const, 'right' as const)
const step: fc.Arbitrary<ProxyStep> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('feed' as const), side, bytes: size }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const), side }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('stall' as const, 'drain' as const), side }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), turns: fc.nat({ max: 5 }) }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('proxy' as const), mode, abort }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('abort' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('fault' as const),
      call: fc.constantFrom('splice', 'splice', 'recv', 'sendmsg', 'writev'),
      fault: fc.oneof(
        { weight: 3, arbitrary: fc.integer({ min: 1, max: 20_000 }) },
        {
          weight: 3,
          arbitrary: fc.constantFrom('EAGAIN' as const, 'EINTR' as const, 'EINVAL' as const),
        },
        // Either of the two breaks a connection, after which little is left to see.
        { weight: 1, arbitrary: fc.constant('EIO' as const) },
      ),
      skip: fc.nat({ max: 5 }),
      times: fc.integer({ min: 1, max: 6 }),
    }),
  },
)
/** At most one, and late: it ends what can be seen. */
const lastStep: fc.Arbitrary<readonly ProxyStep[]> = fc.oneof(
  { weight: 4, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.tuple(fc.record({ kind: fc.constant('reset' as const), side })) },
)
const kind = fc.constantFrom('unix' as const, 'tcp' as const)

/** Any run of up to so many steps. */
export function proxyScenarios(stepsMax: number): fc.Arbitrary<ProxyScenario> {
  return fc.record({
    left: kind,
    right: kind,
    peers: fc.constantFrom('sockets' as const, 'endpoints' as const),
    finish: fc.constantFrom('abort' as const, 'ends' as const),
    steps: fc
      .tuple(fc.array(step, { maxLength: stepsMax - 1 }), lastStep)
      .map(([steps, last]) => [...steps, ...last]),
  })
}

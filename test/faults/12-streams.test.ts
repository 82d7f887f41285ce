/**
 * Every fault, at every system call in turn, of loops over lists, fan-outs and proxies: see sweep.ts.
 */
import { PLACES } from './ends.js'
import { nothingIsLost } from './nothing-is-lost.js'
import type { Scene } from './scenes.js'
import { fanningOut, looping, proxying } from './scenes-of-streams.js'
import { sweep } from './sweep.js'

const SCENES: readonly Scene[] = [
  ...PLACES.flatMap((from) => [looping(from, 'auto'), looping(from, 'copy')]),
  ...(['auto', 'copy'] as const).flatMap((mode) => [
    fanningOut({ from: 'tcp', to: PLACES, mode }),
    fanningOut({ from: 'tmpfs file', to: ['tcp', 'unix', 'tmpfs file'], mode }),
    fanningOut({ from: 'unix', to: ['tmpfs file', 'tcp'], mode }),
    fanningOut({ from: 'tcp', to: ['unix', 'tcp'], atLeast: 1, mode }),
  ]),
  fanningOut({ from: 'pipe', to: ['unix', 'tmpfs file'], mode: 'auto' }),
  fanningOut({ from: 'tmpfs file', to: ['tmpfs file', 'tcp'], atLeast: 1, mode: 'copy' }),
  ...(['tcp', 'unix'] as const).flatMap((kind) => [proxying(kind, 'auto'), proxying(kind, 'copy')]),
]

describe('Whatever system call fails, in whatever way, of a stream', () => {
  nothingIsLost(SCENES, sweep)
})

/**
 * Every fault, at every system call in turn, of every operation between every two places: see sweep.ts.
 */
import { PLACES } from './ends.js'
import { nothingIsLost } from './nothing-is-lost.js'
import { LISTS, pulling, pushing, transferring, type Scene } from './scenes.js'
import { sweep } from './sweep.js'

const SCENES: readonly Scene[] = [
  ...PLACES.flatMap((from) => [
    pulling(from, 'spliceFrom', 'auto'),
    pulling(from, 'spliceFrom', 'copy'),
    pulling(from, 'pull', 'auto'),
    pulling(from, 'peek', 'auto'),
  ]),
  ...LISTS.flatMap((kind) =>
    PLACES.flatMap((to) => [
      pushing(kind, to, { consume: true, mode: 'auto', face: 'spliceTo' }),
      pushing(kind, to, { consume: false, mode: 'auto', face: 'push' }),
      pushing(kind, to, { consume: true, mode: 'copy', face: 'spliceTo' }),
    ]),
  ),
  ...PLACES.flatMap((from) =>
    PLACES.flatMap((to) => [transferring(from, to, 'auto'), transferring(from, to, 'copy')]),
  ),
]

describe('Whatever system call fails, in whatever way', () => {
  nothingIsLost(SCENES, sweep)
})

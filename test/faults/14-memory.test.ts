/**
 * Every fault, at every system call in turn, of memory that is given or lent: see sweep.ts.
 */
import { PLACES } from './ends.js'
import { nothingIsLost } from './nothing-is-lost.js'
import { sendingMemory } from './scenes-of-memory.js'
import { sweep } from './sweep.js'

const SCENES = (['gift', 'loan'] as const).flatMap((verb) =>
  PLACES.map((to) => sendingMemory(verb, to)),
)

describe('Whatever system call fails, in whatever way, of memory', () => {
  nothingIsLost(SCENES, sweep)
})

/**
 * Every fault, at every system call in turn, of memory that is given or lent: see sweep.ts.
 */
import { needsPages } from '../support/needs.js'
import { PLACES } from './ends.js'
import { sendingMemory } from './scenes-of-memory.js'
import { sweep } from './sweep.js'

describe('Whatever system call fails, in whatever way, of memory', () => {
  beforeEach(function () {
    needsPages(this)
  })
  for (const verb of ['gift', 'loan'] as const) {
    for (const to of PLACES) {
      const scene = sendingMemory(verb, to)
      it(`nothing is lost: ${scene.name}`, async function () {
        this.timeout(60_000)
        await sweep(scene)
      })
    }
  }
})

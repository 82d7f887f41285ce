import type { Ground } from './hunt.js'
import { OPERATIONS, WEIGHTED_NAMES } from './operations/index.js'
import { Turn } from './turn.js'
import { LISTS, World, type ContentFile } from './world.js'

/** Steps of a sequence at the most: enough for a list to become intricate. */
const STEPS_MAX = 160

/** Sequences of all operations, against flat models. */
export function againstModels(file: ContentFile): Ground {
  return {
    names: WEIGHTED_NAMES,
    lists: LISTS,
    stepsMax: STEPS_MAX,
    run: async (steps, run) => {
      const world = await World.make(file, run.trace)
      try {
        for (const step of steps) {
          run.begun += 1
          const pending = OPERATIONS[step.name]?.run(new Turn(world, step))
          if (pending !== undefined) await pending
          world.check(run.isThorough)
        }
        world.checkAll()
        world.checkReferences()
      } finally {
        world.end()
      }
    },
  }
}

import type { Operations } from '../operation.js'
import { build } from './build.js'
import { cursor } from './cursor.js'
import { hole } from './hole.js'
import { cut } from './cut.js'
import { layout } from './layout.js'
import { move } from './move.js'
import { read } from './read.js'

/** Every operation. */
export const OPERATIONS: Operations = {
  ...build,
  ...hole,
  ...cut,
  ...read,
  ...layout,
  ...cursor,
  ...move,
}
/** Their names, each as often as its weight says. */
export const WEIGHTED_NAMES = Object.entries(OPERATIONS).flatMap(([name, { weight = 2 }]) =>
  new Array<string>(weight).fill(name),
)
/** Members that the operations use. */
export const USED = new Set(Object.values(OPERATIONS).flatMap(({ uses }) => uses))

/** Every operation, in the order in which shrinking tries them: the plainest first. */
import type { Operations } from '../operation.js'
import { has } from '../whole.js'
import { build } from './build.js'
import { cursor } from './cursor.js'
import { hole } from './hole.js'
import { cut } from './cut.js'
import { layout } from './layout.js'
import { move } from './move.js'
import { read } from './read.js'

const all: Operations = { ...build, ...hole, ...cut, ...read, ...layout, ...cursor, ...move }

/** Those that this build can do. */
export const OPERATIONS: Operations = Object.fromEntries(
  Object.entries(all).filter(([, { uses }]) => uses.every(has)),
)
/** Their names, each as often as its weight says. */
export const WEIGHTED_NAMES = Object.entries(OPERATIONS).flatMap(([name, { weight = 2 }]) =>
  new Array<string>(weight).fill(name),
)
/** Members of the contract that this build does not have yet. */
export const MISSING = [...new Set(Object.values(all).flatMap(({ uses }) => uses))].filter(
  (member) => !has(member),
)
/** Members that the operations of this build use. */
export const USED = new Set(Object.values(OPERATIONS).flatMap(({ uses }) => uses))

import type { Turn } from './turn.js'

/** Something that a program can do to lists, done to the lists and to their models. */
export interface Operation {
  /** The members of `BufferList` that it calls, and those of its cursor as 'Cursor.skip'. */
  readonly uses: readonly string[]
  /** How often it comes, beside the others: 2 by default. */
  readonly weight?: number
  run(turn: Turn): void | Promise<void>
}

/** Operations by name. */
export type Operations = Readonly<Record<string, Operation>>

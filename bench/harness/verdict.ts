/** Whether a figure is what was asked for, and by how much it is not. */
import type { Case, Library, Unit } from './case.js'
import type { CaseFigures } from './rounds.js'

/** Nanoseconds (or bytes) in a unit. */
export const IN_UNIT: Readonly<Record<Unit, number>> = { ns: 1, µs: 1e3, ms: 1e6, bytes: 1 }

export interface Verdict {
  /** What is asked for at the most, in the case's unit; undefined where that cannot be told. */
  readonly limit: number | undefined
  /** The figure divided by what was asked for: met at 1 and below. */
  readonly ratio: number | undefined
}

/** Null for a case in which nothing is asked for. */
export function verdictOf({ target, unit }: Case, figures: CaseFigures): Verdict | null {
  if (target === undefined) return null
  const scale = IN_UNIT[unit]
  const limit =
    typeof target === 'number' ? target : times(target.times, figureOf(figures, target.of), scale)
  const ours = figureOf(figures, 'splicelist')
  const ratio = limit === undefined || ours === undefined ? undefined : ours / scale / limit
  return { limit, ratio }
}

function times(factor: number, figure: number | undefined, scale: number): number | undefined {
  return figure === undefined ? undefined : (factor * figure) / scale
}

export function figureOf(figures: CaseFigures, library: Library): number | undefined {
  const found = figures[library]
  return found === undefined || found.absent !== undefined ? undefined : found.median
}

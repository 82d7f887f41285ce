/**
 * Steps as plain numbers: what fast-check makes, and shrinks. Their meaning depends on the lists at
 * that moment (see `Turn`), so that a sequence stays one when a step is taken out of it.
 */
import fc from 'fast-check'

/** What a part can be. Shrinking goes to the first. */
export const PART_KINDS = [
  'heap',
  'letters',
  'text',
  'empty',
  'other list',
  'own piece',
  'itself',
  'source',
  'unloaded',
] as const
export type PartKind = (typeof PART_KINDS)[number]

/** One step of a sequence. */
export interface Step {
  /** The operation. */
  readonly name: string
  /** The list that it works on, and another. */
  readonly a: number
  readonly b: number
  readonly part: PartKind
  /** One of a few ways, where an operation has some. */
  readonly choice: number
  /** Where: a first offset and length, and a second. */
  readonly p: number
  readonly q: number
  readonly r: number
  readonly s: number
}

/** A place from here on is a border of segments, or a byte before or behind it. */
export const BORDERS_FROM = 1 << 21
/** How many borders are named; of a list with fewer they mean the same again. */
const BORDERS = 400

/** A count or place: mostly small, sometimes at the end, around pages, blocks and borders. */
const place = fc.oneof(
  { withCrossShrink: true },
  { weight: 4, arbitrary: fc.nat(9) },
  { weight: 2, arbitrary: fc.nat(300) },
  { weight: 1, arbitrary: fc.integer({ min: -9, max: -1 }) },
  { weight: 1, arbitrary: fc.integer({ min: 4090, max: 4100 }) },
  { weight: 1, arbitrary: fc.integer({ min: 65_530, max: 65_540 }) },
  { weight: 1, arbitrary: fc.nat(BORDERS_FROM - 1) },
  { weight: 2, arbitrary: fc.integer({ min: BORDERS_FROM, max: BORDERS_FROM + 3 * BORDERS }) },
)

/** A sequence of steps: of these operations, on so many lists. */
export function sequences(
  operations: readonly string[],
  lists: number,
  maxLength: number,
): fc.Arbitrary<Step[]> {
  const step = fc.record({
    name: fc.constantFrom(...operations),
    a: fc.nat(lists - 1),
    b: fc.nat(lists - 1),
    part: fc.constantFrom(...PART_KINDS),
    choice: fc.nat(255),
    p: place,
    q: place,
    r: place,
    s: place,
  })
  return fc.array(step, { maxLength, size: 'max' })
}

/**
 * Offsets as bl takes them: whatever is no number is not there, a fraction is cut off, what lies
 * outside is drawn in.
 */

/** A range that lies inside. */
export interface Range {
  readonly from: number
  readonly length: number
}

/** The range from `start` to before `end`; backwards it is empty. Throws a RangeError for NaN. */
export function rangeOf(start: unknown, end: unknown, total: number): Range {
  if (total === 0) return { from: 0, length: 0 }
  const from = inside(start, 0, total)
  const to = inside(end, total, total)
  return { from, length: Math.max(0, to - from) }
}

/** A negative offset counts from the end. */
export function fromEnd(offset: unknown, total: number): unknown {
  return typeof offset === 'number' && offset < 0 ? offset + total : offset
}

/** What an argument is as a number: callers in JavaScript pass strings too. */
export function numberOf(value: unknown): number {
  return Number(value)
}

/** A value as a whole number from 0 up; what is none is 0. */
export function wholeNumber(value: unknown): number {
  const number = Math.trunc(numberOf(value))
  return number > 0 ? number : 0
}

function inside(offset: unknown, otherwise: number, total: number): number {
  if (typeof offset !== 'number') return otherwise
  if (Number.isNaN(offset)) throw outOfRange('A range of a list cannot begin or end at NaN')
  return Math.trunc(Math.min(Math.max(offset, 0), total))
}

/** As Node's own: users of Buffers look at the code. */
export function outOfRange(message: string): RangeError {
  return Object.assign(new RangeError(message), { code: 'ERR_OUT_OF_RANGE' })
}

/** As Node's own: users of Buffers look at the code. */
export function invalidType(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_TYPE' })
}

/**
 * What is measured: a case, and for every library the work of that case.
 *
 * A new case is one entry in a list of cases; it says what one operation is and how each library
 * does it, and nothing about clocks, batches or processes.
 */

/** Who is measured. `Buffer` is what a program does without any list; `ceph` is a C++ program. */
export const LIBRARIES = ['splicelist', 'ceph', 'bl', 'uint8arraylist', 'Buffer'] as const
export type Library = (typeof LIBRARIES)[number]

/** What a figure is of: time for one operation, or bytes of the heap for one. */
export type Unit = 'ns' | 'µs' | 'ms' | 'bytes'

/** What a figure should be at the most: in the case's unit, or so many times another's figure. */
export type Target = number | { readonly times: number; readonly of: Library }

/** A size of the real case; the smoke test makes it small. */
export type Scale = (full: number) => number

/** Work that leaves things as they were, so that it can be repeated as often as the clock needs. */
export interface Repeated {
  readonly kind: 'repeated'
  /** Operations in one repetition. */
  readonly operations: number
  /** Does it so many times; returns a sum of every result, so that none is dead code. */
  repeat(times: number): number
}

/** Work that uses up what it works on: that is made anew before each run, outside of the clock. */
export interface Consuming {
  readonly kind: 'consuming'
  readonly operations: number
  /** Makes what the next run uses up, and returns the run. */
  prepare(): () => number
}

/** Work whose result is weighed: bytes of the heap that it holds. */
export interface Weighed {
  readonly kind: 'weighed'
  readonly operations: number
  /** Makes what is not to be weighed, and returns the making of what is. */
  prepare(): () => object
}

export type Work = Repeated | Consuming | Weighed

/** Makes a library's work ready, or says in a few words why it cannot be done yet. */
export type Contender = (scale: Scale) => Work | string

export interface Case {
  /** Its group and parameter, as `--case` finds it: `substr/1024`. */
  readonly name: string
  /** What one operation is. */
  readonly operation: string
  readonly unit: Unit
  /** The figure that is asked of splicelist. */
  readonly target?: Target
  /** The C++ program knows by itself which cases it can do. */
  readonly contenders: Readonly<Partial<Record<Exclude<Library, 'ceph'>, Contender>>>
}

/** How many of anything the smoke test has at the most. */
const SMOKE_SIZE_MAX = 64

export const fullScale: Scale = (full) => full
export const smokeScale: Scale = (full) => Math.min(full, SMOKE_SIZE_MAX)

/** Work that is one operation at a time. The loop is here, so that no case has one of its own. */
export function repeated(operate: () => number, operations = 1): Repeated {
  return {
    kind: 'repeated',
    operations,
    repeat: (times) => {
      let sum = 0
      for (let left = times; left > 0; left--) sum += operate()
      return sum
    },
  }
}

export function consuming(operations: number, prepare: () => () => number): Consuming {
  return { kind: 'consuming', operations, prepare }
}

import type { Codec } from './codec.js'
import { record } from './fields.js'
import { u32 } from './scalars.js'

/** A point in time, or a span. */
export interface UTime {
  /** Whole seconds: of a point in time, since 1970. */
  seconds: number
  /** Nanoseconds beyond them. Not checked: what is on the wire comes through. */
  nanoseconds: number
}

/**
 * A time: u32 seconds since 1970, u32 nanoseconds (Ceph: `utime_t`, `ceph::real_time`). Both are given
 * as they are on the wire; a Date would lose the nanoseconds.
 */
export const utime: Codec<UTime> = record({ seconds: u32, nanoseconds: u32 })

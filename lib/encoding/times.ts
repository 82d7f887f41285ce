import type { Codec } from './codec.js'
import { record, type ObjectOf } from './fields.js'
import { u32 } from './scalars.js'

const fields = { seconds: u32, nanoseconds: u32 } as const

/** A point in time, or a span. */
export type UTime = ObjectOf<typeof fields>

/**
 * A time: u32 seconds since 1970, u32 nanoseconds (Ceph: `utime_t`, `ceph::real_time`). Both are given
 * as they are on the wire; a Date would lose the nanoseconds.
 */
export const utime: Codec<UTime> = record(fields)

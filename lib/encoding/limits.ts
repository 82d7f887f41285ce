/**
 * Limits against hostile input. Each can be reached, and one past it is refused.
 */

/**
 * How deep structs, records and containers may lie inside one another. A map counts twice: itself and
 * its entries. Ceph's own types stay far below; without it, a few kilobytes of input that nests a
 * recursive type would use up the stack.
 */
export const NESTING_MAX = 64

/**
 * Elements of one list, set or map, unless it is given a limit of its own. An element of one byte on
 * the wire is tens of bytes in memory, so the bytes that are there alone would be no limit.
 */
export const COUNT_MAX = 1 << 20

/** Bytes of one text: far below the longest string of V8, which fails without a typed error. */
export const TEXT_BYTES_MAX = 1 << 24

/** The largest length that the wire's u32 can say, in bytes. */
export const LENGTH_BYTES_MAX = 0xffff_ffff

/** The largest version of a struct: the wire gives it one byte. */
export const VERSION_MAX = 0xff

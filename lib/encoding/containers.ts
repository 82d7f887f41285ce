/**
 * Values of values: lists, sets and maps behind their count (a u32), optional values, pairs.
 */
import { describe } from '../arguments.js'
import { InvalidArgumentError, MalformedInputError } from '../errors.js'
import type { Cursor } from '../list/cursor.js'
import { bytesMinOf, type Codec } from './codec.js'
import { decoding, needBytes } from './decoding.js'
import { encoding } from './encoding.js'
import { COUNT_MAX } from './limits.js'

/** The limit of one container. */
export interface CountLimit {
  /** The most elements that are encoded or decoded; `COUNT_MAX` unless given. */
  readonly countMax?: number
}

/** A list: u32 count, then the elements (Ceph: `std::vector`, `std::list`). */
export function list<T>(of: Codec<T>, limit: CountLimit = {}): Codec<T[]> {
  return counted(of, limit, {
    countOf: (values) => {
      if (!Array.isArray(values)) throw notA('list', 'an array', values)
      return values.length
    },
    make: (): T[] => [],
    add: (values, value) => void values.push(value),
  })
}

/**
 * A set: u32 count, then the elements. In the set's own order, which a decoded one keeps; Ceph writes
 * them ascending, and takes any order. An element that comes twice is malformed: with numbers, bigints
 * and strings, which JavaScript compares by value.
 */
export function set<T>(of: Codec<T>, limit: CountLimit = {}): Codec<Set<T>> {
  return counted(of, limit, {
    countOf: (values) => {
      if (!(values instanceof Set)) throw notA('set', 'a Set', values)
      return values.size
    },
    make: () => new Set(),
    add: (values, value) => {
      if (values.has(value)) throw twice('element', value)
      values.add(value)
    },
  })
}

/**
 * A map: u32 count, then key and value by turns. In the map's own order, as a set. A key that comes
 * twice is malformed: one of its values would be lost.
 */
export function map<K, V>(
  key: Codec<K>,
  value: Codec<V>,
  limit: CountLimit = {},
): Codec<Map<K, V>> {
  return counted(twoOf(key, value, ['key', 'value']), limit, {
    countOf: (entries) => {
      if (!(entries instanceof Map)) throw notA('map', 'a Map', entries)
      return entries.size
    },
    make: () => new Map<K, V>(),
    add: (entries, [k, v]) => {
      if (entries.has(k)) throw twice('key', k)
      entries.set(k, v)
    },
  })
}

/** Two values, one after the other (Ceph: `std::pair`). */
export function pair<A, B>(first: Codec<A>, second: Codec<B>): Codec<[A, B]> {
  return twoOf(first, second, [0, 1])
}

/**
 * A value or undefined: a byte 1 and the value, or a byte 0 (Ceph: `std::optional`). Other bytes are
 * malformed.
 */
export function optional<T>(of: Codec<T>): Codec<T | undefined> {
  return {
    bytesMin: 1,
    encode: (target, value) => {
      encoding(target, () => {
        target.appendUInt8(value === undefined ? 0 : 1)
        if (value !== undefined) of.encode(target, value)
      })
    },
    decode: (cursor) =>
      decoding(cursor, () => {
        const presence = cursor.readUInt8()
        if (presence === 0) return undefined
        if (presence === 1) return of.decode(cursor)
        throw new MalformedInputError(
          `The byte ${presence} at offset ${cursor.offset - 1} is neither 0 (no value) nor 1 (a value)`,
        )
      }),
  }
}

/** What is special about a kind of container. */
interface Kind<C, E> {
  /** The number of elements of what should be a container. */
  readonly countOf: (container: C) => number
  readonly make: () => C
  readonly add: (container: C, element: E) => void
}

function counted<E, C extends Iterable<E>>(
  of: Codec<E>,
  { countMax = COUNT_MAX }: CountLimit,
  { countOf, make, add }: Kind<C, E>,
): Codec<C> {
  const elementBytesMin = bytesMinOf(of)
  if (elementBytesMin < 1) {
    throw new InvalidArgumentError('An element that takes no bytes cannot be counted by its bytes')
  }
  return {
    bytesMin: 4,
    encode: (target, container) => {
      encoding(target, (level) => {
        const count = countOf(container)
        if (count > countMax) {
          throw new InvalidArgumentError(`${count} elements are above the limit of ${countMax}`)
        }
        target.appendUInt32LE(count)
        let index = 0
        for (const element of container) {
          level.begin(index++)
          of.encode(target, element)
        }
        if (index !== count) throw new InvalidArgumentError('It was changed while it was encoded')
      })
    },
    decode: (cursor) =>
      decoding(cursor, (level) => {
        const count = readCount(cursor, elementBytesMin, countMax)
        const container = make()
        for (let index = 0; index < count; index++) {
          level.begin(index)
          add(container, of.decode(cursor))
        }
        return container
      }),
  }
}

/** Reads a count and holds it against the bytes that are left, before anything is allocated. */
function readCount(cursor: Cursor, elementBytesMin: number, countMax: number): number {
  const { offset } = cursor
  const count = cursor.readUInt32LE()
  if (count > countMax) {
    throw new MalformedInputError(
      `A count of ${count} at offset ${offset} is above the limit of ${countMax}`,
    )
  }
  needBytes(cursor, count * elementBytesMin, `A run of ${count} elements`)
  return count
}

function twoOf<A, B>(
  first: Codec<A>,
  second: Codec<B>,
  [firstStep, secondStep]: readonly [string, string] | readonly [number, number],
): Codec<[A, B]> {
  return {
    bytesMin: bytesMinOf(first) + bytesMinOf(second),
    encode: (target, value) => {
      encoding(target, (level) => {
        if (!Array.isArray(value) || (value.length as number) !== 2) {
          throw notA('pair', 'an array of two', value)
        }
        level.begin(firstStep)
        first.encode(target, value[0])
        level.begin(secondStep)
        second.encode(target, value[1])
      })
    },
    decode: (cursor) =>
      decoding(cursor, (level) => {
        level.begin(firstStep)
        const a = first.decode(cursor)
        level.begin(secondStep)
        return [a, second.decode(cursor)]
      }),
  }
}

function notA(name: string, form: string, value: unknown): InvalidArgumentError {
  return new InvalidArgumentError(`A ${name} takes ${form}, not ${describe(value)}`)
}

function twice(name: string, value: unknown): MalformedInputError {
  return new MalformedInputError(`The ${name} ${describe(value)} comes twice`)
}

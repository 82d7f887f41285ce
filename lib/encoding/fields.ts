/**
 * Objects as named fields, in the order in which they are declared: with a versioned header (`struct`)
 * and without one (`record`).
 */
import { describe } from '../arguments.js'
import { InvalidArgumentError } from '../errors.js'
import type { BufferList } from '../list/buffer-list.js'
import type { Cursor } from '../list/cursor.js'
import { bytesMinOf, type Codec } from './codec.js'
import { decoding, type DecodingLevel } from './decoding.js'
import { encoding, type EncodingLevel } from './encoding.js'
import {
  checkInside,
  checkVersion,
  HEADER_BYTES,
  readStruct,
  writeStruct,
  type LegacyHeader,
  type StructVersion,
} from './structs.js'

/** A field that older versions of a struct do not have. Made by `since`. */
export interface SinceField<T> {
  /** The first version that has the field. */
  readonly since: number
  /** How the field lies on the wire. */
  readonly codec: Codec<T>
  /** The field's value where a struct is older; called for each, so that none is shared. */
  readonly before: () => T
}

/** The fields of an object, in the order of the wire. */
export type Fields = Readonly<Record<string, Codec<unknown> | SinceField<unknown>>>
/** The object that fields describe. */
export type ObjectOf<F extends Fields> = {
  -readonly [Name in keyof F]: F[Name] extends Codec<infer T> | SinceField<infer T> ? T : never
}
/** What a struct says about its versions, to both sides. */
export interface StructOptions extends StructVersion {
  /** For a struct whose old versions have no full header. It is always written with one. */
  readonly legacy?: LegacyHeader
}

/** A field that a struct has since a version, and what it is in older ones. */
export function since<T>(version: number, codec: Codec<T>, before: () => T): SinceField<T> {
  return { since: version, codec, before }
}

/**
 * An object as its fields, one after the other, with nothing around them: for Ceph's structs that have
 * no version. They can never have another field.
 */
export function record<F extends Readonly<Record<string, Codec<unknown>>>>(
  fields: F,
): Codec<ObjectOf<F>> {
  const table = new FieldTable(fields)
  return {
    bytesMin: table.bytesMin,
    encode: (list, value) => {
      encoding(list, (level) => {
        table.encode(list, value, level)
      })
    },
    decode: (cursor) => decoding(cursor, (level) => table.decode(cursor, 0, level) as ObjectOf<F>),
  }
}

/**
 * An object as a versioned struct (see `encodeStruct` for what its versions mean). It is written as of
 * `version`; read as of any version whose compat is not above that, with unknown fields skipped, and
 * fields that came `since` filled in.
 *
 * ```ts
 * import { BufferList } from 'splicelist'
 * import { list, since, struct, text, u64, type ValueOf } from 'splicelist/encoding'
 * const snapshots = struct(
 *   { version: 2, compat: 1 },
 *   { pool: text, ids: list(u64), label: since(2, text, () => '') },
 * )
 * const value: ValueOf<typeof snapshots> = { pool: 'rbd', ids: [4n, 7n], label: 'nightly' }
 * const message = new BufferList()
 * snapshots.encode(message, value)
 * console.log(message.length, snapshots.decode(message.cursor()).ids) // 44 [ 4n, 7n ]
 * ```
 */
export function struct<F extends Fields>(options: StructOptions, fields: F): Codec<ObjectOf<F>> {
  checkVersion(options)
  const { version, compat, legacy } = options
  const table = new FieldTable(fields, version)
  const reader = { understands: version, legacy }
  return {
    bytesMin: legacy === undefined ? HEADER_BYTES : 1,
    encode: (list, value) => {
      writeStruct(list, { version, compat }, (level) => {
        table.encode(list, value, level)
      })
    },
    decode: (cursor) =>
      readStruct(
        cursor,
        reader,
        (written, level) => table.decode(cursor, written, level) as ObjectOf<F>,
      ),
  }
}

/** Integer-like names: an object enumerates them first, wherever they were declared. */
const ARRAY_INDEX = /^(?:0|[1-9]\d*)$/

interface NamedField extends SinceField<unknown> {
  readonly name: string
}

/** The fields of an object, in the order of the wire. */
class FieldTable {
  readonly bytesMin: number
  readonly #fields: readonly NamedField[]
  /** What decoded objects are copies of: V8 fills fields in faster than it adds them. */
  readonly #blank: Readonly<Record<string, unknown>>

  constructor(fields: Fields, version = 0) {
    this.#fields = Object.entries(fields).map(([name, field]) => namedField(name, field, version))
    this.#blank = Object.fromEntries(this.#fields.map(({ name }) => [name, undefined]))
    this.bytesMin = this.#fields.reduce((sum, { codec }) => sum + bytesMinOf(codec), 0)
  }
  encode(list: BufferList, value: object, level: EncodingLevel): void {
    if (typeof value !== 'object' || (value as unknown) === null) {
      throw new InvalidArgumentError(`An object is wanted, not ${describe(value)}`)
    }
    for (const { name, codec } of this.#fields) {
      level.begin(name)
      codec.encode(list, (value as Readonly<Record<string, unknown>>)[name])
    }
  }
  /** Reads the fields that a version has. */
  decode(cursor: Cursor, version: number, level: DecodingLevel): Record<string, unknown> {
    const value: Record<string, unknown> = { ...this.#blank }
    for (const { name, since, codec, before } of this.#fields) {
      level.begin(name)
      value[name] = version < since ? before() : codec.decode(cursor)
      checkInside(cursor, level)
    }
    return value
  }
}

function namedField(name: string, field: Fields[string], version: number): NamedField {
  if (ARRAY_INDEX.test(name)) {
    throw new InvalidArgumentError(
      `A field cannot be called ${name}: an object puts such names before all others`,
    )
  }
  if ('encode' in field) return { name, since: 0, codec: field, before: () => undefined }
  if (!Number.isInteger(field.since) || field.since < 0 || field.since > version) {
    throw new InvalidArgumentError(
      `The field ${name} cannot come since version ${describe(field.since)} of ${version}`,
    )
  }
  return { name, since: field.since, codec: field.codec, before: field.before }
}

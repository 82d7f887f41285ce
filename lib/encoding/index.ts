/**
 * `splicelist/encoding`: Ceph's wire encoding on top of `BufferList` and its cursor.
 *
 * A `Codec` says how one type lies on the wire; small ones are joined into larger ones (`list(u64)`,
 * `map(text, bufferlist)`, `struct(…)`), and the types of their values follow. Structs by hand are
 * `encodeStruct` and `decodeStruct`.
 *
 * **Use it** to speak to Ceph, and for formats of your own that must grow without breaking readers.
 * **Do not use it** for text formats or for protocols with headers of their own: read those with the
 * cursor.
 *
 * **What is shared.** A `bufferlist` is by reference both ways. Everything else is copied: numbers and
 * short text into the list's tail, and out of it.
 *
 * **Errors.** `EndOfBufferError`: the input ends before what it has promised, and more bytes may help.
 * `MalformedInputError`: no more bytes can. `InvalidArgumentError`: a value does not fit its codec.
 * They name the path to the field, and where it begins. A failed decode puts the cursor back and
 * releases the lists that it had made; a failed encode cuts the list back to what it was.
 *
 * **Hostile input.** Counts and lengths are held against the bytes that are left, in the struct around
 * them, before anything is allocated; see `NESTING_MAX`, `COUNT_MAX`, `TEXT_BYTES_MAX`.
 *
 * ```ts
 * import { BufferList } from 'splicelist'
 * import { bufferlist, map, text } from 'splicelist/encoding'
 * const attributes = map(text, bufferlist)
 * const message = new BufferList()
 * attributes.encode(message, new Map([['acl', new BufferList('private')]]))
 * const decoded = attributes.decode(message.cursor())
 * console.log(decoded.get('acl').toString()) // private
 * ```
 *
 * @packageDocumentation
 */
export { bufferlist, bytes, fixedBytes, latin1, text } from './bytes.js'
export type { Codec, ValueOf } from './codec.js'
export { list, map, optional, pair, set, type CountLimit } from './containers.js'
export {
  record,
  since,
  struct,
  type Fields,
  type ObjectOf,
  type SinceField,
  type StructOptions,
} from './fields.js'
export { COUNT_MAX, NESTING_MAX, TEXT_BYTES_MAX } from './limits.js'
export { bool, f32, f64, i16, i32, i64, i8, u16, u32, u53, u64, u8 } from './scalars.js'
export {
  decodeStruct,
  encodeStruct,
  type LegacyHeader,
  type StructReader,
  type StructVersion,
} from './structs.js'
export { utime, type UTime } from './times.js'

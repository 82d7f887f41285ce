/**
 * CRC-32C (Castagnoli) in Ceph's convention: reflected, the seed passed in, nothing inverted before or
 * after. So `crc32c('123456789', 0)` is not the usual 0xE3069283; that is `~crc32c(…, 0xffffffff)`.
 */
import { addon } from '../native.js'

/** The Castagnoli polynomial, reflected. */
const POLYNOMIAL = 0x82f63b78
/** Below this the call into the addon costs more than the table, in bytes. */
const NATIVE_BYTES_MIN = 64
/** Bytes that one step of the table form takes. */
const SLICES = 8

const tables = makeTables()

function makeTables(): Int32Array[] {
  const first = new Int32Array(256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0)
    first[byte] = crc
  }
  const all = [first]
  for (let slice = 1; slice < SLICES; slice++) {
    const previous = all[slice - 1] as Int32Array
    all.push(previous.map((crc) => (first[crc & 255] as number) ^ (crc >>> 8)))
  }
  return all
}

/**
 * CRC-32C of bytes that continue `seed`, as an unsigned 32-bit number (Ceph: `ceph_crc32c`).
 *
 * ```ts
 * import { crc32c } from 'splicelist'
 * const usual = ~crc32c(Buffer.from('123456789'), 0xffffffff) >>> 0 // 0xe3069283
 * ```
 */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  if (addon !== null && bytes.length >= NATIVE_BYTES_MIN) return addon.crc32c(bytes, seed >>> 0)
  return crc32cByTable(bytes, seed)
}

/** The reference: eight bytes a step by tables. The addon's form must agree with it. @internal */
export function crc32cByTable(bytes: Uint8Array, seed: number): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
    Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array,
  ] // prettier-ignore
  let crc = seed | 0
  let i = 0
  const at = (index: number): number => bytes[index] as number
  const entry = (table: Int32Array, index: number): number => table[index & 255] as number
  for (; i + SLICES <= bytes.length; i += SLICES) {
    crc ^= at(i) | (at(i + 1) << 8) | (at(i + 2) << 16) | (at(i + 3) << 24)
    crc =
      entry(t7, crc) ^
      entry(t6, crc >>> 8) ^
      entry(t5, crc >>> 16) ^
      entry(t4, crc >>> 24) ^
      entry(t3, at(i + 4)) ^
      entry(t2, at(i + 5)) ^
      entry(t1, at(i + 6)) ^
      entry(t0, at(i + 7))
  }
  for (; i < bytes.length; i++) crc = entry(t0, crc ^ at(i)) ^ (crc >>> 8)
  return crc >>> 0
}

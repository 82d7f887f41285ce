/**
 * CRC-32C (Castagnoli) in Ceph's convention: reflected, the seed passed in, nothing inverted before or
 * after. So `crc32c('123456789', 0)` is not the usual 0xE3069283; that is `~crc32c(…, 0xffffffff)`.
 */
import { addon } from '../native.js'
import { crc32cByTable } from './crc32c-table.js'

/**
 * From here on the addon is called, in bytes: the call costs 64 ns for 16 bytes and for 128, and the
 * tables need 64 ns for 96 (Node 20 and 24).
 */
export const NATIVE_BYTES_MIN = 96

/**
 * CRC-32C of bytes that continue `seed`, as an unsigned 32-bit number (Ceph: `ceph_crc32c`).
 * O(bytes), reads in place.
 *
 * ```ts
 * import { crc32c } from 'splicelist'
 * const usual = ~crc32c(Buffer.from('123456789'), 0xffffffff) >>> 0 // 0xe3069283
 * ```
 */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  return crc32cWord(bytes, seed) >>> 0
}

/**
 * The same as a signed number, which the engine keeps in a register or a field where every second
 * unsigned one would be an object of its own. Inside the library checksums are passed on so.
 * @internal
 */
export function crc32cWord(bytes: Uint8Array, seed: number): number {
  return addon !== null && bytes.length >= NATIVE_BYTES_MIN
    ? addon.crc32c(bytes, seed)
    : crc32cByTable(bytes, seed)
}

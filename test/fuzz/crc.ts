/**
 * CRC-32C bit by bit, from its definition: the Castagnoli polynomial, reflected, the seed passed in,
 * nothing inverted. Nothing of the library's, so that it can judge it.
 */
const POLYNOMIAL = 0x82f63b78

const ofByte = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0)
  return crc
})

/** The crc of bytes that continue a seed. */
export function referenceCrc(bytes: Uint8Array, seed: number): number {
  let crc = seed | 0
  for (const byte of bytes) crc = (ofByte[(crc ^ byte) & 255] as number) ^ (crc >>> 8)
  return crc >>> 0
}

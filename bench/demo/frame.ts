/**
 * The messages on the wire: 32 bytes of header, then the payload. All variants use this one file,
 * so that nobody can say that one of them has an easier protocol.
 *
 *     0  magic        u32   'SPLI'
 *     4  kind         u32   data, end or acknowledgement
 *     8  sequence     u64   which payload of the file; of an end or an acknowledgement: how many
 *    16  length       u32   bytes of payload behind the header; 0 unless data
 *    20  offset       u64   where the payload belongs in the file; otherwise how many bytes
 *    28  crc32c       u32   of bytes 0 to 28, with Ceph's usual seed, not inverted
 *
 * Everything is little-endian, as Ceph writes it.
 */
import { crc32c } from 'splicelist'

export const HEADER_BYTES = 32

const MAGIC = 0x494c5053
const CRC_AT = 28
const CRC_SEED = 0xffffffff

export const KIND = { data: 1, end: 2, acknowledgement: 3 } as const
export type Kind = (typeof KIND)[keyof typeof KIND]

export interface Frame {
  readonly kind: Kind
  readonly sequence: number
  readonly lengthBytes: number
  readonly offsetBytes: number
}

/** A fresh block for every header: a list or a socket may still be holding the one before. */
export function encodeFrame(frame: Frame): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES)
  bytes.writeUInt32LE(MAGIC, 0)
  bytes.writeUInt32LE(frame.kind, 4)
  bytes.writeBigUInt64LE(BigInt(frame.sequence), 8)
  bytes.writeUInt32LE(frame.lengthBytes, 16)
  bytes.writeBigUInt64LE(BigInt(frame.offsetBytes), 20)
  bytes.writeUInt32LE(headerCrc(bytes), CRC_AT)
  return bytes
}

/** Reads and checks a header. Throws where the bytes cannot be one. */
export function decodeFrame(bytes: Buffer): Frame {
  if (bytes.length !== HEADER_BYTES) {
    throw new Error(`the stream ended inside a header: ${bytes.length} of ${HEADER_BYTES} bytes`)
  }
  if (bytes.readUInt32LE(0) !== MAGIC) throw new Error('not a header: wrong magic')
  if (bytes.readUInt32LE(CRC_AT) !== headerCrc(bytes)) throw new Error('a header with a wrong crc')
  const frame = {
    kind: kindOf(bytes.readUInt32LE(4)),
    sequence: Number(bytes.readBigUInt64LE(8)),
    lengthBytes: bytes.readUInt32LE(16),
    offsetBytes: Number(bytes.readBigUInt64LE(20)),
  }
  if ((frame.kind === KIND.data) !== frame.lengthBytes > 0) {
    throw new Error(`a header of kind ${frame.kind} with ${frame.lengthBytes} bytes of payload`)
  }
  return frame
}

function kindOf(value: number): Kind {
  for (const kind of Object.values(KIND)) if (kind === value) return kind
  throw new Error(`a header of unknown kind ${value}`)
}

function headerCrc(bytes: Buffer): number {
  return crc32c(bytes.subarray(0, CRC_AT), CRC_SEED) >>> 0
}

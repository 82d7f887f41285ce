/**
 * The numbers that lists encode and cursors read, by the end of their methods' names: 'UInt16LE' of
 * `appendUInt16LE` and `readUInt16LE`. Node's Buffer has the same names, and is the model.
 */

/** One width, sign and endianness. */
export interface Scalar {
  readonly suffix: string
  readonly widthBytes: number
  /** Values to write: the ends of what it holds, and some between. */
  readonly values: readonly (number | bigint)[]
  /** What it does not hold. */
  readonly refused: readonly (number | bigint)[]
}

function integer(width: number, isSigned: boolean): Scalar[] {
  const bits = BigInt(8 * width)
  const min = isSigned ? -(1n << (bits - 1n)) : 0n
  const max = (1n << (isSigned ? bits - 1n : bits)) - 1n
  const isBig = width === 8
  const kind = (value: bigint): number | bigint => (isBig ? value : Number(value))
  const values = [0n, 1n, max, min, max - 1n, max / 3n, min / 5n].map(kind)
  const beyond = [max + 1n, min - 1n, max * 3n].map(kind)
  const refused = isBig ? [...beyond, 1] : [...beyond, 0.5, NaN, Infinity, -Infinity, 1n]
  const name = `${isBig ? 'Big' : ''}${isSigned ? '' : 'U'}Int${8 * width}`
  const ends = width === 1 ? [''] : ['LE', 'BE']
  return ends.map((end) => ({ suffix: name + end, widthBytes: width, values, refused }))
}

function float(name: string, width: number): Scalar[] {
  const values = [0, -0, 1.5, -1 / 3, Infinity, -Infinity, NaN, 1e-40]
  return ['LE', 'BE'].map((end) => ({
    suffix: name + end,
    widthBytes: width,
    values,
    refused: [1n],
  }))
}

/** All of them. */
export const SCALARS: readonly Scalar[] = [
  ...[1, 2, 4, 8].flatMap((width) => [...integer(width, false), ...integer(width, true)]),
  ...float('Float', 4),
  ...float('Double', 8),
]

type Write = (this: Buffer, value: number | bigint) => number
type Read = (this: Buffer, offset: number) => number | bigint

/** The bytes of a value, by Node's Buffer. */
export function encoded({ suffix, widthBytes }: Scalar, value: number | bigint): Buffer {
  const bytes = Buffer.alloc(widthBytes)
  ;(Reflect.get(bytes, `write${suffix}`) as Write).call(bytes, value)
  return bytes
}

/** The value at an offset, by Node's Buffer. */
export function decoded({ suffix }: Scalar, bytes: Buffer, offset: number): number | bigint {
  return (Reflect.get(bytes, `read${suffix}`) as Read).call(bytes, offset)
}

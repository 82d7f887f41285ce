/** Bytes as `hexdump -C` prints them, from its manual: nothing of the library's. */
const ROW_BYTES = 16

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0')

function row(bytes: Uint8Array, offset: number): string {
  const cells = Array.from({ length: ROW_BYTES }, (_, i) =>
    i < bytes.length ? hex(bytes[i] as number, 2) : '  ',
  )
  const text = Array.from(bytes, (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.',
  ).join('')
  const left = cells.slice(0, 8).join(' ')
  const right = cells.slice(8).join(' ')
  return `${hex(offset, 8)}  ${left}  ${right}  |${text}|\n`
}

/** The dump: a row repeated is a star, and the last line is the length. */
export function referenceHexdump(bytes: Buffer): string {
  let dump = ''
  let isStarred = false
  for (let at = 0; at < bytes.length; at += ROW_BYTES) {
    const cells = bytes.subarray(at, at + ROW_BYTES)
    const before = bytes.subarray(Math.max(0, at - ROW_BYTES), at)
    const isRepeated = at > 0 && cells.equals(before)
    if (!isRepeated) dump += row(cells, at)
    else if (!isStarred) dump += '*\n'
    isStarred = isRepeated
  }
  return bytes.length === 0 ? '' : `${dump}${hex(bytes.length, 8)}\n`
}

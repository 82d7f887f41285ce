/**
 * Bytes that lie in stretches as text for people, in the form of `hexdump -C`. Nothing is joined: a
 * row of sixteen is all that is at hand, and one line is written over for each.
 */
import type { Stretch } from '../raw/raw.js'

/** Bytes of a row, in two columns. */
const ROW_BYTES = 16
const COLUMN_BYTES = 8
/** Digits of an offset, at the least. */
const OFFSET_DIGITS_MIN = 8
/** Where in a line, behind the offset, the first cell is, and where the text. */
const CELLS_AT = 2
const TEXT_AT = CELLS_AT + 3 * ROW_BYTES + 3

const SPACE = code(' ')
const BAR = code('|')
const DOT = code('.')
/** The printable characters of ASCII: from the space to the last before DEL. */
const DEL = 0x7f
const DIGITS = Array.from('0123456789abcdef', code)

/**
 * What `hexdump -C` prints of these bytes, to the last newline: a row of offset, bytes and text for
 * every 16, one `*` for rows that repeat the one before, and the length at the end. Nothing of no bytes.
 */
export function hexdump(stretches: Iterable<Stretch>): string {
  const rows = new Rows()
  for (const { bytes } of stretches) rows.add(bytes)
  return rows.end()
}

class Rows {
  #text = ''
  /** Where the row begins in all bytes, and how many it has. */
  #offset = 0
  #filled = 0
  /** The row, and the one before it, which take turns. */
  #row = new Uint8Array(ROW_BYTES)
  #previous = new Uint8Array(ROW_BYTES)
  #isRepeated = false
  readonly #line = Buffer.alloc(TEXT_AT + ROW_BYTES, SPACE)

  constructor() {
    this.#line[TEXT_AT - 1] = BAR
  }
  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const to = Math.min(bytes.length, at + ROW_BYTES - this.#filled)
      while (at < to) this.#row[this.#filled++] = bytes[at++] as number
      if (this.#filled === ROW_BYTES) this.#endRow()
    }
  }
  end(): string {
    if (this.#filled > 0) this.#print()
    const length = this.#offset + this.#filled
    return length === 0 ? '' : `${this.#text}${offsetText(length)}\n`
  }
  #endRow(): void {
    const isSame = this.#offset > 0 && areSame(this.#row, this.#previous)
    if (!isSame) this.#print()
    else if (!this.#isRepeated) this.#text += '*\n'
    this.#isRepeated = isSame
    this.#offset += ROW_BYTES
    this.#filled = 0
    const row = this.#row
    this.#row = this.#previous
    this.#previous = row
  }
  #print(): void {
    const line = this.#line
    for (let i = 0; i < ROW_BYTES; i++) {
      const byte = this.#row[i] as number
      const cell = CELLS_AT + 3 * i + (i < COLUMN_BYTES ? 0 : 1)
      const isThere = i < this.#filled
      line[cell] = isThere ? (DIGITS[byte >> 4] as number) : SPACE
      line[cell + 1] = isThere ? (DIGITS[byte & 15] as number) : SPACE
      line[TEXT_AT + i] = byte >= SPACE && byte < DEL ? byte : DOT
    }
    const text = line.toString('latin1', 0, TEXT_AT + this.#filled)
    this.#text += `${offsetText(this.#offset)}${text}|\n`
  }
}

function areSame(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < ROW_BYTES; i++) if (a[i] !== b[i]) return false
  return true
}

function offsetText(offset: number): string {
  return offset.toString(16).padStart(OFFSET_DIGITS_MIN, '0')
}

function code(character: string): number {
  return character.charCodeAt(0)
}

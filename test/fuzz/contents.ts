/** The bytes that lists are made of, the same in every run. */
import { bytes } from '../support/bytes.js'

/** Bytes of each content: enough for three blocks of 64 KiB, and no whole number of pages. */
export const CONTENT_BYTES = 200_001

/** Bytes that differ everywhere, so that one in the wrong place shows. */
export const noise = bytes(1, CONTENT_BYTES)
/** What is in the file: other bytes that differ everywhere. */
export const filed = bytes(2, CONTENT_BYTES)
/** Bytes of two kinds alone, so that searches nearly match, and lists are nearly the same. */
export const letters = Buffer.from(bytes(3, CONTENT_BYTES).map((byte) => (byte & 1 ? 0x61 : 0x62)))
/** Text whose characters are one to four bytes long, so that cuts fall inside them. */
export const text = 'aé€😀\0\u{10ffff}ß~'

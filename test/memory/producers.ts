/**
 * What a producer does with memory: fill it, and, when it has given it away, use as much other memory
 * as it takes to show whether anybody still reads the old.
 */
import { allocPages, type PageBuffer } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'

/** How much memory is scribbled over, in pieces of 1 MiB: more than all pages given in one test. */
const SCRIBBLES = 24

/** Pages that hold these bytes. Released after the test, where the test does not give them away. */
export function pagesOf(content: Uint8Array): PageBuffer {
  const pages = allocPages(content.length)
  afterwards(() => pages.release())
  pages.bytes.set(content)
  return pages
}

/** Pages with the bytes of a seed. */
export function filledPages(seed: number, length: number): PageBuffer {
  return pagesOf(bytes(seed, length))
}

/** Writes over as much fresh memory as it can get quickly: mapped pages, and V8's. */
export function scribble(): void {
  const mapped = Array.from({ length: SCRIBBLES }, () => allocPages(1 << 20))
  for (const pages of mapped) pages.bytes.fill(0xee)
  const plain = Array.from({ length: SCRIBBLES }, () => Buffer.alloc(1 << 20, 0xdd))
  for (const pages of mapped) pages.release()
  if (plain.length !== SCRIBBLES) throw new Error('Not reached')
}

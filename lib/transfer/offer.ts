import { MemoryWindow, RawWindow } from '../list/window.js'
import type { Segments } from '../list/segments.js'
import { PipeRaw } from '../raw/pipe.js'
import { pipePool, type HeldPipe } from '../raw/pipe-pool.js'

/** Parts of a chunk in memory that are offered at the most: those of a header and what it speaks of. */
const PARTS_MAX = 16

/**
 * The front of a chunk, to be offered to several sinks one after another before any of them waits for
 * it: memory, or the pages at the front of a pipe. It stays the chunk's; a sink takes what it can at once.
 *
 * Owns the pipe that pages go through, until it is closed.
 */
export class Offer {
  /** Bytes that are offered: 0 where the chunk begins with neither. */
  readonly lengthBytes: number
  readonly memory: readonly Uint8Array[]
  /** The pipe whose first bytes are offered, and the window that says whose pages they are. */
  readonly pages: { readonly held: HeldPipe; readonly window: RawWindow } | undefined
  #through: HeldPipe | undefined

  constructor(chunk: Segments) {
    const first = chunk.first()
    this.memory = first instanceof MemoryWindow ? chunk.gather(chunk.length, PARTS_MAX) : []
    this.pages = first instanceof RawWindow ? pagesOf(first) : undefined
    this.#through = undefined
    let lengthBytes = this.pages?.window.length ?? 0
    for (const part of this.memory) lengthBytes += part.length
    this.lengthBytes = lengthBytes
  }
  /** An empty pipe for all pages; undefined where the budget has none left. */
  through({ slots }: HeldPipe): HeldPipe | undefined {
    if (this.#through !== undefined && this.#through.bytes > 0) this.close()
    return (this.#through ??= pipePool.borrow(this.lengthBytes, slots, 'shared'))
  }
  close(): void {
    if (this.#through !== undefined) pipePool.giveBack(this.#through)
    this.#through = undefined
  }
}

function pagesOf(window: RawWindow): Offer['pages'] {
  if (!(window.raw instanceof PipeRaw)) return undefined
  const held = window.raw.pipeAt(window.offset, window.length)
  return held === undefined ? undefined : { held, window }
}

/**
 * A parcel: bytes on their way from a source to a sink, either as pages in a pipe or in memory. Both
 * ends of a transfer speak of nothing else, so that a new source or sink needs no new loop.
 *
 * Whoever holds a parcel closes it, once, whatever has become of it; what is left in it then is its
 * maker's business. `accept(n)` says that the sink has taken n bytes from the front.
 */
import { ledger } from '../audit/ledger.js'
import type { CopyCause } from '../audit/causes.js'
import { opened } from '../reactor.js'
import type { HeldPipe } from './pipe-pool.js'

/** What is on its way: pages or memory. */
export type Parcel = PipeParcel | MemoryParcel

/** Pages in pipes: the first `remaining` bytes of what they hold, the first pipe first. */
export class PipeParcel {
  remaining: number
  readonly #pipes: HeldPipe[]
  readonly #onAccept: ((bytes: number) => void) | undefined
  #onClose: ((remaining: number) => void) | undefined

  constructor(
    pipes: readonly HeldPipe[],
    lengthBytes: number,
    onClose: (remaining: number) => void,
    onAccept?: (bytes: number) => void,
  ) {
    this.#pipes = [...pipes]
    this.remaining = lengthBytes
    this.#onClose = onClose
    this.#onAccept = onAccept
  }
  /** The pipe that the next bytes lie in. */
  get first(): HeldPipe {
    return this.#pipes[0] as HeldPipe
  }
  /** The pipes that bytes remain in. */
  get pipes(): readonly HeldPipe[] {
    return this.#pipes
  }
  /** How many of the remaining bytes lie in each pipe. */
  lengthsBytes(): number[] {
    let left = this.remaining
    return this.#pipes.map(({ bytes }) => {
      const here = Math.min(left, bytes)
      left -= here
      return here
    })
  }
  accept(bytes: number): void {
    this.remaining -= bytes
    let left = bytes
    while (left > 0) {
      const here = Math.min(left, this.first.bytes)
      this.first.bytes -= here
      left -= here
      if (this.first.bytes === 0 && this.#pipes.length > 1) this.#pipes.shift()
    }
    this.#onAccept?.(bytes)
  }
  /** Leaves the bytes where they are, because the pipes are the sink's own. */
  keep(): void {
    this.remaining = 0
  }
  /** Takes the pipes, with what remains in them, out of the parcel: the caller's now. */
  takePipes(): readonly HeldPipe[] {
    this.#onClose = undefined
    this.remaining = 0
    return this.#pipes
  }
  close(): void {
    const onClose = this.#onClose
    this.#onClose = undefined
    onClose?.(this.remaining)
  }
  /** Reads what remains into memory: a copy, for sinks that take no pages. Closes this parcel. */
  toMemory(cause: CopyCause): MemoryParcel {
    const parts: Uint8Array[] = []
    while (this.remaining > 0) {
      const here = Math.min(this.remaining, this.first.bytes)
      parts.push(readPipe(this.first, here, cause))
      this.accept(here)
    }
    this.close()
    return new MemoryParcel(parts)
  }
}

/** Memory that stays as it is until the parcel is closed. */
export class MemoryParcel {
  /** The parts not wholly sent yet; the first `skip` bytes of the first are sent. */
  readonly parts: Uint8Array[]
  skip = 0
  remaining: number

  constructor(parts: Uint8Array[]) {
    this.parts = parts
    this.remaining = parts.reduce((sum, part) => sum + part.length, 0)
  }
  accept(bytes: number): void {
    this.remaining -= bytes
    this.skip += bytes
    let whole = 0
    for (const part of this.parts) {
      if (this.skip < part.length) break
      this.skip -= part.length
      whole++
    }
    if (whole > 0) this.parts.splice(0, whole)
  }
  close(): void {
    // The collector's.
  }
}

/** Reads bytes that a pipe is known to hold into fresh memory. */
export function readPipe(
  held: HeldPipe,
  lengthBytes: number,
  cause: CopyCause,
): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.allocUnsafeSlow(lengthBytes)
  readPipeInto(held, bytes, 0, lengthBytes)
  ledger.countCopied(cause, lengthBytes)
  return bytes
}

/** Reads bytes that a pipe is known to hold. Does not change `held.bytes`: the caller's account. */
export function readPipeInto(
  held: HeldPipe,
  target: Uint8Array,
  at: number,
  lengthBytes: number,
): void {
  let got = 0
  while (got < lengthBytes) {
    const n = opened().read(held.pipe, target, at + got, lengthBytes - got)
    // A pipe of our own that holds bytes has no reason to refuse them.
    if (n <= 0) throw new Error(`A pipe gave ${got} of the ${lengthBytes} bytes it holds (${n})`)
    got += n
  }
}

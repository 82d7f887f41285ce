/**
 * A parcel: bytes on their way from a source to a sink, either as pages in a pipe or in memory. Both
 * ends of a transfer speak of nothing else, so that a new source or sink needs no new loop.
 *
 * Whoever holds a parcel closes it, once, whatever has become of it; what is left in it then is its
 * maker's business. `accept(n)` says that the sink has taken n bytes from the front.
 */
import { ledger } from '../audit/ledger.js'
import type { CopyReason } from '../audit/causes.js'
import { TransferError } from '../errors.js'
import { opened } from '../reactor.js'
import { pipePool, type HeldPipe } from './pipe-pool.js'

/** What is on its way: pages or memory. */
export type Parcel = PipeParcel | MemoryParcel

/** Who lent the pipes of a parcel, and has them back when it is closed. */
export interface Lender {
  takeBack(parcel: PipeParcel): void
}

/** Of a parcel that nobody has read from. */
const NOTHING: readonly Uint8Array[] = []

/** Pages in pipes: the first `remaining` bytes of what they hold, the first pipe first. */
export class PipeParcel {
  remaining: number
  /** What came out of the pipes into memory before one failed: it lies in front of what remains. */
  read: readonly Uint8Array[]
  /** All pipes that were lent, those that are empty by now too. */
  readonly pipes: readonly HeldPipe[]
  /** Which of them the next bytes lie in. */
  private at: number
  private lender: Lender | undefined

  /** Without a lender the pipes are the sink's own already. */
  constructor(pipes: readonly HeldPipe[], lengthBytes: number, lender: Lender | undefined) {
    this.remaining = lengthBytes
    this.read = NOTHING
    this.pipes = pipes
    this.at = 0
    this.lender = lender
  }
  /** The pipe that the next bytes lie in. */
  get first(): HeldPipe {
    return this.pipes[this.at] as HeldPipe
  }
  /** The pipes that bytes remain in. */
  get waiting(): readonly HeldPipe[] {
    return this.at === 0 ? this.pipes : this.pipes.slice(this.at)
  }
  /** How many of the remaining bytes lie in each of the waiting pipes. */
  lengthsBytes(): number[] {
    let left = this.remaining
    return this.waiting.map(({ bytes }) => {
      const here = Math.min(left, bytes)
      left -= here
      return here
    })
  }
  accept(bytes: number): void {
    this.remaining -= bytes
    for (let left = bytes; left > 0;) {
      const { first } = this
      const here = Math.min(left, first.bytes)
      first.bytes -= here
      left -= here
      if (first.bytes === 0 && this.at + 1 < this.pipes.length) this.at += 1
    }
  }
  /** Leaves the bytes where they are, because the pipes are the sink's own. */
  keep(): void {
    this.remaining = 0
  }
  /** Takes the pipes, with what remains in them, out of the parcel: the caller's now. */
  takePipes(): readonly HeldPipe[] {
    this.lender = undefined
    this.remaining = 0
    return this.waiting
  }
  close(): void {
    const { lender } = this
    this.lender = undefined
    lender?.takeBack(this)
  }
  /**
   * Reads what remains into memory: a copy, for sinks that take no pages. Closes this parcel; where a
   * pipe fails, it stays open, with what was read in `read`.
   */
  toMemory(cause: CopyReason): MemoryParcel {
    const parts: Uint8Array[] = []
    this.read = parts
    while (this.remaining > 0) {
      const bytes = readPipe(this.first, Math.min(this.remaining, this.first.bytes), cause)
      parts.push(bytes)
      this.accept(bytes.length)
    }
    this.close()
    return new MemoryParcel(parts)
  }
}

/** The pool as the lender of pipes that were borrowed for one parcel. */
export const POOL: Lender = {
  takeBack: ({ pipes }) => {
    for (const held of pipes) pipePool.giveBack(held)
  },
}

/** Memory that stays as it is until the parcel is closed. */
export class MemoryParcel {
  /** The parts not wholly sent yet; the first `skip` bytes of the first are sent. */
  readonly parts: Uint8Array[]
  skip = 0
  remaining: number

  constructor(parts: Uint8Array[]) {
    this.parts = parts
    let remaining = 0
    for (const part of parts) remaining += part.length
    this.remaining = remaining
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

/** Reads bytes that a pipe is known to hold into fresh memory; fewer as `readPipeInto` does. */
export function readPipe(
  held: HeldPipe,
  lengthBytes: number,
  cause: CopyReason,
): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.allocUnsafeSlow(lengthBytes)
  const got = readPipeInto(held, bytes, 0, lengthBytes)
  ledger.countCopied(cause, got)
  return got === lengthBytes ? bytes : bytes.subarray(0, got)
}

/**
 * Reads bytes that a pipe is known to hold, and returns how many: fewer than asked for where the pipe
 * fails behind them, which the next call then throws. For nobody can put them back. Does not change
 * `held.bytes`: the caller's account.
 */
export function readPipeInto(
  held: HeldPipe,
  target: Uint8Array,
  at: number,
  lengthBytes: number,
): number {
  let got = 0
  while (got < lengthBytes) {
    const n = opened().read(held.pipe, target, at + got, lengthBytes - got)
    if (n > 0) got += n
    else if (got > 0) return got
    else {
      // A pipe of our own that holds bytes has no reason to refuse them, but for a page that is lost.
      const detail = `It gave none of ${held.bytes} bytes that it holds`
      throw new TransferError({ side: 'pipe', errno: n, syscall: 'read', bytesMoved: 0, detail })
    }
  }
  return got
}

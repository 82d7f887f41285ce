import { checkLength, checkSignal } from '../arguments.js'
import { listenForAbort } from '../abort.js'
import { AbortError, InvalidArgumentError, NoPagesError, ReleasedError } from '../errors.js'
import { BufferList } from '../list/buffer-list.js'
import type { LoanEnd } from '../raw/loan.js'
import { OwnMemory } from '../raw/own-memory.js'
import { lentList } from './page-buffer.js'

/** What a reservation takes. */
export interface ReserveOptions {
  /** Ends the wait with an `AbortError`. */
  readonly signal?: AbortSignal
}

/** A run of the ring. */
interface Run {
  readonly start: number
  readonly lengthBytes: number
}

/** A run that was committed: it is somebody else's until it has ended. */
interface Commitment extends Run {
  end: LoanEnd | undefined
}

/** A producer that waits for room, and for its turn. */
interface Waiter {
  readonly lengthBytes: number
  readonly grant: (bytes: Uint8Array) => void
  readonly refuse: (error: Error) => void
}

/**
 * A ring of pages for a producer that sends what it makes: the double buffering of the 2006 discussion
 * of `vmsplice`, with the answer that was missing then: when the memory may be written to again.
 *
 * Ask for room with `reserve`, fill it, and `commit` it: a list of the bytes, lent as `PageBuffer.loan`
 * lends them. The room comes back, oldest first, when no window, list, transfer or kernel refers to it
 * any more; a producer that is ahead of its consumers waits in `reserve`. So the ring is the bound of
 * what is under way, whatever the consumers do.
 *
 * **Use it** for a stream of messages that are made in place and sent to files, or to TCP in pieces of 10
 * KiB and more. **Do not use it** for messages that consumers keep: one that is never released stops the
 * ring. Copy what you keep.
 *
 * **Ownership.** One reservation at a time: a second `reserve` waits for the first one's `commit`, in
 * order, so several producers can share a ring. Do not write to what was committed. A reservation is one
 * piece: where it does not fit before the ring's end, it begins at the front, and the end is left empty
 * until it comes round.
 *
 * **Cost.** A few microseconds for each message, and no memory besides the ring. Plain memory without the
 * addon, where all bytes are copied by whoever takes them.
 *
 * ```ts
 * import { ProducerRing } from 'splicelist'
 * await using ring = new ProducerRing({ bytes: 65536 })
 * const room = await ring.reserve(1000)
 * room.fill(7)
 * using list = ring.commit(900)
 * await list.spliceTo({ file: '/dev/null' })
 * ```
 */
export class ProducerRing implements AsyncDisposable {
  readonly #memory: OwnMemory
  /** What was committed and has not come back, oldest first. */
  readonly #commitments: Commitment[] = []
  readonly #waiters: Waiter[] = []
  #reservation: Run | undefined
  /** Behind what was committed last. */
  #head = 0
  /** Why there will be no room again. */
  #broken: Error | undefined
  #isClosed = false
  #closing: Promise<void> | undefined
  #onEmpty: (() => void) | undefined

  /** A ring of so many bytes. Throws `InvalidArgumentError`, or `NoPagesError` when no memory is left. */
  constructor(options: { readonly bytes: number }) {
    const bytes: unknown = (options as { readonly bytes?: unknown } | undefined)?.bytes
    checkLength('bytes', bytes)
    if (bytes === 0) throw new InvalidArgumentError('A ring needs at least one byte')
    this.#memory = OwnMemory.make(bytes)
  }
  /** Bytes of the ring, and of the largest reservation. */
  get bytes(): number {
    return this.#memory.lengthBytes
  }
  /**
   * Resolves with `length` bytes to be written to, when they are provably free, and those who asked
   * before have committed. What they hold is left over from before. Rejects with
   * `InvalidArgumentError` for more than the ring has, with an `AbortError` when the ring is closed or
   * the signal aborts meanwhile, with `ReleasedError` after `close()`.
   */
  reserve(length: number, options: ReserveOptions = {}): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#check(length, options.signal)
      const waiter: Waiter = { lengthBytes: length, grant: resolve, refuse: reject }
      this.#waiters.push(options.signal ? this.#abortable(waiter, options.signal) : waiter)
      this.#serve()
    })
  }
  /**
   * Ends the reservation: a list of its first `length` bytes, which must not be written to from then on;
   * the others are free again. 0 gives the whole reservation up. Release the list. Throws
   * `InvalidArgumentError` for more than was reserved, or where nothing is.
   */
  commit(length: number): BufferList {
    if (this.#isClosed) throw closed()
    checkLength('length', length)
    const reservation = this.#reservation
    if (reservation === undefined) {
      throw new InvalidArgumentError('Nothing is reserved. Await reserve() before commit()')
    }
    if (length > reservation.lengthBytes) {
      throw new InvalidArgumentError(
        `Only ${reservation.lengthBytes} bytes are reserved, not ${length}. Reserve as many as you may need`,
      )
    }
    this.#memory.check()
    this.#reservation = undefined
    const list = length === 0 ? new BufferList() : this.#commit(reservation.start, length)
    this.#serve()
    return list
  }
  /**
   * Ends the ring: waiting reservations reject with an `AbortError`, what is reserved is given up, and
   * the memory is unmapped once all that was committed has come back, which the promise waits for: so
   * release those lists. Idempotent.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }
  /** `await using ring = …` closes it at the end of the block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    this.#isClosed = true
    for (const waiter of this.#waiters.splice(0)) waiter.refuse(new AbortError(0, closed()))
    this.#reservation = undefined
    this.#reclaim()
    if (this.#commitments.some(({ end }) => end === undefined)) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve
      })
    }
    this.#memory.end()
  }
  #check(length: number, signal: AbortSignal | undefined): void {
    if (this.#isClosed) throw closed()
    if (this.#broken !== undefined) throw this.#broken
    checkLength('length', length)
    checkSignal(signal)
    if (length <= this.bytes) return
    throw new InvalidArgumentError(
      `The ring has ${this.bytes} bytes and can never reserve ${length}. Make a larger one, or send the ` +
        'message in pieces',
    )
  }
  /** A waiter that leaves the queue when the signal aborts. */
  #abortable(waiter: Waiter, signal: AbortSignal): Waiter {
    const listening: Waiter = {
      lengthBytes: waiter.lengthBytes,
      grant: (bytes) => {
        unlisten()
        waiter.grant(bytes)
      },
      refuse: (error) => {
        unlisten()
        waiter.refuse(error)
      },
    }
    const unlisten = listenForAbort(signal, () => {
      const at = this.#waiters.indexOf(listening)
      if (at < 0) return
      this.#waiters.splice(at, 1)
      listening.refuse(new AbortError(0, signal.reason))
      // Those behind may ask for less.
      this.#serve()
    })
    return listening
  }
  /** Grants the first waiter its room, if it is there and nobody else writes. */
  #serve(): void {
    this.#reclaim()
    const first = this.#waiters[0]
    if (first === undefined || this.#reservation !== undefined) return
    const start = this.#roomFor(first.lengthBytes)
    if (start === undefined) return
    this.#waiters.shift()
    this.#reservation = { start, lengthBytes: first.lengthBytes }
    first.grant(this.#memory.bytes.subarray(start, start + first.lengthBytes))
  }
  /** Where so many bytes in one piece are free. */
  #roomFor(lengthBytes: number): number | undefined {
    const tail = this.#commitments[0]?.start
    if (tail === undefined) return 0
    // Behind the tail, or at it when the ring is full to the last byte.
    if (this.#head <= tail) return tail - this.#head >= lengthBytes ? this.#head : undefined
    if (this.bytes - this.#head >= lengthBytes) return this.#head
    return tail >= lengthBytes ? 0 : undefined
  }
  #commit(start: number, lengthBytes: number): BufferList {
    const commitment: Commitment = { start, lengthBytes, end: undefined }
    this.#commitments.push(commitment)
    this.#head = start + lengthBytes
    return lentList(this.#memory, start, lengthBytes, (end) => {
      commitment.end = end
      this.#serve()
    })
  }
  /** Takes back what has ended, oldest first. */
  #reclaim(): void {
    for (let first = this.#commitments[0]; first?.end !== undefined; first = this.#commitments[0]) {
      if (first.end === 'lost' && !this.#isClosed) {
        // Fresh pages may not be put under a producer that is writing to the neighbour on the same one.
        if (this.#reservation !== undefined) return
        if (!this.#memory.renew(first.start, first.lengthBytes)) return this.#break()
      }
      this.#commitments.shift()
    }
    if (this.#commitments.every(({ end }) => end !== undefined)) this.#onEmpty?.()
  }
  /** Pages that the kernel may hold cannot be replaced: their room never comes back. */
  #break(): void {
    this.#broken = new NoPagesError()
    for (const waiter of this.#waiters.splice(0)) waiter.refuse(this.#broken)
  }
}

function closed(): ReleasedError {
  return new ReleasedError(undefined, 'This ring is closed. Make another for more bytes')
}

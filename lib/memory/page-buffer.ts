import { checkLength } from '../arguments.js'
import { InvalidArgumentError, NoPagesError, ReleasedError } from '../errors.js'
import { BufferList, listOf } from '../list/buffer-list.js'
import { Segments } from '../list/segments.js'
import { windowOf, windowOfMemory } from '../list/window.js'
import { givePages } from '../raw/gift.js'
import { alignmentAt, Loan, LoanRaw, type LoanEnd } from '../raw/loan.js'
import { OwnMemory } from '../raw/own-memory.js'
import { PagesRaw } from '../raw/pages.js'
import { PipeRaw } from '../raw/pipe.js'

/** Lent memory: a list of its bytes, and when it is the producer's again. */
export interface LentPages {
  /** The bytes, shared. Yours to release: the memory comes back when nothing holds them any more. */
  readonly list: BufferList
  /**
   * Resolves when no window, list, transfer or kernel refers to the memory any more, and it may be
   * written to again. 'released': whoever took bytes took them from the memory itself, provably, or
   * nobody took any. 'copied': bytes were copied on the way, because nothing would have proved it (a
   * unix socket, a pipe, loopback, a stream), or by us, because the proof never came.
   *
   * Rejects with `NoPagesError` only when the proof never came and there is no memory for that copy:
   * the memory is gone then.
   */
  readonly returned: Promise<'released' | 'copied'>
}

/** Who has the memory. */
type Holder = 'producer' | 'borrower' | 'nobody'

/**
 * Memory as an end: pages of ours, for a program that produces bytes and wants the kernel to send them
 * from where they are. `allocPages` makes one; fill `bytes`, then `gift()` or `loan()` it.
 *
 * **Use it** for payloads from some 100 KiB up that go to several places, or to files: one gift is
 * sent as often as asked without a copy, a loan is written to files from where it lies. **Do not use
 * it** for bytes that are sent once to one socket from a buffer that is used again: copying warm memory
 * is cheaper than mapping fresh pages (see below); nor for small messages.
 *
 * **Ownership.** The memory is the producer's until it is given (for good) or lent (until `returned`
 * resolves). Nothing may be reading into it or writing from it meanwhile: no `fs.read`, no stream.
 * Memory that is neither given nor released is the collector's.
 *
 * **Cost**, for 1 MiB, in µs of CPU (Linux 6.18, virtual machine, medians of 7): `allocPages` 340, a
 * new Buffer that is filled 510; `gift` with the list's release 120, `loan` with its return 4. Filled and
 * sent once over a unix socket or loopback TCP, a gift costs what a new Buffer costs (1.0), and twice
 * as much as one Buffer that is filled again each time; a loan and a ring what that costs (0.7 to
 * 1.0). Given once and sent often it costs 0.64 (unix) and 0.83 (TCP) of sending a Buffer; a loan to a
 * file 0.72. At 64 KiB a gift costs twice as much as a new Buffer. Pages that the kernel has
 * seen are never recycled: nobody could say when that would be safe.
 *
 * ```ts
 * import { allocPages } from 'splicelist'
 * const pages = allocPages(8192)
 * pages.bytes.fill(7)
 * using list = pages.gift()
 * pages.bytes.length // 0
 * list.length // 8192
 * ```
 */
export class PageBuffer implements Disposable {
  /**
   * The memory, page-aligned and zero at first: yours to fill. Its length is 0 once it was given or
   * released; while it is lent, read it and do not write.
   */
  readonly bytes: Uint8Array
  readonly #memory: OwnMemory
  #holder: Holder = 'producer'
  #isReleased = false

  /** @internal */
  constructor(memory: OwnMemory) {
    this.#memory = memory
    this.bytes = memory.bytes
  }
  /**
   * Gives the bytes away, for good: kernel pipes refer to the pages (`vmsplice`), the memory is
   * unmapped, and `bytes` is empty from then on, so that nobody can change what was given. No byte is
   * copied. What the budget of pipes does not hold stays in memory of the list; the ledger's
   * `fallbacks` tell why. Throws `ReleasedError` after an earlier gift or `release()`,
   * `InvalidArgumentError` while it is lent. Release the list.
   */
  gift(): BufferList {
    this.#mustBeMine('give')
    this.#holder = 'nobody'
    return listOf(givenSegments(this.#memory))
  }
  /**
   * Lends the bytes: the list shares them, and `returned` tells when nobody refers to them any more.
   * `bytes` can be read meanwhile. Files take lent bytes from where they lie, in place; TCP does from
   * 10 KiB up, where the kernel says when it is done (`MSG_ZEROCOPY`); whoever else takes some is given
   * a copy. Throws as `gift` does.
   */
  loan(): LentPages {
    this.#mustBeMine('lend')
    this.#holder = 'borrower'
    const memory = this.#memory
    let onEnd: (end: LoanEnd) => void = () => undefined
    const returned = new Promise<'released' | 'copied'>((resolve, reject) => {
      onEnd = (end) => {
        const isBack = end !== 'lost' || memory.renew(0, memory.lengthBytes)
        this.#comeBack(isBack)
        if (isBack) resolve(end === 'released' ? 'released' : 'copied')
        else reject(new NoPagesError())
      }
    })
    // Whoever does not ask for the memory again need not hear that it is lost.
    returned.catch(() => undefined)
    return { list: lentList(memory, 0, memory.lengthBytes, onEnd), returned }
  }
  /**
   * Gives the memory back to the system, at once, or when it is no longer lent. Idempotent; nothing
   * is to be released after a gift.
   */
  release(): void {
    if (this.#isReleased || this.#holder === 'nobody') return
    this.#isReleased = true
    if (this.#holder === 'producer') this.#end()
  }
  /** `using pages = …` releases it at the end of the block. */
  [Symbol.dispose](): void {
    this.release()
  }

  #comeBack(isBack: boolean): void {
    this.#holder = 'producer'
    if (this.#isReleased || !isBack) this.#end()
  }
  #end(): void {
    this.#holder = 'nobody'
    this.#memory.end()
  }
  #mustBeMine(verb: 'give' | 'lend'): void {
    if (this.#holder === 'borrower') {
      throw new InvalidArgumentError(
        `This memory is lent, so you cannot ${verb} it. Release the list, and await \`returned\` first`,
      )
    }
    if (this.#holder === 'nobody' || this.#isReleased) {
      throw new ReleasedError(
        undefined,
        'This memory was given away or released. Allocate new pages for more bytes',
      )
    }
    this.#memory.check()
  }
}

/**
 * Page-aligned memory of our own, for bytes that are given (`gift`) or lent (`loan`) to lists without a
 * copy. Zero at first. Plain memory without the addon, where all bytes are copied by whoever takes
 * them. Throws `InvalidArgumentError` for a length that is none, `NoPagesError` when no memory is left.
 */
export function allocPages(length: number): PageBuffer {
  checkLength('length', length)
  return new PageBuffer(OwnMemory.make(length))
}

/** What was given: pages in pipes, and behind them what did not go in. Takes the memory over. */
function givenSegments(memory: OwnMemory): Segments {
  const segments = new Segments()
  const { lengthBytes } = memory
  if (!memory.isMapped) {
    memory.takeOver()
    if (lengthBytes > 0) segments.push(windowOfMemory(memory.bytes))
    return segments
  }
  const given = givePages(memory)
  if (given.pipes.length > 0) segments.push(windowOf(new PipeRaw(given.pipes, 'owned')))
  if (given.lengthBytes === lengthBytes) {
    memory.end()
    return segments
  }
  memory.takeOver()
  const rest = windowOf(PagesRaw.of(memory))
  segments.push(rest.part(given.lengthBytes, lengthBytes - given.lengthBytes))
  rest.release()
  return segments
}

/** A list of a range of memory, which is told how it ended. @internal */
export function lentList(
  memory: OwnMemory,
  offset: number,
  lengthBytes: number,
  onEnd: (end: LoanEnd) => void,
): BufferList {
  const list = new BufferList()
  if (lengthBytes === 0) onEnd('released')
  else {
    const bytes = memory.bytes.subarray(offset, offset + lengthBytes)
    const loan = new Loan(bytes, memory.isMapped, onEnd)
    list.adoptRaw(new LoanRaw(loan, memory.isMapped ? alignmentAt(offset) : 1))
  }
  return list
}

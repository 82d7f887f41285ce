import type { Socket } from 'node:net'
import { ledger } from '../audit/ledger.js'
import { courseNow, inCourse, type Course } from '../audit/observers.js'
import { EINVAL, ENOBUFS, ENOPROTOOPT, EOPNOTSUPP, EPERM } from '../errno.js'
import { systemError } from '../errors.js'
import type { Descriptor } from '../native.js'
import type { Loan, LoanEnd, LoanParcel } from '../raw/loan.js'
import { NoticeWatch, opened } from '../reactor.js'

/**
 * Below this a copy costs less than pinning pages and reading a notice, in bytes: the kernel's own advice
 * (`Documentation/networking/msg_zerocopy.rst`). Loopback cannot tell, where the kernel copies what is
 * lent.
 */
export const LEND_BYTES_MIN = 10240
/** Errors by which the kernel refuses to send from memory. */
const REFUSALS: ReadonlySet<number> = new Set([EPERM, EINVAL, ENOPROTOOPT, EOPNOTSUPP])

/** What lending asks of the addon. */
export interface LendingCalls {
  allowLending(socket: Descriptor): number
  lend(socket: Descriptor, parts: readonly Uint8Array[], skipBytes: number, more: boolean): number
  notices(socket: Descriptor): readonly number[] | number
}

/** A send from lent memory that the kernel has given no notice of. */
interface Send {
  readonly loan: Loan
  readonly lengthBytes: number
  /** The operation that it is part of, which may be over when the notice comes. */
  readonly course: Course | undefined
}

/**
 * The numbers of one socket's sends from lent memory, and what the kernel says of each: after the
 * kernel's own `msg_zerocopy` documentation. It says when it needs the memory no more, and whether it
 * had to copy it after all, as it does on loopback and to another network namespace of this host;
 * from then on nothing more is lent there, for a notice costs more than a copy.
 */
export class Sends {
  readonly #calls: LendingCalls
  readonly #socket: Descriptor
  readonly #waiting = new Map<number, Send>()
  /** The number of the next send. */
  #next: number
  #isAllowed: boolean | undefined

  constructor(calls: LendingCalls, socket: Descriptor, next = 0) {
    this.#calls = calls
    this.#socket = socket
    this.#next = next
  }
  /** Sends of which there was no notice yet. */
  get waiting(): number {
    return this.#waiting.size
  }
  /** One attempt: bytes, −errno, or undefined where the bytes are to be copied. */
  attempt(parcel: LoanParcel, more: boolean): number | undefined {
    if (parcel.remaining < LEND_BYTES_MIN || !this.#mayLend()) return undefined
    const n = this.#calls.lend(this.#socket, parcel.parts, parcel.skip, more)
    if (n === -ENOBUFS || REFUSALS.has(-n)) {
      ledger.countFallback('sendmsg', systemError(n)[0])
      if (n !== -ENOBUFS) this.#isAllowed = false
      return undefined
    }
    if (n <= 0) return n
    parcel.loan.lent()
    this.#waiting.set(this.#next, { loan: parcel.loan, lengthBytes: n, course: courseNow() })
    this.#next = following(this.#next)
    return n
  }
  /** Takes the notices that are there. */
  takeNotices(): void {
    const notices = this.#calls.notices(this.#socket)
    if (typeof notices === 'number') return
    for (let i = 0; i < notices.length; i += 3) {
      const [first, last, copied] = [notices[i], notices[i + 1], notices[i + 2]] as Notice
      if (copied !== 0) this.#isAllowed = false
      // The range goes round at 2^32.
      for (let number = first; ; number = following(number)) {
        this.#end(number, copied === 0 ? 'released' : 'copied')
        if (number === last) break
      }
    }
  }
  /** The socket is closed: nobody will say any more what became of the others. */
  lose(): void {
    for (const number of [...this.#waiting.keys()]) this.#end(number, 'lost')
  }

  #mayLend(): boolean {
    if (this.#isAllowed === undefined) {
      const refused = this.#calls.allowLending(this.#socket)
      if (refused < 0) ledger.countFallback('setsockopt', systemError(refused)[0])
      this.#isAllowed = refused >= 0
    }
    return this.#isAllowed
  }
  #end(number: number, how: LoanEnd): void {
    const send = this.#waiting.get(number)
    if (send === undefined) return
    this.#waiting.delete(number)
    inCourse(send.course, () => {
      count(how, send.lengthBytes)
      send.loan.cameBack(how)
    })
  }
}

function count(how: LoanEnd, lengthBytes: number): void {
  if (how === 'released') ledger.countMoved(lengthBytes)
  else if (how === 'copied') ledger.countKernelCopied('socket-write', lengthBytes)
  else ledger.countUnknown(lengthBytes)
}

type Notice = readonly [first: number, last: number, copied: number]

/** Numbers are the kernel's 32 bits. */
function following(number: number): number {
  return (number + 1) >>> 0
}

const lendings = new WeakMap<Socket, SocketLending>()

/**
 * Lending to one TCP socket of Node's, for as long as that is open: notices come after the send, and
 * after the operation that made it. Costs three system calls at the first loan, then one a send to look
 * for notices, and one descriptor of an epoll set for the whole process while notices are outstanding.
 */
export class SocketLending {
  readonly #descriptor: Descriptor
  readonly #sends: Sends
  readonly #watch = new NoticeWatch(() => this.#takeNotices())
  #isWatched = false

  /** The lending of a socket that is open; undefined when its descriptor cannot be had. */
  static of(socket: Socket, fd: number): SocketLending | undefined {
    const known = lendings.get(socket)
    if (known !== undefined) return known
    const descriptor = opened().adopt(fd, 'borrow')
    if (typeof descriptor === 'number') return undefined
    const lending = new SocketLending(socket, descriptor)
    lendings.set(socket, lending)
    return lending
  }

  private constructor(socket: Socket, descriptor: Descriptor) {
    this.#descriptor = descriptor
    this.#sends = new Sends(opened(), descriptor)
    socket.once('close', () => this.#close())
  }
  /** See `SinkEnd.lend`. */
  lend(parcel: LoanParcel, more: boolean): number | undefined {
    const n = this.#sends.attempt(parcel, more)
    if (n !== undefined && n > 0) this.#takeNotices()
    return n
  }
  #takeNotices(): void {
    this.#sends.takeNotices()
    if (this.#sends.waiting === 0 || this.#isWatched) return
    // Without it notices are found by the next send; at the latest they are lost with the socket.
    const refused = this.#watch.begin(this.#descriptor)
    this.#isWatched = refused >= 0
    if (refused < 0) ledger.countFallback('epoll_ctl', systemError(refused)[0])
    // What came before it was watched.
    else this.#sends.takeNotices()
  }
  #close(): void {
    this.#watch.close()
    opened().drop(this.#descriptor)
    this.#sends.lose()
  }
}

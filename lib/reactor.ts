/**
 * The reactor turns the addon's events into promises. One per environment, opened at first use.
 *
 * Waits and jobs never reject: a wait that was woken early resolves and its owner looks again, a job
 * resolves with what it did. So there is one place, the transfer machine, that decides what an event
 * means.
 */
import {
  addon,
  EVENT_READY,
  EVENT_STRIDE,
  READABLE,
  WRITABLE,
  type Addon,
  type Descriptor,
} from './native.js'
import { EAGAIN, ECANCELED } from './errno.js'

/** Event records that fit one call from the addon. More than that come in the next. */
const EVENTS_MAX = 256

/** What a disk job did: bytes moved, and why it stopped early (a positive errno), or 0. */
export interface JobResult {
  readonly bytes: number
  readonly errno: number
}

/** What a relay that stood did. */
export interface RelayResult extends JobResult {
  /** Bytes that its sink did not take. Where there are any they lie in the pipe that was lent. */
  readonly heldBytes: number
}

const events = new Float64Array(EVENT_STRIDE * EVENTS_MAX)
const watches = new Map<number, { fire(mask: number): void }>()
const jobs = new Map<number, { finish(bytes: number, errno: number, heldBytes: number): void }>()
let lastToken = 0
let isOpen = false
let wakes = 0

/** The addon with this environment's reactor running. Call only where there is an addon. */
export function opened(): Addon {
  if (addon === null) throw new Error('There is no addon to open')
  if (!isOpen) {
    // Bun's libuv calls end the process; a thread and a thread-safe function are portable.
    const waker = 'bun' in process.versions ? 'thread' : wakerFromEnvironment()
    addon.open(onEvents, events, waker)
    isOpen = true
  }
  return addon
}

function wakerFromEnvironment(): 'loop' | 'thread' {
  return process.env['SPLICELIST_WAKER'] === 'thread' ? 'thread' : 'loop'
}

/** How often the event loop has called since the start: between two calls others may have their turn. */
export function wakesSoFar(): number {
  return wakes
}

function onEvents(count: number): void {
  wakes += 1
  for (let i = 0; i < count; i++) {
    const at = i * EVENT_STRIDE
    const token = events[at] as number
    const type = events[at + 1] as number
    const value = events[at + 2] as number
    if (type === EVENT_READY) watches.get(token)?.fire(value)
    else jobs.get(token)?.finish(value, events[at + 3] as number, events[at + 4] as number)
  }
}

/** A job that is queued or running on a disk thread, or a relay that stands. */
export interface RunningJob<T extends JobResult = JobResult> {
  readonly done: Promise<T>
  /** Asks the job to stop at its next system call. `done` still resolves. */
  cancel(): void
}

/** Something with an event at its end, and the promise that this becomes. */
abstract class Job<T extends JobResult> implements RunningJob<T> {
  readonly done: Promise<T>
  readonly token: number
  protected resolve: (result: T) => void

  constructor() {
    this.token = ++lastToken
    this.resolve = ignore
    this.done = new Promise<T>((resolve) => (this.resolve = resolve))
    jobs.set(this.token, this)
  }
  abstract cancel(): void
  /** Its event has come, or never will. */
  abstract finish(bytes: number, errno: number, heldBytes: number): void
}

function ignore(): void {
  // Until the promise has said how it is resolved, which it does at once.
}

class DiskJob extends Job<JobResult> {
  cancel(): void {
    if (jobs.has(this.token)) opened().cancel(this.token)
  }
  finish(bytes: number, errno: number): void {
    jobs.delete(this.token)
    this.resolve({ bytes, errno })
  }
}

/** Starts a disk job: `start` is given its token and returns 0 or −errno. */
export function runJob(start: (token: number) => number): RunningJob {
  const job = new DiskJob()
  const refused = start(job.token)
  if (refused < 0) job.finish(0, -refused)
  return job
}

/** A relay between two sockets that stands until it ends, or is ended. */
export interface StandingRelay extends RunningJob<RelayResult> {
  /** Ends it at once as if its source had nothing more: EAGAIN. */
  recall(): void
}

class RelayJob extends Job<RelayResult> implements StandingRelay {
  cancel(): void {
    this.#end(ECANCELED)
  }
  recall(): void {
    this.#end(EAGAIN)
  }
  finish(bytes: number, errno: number, heldBytes: number): void {
    jobs.delete(this.token)
    this.resolve({ bytes, errno, heldBytes })
  }
  #end(errno: number): void {
    const bytes = opened().endRelay(this.token)
    // Where it has ended by itself its event is on its way.
    if (bytes >= 0) this.finish(bytes, errno, 0)
  }
}

/** Starts a relay: see `startRelay`. Undefined where it does not start. */
export function runRelay(
  source: Descriptor,
  sink: Descriptor,
  lengthBytes: number,
): StandingRelay | undefined {
  const job = new RelayJob()
  const refused = opened().startRelay(source, sink, lengthBytes, job.token)
  if (refused < 0) jobs.delete(job.token)
  return refused < 0 ? undefined : job
}

/**
 * The waits of one descriptor: at most one reader and one writer. It holds a place in the epoll set
 * and nothing else: no pipe, no thread, no second descriptor.
 */
export class Watch {
  private readonly descriptor: Descriptor
  private readonly token: number
  private endReadable: (() => void) | undefined
  private endWritable: (() => void) | undefined

  constructor(descriptor: Descriptor) {
    this.descriptor = descriptor
    this.token = ++lastToken
    this.endReadable = undefined
    this.endWritable = undefined
    watches.set(this.token, this)
  }
  /** Resolves when bytes, an end or an error can be read, or when woken. */
  readable(): Promise<void> {
    return new Promise((resolve) => {
      this.endReadable = resolve
      this.arm()
    })
  }
  /** Resolves when a send can make progress or would fail, or when woken. */
  writable(): Promise<void> {
    return new Promise((resolve) => {
      this.endWritable = resolve
      this.arm()
    })
  }
  /** Lets a waiting reader look again at once. */
  wakeReader(): void {
    this.wake(READABLE)
  }
  /** Lets a waiting writer look again at once. */
  wakeWriter(): void {
    this.wake(WRITABLE)
  }
  /** Ends both waits and leaves the epoll set. */
  close(): void {
    if (!watches.delete(this.token)) return
    opened().unwait(this.descriptor)
    this.end(READABLE | WRITABLE)
  }
  /** An event came, which also disarmed the descriptor. @internal */
  fire(mask: number): void {
    this.end(mask)
    if (this.wanted() !== 0) this.arm()
  }
  private wake(mask: number): void {
    if ((this.wanted() & mask) === 0) return
    this.end(mask)
    if (this.wanted() === 0) opened().unwait(this.descriptor)
    else this.arm()
  }
  private end(mask: number): void {
    const { endReadable, endWritable } = this
    if (mask & READABLE) this.endReadable = undefined
    if (mask & WRITABLE) this.endWritable = undefined
    if (mask & READABLE) endReadable?.()
    if (mask & WRITABLE) endWritable?.()
  }
  private wanted(): number {
    const reader = this.endReadable === undefined ? 0 : READABLE
    return this.endWritable === undefined ? reader : reader | WRITABLE
  }
  private arm(): void {
    const mask = this.wanted()
    // A descriptor that cannot be waited for is always ready, or already closed by its owner: the
    // next call on it tells which.
    if (opened().wait(this.descriptor, mask, this.token) < 0) this.end(mask)
  }
}

/**
 * Calls back each time that a socket's error queue may hold notices, until it is closed. Apart from
 * `Watch`, because it outlives the operation that the notices are about. Keeps no process alive.
 */
export class NoticeWatch {
  readonly #token = ++lastToken
  readonly #onNotice: () => void

  constructor(onNotice: () => void) {
    this.#onNotice = onNotice
    watches.set(this.#token, this)
  }
  /** Begins: 0 or −errno. Ends when the descriptor is dropped, and must be closed then. */
  begin(socket: Descriptor): number {
    return opened().watchNotices(socket, this.#token)
  }
  close(): void {
    watches.delete(this.#token)
  }
  /** @internal */
  fire(): void {
    this.#onNotice()
  }
}

/**
 * Every error class of the library.
 *
 * An error says what happened and what to do about it. Each carries a stable `code`, and is branded
 * with `Symbol.for`, so that `instanceof` holds between two copies of the package in one process.
 */
import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'
// Types alone: an error hands out a report or a list, but loads neither.
/* eslint-disable no-restricted-imports */
import type { CopyReport } from './audit/report.js'
import type { BufferList } from './list/buffer-list.js'
import type { ProxyResult, SinkResult, TransferResult } from './contract.js'
/* eslint-enable no-restricted-imports */

const BRAND = Symbol.for('splicelist.error')

function isBranded(x: unknown, className: string): boolean {
  if (typeof x !== 'object' || x === null || !(BRAND in x)) return false
  if (className === 'SplicelistError') return x[BRAND] !== 'TransferError'
  return x[BRAND] === className
}

/** The base of the library's own errors. Use `code` to tell them apart across versions. */
export class SplicelistError extends Error {
  /** A stable name: `ERR_SPLICELIST_…`. */
  readonly code: string
  /** @internal */
  readonly [BRAND]: string
  /** @internal */
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = `ERR_SPLICELIST_${code}`
    this[BRAND] = new.target.name
    this.name = new.target.name
  }
  /** @internal */
  static override [Symbol.hasInstance](x: unknown): boolean {
    return Function.prototype[Symbol.hasInstance].call(this, x) || isBranded(x, this.name)
  }
}

/** A read went past the end of a list. Ceph: `buffer::end_of_buffer`. */
export class EndOfBufferError extends SplicelistError {
  /** @internal */
  constructor(message: string) {
    super('END_OF_BUFFER', message)
  }
}

/**
 * A stream ended in the middle of a message: with some bytes, but fewer than the `atLeast` that was
 * asked for. They are where the operation says; a stream that ends before the first is no error.
 */
export class EndOfStreamError extends SplicelistError {
  /** Bytes that were asked for at the least. */
  readonly wanted: number
  /** Bytes that arrived. */
  readonly got: number
  /** @internal */
  constructor(wanted: number, got: number) {
    super('END_OF_STREAM', `The stream ended after ${got} of ${wanted} bytes`)
    this.wanted = wanted
    this.got = got
  }
}

const LIST_RELEASED =
  'This list was released. Keep a list.substr() of what you still need before you release it'

/** A list was used after `release()`, or memory after it was given away. */
export class ReleasedError extends SplicelistError {
  /** @internal */
  constructor(residual?: BufferList, message = LIST_RELEASED) {
    super('RELEASED', message)
    setResidual(this, residual)
  }
  /**
   * The bytes that arrived for a list that was released meanwhile, once; undefined when there are
   * none, or when they were given back to where they came from. Yours to release.
   */
  takeResidual(): BufferList | undefined {
    return takeResidualOf(this)
  }
}

/** A synchronous read met bytes of a file that are not in memory. */
export class NotLoadedError extends SplicelistError {
  /** @internal */
  constructor(offset: number, length: number) {
    super(
      'NOT_LOADED',
      `Bytes ${offset} to ${offset + length} of this list are still in a file, and a synchronous ` +
        `read must not wait for a disk. Call "await list.load(${offset}, ${length})" first`,
    )
  }
}

/** A list with a hole that was never filled was read, cut or sent. */
export class UnfilledHoleError extends SplicelistError {
  /** @internal */
  constructor(openHoles: number) {
    super('UNFILLED_HOLE', `${openHoles} holes of the list are not filled. Call hole.fill() first`)
  }
}

/** Pages of ours are needed, and there are none: no addon on this platform, or no memory. */
export class NoPagesError extends SplicelistError {
  /** @internal */
  constructor() {
    super(
      'NO_PAGES',
      'Aligned memory needs the addon, which is not loaded here, or there is no memory left. ' +
        'Where alignment is not asked for, use rebuild()',
    )
  }
}

/** An argument is out of range or of the wrong type. Nothing has moved. */
export class InvalidArgumentError extends SplicelistError {
  /** @internal */
  constructor(message: string) {
    super('INVALID_ARGUMENT', message)
  }
}

/** A place that bytes cannot be moved from or to. Nothing has moved. */
export class UnsupportedEndpointError extends SplicelistError {
  /** What to do instead, as a sentence. */
  readonly remedy: string
  /** @internal */
  constructor(message: string, remedy: string) {
    super('UNSUPPORTED_ENDPOINT', `${message}. ${remedy}`)
    this.remedy = remedy
  }
}

/** `mode: 'reference'` was asked for where bytes can only be copied. Nothing has moved. */
export class NotByReferenceError extends SplicelistError {
  /** Why the bytes would be copied, as a sentence. */
  readonly reason: string
  /** What to do instead, as a sentence. */
  readonly remedy: string
  /** @internal */
  constructor(reason: string, remedy: string) {
    super('NOT_BY_REFERENCE', `${reason}. ${remedy}`)
    this.reason = reason
    this.remedy = remedy
  }
}

/** Somebody else uses this side of the endpoint. */
export class EndpointBusyError extends SplicelistError {
  /** @internal */
  constructor(message: string) {
    super('ENDPOINT_BUSY', message)
  }
}

/**
 * An audit found more than its limits allow. The function has settled; what its result holds is the
 * caller's to release.
 */
export class CopyBudgetError extends SplicelistError {
  /** What was found, with the place of each copy. */
  readonly report: CopyReport
  /** What the function returned. */
  readonly result: unknown
  /** @internal */
  constructor(excess: string, report: CopyReport, result: unknown) {
    super('COPY_BUDGET', excess)
    this.report = report
    this.result = result
  }
}

/** With `SPLICELIST_AUDIT=throw`: bytes would be copied that nobody said may be. None was lost. */
export class AccidentalCopyError extends SplicelistError {
  /** Why they would be copied: see `COPY_CAUSES`. */
  readonly copyCause: string
  /** Bytes; undefined where nobody knew yet how many. */
  readonly bytes: number | undefined
  /** Where in the application; undefined where no call of its led there. */
  readonly site: string | undefined
  /** @internal */
  constructor(
    message: string,
    copy: {
      readonly cause: string
      readonly bytes: number | undefined
      readonly site: string | undefined
    },
  ) {
    super('ACCIDENTAL_COPY', message)
    this.copyCause = copy.cause
    this.bytes = copy.bytes
    this.site = copy.site
  }
}

/** Input does not have the form that it claims to have. Ceph: `buffer::malformed_input`. */
export class MalformedInputError extends SplicelistError {
  /** @internal */
  constructor(message: string) {
    super('MALFORMED_INPUT', message)
  }
}

/** Closes residuals that nobody took once their error is collected; quietly, for none was promised. */
const untaken = new FinalizationRegistry<BufferList>((residual) => {
  residual.release()
})
const residuals = new WeakMap<Error, BufferList>()

/** Gives an error the bytes that were pulled and not accepted. @internal */
export function setResidual(error: Error, residual: BufferList | undefined): void {
  if (residual === undefined) return
  residuals.set(error, residual)
  untaken.register(error, residual, error)
}

function takeResidualOf(error: Error): BufferList | undefined {
  const residual = residuals.get(error)
  residuals.delete(error)
  untaken.unregister(error)
  return residual
}

/** What a `TransferError` is made of. @internal */
export interface TransferFailure {
  readonly side: 'source' | 'sink' | 'pipe'
  readonly errno: number
  /** Default: the system's name of the errno. */
  readonly code?: string
  /** What the code means. Default: the system's words. */
  readonly text?: string
  readonly syscall: string
  readonly bytesMoved: number
  readonly detail?: string
  readonly residual?: BufferList | undefined
  readonly cause?: unknown
}

/**
 * A transfer stopped because a system call failed, or a stream. `code`, `errno` and `syscall` are
 * Node's own ('EPIPE', −32, 'splice'). `side` says who failed; `bytesMoved` is what the sink accepted.
 *
 * A stream's or socket's own error is the `cause`: what it emitted, or was destroyed with. Its `code`
 * is this error's, whether the system's or not ('Z_DATA_ERROR'). One that has none is told as 'EPIPE',
 * of a socket as 'ECONNABORTED', with its message in this one's. A `FanOutError` and a `ProxyError`
 * have the `TransferError` of what failed as their cause.
 *
 * Accepted is not delivered: after a reset only the peer's own count tells where to resend from.
 */
export class TransferError extends Error {
  /** Who failed: where bytes come from, where they go, or the kernel pipe between the two. */
  readonly side: 'source' | 'sink' | 'pipe'
  /** Node's name of the error: 'EPIPE', 'ECONNRESET', 'ENOSPC', …; of a stream its own error's. */
  readonly code: string
  /**
   * The error number, negative as in Node. The system's where `code` is; else that of the stream's own
   * error, or, where that has none, −32 (EPIPE) or, of a socket, −103 (ECONNABORTED).
   */
  readonly errno: number
  /** The system call that failed; of a stream whose error names none, 'read' or 'write'. */
  readonly syscall: string
  /** Bytes that the sink accepted before. */
  readonly bytesMoved: number
  /** @internal */
  readonly [BRAND] = 'TransferError'
  /** @internal */
  constructor(failure: TransferFailure) {
    const [name, meaning] = systemError(failure.errno)
    const { code = name, text = meaning } = failure
    const moved = `after ${failure.bytesMoved} bytes`
    const detail = failure.detail === undefined ? '' : `. ${failure.detail}`
    super(`The ${failure.side} failed ${moved}: ${code}: ${text}, ${failure.syscall}${detail}`, {
      cause: failure.cause,
    })
    this.name = 'TransferError'
    this.side = failure.side
    this.code = code
    this.errno = -Math.abs(failure.errno)
    this.syscall = failure.syscall
    this.bytesMoved = failure.bytesMoved
    setResidual(this, failure.residual)
  }
  /**
   * The bytes that were pulled and not accepted, once; undefined when there are none, or when they
   * are still where they were (in the list that was being sent). Yours to release.
   */
  takeResidual(): BufferList | undefined {
    return takeResidualOf(this)
  }
  /** @internal */
  static override [Symbol.hasInstance](x: unknown): boolean {
    return Function.prototype[Symbol.hasInstance].call(this, x) || isBranded(x, 'TransferError')
  }
}

/** An operation was aborted by its `AbortSignal`. Like Node's own: `code` is 'ABORT_ERR'. */
export class AbortError extends Error {
  /** Always 'ABORT_ERR'. */
  readonly code = 'ABORT_ERR'
  /** Bytes that the sink accepted before. */
  readonly bytesMoved: number
  /** @internal */
  constructor(bytesMoved: number, reason: unknown, residual?: BufferList) {
    super('The operation was aborted', { cause: reason })
    this.name = 'AbortError'
    this.bytesMoved = bytesMoved
    setResidual(this, residual)
  }
  /**
   * The bytes that were pulled and not accepted, once; undefined when there are none, or when they
   * were given back to where they came from. Yours to release.
   */
  takeResidual(): BufferList | undefined {
    return takeResidualOf(this)
  }
}

/** Whether a value is a transfer error of that name, also one of another copy of this package. */
function isTransferError(x: unknown, name: string): boolean {
  return isBranded(x, 'TransferError') && (x as Error).name === name
}

/**
 * A `fanOut` stopped: its source failed, or fewer sinks than `atLeast` were left. `side` and `code`
 * are those of the last failure; `bytesMoved` is what every sink had accepted that was left until then,
 * and `takeResidual()` hands out what was pulled behind that: `bytesPulled = bytesMoved + residual`.
 * So a sink that has got `sinks[i].bytesMoved` goes on with the residual from
 * `sinks[i].bytesMoved - bytesMoved` on, where that is not below zero.
 */
export class FanOutError extends TransferError {
  /** Bytes that were taken from the source. */
  readonly bytesPulled: number
  /** What each sink has got, in their order. */
  readonly sinks: readonly SinkResult[]
  /** @internal */
  constructor(failure: TransferFailure, bytesPulled: number, sinks: readonly SinkResult[]) {
    super(failure)
    this.name = 'FanOutError'
    this.bytesPulled = bytesPulled
    this.sinks = sinks
  }
  /** @internal */
  static override [Symbol.hasInstance](x: unknown): boolean {
    return Function.prototype[Symbol.hasInstance].call(this, x) || isTransferError(x, 'FanOutError')
  }
}

/**
 * A `fanOut` was aborted. What was pulled and not accepted by every sink that was left was given
 * back to the source, which goes on at `bytesMoved`, or is in `takeResidual()`.
 */
export class FanOutAbortError extends AbortError {
  /** What each sink has got, in their order. */
  readonly sinks: readonly SinkResult[]
  /** @internal */
  constructor(
    bytesMoved: number,
    reason: unknown,
    residual: BufferList | undefined,
    sinks: readonly SinkResult[],
  ) {
    super(bytesMoved, reason, residual)
    this.sinks = sinks
  }
}

/** A direction of a `proxy`. */
type Direction = keyof ProxyResult

/**
 * A direction of a `proxy` failed, and the other was stopped. `side`, `code` and `bytesMoved` are
 * those of the direction that failed.
 */
export class ProxyError extends TransferError implements ProxyResult {
  /** The direction that failed. */
  readonly direction: Direction
  /** What came from a to b. */
  readonly aToB: TransferResult
  /** What came from b to a. */
  readonly bToA: TransferResult
  readonly #residuals: Partial<Record<Direction, BufferList | undefined>>
  /** @internal */
  constructor(
    failure: TransferFailure,
    direction: Direction,
    { aToB, bToA }: ProxyResult,
    residuals: Readonly<Record<Direction, BufferList | undefined>>,
  ) {
    super({ ...failure, residual: residuals[direction] })
    this.name = 'ProxyError'
    this.direction = direction
    this.aToB = aToB
    this.bToA = bToA
    this.#residuals = { ...residuals, [direction]: undefined }
    const other = this.#residuals[direction === 'aToB' ? 'bToA' : 'aToB']
    if (other !== undefined) untaken.register(this, other, this.#residuals)
  }
  /**
   * The bytes of a direction, by default of the one that failed, that were pulled and not accepted:
   * once; undefined when there are none. Yours to release.
   */
  override takeResidual(direction = this.direction): BufferList | undefined {
    if (direction === this.direction) return super.takeResidual()
    const residual = this.#residuals[direction]
    this.#residuals[direction] = undefined
    untaken.unregister(this.#residuals)
    return residual
  }
  /** @internal */
  static override [Symbol.hasInstance](x: unknown): boolean {
    return Function.prototype[Symbol.hasInstance].call(this, x) || isTransferError(x, 'ProxyError')
  }
}

/** A `proxy` was aborted. What was pulled and not accepted was given back to where it came from. */
export class ProxyAbortError extends AbortError implements ProxyResult {
  /** What came from a to b. */
  readonly aToB: TransferResult
  /** What came from b to a. */
  readonly bToA: TransferResult
  /** @internal */
  constructor(reason: unknown, { aToB, bToA }: ProxyResult) {
    super(aToB.bytesMoved + bToA.bytesMoved, reason)
    this.aToB = aToB
    this.bToA = bToA
  }
}

/** Node's name and text of an error number, whatever its sign. @internal */
export function systemError(errno: number): readonly [code: string, text: string] {
  const number = Math.abs(errno)
  const known = getSystemErrorMap().get(-number)
  return known ?? [nameOfErrno(number) ?? `E${number}`, 'unknown error']
}

/** libuv has no name for some errors that a transfer meets, EDQUOT among them. */
function nameOfErrno(number: number): string | undefined {
  return Object.entries(constants.errno).find(([, each]) => each === number)?.[0]
}

/**
 * A stream's own error in the words of a `TransferError`: Node's `code`, number and call where it has
 * them, and the error itself as the cause.
 */
import { Socket } from 'node:net'
import { constants } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { describe } from '../arguments.js'
import { EAGAIN, ECONNABORTED, EPIPE } from '../errno.js'
import { SplicelistError, systemError, TransferError, type TransferFailure } from '../errors.js'

/** What of a failure its cause says. */
type OwnFailure = Pick<TransferFailure, 'errno' | 'code' | 'text' | 'detail' | 'cause'> & {
  readonly syscall?: string
}

/**
 * What a failure is made of besides its side and counts. `standIn` is the errno where the error has
 * none: what an attempt answered, positive or negative. Without an error it is all there is.
 */
export function ownFailure(cause: unknown, standIn: number): OwnFailure {
  if (cause == null) return { errno: standIn }
  // A stream may be destroyed with anything.
  const {
    code,
    errno,
    syscall,
    message = describe(cause),
  } = cause as Partial<NodeJS.ErrnoException>
  const call = typeof syscall === 'string' ? { syscall } : {}
  const known = systemErrnoOf(cause)
  if (known !== undefined) return { errno: known, ...call, cause }
  if (typeof code !== 'string') {
    return { errno: standIn, cause, ...(message === '' ? {} : { detail: message }) }
  }
  // As zlib's: Node's own number, which means something else to the system.
  const number = typeof errno === 'number' && errno !== 0 ? errno : standIn
  return { errno: number, code, text: message, ...call, cause }
}

/** A failure that another error tells of as well. */
export function sameFailure(
  error: TransferError,
): Pick<TransferFailure, 'side'> & OwnFailure & { readonly syscall: string } {
  const { side, syscall, errno, code } = error
  const own = error.cause instanceof SplicelistError ? { errno } : ownFailure(error.cause, errno)
  const isItsOwn = (own.code ?? systemError(own.errno)[0]) === code
  return { ...(isItsOwn ? own : { errno }), side, syscall, cause: error }
}

/** What a stream failed with before its first byte was moved, as the failure of its side. */
export function failedBefore(side: 'source' | 'sink', stream: Readable | Writable): TransferError {
  const syscall = side === 'source' ? 'read' : 'write'
  const own = ownFailure(stream.errored, standInFor(stream))
  return new TransferError({ side, syscall, bytesMoved: 0, ...own })
}

/** The errno of a stream whose own error has none. */
export function standInFor(stream: Readable | Writable): number {
  return stream instanceof Socket ? ECONNABORTED : EPIPE
}

/**
 * The errno by which an end says that its stream has failed: the system's, positive, where the error
 * is one of the system's, else `standIn`. Never EAGAIN, which would be waited out.
 */
export function errnoOf(error: unknown, standIn: number): number {
  const errno = systemErrnoOf(error)
  return errno === undefined || errno === EAGAIN ? standIn : errno
}

/** The number of an error whose code is the system's, positive; Node gives some the code alone. */
function systemErrnoOf(error: unknown): number | undefined {
  const { code, errno } = error as Partial<NodeJS.ErrnoException>
  if (typeof code !== 'string') return undefined
  if (typeof errno === 'number' && systemError(errno)[0] === code) return Math.abs(errno)
  return (constants.errno as Readonly<Record<string, number>>)[code]
}

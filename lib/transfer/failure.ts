import { EINVAL } from '../errno.js'
import { SplicelistError, TransferError } from '../errors.js'

/** An error as a failure of one side. Throws what is none, but a bug, or a caller's own. */
export function asTransferError(
  side: 'source' | 'sink',
  error: Error,
  bytesMoved: number,
): TransferError {
  if (error instanceof TransferError) return error
  const { errno, syscall } = error as NodeJS.ErrnoException
  if (typeof errno === 'number' && typeof syscall === 'string') {
    return new TransferError({ side, errno, syscall, bytesMoved, cause: error })
  }
  if (!(error instanceof SplicelistError)) throw error
  const { message: detail } = error
  const failure = { side, errno: EINVAL, syscall: 'splice', bytesMoved, detail, cause: error }
  return new TransferError(failure)
}

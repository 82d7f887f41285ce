/**
 * Checks of the options that operations share, before any byte moves.
 */
import { checkLength, checkMode, checkSignal, describe } from '../arguments.js'
import type { PullOptions, TransferOptions } from '../contract.js'
import { EndOfStreamError, InvalidArgumentError } from '../errors.js'

/** Checks what every pull is given. */
export function checkPull(length: number, options: PullOptions): void {
  checkLength('length', length)
  checkOptions(options)
  const { atLeast, offset } = options
  const hold: unknown = options.hold
  if (offset !== undefined) checkLength('offset', offset)
  if (atLeast !== undefined) {
    checkLength('atLeast', atLeast)
    if (atLeast > length) {
      throw new InvalidArgumentError(`atLeast is ${atLeast}, more than the length of ${length}`)
    }
  }
  if (hold !== undefined && hold !== 'extent' && hold !== 'pages') {
    throw new InvalidArgumentError(`hold must be 'extent' or 'pages'`)
  }
}

/** Checks that as many bytes fit a sink that takes a certain number of them. */
export function checkRoom(length: number, roomBytes: number | undefined): void {
  if (roomBytes === undefined || length <= roomBytes) return
  throw new InvalidArgumentError(
    `${length} bytes are more than the ${roomBytes} that are left of the Content-Length. ` +
      'Set the length of what you send, or send less of it',
  )
}

/**
 * Bytes to move to a sink that takes a certain number: what is known to be more is refused, and of
 * a stream, whose length nobody knows, the rest stays where it is. `leftBytes` is asked at need.
 */
export function withinRoom(
  length: number,
  leftBytes: () => number,
  roomBytes: number | undefined,
): number {
  if (roomBytes === undefined) return length
  checkRoom(length === Infinity ? leftBytes() : length, roomBytes)
  return Math.min(length, roomBytes)
}

/** Checks what every operation is given. */
export function checkOptions(options: TransferOptions): void {
  const intended: unknown = options.intended
  if (intended !== undefined && typeof intended !== 'boolean') {
    throw new InvalidArgumentError(`intended must be true or false, not ${describe(intended)}`)
  }
  checkMode(options.mode)
  checkSignal(options.signal)
}

/** The error of a stream that ended inside of what was asked for at the least; none where it may. */
export function brokenOff(gotBytes: number, { atLeast = 0 }: PullOptions): Error | undefined {
  return gotBytes > 0 && gotBytes < atLeast ? new EndOfStreamError(atLeast, gotBytes) : undefined
}

/**
 * The system's error numbers that are answered here, or told apart, as this platform counts them:
 * Linux's ENODATA is the number of macOS's ECONNREFUSED.
 *
 * Ends and jobs answer them negative, as the kernel does; errors tell them by name.
 */
import { constants } from 'node:os'

export const {
  /** Not now. */
  EAGAIN,
  EBADF,
  /** A job was asked to stop; what Node 24 says of what it had begun to encrypt. */
  ECANCELED,
  /** What an end answers when its owner has closed it. */
  ECONNABORTED,
  /** What a device answers to pages that it cannot take as they lie; an error of the library's own. */
  EINVAL,
  /** More bytes than were promised. */
  EMSGSIZE,
  /** A file ended before the bytes that it had. */
  ENODATA,
  /** As much is lent as may be; a sink of a fan-out is a whole window behind. */
  ENOBUFS,
  /** What the direct way answers that cannot take these pages: they go the next way. */
  ENOTSUP,
  /** What a stream answers that has ended. */
  EPIPE,
  /** What calls are refused with, connections end with, disks are full with: see the sets of them. */
  ECONNRESET,
  EDQUOT,
  EFBIG,
  EHOSTUNREACH,
  EMFILE,
  ENETRESET,
  ENFILE,
  ENOPROTOOPT,
  ENOSPC,
  ENOSYS,
  EOPNOTSUPP,
  EPERM,
  ESPIPE,
  ETIMEDOUT,
} = constants.errno

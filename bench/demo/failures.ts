/** The ways in which the demo ends badly, each with its exit code. */

export { RunError, UsageError } from '../harness/failures.js'

/** Why a file or folder cannot be used, in words; or undefined where the code says nothing clear. */
export function reasonOf(error: unknown): string | undefined {
  const { code } = error as NodeJS.ErrnoException
  return code === undefined ? undefined : REASONS[code]
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'is not below a folder',
  EISDIR: 'is a folder',
  EACCES: 'may not be used by this user',
  EPERM: 'may not be used by this user',
  EROFS: 'is on a read-only file system',
  ELOOP: 'is a loop of links',
  ENAMETOOLONG: 'has too long a name',
}

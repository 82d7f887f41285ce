import { describe } from '../arguments.js'
import { InvalidArgumentError } from '../errors.js'
import { addon } from '../native.js'
import { limits } from '../raw/limits.js'
import type { Limits } from '../raw/pipe-budget.js'
import { opened } from '../reactor.js'
import { KERNEL_PROBES } from './kernel.js'
import { MOUNT_UNKNOWN, probeMount, type MountVerdicts } from './mount.js'
import { attempt, type Verdict } from './trial.js'

/** What `capabilities` finds. A number is a limit in force; `unknown`, what was not or cannot be seen. */
export interface Capabilities extends MountVerdicts, Limits {
  readonly [name: string]: Verdict | number
  /** splice from a file: pages of the cache are referenced, a loan. */
  readonly fileToPipe: Verdict
  /** tee from a pipe to a pipe: a window is sent again, or looked at, without a copy. */
  readonly tee: Verdict
  /** vmsplice of memory: pages of the program are referenced. */
  readonly vmsplice: Verdict
  /** sendfile from a file to a socket (unix). */
  readonly fileToSocket: Verdict
  /** splice from a pipe to a socket (unix). */
  readonly pipeToSocket: Verdict
  /** splice from a socket (unix) to a pipe. TCP's depends on the packets: small ones are copied. */
  readonly socketToPipe: Verdict
  /** The system's page, in bytes. */
  readonly pageBytes: Verdict | number
  /** `/proc/sys/fs/pipe-max-size`, in bytes. */
  readonly pipeMaxBytes: Verdict | number
  /** `/proc/sys/fs/pipe-user-pages-soft`, in pages; 0 is no limit. */
  readonly pipeUserPagesSoft: Verdict | number
  /** `/proc/sys/fs/pipe-user-pages-hard`, in pages; 0 is no limit. */
  readonly pipeUserPagesHard: Verdict | number
  /** `RLIMIT_NOFILE`, soft. */
  readonly openFilesMax: Verdict | number
}

/**
 * What moves by reference here, what copies, and what there is not, found out by trying: a page is
 * passed on, its source overwritten, and what arrives tells. Kernels differ, containers refuse
 * system calls, and none of that is written down anywhere.
 *
 * With a `path` the mount that it lies in is probed too, by two temporary files beside it, which are
 * removed; without, nothing is written and the mount's rows say `unknown`, as they do where no file can
 * be made. Without the addon every way is `absent`. Takes under a millisecond; with a path also a few
 * disk writes, on other threads.
 *
 * Rejects with `InvalidArgumentError` where there is no such path.
 *
 * ```ts
 * import { capabilities } from 'splicelist'
 * const { fileToPipe, tee, vmsplice } = await capabilities()
 * console.log(fileToPipe, tee, vmsplice) // reference reference reference
 * ```
 */
export async function capabilities(path?: string): Promise<Capabilities> {
  if (path !== undefined && (typeof path !== 'string' || path === '')) {
    throw new InvalidArgumentError(`path must be that of a folder or a file, not ${describe(path)}`)
  }
  if (addon === null) return ABSENT
  const verdicts = path === undefined ? MOUNT_UNKNOWN : (await probeMount(path)).verdicts
  const system = opened().limits()
  return {
    ...kernelVerdicts(),
    ...verdicts,
    ...limits.get(),
    pageBytes: system.pageBytes,
    pipeMaxBytes: system.pipeMaxBytes,
    pipeUserPagesSoft: system.userPagesSoft,
    pipeUserPagesHard: system.userPagesHard,
    openFilesMax: system.openFilesMax,
  }
}

type KernelVerdicts = Readonly<Record<keyof typeof KERNEL_PROBES, Verdict>>

function kernelVerdicts(): KernelVerdicts {
  const rows = Object.entries(KERNEL_PROBES).map(([name, probe]) => [name, attempt(probe)])
  return Object.fromEntries(rows) as KernelVerdicts
}

/** Where there is no addon nothing moves by reference, and nobody asks the system. */
const ABSENT: Capabilities = {
  fileToPipe: 'absent',
  tee: 'absent',
  vmsplice: 'absent',
  fileToSocket: 'absent',
  pipeToSocket: 'absent',
  socketToPipe: 'absent',
  mountFileToPipe: 'absent',
  mountPipeToFile: 'absent',
  mountDirect: 'absent',
  mountCopyFileRange: 'absent',
  mountReflink: 'absent',
  pipeSlots: 0,
  pipes: 0,
  pipeBytes: 0,
  pinnedBytes: 0,
  pageBytes: 'unknown',
  pipeMaxBytes: 'unknown',
  pipeUserPagesSoft: 'unknown',
  pipeUserPagesHard: 'unknown',
  openFilesMax: 'unknown',
}

/**
 * Probes of one mount, each by doing: with two temporary files in a folder of it, which are removed
 * again. Run only where somebody has named the folder.
 */
import { randomUUID } from 'node:crypto'
import { constants, copyFile, open, rm, stat, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { EAGAIN } from '../errno.js'
import { InvalidArgumentError } from '../errors.js'
import type { Descriptor, Pipe } from '../native.js'
import { opened, runJob } from '../reactor.js'
import { PAGE_BYTES } from '../raw/pipe-pool.js'
import { fileToPipe } from './kernel.js'
import { attempt, Refused, Trial, type Verdict } from './trial.js'

/** Where a page is written past the page cache: behind all that a read-ahead could have fetched. */
const DIRECT_OFFSET = 16 << 20

/** How bytes get in and out of the files of one mount. */
export interface MountVerdicts {
  /** splice from a file of the mount to a pipe. */
  readonly mountFileToPipe: Verdict
  /** splice from a pipe to a buffered file of the mount: at best one copy, into the page cache. */
  readonly mountPipeToFile: Verdict
  /** splice from a pipe to a file opened with `O_DIRECT`: by reference where it goes past the cache. */
  readonly mountDirect: Verdict
  /** copy_file_range between files of the mount. */
  readonly mountCopyFileRange: Verdict
  /** FICLONE: files of the mount can share extents. */
  readonly mountReflink: Verdict
}

/** What is said of a mount that nobody asked to be probed, or that takes no file. */
export const MOUNT_UNKNOWN: MountVerdicts = {
  mountFileToPipe: 'unknown',
  mountPipeToFile: 'unknown',
  mountDirect: 'unknown',
  mountCopyFileRange: 'unknown',
  mountReflink: 'unknown',
}

/** What was found, and why it was not, where that is so. */
export interface MountReport {
  readonly verdicts: MountVerdicts
  /** Code of the error that kept the temporary file from being made: 'EROFS', 'EACCES', 'ENOSPC'. */
  readonly refusedBy: string | undefined
}

/** Probes the mount that a folder, or a file, lies in. Rejects where there is neither. */
export async function probeMount(path: string): Promise<MountReport> {
  const base = join(await folderOf(path), `.splicelist-probe-${randomUUID()}`)
  try {
    return { verdicts: await probeWith(base), refusedBy: undefined }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    return { verdicts: MOUNT_UNKNOWN, refusedBy: code }
  } finally {
    await rm(base, { force: true })
    await rm(`${base}-2`, { force: true })
  }
}

async function folderOf(path: string): Promise<string> {
  try {
    return (await stat(path)).isDirectory() ? path : dirname(path)
  } catch (cause) {
    const { code = '' } = cause as NodeJS.ErrnoException
    throw new InvalidArgumentError(`There is no folder or file ${path} to probe (${code})`)
  }
}

async function probeWith(base: string): Promise<MountVerdicts> {
  await using file = await open(base, 'wx+', 0o600)
  const mountFileToPipe = attempt((trial) => fileToPipe(trial, trial.adopt(file.fd)))
  const mountPipeToFile = attempt((trial) => pipeToFile(trial, trial.adopt(file.fd)))
  const mountDirect = await direct(file, base)
  await file.sync()
  const mountReflink = await reflink(base)
  const mountCopyFileRange = await copyFileRange(file, `${base}-2`, mountReflink)
  return { mountFileToPipe, mountPipeToFile, mountDirect, mountCopyFileRange, mountReflink }
}

/** splice from a pipe into a buffered file: an honest kernel copies, once. */
function pipeToFile(trial: Trial, file: Descriptor): Verdict {
  const [memory, pipe, back] = [trial.memoryFile(), trial.pipe(), trial.pipe()]
  trial.writeOld(memory)
  trial.prepare(opened().move(memory, 0, pipe, -1, PAGE_BYTES, false))
  trial.pass(opened().move(pipe, -1, file, 0, PAGE_BYTES, false))
  trial.prepare(opened().move(file, 0, back, -1, PAGE_BYTES, false))
  return trial.verdictOf(memory, back)
}

/**
 * splice from a pipe into a file that is open with `O_DIRECT`: by reference where the page went to
 * the device and not into the page cache. File systems that only pretend are found out.
 */
async function direct(buffered: FileHandle, path: string): Promise<Verdict> {
  await using handle = await openDirect(path)
  if (handle === undefined) return 'absent'
  using trial = new Trial()
  try {
    const [memory, pipe, target] = [trial.memoryFile(), trial.pipe(), trial.adopt(handle.fd)]
    trial.writeOld(memory)
    trial.prepare(opened().move(memory, 0, pipe, -1, PAGE_BYTES, false))
    trial.pass(await moveOnDiskThread(pipe, target))
    return cached(trial.adopt(buffered.fd))
  } catch (error) {
    if (error instanceof Refused) return error.verdict
    throw error
  }
}

async function openDirect(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDWR | constants.O_DIRECT)
  } catch {
    return undefined
  }
}

async function moveOnDiskThread(from: Pipe, to: Descriptor): Promise<number> {
  const { bytes, errno } = await runJob((token) =>
    opened().pump([from], -1, to, DIRECT_OFFSET, [PAGE_BYTES], token),
  ).done
  return errno === 0 ? bytes : -errno
}

/** Whether a page that was just written lies in the page cache. */
function cached(file: Descriptor): Verdict {
  const n = opened().readCached(file, DIRECT_OFFSET, new Uint8Array(1), 0, 1)
  if (n === -EAGAIN) return 'reference'
  return n === 1 ? 'copy' : 'unknown'
}

/** Two files that share one extent: nothing is copied until one is changed. */
async function reflink(base: string): Promise<Verdict> {
  try {
    await copyFile(base, `${base}-2`, constants.COPYFILE_FICLONE_FORCE)
    return 'reference'
  } catch {
    return 'absent'
  }
}

async function copyFileRange(
  file: FileHandle,
  targetPath: string,
  reflinked: Verdict,
): Promise<Verdict> {
  await using target = await open(targetPath, 'w+', 0o600)
  using trial = new Trial()
  const [from, to] = [trial.adopt(file.fd), trial.adopt(target.fd)]
  const { bytes } = await runJob((token) => opened().pump(from, 0, to, 0, [PAGE_BYTES], token)).done
  if (bytes !== PAGE_BYTES) return 'absent'
  // A file system that shares extents does so here too.
  return reflinked === 'reference' ? 'reference' : 'copy'
}

/** What the options ask for, checked against the file system before anything is made or measured. */
import { access, constants, open, stat, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { UsageError, reasonOf } from './failures.js'
import type { Options } from './options.js'
import { formatBytes } from './units.js'

export interface Request {
  /** The file to send; undefined where data is to be made. */
  readonly file: string | undefined
  readonly fileBytes: number
  /** A folder that can be written to, with room for what is to be made. */
  readonly dir: string
}

export async function checkRequest(options: Options): Promise<Request> {
  const file = options.file === undefined ? undefined : callersPath(options.file)
  const dir = options.dir === undefined ? tmpdir() : callersPath(options.dir)
  const fileBytes = file === undefined ? options.madeBytes : await checkFile(file)
  await checkFolder(dir, file === undefined ? 2 * fileBytes : fileBytes)
  return { file, fileBytes, dir }
}

/** A path as the caller means it: npm runs scripts in the package's folder, not in the caller's. */
function callersPath(path: string): string {
  const { npm_lifecycle_event: script, INIT_CWD: callersFolder } = process.env
  return resolve(script === 'demo' && callersFolder !== undefined ? callersFolder : '.', path)
}

/** Looks before it opens: opening a named pipe would wait for its writer. Returns the length. */
async function checkFile(path: string): Promise<number> {
  const stats = await explained(path, stat(path))
  if (stats.isDirectory()) throw new UsageError(`${path} is a folder; give a file.`)
  if (!stats.isFile()) throw new UsageError(`${path} is not a regular file.`)
  const file = await explained(path, open(path, 'r'))
  await file.close()
  return stats.size
}

async function checkFolder(path: string, neededBytes: number): Promise<void> {
  const stats = await explained(path, stat(path))
  if (!stats.isDirectory()) throw new UsageError(`${path} is not a folder.`)
  await explained(path, access(path, constants.W_OK | constants.X_OK))
  const { bavail, bsize } = await explained(path, statfs(path))
  if (bavail * bsize >= neededBytes) return
  throw new UsageError(
    `${path} has ${formatBytes(bavail * bsize)} free, and ${formatBytes(neededBytes)} are needed.`,
  )
}

/** Turns an error code into a sentence about the path. */
async function explained<T>(path: string, step: Promise<T>): Promise<T> {
  try {
    return await step
  } catch (error) {
    const reason = reasonOf(error)
    throw reason === undefined ? error : new UsageError(`${path} ${reason}.`)
  }
}

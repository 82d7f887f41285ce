/**
 * Folders of a test's own, on the file systems that behave differently: ext4 (or what the machine's
 * temporary folder is on) and tmpfs.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterwards } from './cleanup.js'

/** The file systems that the suite runs on: name and folder. */
export const FILE_SYSTEMS = { disk: tmpdir(), tmpfs: '/dev/shm' } as const
/** One of them. */
export type FileSystem = keyof typeof FILE_SYSTEMS

/** Makes an empty folder, gone after the test. Returns its path. */
export async function tempFolder(on: FileSystem = 'disk'): Promise<string> {
  const path = await mkdtemp(join(FILE_SYSTEMS[on], 'splicelist-test-'))
  afterwards(() => rm(path, { recursive: true, force: true }))
  return path
}

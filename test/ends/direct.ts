import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Context } from 'mocha'
import type { FileSystem } from '../support/folders.js'
import { needsPages } from '../support/needs.js'
import { fileOf } from '../transfer/places.js'

/** Skips a test where the file system does not take O_DIRECT, as ext4 and xfs do. */
export async function needsDirect(test: Context, on: FileSystem = 'disk'): Promise<void> {
  needsPages(test)
  const { path } = await fileOf(Buffer.from('x'), on)
  try {
    await (await open(path, constants.O_DIRECT)).close()
  } catch {
    test.skip()
  }
}

/**
 * Named pipes: both ends non-blocking, one of them a bare descriptor for the library.
 */
import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { afterwards } from '../support/cleanup.js'
import { tempFolder } from '../support/folders.js'
import { destroyed } from '../support/socket-pairs.js'

const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants

/** Both ends of a named pipe, as descriptors; both are closed after the test. */
export async function fifo(): Promise<{ readonly readEnd: number; readonly writeEnd: number }> {
  const path = join(await tempFolder(), 'fifo')
  execFileSync('mkfifo', [path])
  const readEnd = openSync(path, O_RDONLY | O_NONBLOCK)
  const writeEnd = openSync(path, O_WRONLY | O_NONBLOCK)
  return { readEnd, writeEnd }
}

/** A pipe to read from by number, which a Node stream writes to. */
export async function fifoToRead(): Promise<{ readonly fd: number; readonly writer: Socket }> {
  const { readEnd, writeEnd } = await fifo()
  const writer = new Socket({ fd: writeEnd, readable: false, writable: true })
  afterwards(() => closeSync(readEnd))
  afterwards(() => destroyed(writer))
  return { fd: readEnd, writer }
}

/** A pipe to write to by number, which a Node stream reads from. */
export async function fifoToWrite(): Promise<{ readonly fd: number; readonly reader: Socket }> {
  const { readEnd, writeEnd } = await fifo()
  const reader = new Socket({ fd: readEnd, readable: true, writable: false })
  afterwards(() => closeSync(writeEnd))
  afterwards(() => destroyed(reader))
  return { fd: writeEnd, reader }
}

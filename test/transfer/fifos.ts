/**
 * Named pipes: both ends non-blocking, one of them a bare descriptor for the library.
 */
import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterwards } from '../support/cleanup.js'
import { destroyed } from '../support/socket-pairs.js'

const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants

/** Named pipes that are made at once: Node has no call for it, and a process for each costs 20 ms. */
const BATCH_COUNT = 200

const unused: string[] = []
let folder: string | undefined
let made = 0

/** Where a named pipe is that nobody has opened yet. */
function freshFifo(): string {
  if (unused.length === 0) {
    const parent = (folder ??= folderOfRun())
    const paths = Array.from({ length: BATCH_COUNT }, () => join(parent, `fifo-${(made += 1)}`))
    execFileSync('mkfifo', paths)
    unused.push(...paths)
  }
  return unused.pop() as string
}

function folderOfRun(): string {
  const path = mkdtempSync(join(tmpdir(), 'splicelist-fifos-'))
  process.once('exit', () => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Both ends of a named pipe, as descriptors, which the caller closes. */
export function fifo(): { readonly readEnd: number; readonly writeEnd: number } {
  const path = freshFifo()
  const readEnd = openSync(path, O_RDONLY | O_NONBLOCK)
  const writeEnd = openSync(path, O_WRONLY | O_NONBLOCK)
  return { readEnd, writeEnd }
}

/** A pipe to read from by number, which a Node stream writes to. */
export function fifoToRead(): { readonly fd: number; readonly writer: Socket } {
  const { readEnd, writeEnd } = fifo()
  const writer = new Socket({ fd: writeEnd, readable: false, writable: true })
  afterwards(() => closeSync(readEnd))
  afterwards(() => destroyed(writer))
  return { fd: readEnd, writer }
}

/** A pipe to write to by number, which a Node stream reads from. */
export function fifoToWrite(): { readonly fd: number; readonly reader: Socket } {
  const { readEnd, writeEnd } = fifo()
  const reader = new Socket({ fd: readEnd, readable: true, writable: false })
  afterwards(() => closeSync(writeEnd))
  afterwards(() => destroyed(reader))
  return { fd: writeEnd, reader }
}

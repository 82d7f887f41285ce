/**
 * What tests of the addon share: the addon where it must be there, names of errors, scripts.
 */
import { closeSync, openSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { constants } from 'node:os'
import { join } from 'node:path'
import { opened } from '#lib/reactor.js'
import type { Addon, Descriptor, Pipe, ScriptRule, Slab } from '#lib/native.js'
import { afterwards } from '../support/cleanup.js'
import { tempFolder } from '../support/folders.js'
import { fdOf } from '../support/socket-pairs.js'

/** Error numbers as the addon returns them. */
export const E = Object.fromEntries(
  Object.entries(constants.errno).map(([name, errno]) => [name, -errno]),
) as Readonly<Record<keyof typeof constants.errno, number>>

/** The addon, and everything it makes is dropped after the test. */
export function door(): Addon {
  return opened()
}

function kept<T extends Descriptor | Pipe | Slab>(made: T | number): T {
  if (typeof made === 'number') throw new Error(`The addon said ${made}`)
  afterwards(() => opened().drop(made))
  return made
}

/** A pipe, dropped after the test. */
export function pipe(slots = 16): Pipe {
  return kept(opened().pipe(slots))
}

/** A descriptor, dropped after the test. */
export function adopted(fd: number, ownership: 'borrow' | 'duplicate' = 'borrow'): Descriptor {
  return kept(opened().adopt(fd, ownership))
}

/** A socket's own descriptor, dropped after the test. */
export function borrowed(socket: Socket): Descriptor {
  return adopted(fdOf(socket))
}

/** A slab, dropped after the test. */
export function slab(length: number): Slab {
  return kept(opened().slab(length))
}

/** A file that holds these bytes, open for reading and writing; closed after the test. */
export async function fileOf(content: Uint8Array | string, flags = 'r+'): Promise<number> {
  const path = join(await tempFolder(), 'file')
  writeFileSync(path, content)
  return openedFile(path, flags)
}

/** A path that is open; closed after the test. */
export function openedFile(path: string, flags: string): number {
  const fd = openSync(path, flags)
  afterwards(() => closeSync(fd))
  return fd
}

/** A pipe that holds these bytes. */
export function filled(content: Uint8Array, slots = 256): Pipe {
  const made = pipe(slots)
  const n = opened().writev(made, [content], 0, false)
  if (n !== content.length) throw new Error(`A pipe took ${n} of ${content.length} bytes`)
  return made
}

/** All that a pipe holds. */
export function contentOf(from: Pipe): Buffer {
  const length = opened().pending(from)
  const bytes = Buffer.alloc(length)
  let got = 0
  while (got < length) {
    const n = opened().read(from, bytes, got, length - got)
    if (n <= 0) throw new Error(`A pipe gave ${got} of ${length} bytes (${n})`)
    got += n
  }
  return bytes
}

/** Scripts the system calls for the rest of the test. */
export function script(...rules: ScriptRule[]): void {
  opened().script(rules)
  afterwards(() => opened().script(null))
}

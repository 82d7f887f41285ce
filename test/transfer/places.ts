/**
 * The places of the matrix: everything that bytes can come from or go to, behind two small faces.
 */
import { open, readFile, writeFile, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type { Sink, Source } from 'splicelist'
import { afterwards } from '../support/cleanup.js'
import { tempFolder, type FileSystem } from '../support/folders.js'
import { tcpPair, unixPair } from '../support/socket-pairs.js'
import { Collector } from './collector.js'
import { fifoToRead, fifoToWrite } from './fifos.js'

/** Every kind of place. */
export const KINDS = ['disk file', 'tmpfs file', 'tcp', 'unix', 'pipe', 'stream'] as const
/** One of them. */
export type Kind = (typeof KINDS)[number]

/** Where the bytes of the files in these tests begin: at no page. */
export const UNALIGNED = 4096 * 3 + 7

/** Gives bytes: the source that comes back has exactly these next. */
export interface Giver {
  give(bytes: Uint8Array): Promise<Source>
}
/** Takes bytes: opens a sink for a run of bytes, and tells what came out behind it. */
export interface Taker {
  open(): Promise<Sink>
  taken(length: number): Promise<Buffer>
}

/** Whether a kind is a regular file. */
export const isFile = (kind: Kind): boolean => kind.endsWith('file')

/** A source of a kind. */
export async function giver(kind: Kind): Promise<Giver> {
  switch (kind) {
    case 'disk file':
    case 'tmpfs file':
      return fileGiver(kind === 'disk file' ? 'disk' : 'tmpfs')
    case 'tcp':
    case 'unix': {
      const { client, server } = await (kind === 'tcp' ? tcpPair() : unixPair())
      return writerGiver(client, server)
    }
    case 'pipe': {
      const { fd, writer } = fifoToRead()
      return writerGiver(writer, fd)
    }
    case 'stream': {
      const stream = new PassThrough()
      return writerGiver(stream, stream)
    }
  }
}

/** A sink of a kind. */
export async function taker(kind: Kind): Promise<Taker> {
  switch (kind) {
    case 'disk file':
    case 'tmpfs file':
      return fileTaker(kind === 'disk file' ? 'disk' : 'tmpfs')
    case 'tcp':
    case 'unix': {
      const { client, server } = await (kind === 'tcp' ? tcpPair() : unixPair())
      return collected(client, new Collector(server))
    }
    case 'pipe': {
      const { fd, reader } = fifoToWrite()
      return collected(fd, new Collector(reader))
    }
    case 'stream': {
      const stream = new PassThrough()
      return collected(stream, new Collector(stream))
    }
  }
}

/** An open file with the given bytes behind `UNALIGNED` others. Closed after the test. */
export async function fileOf(
  content: Uint8Array,
  on: FileSystem = 'disk',
  flags = 'r+',
): Promise<{ readonly path: string; readonly handle: FileHandle }> {
  const path = join(await tempFolder(on), 'file')
  await writeFile(path, content)
  return { path, handle: await opened(path, flags) }
}

/** A path in an empty folder of the test's own. */
export async function freshPath(on: FileSystem = 'disk'): Promise<string> {
  return join(await tempFolder(on), 'file')
}

/** Opens a file until the test is over. */
export async function opened(path: string, flags: string): Promise<FileHandle> {
  const handle = await open(path, flags)
  afterwards(() => handle.close())
  return handle
}

function writerGiver(writer: { write(bytes: Uint8Array): boolean }, source: Source): Giver {
  return {
    give: (bytes) => {
      if (bytes.length > 0) writer.write(bytes)
      return Promise.resolve(source)
    },
  }
}

async function fileGiver(on: FileSystem): Promise<Giver> {
  const { handle } = await fileOf(new Uint8Array(0), on)
  return {
    give: async (bytes) => {
      await handle.truncate(0)
      await handle.write(bytes, 0, bytes.length, UNALIGNED)
      return { file: handle, offset: UNALIGNED }
    },
  }
}

function collected(sink: Sink, collector: Collector): Taker {
  return { open: () => Promise.resolve(sink), taken: (length) => collector.take(length) }
}

async function fileTaker(on: FileSystem): Promise<Taker> {
  const { path, handle } = await fileOf(new Uint8Array(0), on)
  return {
    open: async () => {
      await handle.truncate(0)
      return { file: handle, offset: UNALIGNED }
    },
    taken: async () => (await readFile(path)).subarray(UNALIGNED),
  }
}

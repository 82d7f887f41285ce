/**
 * Further places of the sweep, those that are costly to make or that behave in a way of their own:
 * files past and out of the page cache, flushed and appended to, devices, responses, children.
 */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { attach, type Endpoint, type FileEnd, type TransferError } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { startChild } from '../support/children.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import type { FileSystem } from '../support/folders.js'
import { destroyed } from '../support/socket-pairs.js'
import { Collector } from '../transfer/collector.js'
import { fileOf, UNALIGNED } from '../transfer/places.js'
import type { Target } from './ends.js'

/** How a file of the sweep is used. */
interface FileUse {
  readonly on: FileSystem
  /** Where its bytes begin. */
  readonly offset: number
  readonly options?: Pick<FileEnd, 'cache' | 'flush'>
}

const FILE_USES = {
  'disk file': { on: 'disk', offset: UNALIGNED },
  'direct file': { on: 'disk', offset: UNALIGNED, options: { cache: 'direct' } },
  // Whole pages of a list's lie at whole pages of the file only from here.
  'aligned direct file': { on: 'disk', offset: 0, options: { cache: 'direct' } },
  'dropped file': { on: 'tmpfs', offset: UNALIGNED, options: { cache: 'drop' } },
  'flushed file': { on: 'tmpfs', offset: UNALIGNED, options: { flush: 'data' } },
} as const satisfies Readonly<Record<string, FileUse>>

type FileKind = keyof typeof FILE_USES
/** Places that the sweep knows besides those that it tries in all pairs. */
export type OtherPlace =
  FileKind | 'appended file' | 'response' | 'child' | '/dev/zero' | '/dev/null'

const fileUse = (kind: string): FileUse | undefined =>
  kind in FILE_USES ? FILE_USES[kind as FileKind] : undefined

/** A new sink of a kind, for so many bytes. `content`: what they are, where nobody can look. */
export function otherTarget(
  kind: OtherPlace,
  length: number,
  content: Buffer | undefined,
): Promise<Target> {
  const use = fileUse(kind)
  if (use !== undefined) return fileTarget(use)
  if (kind === 'appended file') return appendedTarget()
  if (kind === 'response') return responseTarget(length)
  if (kind === 'child') return Promise.resolve(childTarget())
  if (kind === '/dev/null' && content !== undefined) return Promise.resolve(nullTarget(content))
  throw new Error(`${kind} takes no bytes that can be looked at`)
}

/** A source, attached, with these bytes next. A device gives what it likes. */
export async function otherSource(
  kind: OtherPlace,
  content: Buffer,
  then: 'open' | 'end',
): Promise<Endpoint> {
  const use = fileUse(kind)
  if (use !== undefined) {
    const { on, offset, options } = use
    const before = bytes(12, offset)
    const { handle } = await fileOf(Buffer.concat([before, content]), on)
    return attach({ file: handle, offset, ...options })
  }
  if (kind === '/dev/zero') return attach({ file: kind })
  if (kind === 'child') {
    const { stdin, stdout } = echo()
    if (then === 'end') stdin.end(content)
    else stdin.write(content)
    return attach(stdout)
  }
  throw new Error(`${kind} gives no bytes`)
}

const nothingToClose = (): Promise<void> => Promise.resolve()

async function fileTarget({ on, offset, options }: FileUse): Promise<Target> {
  const { path, handle } = await fileOf(Buffer.alloc(0), on)
  return {
    sink: { file: handle, offset, ...options },
    taken: async () => (await readFile(path)).subarray(offset),
    close: nothingToClose,
  }
}

/** A file that has bytes already, which stay as they are. */
async function appendedTarget(): Promise<Target> {
  const before = bytes(13, UNALIGNED)
  const { path } = await fileOf(before, 'tmpfs')
  return {
    sink: { file: path, flags: 'a' },
    taken: async () => {
      const all = await readFile(path)
      expectSameBytes(all.subarray(0, before.length), before, 'what was there before')
      return all.subarray(before.length)
    },
    close: nothingToClose,
  }
}

/** What it took is what the operation says. */
function nullTarget(content: Buffer): Target {
  return {
    sink: { file: '/dev/null' },
    taken: (length, error) => {
      const accepted = error === undefined ? length : (error as TransferError).bytesMoved
      return Promise.resolve(content.subarray(0, accepted))
    },
    close: nothingToClose,
  }
}

const HEAD_END = '\r\n\r\n'

/** The body of a response over loopback, of a length that is known, on a connection of its own. */
async function responseTarget(length: number): Promise<Target> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  client.on('error', () => undefined)
  client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  const [, response] = (await once(server, 'request')) as [unknown, ServerResponse]
  const socket = response.socket as Socket
  server.close()
  afterwards(async () => {
    await Promise.all([destroyed(client), destroyed(socket)])
  })
  response.on('error', () => undefined)
  response.setHeader('Content-Length', length)
  const collector = new Collector(client)
  return {
    sink: response,
    taken: async (_, error) => {
      if (error === undefined) response.end()
      else response.destroy()
      const all = await collector.rest()
      const at = all.indexOf(HEAD_END)
      return at < 0 ? Buffer.alloc(0) : all.subarray(at + HEAD_END.length)
    },
    close: () => destroyed(socket),
  }
}

/** A program that gives what it is given. */
function echo(): { readonly stdin: Socket; readonly stdout: Socket } {
  const { stdin, stdout } = startChild('cat', [], { stdio: ['pipe', 'pipe', 'ignore'] })
  // What Node calls pipes between it and its children are pairs of unix sockets.
  const streams = { stdin: stdin as unknown as Socket, stdout: stdout as unknown as Socket }
  for (const stream of Object.values(streams)) {
    stream.on('error', () => undefined)
    afterwards(() => destroyed(stream))
  }
  return streams
}

function childTarget(): Target {
  const { stdin, stdout } = echo()
  const collector = new Collector(stdout)
  return {
    sink: stdin,
    taken: (length, error) => {
      if (error === undefined) return collector.take(length)
      stdin.destroy()
      return collector.rest()
    },
    close: () => destroyed(stdin),
  }
}

/**
 * From `{ file, … }`, a FileHandle or the number of a file to the end of a file, a device or a named
 * pipe: opened where it is a path, and refused, with what to do instead, where it is none of these.
 */
import fs from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { Socket } from 'node:net'
import { checkLength, describe } from '../arguments.js'
import type { FileEnd as FilePlace } from '../contract.js'
import type { Eventually } from '../eventually.js'
import { InvalidArgumentError, UnsupportedEndpointError } from '../errors.js'
import { addon } from '../native.js'
import { OpenFile } from '../raw/open-file.js'
import { kindOf, usableDevice, type Kind } from './device.js'
import { DirectFile } from './direct-file.js'
import { FifoEnd } from './fifo-end.js'
import { FileEnd, type FileEndOptions } from './file-end.js'
import { Turns } from './turns.js'

const { O_RDONLY, O_RDWR, O_WRONLY, O_APPEND, O_CREAT, O_EXCL, O_SYNC, O_TRUNC } = fs.constants
/** Windows has none, and no named pipes that it would matter for. */
const O_NONBLOCK = (fs.constants as { readonly O_NONBLOCK?: number }).O_NONBLOCK ?? 0

/** `fs.open`'s flags as numbers, so that `O_NONBLOCK` can be added: opening a FIFO waits without. */
const FLAGS: Readonly<Record<string, number>> = {
  r: O_RDONLY,
  rs: O_RDONLY | O_SYNC,
  sr: O_RDONLY | O_SYNC,
  'r+': O_RDWR,
  'rs+': O_RDWR | O_SYNC,
  'sr+': O_RDWR | O_SYNC,
  w: O_TRUNC | O_CREAT | O_WRONLY,
  wx: O_TRUNC | O_CREAT | O_WRONLY | O_EXCL,
  xw: O_TRUNC | O_CREAT | O_WRONLY | O_EXCL,
  'w+': O_TRUNC | O_CREAT | O_RDWR,
  'wx+': O_TRUNC | O_CREAT | O_RDWR | O_EXCL,
  'xw+': O_TRUNC | O_CREAT | O_RDWR | O_EXCL,
  a: O_APPEND | O_CREAT | O_WRONLY,
  ax: O_APPEND | O_CREAT | O_WRONLY | O_EXCL,
  xa: O_APPEND | O_CREAT | O_WRONLY | O_EXCL,
  as: O_APPEND | O_CREAT | O_WRONLY | O_SYNC,
  sa: O_APPEND | O_CREAT | O_WRONLY | O_SYNC,
  'a+': O_APPEND | O_CREAT | O_RDWR,
  'ax+': O_APPEND | O_CREAT | O_RDWR | O_EXCL,
  'xa+': O_APPEND | O_CREAT | O_RDWR | O_EXCL,
  'as+': O_APPEND | O_CREAT | O_RDWR | O_SYNC,
  'sa+': O_APPEND | O_CREAT | O_RDWR | O_SYNC,
}

/** Operations that use a handle's own position wait for each other. */
const turnsOfHandle = new WeakMap<object, Turns>()

/** What a place in the file system turned out to be. What is ours is closed by whoever asked. */
export type Opened =
  | { readonly end: FileEnd }
  /** A named pipe. */
  | { readonly fifo: FifoEnd }
  /** A named pipe where there is no addon. */
  | { readonly stream: Socket }

/** The end of a place that names a file. Opens it where it is a path. */
export function openPlace(place: FilePlace, isSink: boolean): Eventually<Opened> {
  checkPlace(place)
  const { file, offset, flush, cache = 'keep' } = place
  if (typeof file === 'string' || file instanceof URL) return openPath(file, place, isSink)
  if (cache !== 'direct') {
    return { end: endOfHandle(file, offset, { flush, isSink, dropsCache: cache === 'drop' }) }
  }
  return openDirectly(file, offset, { flush, isSink, dropsCache: true })
}

/** The end of an open handle, at an offset or at its own position. */
export function endOfHandle(
  handle: FileHandle,
  offset: number | undefined,
  options: FileEndOptions,
): FileEnd {
  let turns = turnsOfHandle.get(handle)
  if (turns === undefined) turnsOfHandle.set(handle, (turns = new Turns()))
  const file = OpenFile.adopt(handle, sideOf(options))
  return new FileEnd(file, offset, options, turns)
}

/** The side that fails where a place cannot be used. */
function sideOf({ isSink = false }: FileEndOptions): 'source' | 'sink' {
  return isSink ? 'sink' : 'source'
}

/** What a handle is open on. A handle that was used before is known to be a file or a device. */
export function kindOfHandle(handle: FileHandle): Kind {
  if (OpenFile.isKnown(handle) || !(handle.fd >= 0)) return 'file'
  return kindOf(handle.fd).kind
}

async function openDirectly(
  handle: FileHandle,
  offset: number | undefined,
  options: FileEndOptions,
): Promise<Opened> {
  const file = OpenFile.adopt(handle, sideOf(options))
  try {
    const direct = file.isAppending ? undefined : await DirectFile.open(handle.fd, file)
    return { end: endOfHandle(handle, offset, { ...options, direct }) }
  } finally {
    file.release()
  }
}

async function openPath(path: string | URL, place: FilePlace, isSink: boolean): Promise<Opened> {
  const { offset, flush, cache = 'keep' } = place
  const flags = place.flags ?? (isSink ? (offset === undefined ? 'w' : 'r+') : 'r')
  const handle = await openOrCreate(path, flags, place)
  const { kind, device: found } = kindOf(handle.fd)
  if (kind === 'pipe') return openFifo(handle, path, place, isSink)
  return OpenFile.takeOver(handle, async () => {
    const device = kind === 'device' ? usableDevice(found, isSink) : undefined
    const file = OpenFile.ours(handle, sideOf({ isSink }))
    const hasOffsets = file.isSeekable && !file.isAppending && !flags.startsWith('a')
    const isDirect = cache === 'direct' && hasOffsets
    const direct = isDirect ? await DirectFile.open(handle.fd, file) : undefined
    const dropsCache = cache !== 'keep' && file.isSeekable
    const options = { flush, isSink, dropsCache, direct, device }
    return { end: new FileEnd(file, offset ?? (hasOffsets ? 0 : undefined), options) }
  })
}

async function openFifo(
  handle: FileHandle,
  path: string | URL,
  { offset, flags }: FilePlace,
  isSink: boolean,
): Promise<Opened> {
  try {
    if (offset !== undefined) {
      throw new InvalidArgumentError('A named pipe has no offsets. Leave the offset out')
    }
    if (addon !== null) return { fifo: new FifoEnd(handle.fd, isSink) }
    const fd = fs.openSync(path, numericFlags(flags ?? (isSink ? 'w' : 'r')))
    return { stream: new Socket({ fd, readable: !isSink, writable: isSink }) }
  } finally {
    await handle.close()
  }
}

/** A sink at an offset keeps what is around it, and is created when it is not there. */
async function openOrCreate(
  path: string | URL,
  flags: string,
  place: FilePlace,
): Promise<FileHandle> {
  try {
    return await open(path, numericFlags(flags))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENXIO') throw nobodyThere(path, error)
    if (code !== 'ENOENT' || place.flags !== undefined || flags !== 'r+') throw error
    return open(path, 'w+')
  }
}

/** What is not among them, Node refuses by itself. */
function numericFlags(flags: string): string | number {
  const known = FLAGS[flags]
  return known === undefined ? flags : known | O_NONBLOCK
}

function nobodyThere(path: string | URL, cause: unknown): UnsupportedEndpointError {
  const isFifo = fs.statSync(path, { throwIfNoEntry: false })?.isFIFO() === true
  const error = isFifo
    ? new UnsupportedEndpointError(
        'Nobody reads from this named pipe yet, and waiting for a reader would hold a thread',
        'Start the reader first, or pass fs.createWriteStream(path), which waits',
      )
    : new UnsupportedEndpointError(
        'There is no device behind this path, or it is that of a unix socket',
        'Connect to a unix socket by net.connect(path) and pass that',
      )
  error.cause = cause
  return error
}

function checkPlace(place: FilePlace): void {
  if (place.offset !== undefined) checkLength('offset', place.offset)
  const { file, flags, cache = 'keep', flush = 'none' } = place
  if (typeof file !== 'string' && !(file instanceof URL) && !isFileHandle(file)) {
    throw new InvalidArgumentError(
      `file must be a FileHandle, a path or a URL, not ${describe(file)}`,
    )
  }
  if (flags !== undefined && (typeof flags !== 'string' || isFileHandle(file))) {
    throw new InvalidArgumentError(
      'flags must be a string as in fs.open, and say how a path is opened: a FileHandle is open',
    )
  }
  if (!['none', 'data', 'full'].includes(flush)) {
    throw new InvalidArgumentError(`flush must be 'none', 'data' or 'full', not '${flush}'`)
  }
  if (!['keep', 'drop', 'direct'].includes(cache)) {
    throw new InvalidArgumentError(`cache must be 'keep', 'drop' or 'direct', not '${cache}'`)
  }
}

/** Whether a value is one of Node's file handles. */
export function isFileHandle(x: unknown): x is FileHandle {
  if (typeof x !== 'object' || x === null) return false
  return 'fd' in x && typeof (x as Partial<FileHandle>).datasync === 'function'
}

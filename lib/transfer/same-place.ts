/**
 * Whether two places are one. A file that is opened for writing is truncated before a byte is read
 * from it, whatever name it is read under; so this is asked before a sink is opened.
 */
import fs from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { Socket } from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FileEnd as FilePlace } from '../contract.js'
import type { SinkEnd, SourceEnd } from '../endpoints/end.js'
import { FileEnd } from '../endpoints/file-end.js'
import { isFileHandle } from '../endpoints/file-place.js'
import { socketFd } from '../endpoints/node-socket.js'
import { InvalidArgumentError } from '../errors.js'
import type { Eventually } from '../eventually.js'
import type { Sink, Source } from '../list/endpoint.js'
import { AttachedEndpoint } from './endpoint.js'

/** What a place is, told so that two names of one place tell the same. */
export interface Identity {
  /** Device and inode, the path of what is not there yet, or the object itself. */
  readonly key: unknown
  /** A regular file, of which two ranges may be two places. */
  readonly isFile: boolean
  /** A device, which any number of places may be. */
  readonly isDevice: boolean
}

/** What endpoints are whose place keeps its descriptor; a number may come to mean something else. */
const attached = new WeakMap<AttachedEndpoint, Identity>()

/** Asks the system what a place is. What cannot be asked is left to whoever opens it. */
export function identityOf(place: Source | Sink): Eventually<Identity> {
  return place instanceof AttachedEndpoint ? ofEndpoint(place) : ofPlace(place)
}

function ofEndpoint(endpoint: AttachedEndpoint): Eventually<Identity> {
  const known = attached.get(endpoint)
  if (known !== undefined) return known
  const identity = ofPlace(endpoint.place)
  const isKept = typeof endpoint.place !== 'number' && !(identity instanceof Promise)
  if (isKept && typeof identity.key === 'string') attached.set(endpoint, identity)
  return identity
}

function ofPlace(place: Source | Sink): Eventually<Identity> {
  const fd = descriptorOf(place)
  if (fd !== undefined) return ofDescriptor(fd) ?? ofObject(place)
  const name = pathOf(place)
  return name === undefined ? ofObject(place) : ofPath(name)
}

/** The path that a place names, if that is what it does. */
export function pathOf(place: unknown): string | undefined {
  const file = (place as Partial<FilePlace> | null)?.file
  if (typeof file === 'string') return file
  return file instanceof URL ? fileURLToPath(file) : undefined
}

/** A range of a file, as far as it is known before any byte moves. */
export interface Span {
  /** Where it begins; undefined where that cannot be told. */
  readonly at: number | undefined
  /** Whether opening it truncates the file. */
  readonly truncates: boolean
}

/**
 * The range that a sink will write: from its end, or, before it is opened, from the path's place. A
 * file that is appended to is written from its size on, where that is known.
 */
export function spanOfSink(
  sink: Sink,
  end: SinkEnd | undefined,
  sizeBytes: number | undefined,
): Span {
  if (end instanceof FileEnd) {
    return { at: end.file.isAppending ? sizeBytes : end.position(), truncates: false }
  }
  if (pathOf(sink) === undefined) return { at: undefined, truncates: false }
  const { offset, flags } = sink as FilePlace
  const opensFor = flags ?? (offset === undefined ? 'w' : 'r+')
  const appends = opensFor.startsWith('a')
  return { at: appends ? sizeBytes : (offset ?? 0), truncates: opensFor.startsWith('w') }
}

/**
 * Whether a source, which is open, and a sink, which is not, are one file or one pipe. A socket may
 * be both: it echoes.
 */
export function areOnePlace(source: Source, end: SourceEnd, sink: Sink): Eventually<boolean> {
  const isFile = end instanceof FileEnd && end.file.isRegular
  if (!isFile && end.label !== 'pipe') return false
  if (sink instanceof Socket) return false
  return areSame(source, sink)
}

async function areSame(source: Source, sink: Sink): Promise<boolean> {
  const [one, other] = await Promise.all([identityOf(source), identityOf(sink)])
  return one.key === other.key
}

/**
 * Refuses a sink in the source's own file that would overwrite what is still to be read, or have the
 * source read what it writes, for ever. `length` may be Infinity: to the end of the file.
 */
export function refuseOverlap(source: SourceEnd, sink: Span, length: number): void {
  if (!(source instanceof FileEnd)) throw sameStream()
  if (sink.truncates) throw sameFile('Opening the sink would truncate it')
  const at = source.position()
  const sizeBytes = source.file.sizeBytes()
  const from = at ?? 0
  const there = Math.max(0, sizeBytes - from)
  if (there === 0) return
  if (sink.at === undefined) throw sameFile('Where in it the sink begins is not known here')
  // A position that cannot be told is somewhere in the file.
  const end = at === undefined ? sizeBytes : from + length
  if (sink.at >= end && length !== Infinity) return
  if (at !== undefined && sink.at + Math.min(length, there) <= from) return
  throw sameFile(`The sink, which begins at ${sink.at}, would overwrite or feed the source`)
}

/** Refuses two sinks that would write over each other. `length` may be Infinity. */
export function refuseSameSinks(a: Span, b: Span, length: number): void {
  if (!a.truncates && !b.truncates && a.at !== undefined && b.at !== undefined) {
    if (a.at + length <= b.at || b.at + length <= a.at) return
  }
  throw new InvalidArgumentError(
    'Two of the sinks are one place, and would write over or between each other. Give different ' +
      'ones; in one file give each a range of its own: { file, offset }, and the length',
  )
}

/** A pipe or stream that would be read from and written to at once. */
export function sameStream(): InvalidArgumentError {
  return new InvalidArgumentError('Source and sink are the same place. Give two different ones')
}

function sameFile(why: string): InvalidArgumentError {
  return new InvalidArgumentError(
    `Source and sink are the same file. ${why}. Write another file and rename it, or give ranges ` +
      'that cannot overlap: { file, offset }, and the length',
  )
}

function descriptorOf(place: unknown): number | undefined {
  if (typeof place === 'number') return place
  if (place instanceof Socket) return socketFd(place)
  const handle = isFileHandle(place) ? place : (place as Partial<FilePlace> | null)?.file
  return isFileHandle(handle) ? handle.fd : undefined
}

function ofObject(place: unknown): Identity {
  return { key: place, isFile: false, isDevice: false }
}

function ofDescriptor(fd: number): Identity | undefined {
  try {
    return ofStat(fs.fstatSync(fd, { bigint: true }))
  } catch {
    // Whoever opens it says so better.
    return undefined
  }
}

async function ofPath(name: string): Promise<Identity> {
  try {
    return ofStat(await stat(name, { bigint: true }))
  } catch {
    // Not there yet: it is told by where it will be.
    const folder = path.resolve(path.dirname(name))
    const real = await realpath(folder).catch(() => folder)
    return { key: path.join(real, path.basename(name)), isFile: true, isDevice: false }
  }
}

function ofStat(known: fs.BigIntStats): Identity {
  return {
    key: `${known.dev}:${known.ino}`,
    isFile: known.isFile(),
    isDevice: known.isCharacterDevice() || known.isBlockDevice(),
  }
}

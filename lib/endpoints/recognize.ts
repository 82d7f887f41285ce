/**
 * From what a caller hands in to the ends that the machine works with.
 */
import fs from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { checkLength, describe } from '../arguments.js'
import type { FileEnd as FilePlace } from '../contract.js'
import { after, type Eventually } from '../eventually.js'
import { InvalidArgumentError, UnsupportedEndpointError } from '../errors.js'
import { addon, whyNoAddon } from '../native.js'
import { OpenFile } from '../raw/open-file.js'
import { connected } from './connected.js'
import { DescriptorEnd } from './descriptor-end.js'
import { withoutAddon, type Obstacle, type SinkEnd, type SourceEnd } from './end.js'
import { FileEnd, isFileHandle } from './file-end.js'
import { isEncrypted, isReadByParser } from './node-socket.js'
import { SocketEnd } from './socket-end.js'
import { letGoOfNumber, turnsOfNumber, type NumberTurns } from './turns.js'
import { enter, type Use } from './occupancy.js'
import { SocketSink } from './socket-sink.js'
import { ReadableEnd, STREAM, TLS, WritableEnd } from './stream-end.js'

/** Ends that were made for a caller, and how to let go of them. */
export interface Ends {
  readonly source: SourceEnd | undefined
  readonly sink: SinkEnd | undefined
  /** Gives the place back to its owner, with what was not consumed. */
  close(): void
}

/** What the caller said of the place besides naming it. */
export interface PlaceOptions {
  readonly offset?: number
  readonly isSink: boolean
  readonly use: Use
  /** Ends the wait for a socket that connects. */
  readonly signal?: AbortSignal
}

/** What can be recognized. Lists and endpoints are the transfer floor's. */
export type Place = FileHandle | FilePlace | Socket | Readable | Writable | number

/** The ends of a place. Throws or rejects with a typed error before any byte moves. */
export function endsOf(place: Place, options: PlaceOptions): Eventually<Ends> {
  const shared = sharedPlace(place, options)
  if (shared === undefined) return openEndsOf(place, options)
  const leave = enter(shared, options.use)
  const opened = (ends: Ends): Ends => ({
    source: ends.source,
    sink: ends.sink,
    close: () => {
      ends.close()
      leave()
    },
  })
  const failed = (error: unknown): never => {
    leave()
    throw error
  }
  try {
    const opening = openEndsOf(place, options)
    return opening instanceof Promise ? opening.then(opened, failed) : opened(opening)
  } catch (error) {
    return failed(error)
  }
}

/**
 * What others may use at the same time: a socket, a stream, a number, a file's own position. A path is
 * opened anew, and an offset is a place of its own.
 */
function sharedPlace(place: Place, { offset }: PlaceOptions): object | number | undefined {
  if (typeof place === 'number') return place
  if (typeof place !== 'object' || (place as unknown) === null) return undefined
  if (!isFilePlace(place)) return isFileHandle(place) && offset !== undefined ? undefined : place
  const isPositioned = place.offset === undefined && offset === undefined
  return isPositioned && isFileHandle(place.file) ? place.file : undefined
}

function openEndsOf(place: Place, options: PlaceOptions): Eventually<Ends> {
  if (options.offset !== undefined) checkLength('offset', options.offset)
  if (typeof place === 'number') return descriptorEnds(place, options)
  if (place instanceof Socket) return socketEnds(place, options)
  if (isFileHandle(place)) {
    return fileEnds(FileEnd.ofHandle(place, options.offset, { isSink: options.isSink }))
  }
  if (isFilePlace(place)) {
    return after(FileEnd.of(atOffset(place, options.offset), options.isSink), fileEnds)
  }
  if (isStream(place)) return streamEnds(place, STREAM, options)
  throw new InvalidArgumentError(
    `Bytes can be moved from and to a FileHandle, { file, offset }, a net.Socket, an endpoint, a ` +
      `stream or a descriptor, not ${describe(place)}`,
  )
}

function isFilePlace(x: unknown): x is FilePlace {
  return typeof x === 'object' && x !== null && 'file' in x
}

/** A place in a file, whose offset may be given with the operation instead. */
function atOffset(place: FilePlace, offset: number | undefined): FilePlace {
  if (offset === undefined) return place
  if (place.offset === undefined) return { ...place, offset }
  throw new InvalidArgumentError('Give the offset once: in { file, offset } or in the options')
}

function refuseOffset({ offset }: PlaceOptions): void {
  if (offset === undefined) return
  throw new InvalidArgumentError(
    'An offset is a place in a file. This place has none: leave it out, or skip bytes of the list',
  )
}

function isStream(x: unknown): x is Readable & Writable {
  if (typeof x !== 'object' || x === null) return false
  const { on, read, write } = x as { on?: unknown; read?: unknown; write?: unknown }
  // A Buffer can be read from and written to as well, but is no emitter.
  return typeof on === 'function' && (typeof read === 'function' || typeof write === 'function')
}

function fileEnds(end: FileEnd): Ends {
  return {
    source: end,
    sink: end,
    close: () => {
      if (end.front.length > 0) end.skip(-end.front.length)
      end.close()
    },
  }
}

function descriptorEnds(fd: number, options: PlaceOptions): Ends {
  const { offset, isSink } = options
  if (!Number.isInteger(fd) || fd < 0) {
    throw new InvalidArgumentError(`A descriptor must be a whole number from 0 up, not ${fd}`)
  }
  // Two operations on one number move one position, or one stream: they take turns.
  const turns = turnsOfNumber(fd)
  try {
    const ends = isRegularFile(fd)
      ? fileEnds(new FileEnd(OpenFile.adopt(fd), offset, { isSink, turns: turns.read }))
      : streamOfNumber(fd, options, turns)
    return {
      ...ends,
      close: () => {
        ends.close()
        letGoOfNumber(fd)
      },
    }
  } catch (error) {
    letGoOfNumber(fd)
    throw error
  }
}

function streamOfNumber(fd: number, options: PlaceOptions, turns: NumberTurns): Ends {
  refuseOffset(options)
  if (addon === null) {
    throw new UnsupportedEndpointError(
      `Descriptor ${fd} cannot be used without the addon: ${whyNoAddon}`,
      'Wrap it: new net.Socket({ fd })',
    )
  }
  const end = new DescriptorEnd(fd, 'duplicate', options.use === 'attach', turns)
  return { source: end, sink: end, close: () => closeDescriptor(end) }
}

/** A descriptor takes nothing back, so it is not let go while bytes are left over. */
function closeDescriptor(end: DescriptorEnd): void {
  if (end.front.length > 0) {
    throw new UnsupportedEndpointError(
      `${end.front.length} bytes were given back to a descriptor, which takes none back`,
      'Pull them before you detach',
    )
  }
  end.close()
}

function isRegularFile(fd: number): boolean {
  try {
    const stat = fs.fstatSync(fd)
    return stat.isFile() || stat.isDirectory() || stat.isCharacterDevice() || stat.isBlockDevice()
  } catch (cause) {
    throw new InvalidArgumentError(
      `Descriptor ${fd} is not open (${(cause as Error).message}). Pass one that is`,
    )
  }
}

/** A socket by its descriptor where that is possible; else as the stream that it is. */
function socketEnds(socket: Socket, options: PlaceOptions): Eventually<Ends> {
  refuseOffset(options)
  const isSource = options.use === 'attach' || !options.isSink
  if (isSource && isReadByParser(socket)) refuseParser()
  if (!socket.connecting) return connectedEnds(socket, options)
  return connected(socket, options.signal).then(() => connectedEnds(socket, options))
}

function connectedEnds(socket: Socket, options: PlaceOptions): Ends {
  const obstacle = socketObstacle(socket)
  if (obstacle !== undefined) return streamEnds(socket, obstacle, options)
  return attached(SocketEnd.of(socket), options)
}

function attached(end: SocketEnd, { use }: PlaceOptions): Ends {
  if (use === 'attach') {
    try {
      end.holdReading()
    } catch (error) {
      end.letGo()
      throw error
    }
  }
  return { source: end, sink: end, close: () => end.letGo() }
}

function socketObstacle(socket: Socket): Obstacle | undefined {
  if (isEncrypted(socket)) return TLS
  return addon === null ? withoutAddon(whyNoAddon) : undefined
}

function refuseParser(): never {
  throw new UnsupportedEndpointError(
    "Node's HTTP parser reads this socket",
    "Use the request or response itself, or the socket of an 'upgrade' event",
  )
}

function streamEnds(stream: Readable | Writable, obstacle: Obstacle, options: PlaceOptions): Ends {
  refuseOffset(options)
  if (stream.destroyed || isUnconnected(stream)) {
    throw new UnsupportedEndpointError(
      'This stream is destroyed, or this socket closed',
      'Pass one that is still open',
    )
  }
  // Only the side that is used: the other may carry objects.
  const { use, isSink } = options
  const isSource = (use === 'attach' || !isSink) && 'read' in stream
  const isTarget = (use === 'attach' || isSink) && 'write' in stream
  const source = isSource ? ReadableEnd.of(stream, obstacle) : undefined
  if (isTarget && stream instanceof Socket) {
    const sink = new SocketSink(stream, obstacle)
    return { source, sink, close: () => closeBoth(source, sink) }
  }
  const sink = isTarget ? WritableEnd.of(stream, obstacle) : undefined
  return { source, sink, close: () => source?.close() }
}

function closeBoth(source: ReadableEnd | undefined, sink: SocketSink): void {
  // It throws where bytes cannot be given back: the socket stays taken over then, as a whole.
  source?.close()
  sink.close()
}

/** A socket that was never told where to connect would be waited for in vain. */
function isUnconnected(stream: Readable | Writable): boolean {
  return stream instanceof Socket && stream.pending && !stream.connecting
}

/** A place that gives no bytes, or takes none. */
export function oneWay(isSink: boolean): InvalidArgumentError {
  return new InvalidArgumentError(
    isSink ? 'This place can only be read from' : 'This place can only be written to',
  )
}

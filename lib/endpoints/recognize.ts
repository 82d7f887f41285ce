/**
 * From what a caller hands in to the ends that the machine works with.
 */
import fs from 'node:fs'
import { ServerResponse } from 'node:http'
import tty from 'node:tty'
import type { FileHandle } from 'node:fs/promises'
import { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { checkLength, describe } from '../arguments.js'
import type { FileEnd as FilePlace } from '../contract.js'
import { after, type Eventually } from '../eventually.js'
import { InvalidArgumentError, UnsupportedEndpointError, type TransferError } from '../errors.js'
import { addon, whyNoAddon } from '../native.js'
import { OpenFile } from '../raw/open-file.js'
import { connected } from './connected.js'
import { DescriptorEnd } from './descriptor-end.js'
import { withoutAddon, type Obstacle, type SinkEnd, type SourceEnd } from './end.js'
import { kindOf, usableDevice, type Device, type Kind } from './device.js'
import { secondDescription } from './fifo-end.js'
import { FileEnd } from './file-end.js'
import { hearErrors } from './hearing.js'
import { endOfHandle, isFileHandle, kindOfHandle, openPlace, type Opened } from './file-place.js'
import { isEncrypted, isReadByParser } from './node-socket.js'
import { failedBefore } from './own-failure.js'
import { CopiedResponseEnd, ResponseEnd, roomOf, whyNotByReference } from './response-end.js'
import { SocketEnd } from './socket-end.js'
import { letGoOfNumber, turnsOfNumber, type NumberTurns } from './turns.js'
import { enter, type Use } from './occupancy.js'
import { SocketSink } from './socket-sink.js'
import { ReadableEnd, STREAM, TERMINAL, TLS, WritableEnd } from './stream-end.js'

/** Ends that were made for a caller, and how to let go of them. */
export interface Ends {
  readonly source: SourceEnd | undefined
  readonly sink: SinkEnd | undefined
  /** Bytes that the sink takes at the most; undefined where there is no such limit. */
  readonly roomBytes?: number | undefined
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
export type Place = FileHandle | FilePlace | Socket | ServerResponse | Readable | Writable | number

/** The ends of a place. Throws or rejects with a typed error before any byte moves. */
export function endsOf(place: Place, options: PlaceOptions): Eventually<Ends> {
  const shared = sharedPlace(place, options)
  if (shared === undefined) return openEndsOf(place, options)
  const leave = enterAndHear(place, shared, options)
  // No spread: V8 would make a map for each.
  const opened = (ends: Ends): Ends => ({
    source: ends.source,
    sink: ends.sink,
    roomBytes: ends.roomBytes,
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

/** Enters, and, for a conversation, hears the errors of a stream until it is left. */
function enterAndHear(place: Place, shared: object | number, { use }: PlaceOptions): () => void {
  const leave = enter(shared, use)
  // Of one operation it is heard by whoever begins it: before its turn to be opened comes.
  if (use !== 'attach' || isFileHandle(place) || !isStream(place)) return leave
  const deafen = hearErrors(place)
  return () => {
    leave()
    deafen(true)
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
  if (isFileHandle(place)) return handleEnds(place, options)
  if (isFilePlace(place)) return placeEnds(atOffset(place, options.offset), options)
  if (place instanceof ServerResponse) return responseEnds(place, options)
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

/** Whether a value that is no FileHandle is a stream of any kind. */
export function isStream(x: unknown): x is Readable & Writable {
  if (typeof x !== 'object' || x === null) return false
  const { on, read, write } = x as { on?: unknown; read?: unknown; write?: unknown }
  // A Buffer can be read from and written to as well, but is no emitter.
  return typeof on === 'function' && (typeof read === 'function' || typeof write === 'function')
}

function fileEnds(end: FileEnd): Ends {
  return {
    source: end,
    sink: end,
    close: () => end.close(),
  }
}

/** The ends of a handle: by what it is open on. */
function handleEnds(handle: FileHandle, options: PlaceOptions): Ends {
  const { offset, isSink } = options
  const kind = kindOfHandle(handle)
  if (kind === 'file') return fileEnds(endOfHandle(handle, offset, { isSink }))
  return descriptorEnds(handle.fd, options)
}

function placeEnds(place: FilePlace, options: PlaceOptions): Eventually<Ends> {
  const { file, offset } = place
  if (isFileHandle(file) && kindOfHandle(file) !== 'file') {
    return handleEnds(file, offset === undefined ? options : { ...options, offset })
  }
  return after(openPlace(place, options.isSink), (found) => openedEnds(found, options))
}

function openedEnds(found: Opened, options: PlaceOptions): Ends {
  if ('end' in found) return fileEnds(found.end)
  if ('fifo' in found) {
    const { fifo } = found
    return { source: fifo, sink: fifo, close: () => fifo.close() }
  }
  const { stream } = found
  const deafen = hearErrors(stream)
  const ends = streamEnds(stream, withoutAddon(whyNoAddon), options)
  return {
    ...ends,
    close: () => {
      ends.close()
      stream.destroy()
      deafen(true)
    },
  }
}

function descriptorEnds(fd: number, options: PlaceOptions): Ends {
  if (!Number.isInteger(fd) || fd < 0) {
    throw new InvalidArgumentError(`A descriptor must be a whole number from 0 up, not ${fd}`)
  }
  const { kind, device } = kindOfNumber(fd)
  // Two operations on one number move one position, or one stream: they take turns.
  const turns = turnsOfNumber(fd)
  try {
    const ends =
      kind === 'file' || kind === 'device'
        ? fileOfNumber(fd, options, turns, kind === 'device' ? { device } : undefined)
        : streamOfNumber(fd, options, turns, kind)
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

function fileOfNumber(
  fd: number,
  { offset, isSink }: PlaceOptions,
  turns: NumberTurns,
  found: { readonly device: Device | undefined } | undefined,
): Ends {
  const device = found === undefined ? undefined : usableDevice(found.device, isSink)
  const file = OpenFile.adopt(fd, isSink ? 'sink' : 'source')
  return fileEnds(new FileEnd(file, offset, { isSink, device }, turns.read))
}

function streamOfNumber(fd: number, options: PlaceOptions, turns: NumberTurns, kind: Kind): Ends {
  refuseOffset(options)
  if (addon === null) {
    throw new UnsupportedEndpointError(
      `Descriptor ${fd} cannot be used without the addon: ${whyNoAddon}`,
      'Wrap it: new net.Socket({ fd })',
    )
  }
  const second = kind === 'pipe' ? secondDescription(fd) : undefined
  try {
    const side = options.isSink ? 'sink' : 'source'
    const isAttached = options.use === 'attach'
    const end = new DescriptorEnd(second ?? fd, 'duplicate', isAttached, turns, side)
    return { source: end, sink: end, close: () => closeDescriptor(end) }
  } finally {
    if (second !== undefined) fs.closeSync(second)
  }
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

function kindOfNumber(fd: number): ReturnType<typeof kindOf> {
  try {
    return kindOf(fd)
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
  return connected(socket, options.signal).then(
    () => connectedEnds(socket, options),
    (error: unknown) => {
      throw ownErrorOf(socket, options) ?? error
    },
  )
}

function connectedEnds(socket: Socket, options: PlaceOptions): Ends {
  refuseFailed(socket, options)
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
  if (socket instanceof tty.ReadStream || socket instanceof tty.WriteStream) return TERMINAL
  return addon === null ? withoutAddon(whyNoAddon) : undefined
}

function refuseParser(): never {
  throw new UnsupportedEndpointError(
    "Node's HTTP parser reads this socket",
    "Use the request or response itself, or the socket of an 'upgrade' event",
  )
}

/** A response by its socket where its length is known and it has the socket; else as a stream. */
function responseEnds(response: ServerResponse, options: PlaceOptions): Ends {
  refuseOffset(options)
  if (!options.isSink || options.use === 'attach') return streamEnds(response, STREAM, options)
  const obstacle = addon === null ? withoutAddon(whyNoAddon) : whyNotByReference(response)
  const roomBytes = roomOf(response)
  if (obstacle !== undefined) {
    refuseClosed(response, options)
    const sink = new CopiedResponseEnd(response, obstacle)
    return { source: undefined, sink, roomBytes, close: () => undefined }
  }
  const sink = ResponseEnd.of(response)
  return { source: undefined, sink, roomBytes, close: () => sink.letGo() }
}

function streamEnds(stream: Readable | Writable, obstacle: Obstacle, options: PlaceOptions): Ends {
  refuseOffset(options)
  refuseClosed(stream, options)
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

function refuseClosed(stream: Readable | Writable, options: PlaceOptions): void {
  refuseFailed(stream, options)
  if (!stream.destroyed && !isUnconnected(stream)) return
  throw new UnsupportedEndpointError(
    'This stream is destroyed, or this socket closed',
    'Pass one that is still open',
  )
}

/** What has failed by itself, perhaps since the operation began, tells by its own error. */
function refuseFailed(stream: Readable | Writable, options: PlaceOptions): void {
  const error = stream.destroyed ? ownErrorOf(stream, options) : undefined
  if (error !== undefined) throw error
}

/** What a stream has failed with, as the failure of the side that an operation has of it. */
function ownErrorOf(
  stream: Readable | Writable,
  { use, isSink }: PlaceOptions,
): TransferError | undefined {
  // Which side it is of an endpoint, its operations know.
  if (use === 'attach' || stream.errored == null) return undefined
  return failedBefore(isSink ? 'sink' : 'source', stream)
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

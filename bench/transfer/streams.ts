/**
 * The contestants with Node streams, as short as they can be written, so that nothing but streams is
 * measured: `pipe`, and counting.
 *
 * A message of a file is a read stream of its own, as it is one `transfer` for splicelist: it may lie
 * anywhere. Sockets are piped for good, for their messages come one at a time; sinks that are files
 * are a write stream for the whole pass, whose writes are counted to know when a message is stored.
 */
import fs, { createReadStream, createWriteStream, openSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import type { Prepare } from './contestant.js'
import { hasPeer, offsetOf, type Job } from './job.js'
import { openPipe, openRoutes, type Place, type Route } from './places.js'

const TUNED_BYTES = 1024 * 1024

export const prepareDefaultStreams: Prepare = (job, stored) => prepare(job, stored, undefined)
export const prepareTunedStreams: Prepare = (job, stored) => prepare(job, stored, TUNED_BYTES)

interface Options {
  readonly highWaterMark?: number
}

/** Moves all messages of one connection; resolves with the bytes of its source. */
type Move = () => Promise<number>

async function prepare(job: Job, stored: () => void, highWaterMark: number | undefined) {
  const options: Options = highWaterMark === undefined ? {} : { highWaterMark }
  const routes = await openRoutes(job, highWaterMark)
  const moves = routes.map((route) => moveOf(route, job, stored, options))
  return {
    pass: async () => {
      const moved = await Promise.all(moves.map((move) => move()))
      return moved.reduce((sum, bytes) => sum + bytes, 0)
    },
    close: () => {
      for (const { source, sinks } of routes) {
        for (const place of [source, ...sinks]) if (place.kind === 'socket') place.socket.destroy()
      }
      return Promise.resolve()
    },
  }
}

function moveOf(route: Route, job: Job, stored: () => void, options: Options): Move {
  const { source, sinks } = route
  const [sink] = sinks
  if (sink === undefined) throw new Error('a job without a sink')
  if (source.kind === 'file') {
    const from = openSync(source.path, 'r')
    if (sink.kind === 'socket') return () => sendExtents(from, sink.socket, job, options)
    return fileToFile(from, pathOf(sink), job, options)
  }
  const from = source.kind === 'socket' ? source.socket : pipeReader(source.path, options)
  if (sink.kind === 'file') return streamToFile(from, sink.path, job, stored, options)
  const sockets = sinks.map(socketOf)
  for (const socket of sockets) from.pipe(socket, { end: false })
  return () => flow(from, sockets, job)
}

/** One read stream for every extent. The socket stays open behind it. */
async function sendExtents(
  from: number,
  socket: Socket,
  job: Job,
  options: Options,
): Promise<number> {
  let moved = 0
  for (let message = 0; message < job.messages; message += 1) {
    const extent = readExtent(from, job, message, options)
    extent.pipe(socket, { end: false })
    await settled(extent, 'end')
    moved += extent.bytesRead
  }
  await flushed(socket)
  return moved
}

/** Two streams for every extent: what they copy has its own place in either file. */
function fileToFile(from: number, path: string, job: Job, options: Options): Move {
  const to = openSync(path, 'r+')
  return async () => {
    let moved = 0
    for (let message = 0; message < job.messages; message += 1) {
      const start = offsetOf(job, message)
      const target = createWriteStream('', { ...options, fd: to, start, autoClose: false })
      readExtent(from, job, message, options).pipe(target)
      await settled(target, 'finish')
      moved += target.bytesWritten
    }
    return moved
  }
}

function settled(stream: Readable | Writable, event: 'end' | 'finish'): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.once('error', reject)
    stream.once(event, resolve)
  })
}

function readExtent(fd: number, job: Job, message: number, options: Options): fs.ReadStream {
  const start = offsetOf(job, message)
  const end = start + job.messageBytes - 1
  return createReadStream('', { ...options, fd, start, end, autoClose: false })
}

/** What the pipes to the sinks move, until all of a pass went through. */
async function flow(from: Readable, sockets: readonly Socket[], job: Job): Promise<number> {
  const passBytes = job.messages * job.messageBytes
  const moved = await counted(from, passBytes)
  await Promise.all(sockets.map(flushed))
  return moved
}

function counted(from: Readable, passBytes: number): Promise<number> {
  return new Promise((resolve) => {
    let bytes = 0
    const count = (chunk: Buffer): void => {
      bytes += chunk.length
      if (bytes < passBytes) return
      from.off('data', count)
      resolve(bytes)
    }
    from.on('data', count)
  })
}

/** Resolves when the kernel has what was written. */
function flushed(socket: Writable): Promise<void> {
  if (socket.writableLength === 0) return Promise.resolve()
  return new Promise((resolve, reject) => {
    socket.write('', (error) => (error == null ? resolve() : reject(error)))
  })
}

function streamToFile(
  from: Readable,
  path: string,
  job: Job,
  stored: () => void,
  options: Options,
): Move {
  const fd = openSync(path, 'r+')
  const passBytes = job.messages * job.messageBytes
  return () =>
    new Promise<number>((resolve, reject) => {
      const note = noteOf(job, stored)
      const target = createWriteStream('', {
        ...options,
        fd,
        start: 0,
        autoClose: false,
        fs: countingFs((count) => {
          if (note(count) < passBytes) return
          from.unpipe(target)
          resolve(passBytes)
        }),
      })
      target.on('error', reject)
      from.pipe(target, { end: false })
    })
}

/** Counts what is stored, says so for each message, and returns how much it is. */
function noteOf(job: Job, stored: () => void): (count: number) => number {
  const tell = hasPeer(job) ? stored : () => undefined
  let bytes = 0
  let messages = 0
  return (count) => {
    bytes += count
    for (; (messages + 1) * job.messageBytes <= bytes; messages += 1) tell()
    return bytes
  }
}

/** The calls of a write stream, told of each that was done. */
function countingFs(note: (count: number) => void) {
  type Done = (error: NodeJS.ErrnoException | null, count: number, data: unknown) => void
  const noting =
    (done: Done): Done =>
    (error, count, data) => {
      done(error, count, data)
      if (error === null) note(count)
    }
  return {
    write: (fd: number, data: Buffer, at: number, length: number, to: number, done: Done) =>
      fs.write(fd, data, at, length, to, noting(done)),
    writev: (fd: number, data: Buffer[], to: number, done: Done) =>
      fs.writev(fd, data, to, noting(done)),
    open: fs.open,
    close: fs.close,
  }
}

function pipeReader(path: string, options: Options): Readable {
  return new Socket({ ...options, fd: openPipe(path), readable: true, writable: false })
}

function socketOf(place: Place): Socket {
  if (place.kind === 'socket') return place.socket
  throw new Error(`a ${place.kind} among sockets`)
}

function pathOf(place: Place): string {
  if (place.kind === 'file') return place.path
  throw new Error(`a ${place.kind}, and not a file`)
}

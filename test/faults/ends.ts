/**
 * The places of the sweep: sources that have given bytes next, and sinks that tell afterwards what
 * they were given.
 */
import type { Socket } from 'node:net'
import { attach, type BufferList, type Endpoint, type Sink, type TransferError } from 'splicelist'
import { fileOf, taker, type Kind } from '../transfer/places.js'
import { Collector } from '../transfer/collector.js'
import { destroyed, tcpPair, unixPair } from '../support/socket-pairs.js'
import { fifoToRead, fifoToWrite } from '../transfer/fifos.js'
import { otherSource, otherTarget, type OtherPlace } from './other-ends.js'

/** The places that the sweep tries in all pairs. */
export const PLACES = ['tmpfs file', 'tcp', 'unix', 'pipe'] as const satisfies readonly Kind[]
/** One of them, or one of those that are not tried in all pairs. */
export type PlaceKind = (typeof PLACES)[number] | OtherPlace
/** A sink that tells what came out of it when a failure has ended it. */
export interface Target {
  readonly sink: Sink
  /** All that it was given: `length` bytes, or what came before a failure. */
  taken(length: number, error: unknown): Promise<Buffer>
  /** Closes what the library has borrowed of it. */
  close(): Promise<void>
}

/**
 * A new sink of a kind, which is to take so many bytes. `content`: what they are, for a sink that nobody
 * can look into.
 */
export async function target(kind: PlaceKind, length: number, content?: Buffer): Promise<Target> {
  if (isOther(kind)) return otherTarget(kind, length, content)
  const close = (): Promise<void> => Promise.resolve()
  if (kind === 'tmpfs file') {
    const file = await taker(kind)
    return { sink: await file.open(), taken: (length) => file.taken(length), close }
  }
  if (kind === 'pipe') {
    const { fd, reader } = fifoToWrite()
    const collector = new Collector(reader)
    return {
      sink: fd,
      taken: async (length, error) => {
        if (error === undefined) return collector.take(length)
        // Its write end stays open: what was accepted is what is there.
        return collector.take(acceptedOf(error))
      },
      close,
    }
  }
  const { client, server } = await (kind === 'tcp' ? tcpPair() : unixPair())
  for (const end of [client, server]) end.on('error', () => undefined)
  const collector = new Collector(server)
  return {
    sink: client,
    taken: (length, error) => {
      if (error === undefined) return collector.take(length)
      client.destroy()
      return collector.rest()
    },
    close: () => destroyed(client),
  }
}

/** A source, attached, with these bytes next, and its end behind them where it is asked for. */
export async function attached(
  kind: PlaceKind,
  content: Buffer,
  then: 'open' | 'end' = 'open',
): Promise<Endpoint> {
  if (isOther(kind)) return otherSource(kind, content, then)
  const give = (writer: Socket): void => {
    if (then === 'end') writer.end(content)
    else writer.write(content)
  }
  if (kind === 'tmpfs file') {
    const { handle } = await fileOf(content, 'tmpfs')
    return attach({ file: handle, offset: 0 })
  }
  if (kind === 'pipe') {
    const { fd, writer } = fifoToRead()
    give(writer)
    return attach(fd)
  }
  const { client, server } = await (kind === 'tcp' ? tcpPair() : unixPair())
  // A scripted failure destroys one end, and resets the other.
  for (const end of [client, server]) end.on('error', () => undefined)
  give(client)
  return attach(server)
}

function acceptedOf(error: unknown): number {
  return (error as Partial<TransferError>).bytesMoved ?? 0
}

function isOther(kind: PlaceKind): kind is OtherPlace {
  return !PLACES.some((each) => each === kind)
}

/** Sends a list to a new place of a kind, or where nobody can look into one, to a file. */
export async function resent(kind: PlaceKind, list: BufferList): Promise<Buffer> {
  const { length } = list
  const again = await target(kind === '/dev/null' ? 'tmpfs file' : kind, length)
  await list.spliceTo(again.sink)
  return again.taken(length, undefined)
}

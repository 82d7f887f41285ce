/**
 * The contestant that all this is about: each message is one `transfer`, awaited before the next; or all
 * of them are.
 */
import { open, type FileHandle } from 'node:fs/promises'
import * as splicelist from 'splicelist'
import { attach, transfer, type Endpoint, type Sink, type Source } from 'splicelist'
import type { Contestant, Prepare } from './contestant.js'
import { hasPeer, offsetOf, type Job } from './job.js'
import { openPipe, openRoutes, type Place } from './places.js'

/** A place as it is handed to `transfer`, for each message. */
interface Side {
  at(message: number): Source & Sink
  close(): Promise<void>
}

type FanOut = (
  source: Source,
  sinks: readonly Sink[],
  options: { readonly length: number },
) => Promise<{ readonly bytesPulled: number }>

/** Whether the library can do the job; or, in a few words, why not. */
export function obstacleOf({ source, sinks }: Pick<Job, 'source' | 'sinks'>): string | undefined {
  if (source === 'pipe' && process.env['SPLICELIST_NATIVE'] === '0') return 'no addon'
  return sinks > 1 && fanOut() === undefined ? 'no fanOut' : undefined
}

export const prepareOneCall: Prepare = (job, stored) =>
  prepareSplicelist({ ...job, messageBytes: job.messages * job.messageBytes, messages: 1 }, stored)

export const prepareSplicelist: Prepare = async (job, stored) => {
  const routes = await openRoutes(job)
  const connections = await Promise.all(
    routes.map(async ({ source, sinks }) => ({
      source: await sideOf(source, job, 'r'),
      sinks: await Promise.all(sinks.map((sink) => sideOf(sink, job, 'r+'))),
    })),
  )
  const ways = new Set<string>()
  const contestant: Contestant = {
    ways,
    pass: async () => {
      const moved = await Promise.all(
        connections.map(({ source, sinks }) => moveMessages(source, sinks, { job, stored, ways })),
      )
      return moved.reduce((sum, bytes) => sum + bytes, 0)
    },
    close: async () => {
      for (const { source, sinks } of connections) {
        await source.close()
        for (const sink of sinks) await sink.close()
      }
    },
  }
  return contestant
}

interface Work {
  readonly job: Job
  readonly stored: () => void
  readonly ways: Set<string>
}

async function moveMessages(
  source: Side,
  sinks: readonly Side[],
  { job, stored, ways }: Work,
): Promise<number> {
  const [only, ...others] = sinks
  if (only === undefined) throw new Error('a job without a sink')
  const isAcknowledged = job.sink === 'file' && hasPeer(job)
  const options = { length: job.messageBytes }
  let moved = 0
  for (let message = 0; message < job.messages; message += 1) {
    if (others.length === 0) {
      const result = await transfer(source.at(message), only.at(message), options)
      moved += result.bytesMoved
      // One message is like another: looking at each would be work of its own.
      if (message === 0) for (const way of result.ways) ways.add(way)
    } else {
      moved += await fanOutOnce(source.at(message), sinks, message, options)
    }
    if (isAcknowledged) stored()
  }
  return moved
}

async function fanOutOnce(
  source: Source,
  sinks: readonly Side[],
  message: number,
  options: { readonly length: number },
): Promise<number> {
  const operation = fanOut()
  if (operation === undefined) throw new Error('splicelist has no fanOut')
  const to = sinks.map((sink) => sink.at(message))
  const { bytesPulled } = await operation(source, to, options)
  return bytesPulled
}

function fanOut(): FanOut | undefined {
  return (splicelist as { fanOut?: FanOut }).fanOut
}

async function sideOf(place: Place, job: Job, flags: string): Promise<Side> {
  if (place.kind === 'file') {
    const file: FileHandle = await open(place.path, flags)
    return {
      at: (message) => ({ file, offset: offsetOf(job, message) }),
      close: () => file.close(),
    }
  }
  const endpoint: Endpoint = attach(place.kind === 'socket' ? place.socket : openPipe(place.path))
  return {
    at: () => endpoint,
    close: async () => {
      await endpoint.detach()
      if (place.kind === 'socket') place.socket.destroy()
    },
  }
}

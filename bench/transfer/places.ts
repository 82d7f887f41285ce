/** The places of a job in a Node process: what is connected and open before anything is measured. */
import { once } from 'node:events'
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { hasPeer, type Job, type Kind } from './job.js'

/** A side of a connection. A file is a path: each contestant opens it in its own way. */
export type Place =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'pipe'; readonly path: string }
  | { readonly kind: 'socket'; readonly socket: Socket }

export interface Route {
  readonly source: Place
  readonly sinks: readonly Place[]
}

/** Connects in the order in which the peer accepts. `highWaterMark` is the streams' own option. */
export async function openRoutes(job: Job, highWaterMark?: number): Promise<Route[]> {
  const options = highWaterMark === undefined ? {} : { highWaterMark }
  const open = async (side: 'source' | 'sink'): Promise<Place> => {
    const kind: Kind = job[side]
    if (kind === 'file') return { kind, path: join(job.dir, side) }
    if (kind === 'pipe') return { kind, path: join(job.dir, 'payload') }
    const socket =
      kind === 'tcp'
        ? connect({ ...options, host: '127.0.0.1', port: job[`${side}Port`], noDelay: true })
        : connect({ ...options, path: join(job.dir, side) })
    await once(socket, 'connect')
    return { kind: 'socket', socket }
  }
  const routes: Route[] = []
  for (let i = 0; i < job.connections; i += 1) {
    const source = await open('source')
    const sinks: Place[] = []
    for (let j = 0; j < job.sinks; j += 1) sinks.push(await open('sink'))
    routes.push({ source, sinks })
  }
  return routes
}

/** A named pipe for reading. The peer has it open already, so nothing waits. */
export function openPipe(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
}

/** What the contestant and the peer tell each other: calls that are the same in every contestant. */
export class Control {
  readonly #toPeer: number | undefined
  readonly #fromPeer: number | undefined
  readonly #byte = Buffer.from('m')

  constructor(job: Job) {
    if (!hasPeer(job)) return
    this.#toPeer = openSync(join(job.dir, 'to-peer'), 'w')
    this.#fromPeer = openSync(join(job.dir, 'to-worker'), 'r')
  }
  /** The pass begins, or a message is stored. */
  readonly tell = (): void => {
    if (this.#toPeer !== undefined) writeSync(this.#toPeer, this.#byte)
  }
  /** Waits until the peer has everything. Nothing else goes on in this process then. */
  awaitEnd(): void {
    if (this.#fromPeer === undefined) return
    if (readSync(this.#fromPeer, this.#byte) === 0) throw new Error('the peer is gone')
  }
  close(): void {
    if (this.#toPeer !== undefined) closeSync(this.#toPeer)
    if (this.#fromPeer !== undefined) closeSync(this.#fromPeer)
  }
}

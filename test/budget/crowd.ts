/**
 * Many connections at once. The peers live in a process of their own, so that this one's descriptors
 * are the library's: thousands of sockets, one for each peer.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { tempFolder } from '../support/folders.js'
import { destroyed } from '../support/socket-pairs.js'

/** Whether the long mode was asked for: `SPLICELIST_LONG=1`. */
export const isLong: boolean = process.env['SPLICELIST_LONG'] === '1'
/** Descriptors that a process needs for itself, beside its sockets. */
const SPARE_DESCRIPTORS = 500

/** What the peers are asked to do. */
export type Order =
  | { readonly do: 'send'; readonly lengthBytes: number }
  | { readonly do: 'check'; readonly lengthBytes: number }

/** Sockets to peers, in the order of the peers' numbers, which seed what they send and expect. */
export interface Crowd {
  readonly sockets: readonly Socket[]
  /** Gives an order to all peers, and resolves when all have carried it out: how many were right. */
  readonly order: (order: Order) => Promise<number>
}

let run = Buffer.alloc(0)

/** The run that all peers' bytes are parts of. */
export function wholeRun(size: number, lengthBytes: number): Buffer {
  if (run.length < size + lengthBytes) run = bytes(1, size + lengthBytes)
  return run.subarray(0, size + lengthBytes)
}

/**
 * The bytes of peer `index` of `size`: each one's begin a byte behind its neighbour's in one run, which
 * is as long as it needs to be.
 */
export function ownBytes(index: number, size: number, lengthBytes: number): Buffer {
  return wholeRun(size, lengthBytes).subarray(index, index + lengthBytes)
}

/** How many connections a test of `wanted` makes here: as many as descriptors allow. */
export function crowdSize(wanted: number, openFilesMax: number): number {
  return Math.min(wanted, openFilesMax - SPARE_DESCRIPTORS)
}

/** Resolves when something has come true, which it does by itself and soon. */
export async function until(what: string, isTrue: () => boolean): Promise<void> {
  for (let look = 0; !isTrue(); look++) {
    if (look === 1000) throw new Error(`It never came true that ${what}`)
    await delay(10)
  }
}

/** Peers that connect at once, so that the listener's queue does not overflow. */
export const CROWD_BATCH = 500

/** Connects `size` peers over unix sockets. */
export async function crowd(size: number): Promise<Crowd> {
  const path = join(await tempFolder(), 'socket')
  const sockets: Socket[] = []
  const arrived = new Promise<void>((resolve) => {
    const server = createServer({ pauseOnConnect: true }, (socket) => {
      socket.on('error', () => undefined)
      sockets.push(socket)
      // Connected is not accepted: who has done neither waits for this.
      if (sockets.length % CROWD_BATCH === 0) peers.send('more')
      if (sockets.length === size) {
        server.close()
        resolve()
      }
    }).listen({ path, backlog: 4096 })
  })
  const peers = fork(new URL('programs/peers.js', import.meta.url), [path, String(size)], {
    execArgv: [],
  })
  afterwards(async () => {
    await Promise.all(sockets.map((socket) => destroyed(socket)))
    if (peers.exitCode !== null || peers.signalCode !== null) return
    const exited = once(peers, 'exit')
    peers.kill('SIGKILL')
    await exited
  })
  await arrived
  return {
    sockets,
    order: async (order) => {
      peers.send(order)
      const [right] = (await once(peers, 'message')) as [number]
      return right
    },
  }
}

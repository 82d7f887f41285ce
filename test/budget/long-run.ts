/**
 * Gigabytes that nobody keeps: a run of blocks that are the same but for their number, made and checked
 * a block at a time, by peers in processes of their own.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { destroyed } from '../support/socket-pairs.js'

/** Bytes of a block, and of a page-aligned part of a run. */
export const BLOCK_BYTES = 1 << 20

/** What a block is: its number, then the same for all. In a sparse run most are zeros. */
export class Run {
  readonly #block = bytes(1, BLOCK_BYTES)
  readonly #zeros = Buffer.alloc(BLOCK_BYTES)
  readonly #isSparse: boolean

  constructor(isSparse: boolean) {
    this.#isSparse = isSparse
  }
  /** Block `index`, until the next one is asked for. */
  block(index: number): Buffer {
    if (this.isHole(index)) return this.#zeros
    this.#block.writeUInt32LE(index)
    return this.#block
  }
  /** Whether a block is a hole of the file: all but some, and those at each gigabyte. */
  isHole(index: number): boolean {
    return this.#isSparse && index % 61 !== 0 && (index + 1) % 1024 > 1
  }
  /** Whether these are the bytes at an offset. */
  hasAt(offset: number, chunk: Buffer): boolean {
    for (let at = 0; at < chunk.length;) {
      const position = offset + at
      const begin = position % BLOCK_BYTES
      const n = Math.min(chunk.length - at, BLOCK_BYTES - begin)
      const block = this.block(Math.floor(position / BLOCK_BYTES))
      if (block.compare(chunk, at, at + n, begin, begin + n) !== 0) return false
      at += n
    }
    return true
  }
}

/** What a peer does with its connection. */
export type Part = 'send' | 'check' | 'check sparse'

/** A socket to a process that sends the first so many bytes of a run, or checks that they come. */
export interface LongPeer {
  readonly socket: Socket
  /** Resolves with how many bytes came and were right, when so many have come. */
  readonly right: Promise<number>
}

/** Connects a process of its own. */
export async function longPeer(part: Part, lengthBytes: number): Promise<LongPeer> {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const args = [part, String(port), String(lengthBytes)]
  const child = fork(new URL('programs/long-peer.js', import.meta.url), args, { execArgv: [] })
  const [socket] = (await once(server, 'connection')) as [Socket]
  server.close()
  socket.on('error', () => undefined)
  afterwards(async () => {
    await destroyed(socket)
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  })
  const right = once(child, 'message').then(([count]) => count as number)
  return { socket, right }
}

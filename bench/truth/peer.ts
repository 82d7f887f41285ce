/**
 * The other side of every socket, in a process of its own, so that its CPU is in no figure. A connection
 * says in its first line what it wants: `give BYTES`, or `take`, after which all is swallowed.
 *
 * Runs until its parent is gone.
 */
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { pipeline, Readable } from 'node:stream'
import type { Peer } from './errand.js'

const CHUNK = Buffer.alloc(1024 * 1024, 'peer')

function* chunksOf(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= CHUNK.length) {
    yield left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK
  }
}

function serve(socket: Socket): void {
  // A connection ends when its transfer has been measured, at whatever point.
  socket.on('error', () => socket.destroy())
  socket.once('data', (line: Buffer) => {
    const [what = '', bytes] = line.toString('latin1').split(/[ \n]/)
    socket.resume()
    if (what !== 'give') return
    // The error is the socket's, which has been dealt with.
    pipeline(Readable.from(chunksOf(Number(bytes))), socket, () => undefined)
  })
}

async function listening(
  at: { readonly port: number; readonly host: string } | string,
): Promise<Server> {
  const server = createServer(serve)
  server.listen(at)
  await once(server, 'listening')
  return server
}

const [unixPath = ''] = process.argv.slice(2)
const tcp = await listening({ port: 0, host: '127.0.0.1' })
await listening(unixPath)
process.on('disconnect', () => process.exit())
process.send?.({ port: (tcp.address() as AddressInfo).port, unixPath } satisfies Peer)

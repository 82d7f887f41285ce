/**
 * The other ends of a child's sockets and named pipes, in this process: what they read and write is
 * not in the child's account.
 */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync } from 'node:fs'
import { createServer, Socket, type ListenOptions, type Server } from 'node:net'
import { join } from 'node:path'
import { afterwards } from '../support/cleanup.js'
import { destroyed } from '../support/socket-pairs.js'
import { bytes } from '../support/bytes.js'

/** Where a child finds its peers. */
export interface Peers {
  readonly port: number
  readonly unixPath: string
  /** What was asked for comes out here. */
  readonly givingFifo: string
  /** What goes in here is read and forgotten. */
  readonly takingFifo: string
}

/**
 * Starts them, until the test is over. A connection begins with a line: 'give N', 'take', or 'fifo N',
 * for bytes in the named pipe.
 */
export async function startPeers(folder: string): Promise<Peers> {
  const giving = fifo(join(folder, 'giving'))
  const taking = fifo(join(folder, 'taking'))
  const writer = new Socket({ fd: giving.writeEnd, readable: false, writable: true })
  const reader = new Socket({ fd: taking.readEnd, readable: true, writable: false })
  afterwards(() => closeSync(giving.readEnd))
  afterwards(() => closeSync(taking.writeEnd))
  afterwards(() => destroyed(writer))
  afterwards(() => destroyed(reader))
  reader.resume()
  const onSocket = (socket: Socket): void => serve(socket, writer)
  const unixPath = join(folder, 'socket')
  const [server] = await Promise.all([
    listening(onSocket, { port: 0, host: '127.0.0.1' }),
    listening(onSocket, { path: unixPath }),
  ])
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('A server has a port')
  return { port: address.port, unixPath, givingFifo: giving.path, takingFifo: taking.path }
}

async function listening(
  onSocket: (socket: Socket) => void,
  where: ListenOptions,
): Promise<Server> {
  const server = createServer(onSocket)
  await once(server.listen(where), 'listening')
  afterwards(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return server
}

function serve(socket: Socket, fifoWriter: Socket): void {
  afterwards(() => destroyed(socket))
  socket.on('error', () => undefined)
  socket.once('data', (line: Buffer) => {
    const [verb, length] = line.toString().split(/\s/)
    if (verb === 'give') socket.write(bytes(1, Number(length)))
    if (verb === 'fifo') {
      fifoWriter.write(bytes(1, Number(length)))
      socket.end('done\n')
    }
    // What follows is read and forgotten.
    socket.resume()
  })
}

function fifo(path: string): { path: string; readEnd: number; writeEnd: number } {
  const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants
  execFileSync('mkfifo', [path])
  const readEnd = openSync(path, O_RDONLY | O_NONBLOCK)
  return { path, readEnd, writeEnd: openSync(path, O_WRONLY | O_NONBLOCK) }
}

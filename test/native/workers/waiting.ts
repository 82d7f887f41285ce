/** A worker that uses the addon in the way that it is told, tells that it is there, and stays. */
import { createServer, connect } from 'node:net'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { BufferList } from 'splicelist'
import { opened, runJob, Watch } from '#lib/reactor.js'
import { PipeRaw } from '#lib/raw/pipe.js'
import { pipePool } from '#lib/raw/pipe-pool.js'

const { how, path } = workerData as { how: string; path: string }

/** Pages in pipes, a view of them, and a file: all that can be held. */
function hold(): BufferList {
  const list = new BufferList()
  const held = pipePool.borrow(100_000)
  if (held === undefined) throw new Error('There is no pipe')
  held.bytes = opened().writev(held.pipe, [Buffer.alloc(100_000, how)], 0, false)
  list.adoptRaw(new PipeRaw([held], 'foreign'))
  list.cStr()
  return list
}

async function wait(): Promise<void> {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as { port: number }
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const { fd } = (socket as unknown as { _handle: { fd: number } })._handle
  const descriptor = opened().adopt(fd, 'borrow')
  if (typeof descriptor === 'number') throw new Error(`It said ${descriptor}`)
  void new Watch(descriptor).readable()
}

function work(): void {
  const descriptor = opened().adopt(openSync(path, 'r'), 'duplicate')
  if (typeof descriptor === 'number') throw new Error(`It said ${descriptor}`)
  for (let i = 0; i < 50; i++) {
    void runJob((token) =>
      opened().readAt(descriptor, 0, new Uint8Array(1 << 20), 0, 1 << 20, token),
    ).done
  }
}

const lists = [hold()]
if (how === 'wait') await wait()
if (how === 'work') work()
if (how === 'throw') setImmediate(() => { throw new Error('by intention') }) // prettier-ignore
if (how === 'close') opened().close()
if (how === 'end') for (const list of lists) list.release()
parentPort?.postMessage({ live: opened().live(), text: how === 'end' ? '' : 'held' })
if (how === 'exit') process.exit(0)
if (how !== 'end' && how !== 'close') setInterval(() => lists.length, 1000)

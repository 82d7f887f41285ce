/** A worker with pages in every state: its own, given, lent to a list and to the kernel, reserved. */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import { allocPages, counters, ProducerRing } from 'splicelist'

const own = allocPages(100_000)
own.bytes.fill(1)
const given = allocPages(1_500_000).gift()
const lent = allocPages(100_000)
const { list: lentList } = lent.loan()
const ring = new ProducerRing({ bytes: 100_000 })
await ring.reserve(10)

// Nobody reads at the other end, so the kernel refers to the pages for as long as this lives.
const listener = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
await once(listener, 'listening')
const { port } = listener.address() as { port: number }
const socket = connect(port, '127.0.0.1')
await Promise.all([once(socket, 'connect'), once(listener, 'connection')])
await lentList.substr().spliceTo(socket, { consume: true })

parentPort?.postMessage({ live: counters.snapshot().live })
if (workerData === 'exit') process.exit(0)
if (workerData === 'throw') setImmediate(() => { throw new Error('by intention') }) // prettier-ignore
setInterval(() => [own, given, lentList, ring].length, 1000)

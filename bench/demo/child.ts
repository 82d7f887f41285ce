/** A child of the demo: one side of one run, in a process of its own, so that its CPU is its own. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { highWaterMarkOf, type ChildMessage, type Job, type Role, type Side } from './job.js'
import { Meter, peakRssBytes } from './meter.js'
import { receiveBySplicelist } from './receiver-splicelist.js'
import { receiveByStreams } from './receiver-streams.js'
import { sendBySplicelist } from './sender-splicelist.js'
import { sendByStreams } from './sender-streams.js'

const PROGRESS_MS = 200

const SPLICELIST: Record<Side, Role> = { sender: sendBySplicelist, receiver: receiveBySplicelist }
const STREAMS: Record<Side, Role> = { sender: sendByStreams, receiver: receiveByStreams }

await run(JSON.parse(process.argv[2] ?? '') as Job)

async function run(job: Job): Promise<void> {
  const orphaned = (): never => process.exit(1)
  process.once('disconnect', orphaned)
  const socket = job.side === 'sender' ? await dial(job) : await accept(job)
  const tally = { acceptedBytes: 0 }
  const timer = setInterval(
    () => tell({ kind: 'progress', bytes: tally.acceptedBytes }),
    PROGRESS_MS,
  )
  const role = (job.variant === 'splicelist' ? SPLICELIST : STREAMS)[job.side]

  const meter = new Meter()
  const ledger = await role(socket, job, tally)
  const cost = meter.read()

  clearInterval(timer)
  socket.destroy()
  tell({ kind: 'done', report: { ...cost, peakRssBytes: peakRssBytes(), ledger } })
  // From here on nothing may keep this process alive; the demo complains about one that stays.
  process.off('disconnect', orphaned)
  process.disconnect()
}

async function dial(job: Job): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: job.port, ...streamOptions(job) })
  await once(socket, 'connect')
  return socket
}

/** Takes one connection. It comes paused, so that nothing is read before the role takes over. */
async function accept(job: Job): Promise<Socket> {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, ...streamOptions(job) })
  server.listen(job.port, '127.0.0.1')
  await once(server, 'listening')
  tell({ kind: 'listening', port: (server.address() as AddressInfo).port })
  const [socket] = (await once(server, 'connection')) as [Socket]
  server.close()
  return socket
}

function streamOptions(job: Job): { highWaterMark?: number } {
  const highWaterMark = highWaterMarkOf(job.variant)
  return highWaterMark === undefined ? {} : { highWaterMark }
}

function tell(message: ChildMessage): void {
  process.send?.(message)
}

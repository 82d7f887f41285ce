/** A child of the demo: one side of one run, in a process of its own, so that its CPU is its own. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { Meter, peakRssBytes, type Cost } from '../harness/meter.js'
import {
  highWaterMarkOf,
  type ChildMessage,
  type Job,
  type Ledger,
  type Pass,
  type Role,
  type Side,
  type SideReport,
  type Tally,
} from './job.js'
import { scheduleOf, type Passes } from './passes.js'
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
  const place = job.side === 'sender' ? dialer(job) : await listener(job)
  const tally = { acceptedBytes: 0 }
  const timer = setInterval(
    () => tell({ kind: 'progress', bytes: tally.acceptedBytes }),
    PROGRESS_MS,
  )
  const done: PassReport[] = []
  for (const plan of scheduleOf(job.passes)) {
    done.push(await runPass({ ...job, plan }, job.side, await place.connection(), tally))
    tell({ kind: 'passed' })
  }
  clearInterval(timer)
  place.close()
  tell({ kind: 'done', report: reportOf(done, job.passes) })
  // From here on nothing may keep this process alive; the demo complains about one that stays.
  process.off('disconnect', orphaned)
  process.disconnect()
}

interface PassReport {
  readonly cost: Cost
  readonly ledger: Ledger
}

async function runPass(pass: Pass, side: Side, socket: Socket, tally: Tally): Promise<PassReport> {
  const role = (pass.variant === 'splicelist' ? SPLICELIST : STREAMS)[side]
  const meter = new Meter()
  const ledger = await role(socket, pass, tally)
  const cost = meter.read()
  socket.destroy()
  return { cost, ledger }
}

function reportOf(done: readonly PassReport[], { countedPasses }: Passes): SideReport {
  const [first, last] = [done.at(0), done.at(-1)]
  if (first === undefined || last === undefined) throw new Error('a job without a pass')
  const counted = done.slice(-countedPasses).map(({ cost }) => cost)
  return {
    cpuSeconds: mean(counted.map(({ cpuSeconds }) => cpuSeconds)),
    wallSeconds: mean(counted.map(({ wallSeconds }) => wallSeconds)),
    cold: first.cost,
    peakRssBytes: peakRssBytes(),
    ledger: last.ledger,
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Where the connections of the passes come from. */
interface Place {
  connection(): Promise<Socket>
  close(): void
}

/** Dials whenever the demo says that the receiver's file is ready for another pass. */
function dialer(job: Job): Place {
  return {
    connection: async () => {
      await once(process, 'message')
      const socket = connect({ host: '127.0.0.1', port: job.port, ...streamOptions(job) })
      await once(socket, 'connect')
      return socket
    },
    close: () => undefined,
  }
}

/** Takes connections. They come paused, so that nothing is read before the role takes over. */
async function listener(job: Job): Promise<Place> {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, ...streamOptions(job) })
  server.listen(job.port, '127.0.0.1')
  await once(server, 'listening')
  tell({ kind: 'listening', port: (server.address() as AddressInfo).port })
  return {
    connection: async () => {
      const [socket] = (await once(server, 'connection')) as [Socket]
      return socket
    },
    close: () => server.close(),
  }
}

function streamOptions(job: Job): { highWaterMark?: number } {
  const highWaterMark = highWaterMarkOf(job.variant)
  return highWaterMark === undefined ? {} : { highWaterMark }
}

function tell(message: ChildMessage): void {
  process.send?.(message)
}

/**
 * One contestant in Node doing one job, in a fresh process, and before it others to warm up with:
 *
 *     node worker.js CONTESTANT JOB…
 *
 * Prints one line of JSON: the `Report` of the last job.
 */
import { waitedNs } from '../harness/clock.js'
import { Meter, peakRssBytes } from '../harness/meter.js'
import type { Prepare } from './contestant.js'
import { ONE_CALL, type Contestant } from './flows.js'
import type { Job, PassCost, Report } from './job.js'
import { Control } from './places.js'
import { prepareOneCall, prepareSplicelist } from './splicelist.js'
import { prepareDefaultStreams, prepareTunedStreams } from './streams.js'

const CONTESTANTS: Readonly<Partial<Record<Contestant, Prepare>>> = {
  splicelist: prepareSplicelist,
  [ONE_CALL]: prepareOneCall,
  'streams default': prepareDefaultStreams,
  'streams tuned': prepareTunedStreams,
}

const [name = '', ...jobs] = process.argv.slice(2)
let report: Report | undefined
for (const job of jobs) report = await run(JSON.parse(job) as Job)
process.stdout.write(`${JSON.stringify(report)}\n`)

async function run(job: Job): Promise<Report> {
  const prepare = CONTESTANTS[name as Contestant]
  if (prepare === undefined) throw new Error(`There is no contestant ${name}`)
  const control = new Control(job)
  const contestant = await prepare(job, control.tell)
  const expected = job.connections * job.messages * job.messageBytes
  const passes: PassCost[] = []
  while (passes.length < job.passes) {
    const waitedBefore = waitedNs()
    const meter = new Meter()
    control.tell()
    const moved = await contestant.pass()
    control.awaitEnd()
    const cost = meter.read()
    passes.push({ ...cost, waitedSeconds: (waitedNs() - waitedBefore) / 1e9 })
    if (moved !== expected) throw new Error(`${moved} bytes were moved, and not ${expected}`)
  }
  control.close()
  await contestant.close()
  const { ways } = contestant
  const report = { passes, peakRssBytes: peakRssBytes() }
  return ways === undefined ? report : { ...report, ways: [...ways] }
}

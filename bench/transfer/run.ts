/** One run: a peer and a contestant, each a fresh process on a CPU of its own. */
import { fileURLToPath } from 'node:url'
import { RunError } from '../harness/failures.js'
import { IN_NODE, ONE_CALL, passBytesOf, type Case, type Contestant } from './flows.js'
import { argumentsOf, hasPeer, type Job, type Report } from './job.js'
import { Sides } from './sides.js'
import { obstacleOf } from './splicelist.js'
import type { Workplace } from './workplace.js'

const WORKER = fileURLToPath(new URL('worker.js', import.meta.url))
/** As in bench/baseline/pattern.h: where the stream of a pass begins. */
const PASS_STRIDE = 7919

export interface Cpus {
  readonly contestant: number
  readonly peer: number
}

/** What every run needs. */
export interface Surroundings {
  readonly workplace: Workplace
  readonly programs: { readonly peer: string; readonly mover: string }
  readonly node: string
  readonly cpus: Cpus | undefined
  readonly isVerified: boolean
  /** Times that the job is done before it is measured, and times that it is. */
  readonly warmUpPasses: (one: Case) => number
  readonly countedPasses: number
}

/** Why a contestant cannot do a case, or undefined. */
export function absenceOf(contestant: Contestant, { flow }: Case): string | undefined {
  return contestant === 'splicelist' || contestant === ONE_CALL ? obstacleOf(flow) : undefined
}

/** What a fresh process says of it: the passes that warmed it up are left out. */
export async function runOnce(
  one: Case,
  contestant: Contestant,
  surroundings: Surroundings,
): Promise<Report> {
  const { workplace, isVerified, countedPasses } = surroundings
  const warmUpPasses = surroundings.warmUpPasses(one)
  const passes = warmUpPasses + countedPasses
  const { source, sink } = one.flow
  const files = (['source', 'sink'] as const).filter((side) => one.flow[side] === 'file')
  const bytes = passBytesOf(one)
  const dir = await workplace.folder(files, bytes)
  try {
    if (isVerified && sink === 'file') await workplace.spoil(dir, bytes)
    const job: Job = {
      dir,
      source,
      sink,
      connections: one.flow.connections,
      sinks: one.flow.sinks,
      sourcePort: 0,
      sinkPort: 0,
      messageBytes: one.messageBytes,
      messages: one.messages,
      passes,
      verify: isVerified ? 1 : 0,
    }
    const report = await runSides(job, contestant, surroundings)
    if (isVerified && sink === 'file') {
      await workplace.check(dir, bytes, source === 'file' ? 0 : (passes - 1) * PASS_STRIDE)
    }
    return { ...report, passes: report.passes.slice(warmUpPasses) }
  } catch (error) {
    throw new RunError(`${one.name}: ${contestant} failed.\n${reasonOf(error)}`)
  } finally {
    await workplace.leave(dir)
  }
}

function reasonOf(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string }
  return stderr === undefined || stderr === '' ? message : stderr
}

async function runSides(
  job: Job,
  contestant: Contestant,
  { programs, node, cpus }: Surroundings,
): Promise<Report> {
  const sides = new Sides()
  try {
    let connected = job
    if (hasPeer(job)) {
      const peer = sides.start([programs.peer, 'serve', ...argumentsOf(job)], cpus?.peer)
      connected = { ...job, ...((await peer.line) as Partial<Job>) }
    }
    const command = isInNode(contestant)
      ? [node, WORKER, contestant, JSON.stringify(connected)]
      : [programs.mover, contestant, ...argumentsOf(connected)]
    const worker = sides.start(command, cpus?.contestant)
    await sides.ended()
    return (await worker.line) as Report
  } finally {
    sides.close()
  }
}

function isInNode(contestant: Contestant): boolean {
  return IN_NODE.some((name) => name === contestant)
}

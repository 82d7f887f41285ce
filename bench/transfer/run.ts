/**
 * One run: a peer and a contestant, each a fresh process on a CPU of its own.
 *
 * Node warms up on connections that are closed then, for TCP remembers how a connection began: BBR
 * paces the packets of one that was slow once, and a program in C has no such first second. Of 200
 * connections that had seen one 64 to 9 were not paced, of fresh ones 195, of C's 200; it is up to half
 * of the CPU.
 */
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
/** Passes in which fresh connections find their windows, whoever the contestant is. */
const SETTLING_PASSES = 1

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
  /** Times that Node does the job to warm up, and times that it is measured. */
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
  const { workplace, isVerified } = surroundings
  const passes = SETTLING_PASSES + surroundings.countedPasses
  const { source, sink } = one.flow
  const files = (['source', 'sink'] as const).filter((side) => one.flow[side] === 'file')
  const bytes = passBytesOf(one)
  const isChecked = isVerified && sink === 'file'
  // A warm-up would write what the job is to write, and nobody would see that this did not.
  const warmsUp = isInNode(contestant) && !isChecked
  const dirs: string[] = []
  try {
    const jobs: Job[] = []
    for (const each of warmsUp ? [surroundings.warmUpPasses(one), passes] : [passes]) {
      const dir = await workplace.folder(files, bytes)
      dirs.push(dir)
      jobs.push(jobOf(one, dir, each, isVerified))
    }
    const [dir = ''] = dirs
    if (isChecked) await workplace.spoil(dir, bytes)
    const report = await runSides(jobs, contestant, surroundings)
    if (isChecked) {
      await workplace.check(dir, bytes, source === 'file' ? 0 : (passes - 1) * PASS_STRIDE)
    }
    return { ...report, passes: report.passes.slice(SETTLING_PASSES) }
  } catch (error) {
    throw new RunError(`${one.name}: ${contestant} failed.\n${reasonOf(error)}`)
  } finally {
    for (const dir of dirs) await workplace.leave(dir)
  }
}

function jobOf(one: Case, dir: string, passes: number, isVerified: boolean): Job {
  const { source, sink, connections, sinks } = one.flow
  const { messageBytes, messages } = one
  const verify = isVerified ? 1 : 0
  const ports = { sourcePort: 0, sinkPort: 0 }
  return { dir, source, sink, connections, sinks, ...ports, messageBytes, messages, passes, verify }
}

function reasonOf(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string }
  return stderr === undefined || stderr === '' ? message : stderr
}

async function runSides(
  jobs: readonly Job[],
  contestant: Contestant,
  { programs, node, cpus }: Surroundings,
): Promise<Report> {
  const sides = new Sides()
  try {
    const connected: Job[] = []
    for (const job of jobs) {
      const peer = hasPeer(job)
        ? sides.start([programs.peer, 'serve', ...argumentsOf(job)], cpus?.peer)
        : undefined
      connected.push({ ...job, ...((await peer?.line) as Partial<Job> | undefined) })
    }
    const command = isInNode(contestant)
      ? [node, WORKER, contestant, ...connected.map((job) => JSON.stringify(job))]
      : [programs.mover, contestant, ...connected.flatMap(argumentsOf)]
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

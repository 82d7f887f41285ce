/** A child process with one side of a run, as the demo sees it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { pinned } from '../harness/pinning.js'
import { RunError } from './failures.js'
import { floorCommand, isFloor } from './floor.js'
import type { ChildMessage, Job, SideReport } from './job.js'

const PROGRAM = fileURLToPath(new URL('child.js', import.meta.url))
/** A child that has reported has closed everything, so nothing may keep it. */
const EXIT_MS = 10_000
/** Enough of a child's stderr to see what it died of. */
const STDERR_CHARACTERS_MAX = 16 * 1024

export interface Child {
  /** The receiver's port. */
  readonly listening: Promise<number>
  /** Settles when the process is gone: a report without a clean exit counts as none. */
  readonly report: Promise<SideReport>
  /** Lets a sender begin its next pass. */
  go(): void
}

/** What a child is heard of on its way. */
export interface ChildEvents {
  progress(acceptedBytes: number): void
  /** A pass is over at this side. */
  passed(): void
}

/** Starts a child. The signal kills it, by its own pid, at once. */
export function startChild(
  job: Job,
  floorProgram: string | undefined,
  cpu: number | undefined,
  signal: AbortSignal,
  events: ChildEvents,
): Child {
  const { child, hear, go } = spawnChild(job, floorProgram, cpu, signal)
  const report = reportOf(child, hear, job)
  const listening = new Promise<number>((resolve, reject) => {
    hear((message) => {
      if (message.kind === 'listening') resolve(message.port)
      if (message.kind === 'progress') events.progress(message.bytes)
      if (message.kind === 'passed') events.passed()
    })
    report.catch(reject)
  })
  // Whoever waits for the report hears of a failure; nobody has to wait for both.
  listening.catch(() => undefined)
  return { listening, report, go }
}

type Hear = (listener: (message: ChildMessage) => void) => void

/** A process, and how to talk with it: Node's channel, or lines where it is a program in C. */
interface Spawned {
  readonly child: ChildProcess
  readonly hear: Hear
  readonly go: () => void
}

function spawnChild(
  job: Job,
  floorProgram: string | undefined,
  cpu: number | undefined,
  signal: AbortSignal,
): Spawned {
  const ending = { signal, killSignal: 'SIGKILL' } as const
  const { variant } = job
  if (floorProgram === undefined || !isFloor(variant)) {
    const [program = '', ...args] = pinned([process.execPath, PROGRAM, JSON.stringify(job)], cpu)
    const stdio = ['ignore', 'ignore', 'pipe', 'ipc'] as const
    const child = spawn(program, args, { ...ending, stdio: [...stdio] })
    return { child, hear: (listener) => child.on('message', listener), go: () => child.send('go') }
  }
  const command = floorCommand(floorProgram, { ...job, variant })
  const [program = '', ...args] = pinned(command, cpu)
  const child = spawn(program, args, { ...ending, stdio: ['pipe', 'pipe', 'pipe'] })
  // A program that dies says why by other means.
  child.stdin.on('error', () => undefined)
  const lines = createInterface({ input: child.stdout })
  return {
    child,
    hear: (listener) => lines.on('line', (line) => listener(JSON.parse(line) as ChildMessage)),
    go: () => child.stdin.write('go\n'),
  }
}

function reportOf(child: ChildProcess, hear: Hear, { side, variant }: Job): Promise<SideReport> {
  return new Promise((resolve, reject) => {
    let report: SideReport | undefined
    let stderr = ''
    let trouble: string | undefined
    let timer: NodeJS.Timeout | undefined
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-STDERR_CHARACTERS_MAX)
    })
    hear((message) => {
      if (message.kind !== 'done') return
      report = message.report
      timer = setTimeout(() => {
        trouble = `was done, but did not exit within ${EXIT_MS / 1000} s`
        child.kill('SIGKILL')
      }, EXIT_MS)
    })
    child.on('error', (error) => {
      trouble ??= `could not go on: ${error.message}`
      // A program that never started has no end to wait for.
      if (child.pid === undefined) reject(new RunError(`The ${side} of ${variant} ${trouble}`))
    })
    child.on('close', (code, killedBy) => {
      clearTimeout(timer)
      if (code === 0 && report !== undefined) {
        // Nothing went wrong, but a warning is worth seeing.
        process.stderr.write(stderr)
        resolve(report)
        return
      }
      trouble ??= killedBy === null ? `ended with exit code ${code}` : `was ended by ${killedBy}`
      reject(new RunError(`The ${side} of ${variant} ${trouble}.\n${stderr}`.trimEnd()))
    })
  })
}

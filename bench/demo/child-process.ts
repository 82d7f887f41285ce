/** A child process with one side of a run, as the demo sees it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { pinned } from '../harness/pinning.js'
import { RunError } from './failures.js'
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
  cpu: number | undefined,
  signal: AbortSignal,
  events: ChildEvents,
): Child {
  const [program = '', ...args] = pinned([process.execPath, PROGRAM, JSON.stringify(job)], cpu)
  const child = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    signal,
    killSignal: 'SIGKILL',
  })
  const report = reportOf(child, job)
  const listening = new Promise<number>((resolve, reject) => {
    child.on('message', (message: ChildMessage) => {
      if (message.kind === 'listening') resolve(message.port)
      if (message.kind === 'progress') events.progress(message.bytes)
      if (message.kind === 'passed') events.passed()
    })
    report.catch(reject)
  })
  // Whoever waits for the report hears of a failure; nobody has to wait for both.
  listening.catch(() => undefined)
  return { listening, report, go: () => child.send('go') }
}

function reportOf(child: ChildProcess, { side, variant }: Job): Promise<SideReport> {
  return new Promise((resolve, reject) => {
    let report: SideReport | undefined
    let stderr = ''
    let trouble: string | undefined
    let timer: NodeJS.Timeout | undefined
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-STDERR_CHARACTERS_MAX)
    })
    child.on('message', (message: ChildMessage) => {
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

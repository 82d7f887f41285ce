/** The processes of one run, as the benchmark sees them: they end together. */
import { spawn, type ChildProcess } from 'node:child_process'
import { pinned } from '../harness/pinning.js'

/** A run that takes longer hangs. */
const RUN_MS_MAX = 120_000
/** When one side fails, the other may have more to say about it. */
const GRACE_MS = 300
/** Enough of a process's stderr to see what it died of. */
const STDERR_CHARACTERS_MAX = 16 * 1024

export interface Side {
  /** The first line that it prints, which is JSON. */
  readonly line: Promise<unknown>
}

export class Sides {
  readonly #children: ChildProcess[] = []
  readonly #endings: Promise<void>[] = []
  readonly #reasons: string[] = []
  readonly #failed: Promise<never>
  #fail: (error: Error) => void = () => undefined
  readonly #timer: NodeJS.Timeout

  constructor() {
    this.#failed = new Promise((_, reject) => {
      this.#fail = reject
    })
    // Whoever waits for a side hears of it; nobody has to.
    this.#failed.catch(() => undefined)
    this.#timer = setTimeout(
      () => this.#failSoon(`not done after ${RUN_MS_MAX / 1000} s`),
      RUN_MS_MAX,
    )
    process.once('exit', this.#kill)
  }
  start(command: readonly string[], cpu: number | undefined): Side {
    const [program = '', ...args] = pinned(command, cpu)
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-STDERR_CHARACTERS_MAX)
    })
    child.on('error', (error) => this.#failSoon(error.message))
    const ending = new Promise<void>((resolve) => {
      child.on('close', (code, signal) => {
        if (code === 0) resolve()
        else this.#failSoon(stderr || `${command[0]} ended with ${signal ?? `exit code ${code}`}`)
      })
    })
    this.#children.push(child)
    this.#endings.push(ending)
    const line = Promise.race([firstLine(child), this.#failed])
    line.catch(() => undefined)
    return { line }
  }
  /** Resolves when each ended well. */
  async ended(): Promise<void> {
    await Promise.race([Promise.all(this.#endings), this.#failed])
  }
  close(): void {
    clearTimeout(this.#timer)
    process.off('exit', this.#kill)
    this.#kill()
  }

  readonly #kill = (): void => {
    for (const child of this.#children) if (child.exitCode === null) child.kill('SIGKILL')
  }
  #failSoon(reason: string): void {
    this.#reasons.push(reason.trimEnd())
    if (this.#reasons.length > 1) return
    setTimeout(() => this.#fail(new Error(this.#reasons.join('\n'))), GRACE_MS)
  }
}

async function firstLine(child: ChildProcess): Promise<unknown> {
  const text = await new Promise<string>((resolve) => {
    let printed = ''
    child.stdout?.setEncoding('utf8').on('data', (more: string) => {
      printed += more
      const end = printed.indexOf('\n')
      if (end >= 0) resolve(printed.slice(0, end))
    })
  })
  return JSON.parse(text) as unknown
}

/**
 * Child processes of a test: run to the end, or killed after the test.
 */
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { afterwards } from './cleanup.js'

/** How a child ended. */
export interface ChildResult {
  /** Its exit status, or null after a signal. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** What a child is started with. */
export interface ChildOptions {
  /** Variables on top of this process's. */
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string | URL
  /** User and group to run as; this process must be root then. */
  readonly uid?: number
  readonly gid?: number
  /** Written to its standard input, which is empty without. */
  readonly input?: string | Uint8Array
}

/** Starts a program. It is killed after the test if it still runs. */
export function startChild(
  command: string,
  args: readonly string[],
  { env, ...options }: Omit<ChildOptions, 'input'> & Pick<SpawnOptions, 'stdio'> = {},
): ChildProcess {
  const child = spawn(command, args, { ...options, env: { ...process.env, ...env } })
  afterwards(async () => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  })
  return child
}

/** Runs a program to its end. */
export async function runChild(
  command: string,
  args: readonly string[],
  { input = '', ...options }: ChildOptions = {},
): Promise<ChildResult> {
  const child = startChild(command, args, { ...options, stdio: 'pipe' })
  if (child.stdin === null || child.stdout === null || child.stderr === null) {
    throw new Error('A child with pipes has streams')
  }
  // A child that does not read its input is free to do so.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const [[code, signal], stdout, stderr] = await Promise.all([
    once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
    text(child.stdout),
    text(child.stderr),
  ])
  return { code, signal, stdout, stderr }
}

/** Runs an ES module given as text with this Node, with `#lib/…` resolved as in the tests. */
export function runScript(source: string, options: ChildOptions = {}): Promise<ChildResult> {
  const root = new URL('../../..', import.meta.url)
  const args = ['--expose-gc', '--input-type=module', '--eval', source]
  return runChild(process.execPath, args, { cwd: root, ...options })
}

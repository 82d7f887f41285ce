/**
 * The real `ceph::buffer::list` in a process of its own. Needs a C++ compiler, and Ceph's header and
 * library (Debian: libradospp-dev, librados-dev). The program is made once, beside the tests.
 */
import { execFile, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const HEADER = '/usr/include/rados/buffer.h'
/** Where this file lies once it is built, seen from there. */
const PROGRAM = fileURLToPath(new URL('interpreter', import.meta.url))
const CODE = fileURLToPath(new URL('../../../test/ceph/interpreter.cc', import.meta.url))

/** Why the real list cannot be asked here; undefined where it can. */
export function whyNoCeph(): string | undefined {
  if (!existsSync(HEADER)) return `there is no ${HEADER}: install libradospp-dev`
  return library() === undefined
    ? 'there is no libceph-common.so.2: install librados-dev'
    : undefined
}

/** The library lies in a folder of the machine's kind: /usr/lib/x86_64-linux-gnu/ceph. */
function library(): string | undefined {
  return readdirSync('/usr/lib')
    .map((kind) => join('/usr/lib', kind, 'ceph/libceph-common.so.2'))
    .find((path) => existsSync(path))
}

async function make(): Promise<void> {
  if (existsSync(PROGRAM) && statSync(PROGRAM).mtimeMs > statSync(CODE).mtimeMs) return
  const path = library() ?? ''
  const options = ['-O1', '-std=c++17', '-Wall', '-Wextra', '-Werror']
  await run('g++', [...options, CODE, '-o', PROGRAM, path, `-Wl,-rpath,${join(path, '..')}`], {
    // What a sanitizer needs of our process is not for the compiler's.
    env: { ...process.env, LD_PRELOAD: '' },
  })
}

/** See the head of this file. */
export class CephOracle {
  readonly #content: Buffer
  #process: Interpreter | undefined

  private constructor(content: Buffer) {
    this.#content = content
  }
  /** Makes the program. Commands take ranges of these bytes. */
  static async start(content: Buffer): Promise<CephOracle> {
    await make()
    const oracle = new CephOracle(content)
    await oracle.ask([])
    return oracle
  }
  /** Its answers to commands, one each. Where one is the end of it, the next call starts another. */
  async ask(commands: readonly string[]): Promise<string[]> {
    if (this.#process?.isAlive !== true) {
      this.#process = new Interpreter()
      await this.#process.ask([`content ${this.#content.toString('hex')}`])
    }
    return this.#process.ask(commands)
  }
  async end(): Promise<void> {
    await this.#process?.end()
  }
}

/** One process. */
class Interpreter {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #answers: AsyncIterator<string>
  readonly #closed: Promise<unknown>
  #complaint = ''

  constructor() {
    this.#child = spawn(PROGRAM, { env: { ...process.env, LD_PRELOAD: '' } })
    this.#closed = new Promise((resolve) => this.#child.once('close', resolve))
    this.#child.stderr.on('data', (chunk: Buffer) => (this.#complaint += chunk.toString()))
    // What it died of is told by whoever waits for its answer.
    this.#child.stdin.on('error', () => undefined)
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }
  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }
  async ask(commands: readonly string[]): Promise<string[]> {
    this.#child.stdin.write(commands.map((command) => `${command}\n`).join(''))
    const answers: string[] = []
    for (const command of commands) {
      const next = await this.#answers.next()
      if (next.done === true) {
        await this.#closed
        throw new Error(`Ceph's list died of '${command}': ${this.#complaint.slice(0, 300)}`)
      }
      answers.push(next.value)
    }
    return answers
  }
  async end(): Promise<void> {
    this.#child.stdin.end()
    await this.#closed
  }
}

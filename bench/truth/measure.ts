/** The processes of a run: the peer, which lives for all of it, and one for each pair of ends. */
import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { RunError } from '../harness/failures.js'
import { pinned } from '../harness/pinning.js'
import type { Answer, Errand, Peer } from './errand.js'

const run = promisify(execFile)
const PROCESS_MS_MAX = 600_000
const ANSWER_BYTES_MAX = 64 * 1024 * 1024

function programOf(name: string): string {
  return fileURLToPath(new URL(`${name}.js`, import.meta.url))
}

/** Starts the peer; it ends with the returned function, or with this process. */
export async function startPeer(unixPath: string): Promise<[Peer, end: () => void]> {
  const child = fork(programOf('peer'), [unixPath])
  const [peer] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => {
      throw new RunError('The peer did not start.')
    }),
  ])) as [Peer]
  return [peer, () => child.disconnect()]
}

export async function answerOf(
  errand: Errand,
  node: string,
  cpu: number | undefined,
): Promise<Answer> {
  const [program = '', ...args] = pinned([node, programOf('child'), JSON.stringify(errand)], cpu)
  try {
    const limits = { timeout: PROCESS_MS_MAX, maxBuffer: ANSWER_BYTES_MAX }
    const { stdout } = await run(program, args, limits)
    return JSON.parse(stdout) as Answer
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string }
    throw new RunError(`${errand.name}: ${(error as Error).message}\n${stderr}`.trimEnd())
  }
}

/**
 * Runs cases in a child, with or without `strace` watching it.
 */
import { spawnSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runChild } from '../support/children.js'
import { tempFolder } from '../support/folders.js'
import { nameOf, type Case, type Outcome } from './cases.js'
import { startPeers } from './peers.js'
import type { Errand } from './subject.js'
import { callsOfRuns, TRACED, type Call } from './system-calls.js'

/** A case, what came of it, and the calls that were seen; undefined where nobody watched. */
export interface Evidence {
  readonly one: Case
  readonly outcome: Outcome
  readonly calls: readonly Call[] | undefined
}

let strace: boolean | undefined

/** Whether `strace` is here and may watch a child. */
export function hasStrace(): boolean {
  strace ??= spawnSync('strace', ['-f', '-o', '/dev/null', 'true']).status === 0
  return strace
}

/** Runs the cases in one child. */
export async function evidenceOf(
  cases: readonly Case[],
  { isWatched, env }: { readonly isWatched: boolean; readonly env?: NodeJS.ProcessEnv },
): Promise<Evidence[]> {
  const folder = await tempFolder()
  const [results, log, paper] = ['results', 'log', 'errand'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  const folders = { disk: folder, tmpfs: await tempFolder('tmpfs') }
  const errand: Errand = { peers: await startPeers(folder), folders, cases, results }
  await writeFile(paper, JSON.stringify(errand))
  const node = [process.execPath, fileURLToPath(new URL('subject.js', import.meta.url)), paper]
  const watched = [
    'strace',
    '-f',
    '--seccomp-bpf',
    '-y',
    '-s',
    '0',
    '-o',
    log,
    '-e',
    `trace=${TRACED}`,
  ]
  const [command = '', ...args] = isWatched ? [...watched, '-e', 'signal=none', ...node] : node
  const { code, stderr } = await runChild(command, args, env === undefined ? {} : { env })
  if (code !== 0) throw new Error(`The child ended with ${String(code)}: ${stderr}`)
  const outcomes = JSON.parse(await readFile(results, 'utf8')) as (Outcome & { error?: string })[]
  const calls = isWatched ? callsOfRuns(await readFile(log, 'latin1')) : undefined
  return cases.map((one, i) => {
    const outcome = outcomes[i]
    if (outcome === undefined || outcome.error !== undefined) {
      throw new Error(`${nameOf(one)}: ${outcome?.error ?? 'nothing came of it'}`)
    }
    return { one, outcome, calls: calls?.get(i) }
  })
}

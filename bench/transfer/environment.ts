/** What a figure depends on besides the code. */
import { readMachine, type Machine } from '../harness/environment.js'
import type { Options } from './options.js'
import type { Cpus } from './run.js'

export interface Environment extends Machine {
  /** What SPLICELIST_MODE says. */
  readonly mode: string
  /** Null where processes could not be pinned. */
  readonly pinned: Cpus | null
  readonly rounds: number
  /** Whether every byte was compared, which costs throughput. */
  readonly verified: boolean
}

export async function readEnvironment(
  { node, rounds, verify }: Options,
  cpus: Cpus | undefined,
): Promise<Environment> {
  const machine = await readMachine(node)
  const mode = process.env['SPLICELIST_MODE'] ?? 'auto'
  return { ...machine, mode, pinned: cpus ?? null, rounds, verified: verify }
}

/** What a figure depends on besides the code. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { availableParallelism, cpus, release } from 'node:os'
import { promisify } from 'node:util'
import { UsageError } from './failures.js'

const run = promisify(execFile)
const PEERS = ['bl', 'uint8arraylist']

export interface Machine {
  readonly node: string
  readonly kernel: string
  readonly cpu: string
  readonly cpus: number
  /** Whether the addon may be used: SPLICELIST_NATIVE. */
  readonly addon: boolean
}

/** Of the list, beside its peers. */
export interface Environment extends Machine {
  readonly peers: Readonly<Record<string, string>>
  /** Why there is no column of the Ceph list; null where there is one. */
  readonly cephAbsent: string | null
}

export async function readMachine(node: string): Promise<Machine> {
  return {
    node: await versionOfNode(node),
    kernel: `${process.platform} ${release()}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cpus: availableParallelism(),
    addon: process.env['SPLICELIST_NATIVE'] !== '0',
  }
}

export async function readPeers(): Promise<Readonly<Record<string, string>>> {
  const versions = await Promise.all(PEERS.map(async (name) => [name, await versionOf(name)]))
  return Object.fromEntries(versions) as Record<string, string>
}

async function versionOfNode(node: string): Promise<string> {
  try {
    return (await run(node, ['--version'])).stdout.trim()
  } catch {
    throw new UsageError(`--node ${node} is not a Node that runs here.`)
  }
}

/** A package does not always export its package.json, so it is read where npm puts it. */
async function versionOf(name: string): Promise<string> {
  const path = new URL(`../../../node_modules/${name}/package.json`, import.meta.url)
  return (JSON.parse(await readFile(path, 'utf8')) as { version: string }).version
}

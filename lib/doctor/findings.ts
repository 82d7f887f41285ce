/**
 * What the doctor looks at: the capabilities of this machine, those of each mount that was named, and
 * what would be better otherwise.
 */
import { readFileSync } from 'node:fs'
import { release } from 'node:os'
import { capabilities, type Capabilities } from '../capabilities/capabilities.js'
import { probeMount, type MountVerdicts } from '../capabilities/mount.js'
import { addon, whyNoAddon } from '../native.js'
import { opened } from '../reactor.js'
import { remediesFor, type Remedy } from './remedies.js'

/** A mount that was named on the command line. */
export interface MountFinding {
  readonly path: string
  /** What was found; undefined where nothing could be tried. */
  readonly verdicts: MountVerdicts | undefined
  /** Why nothing could be tried: a sentence, or the code of an error. */
  readonly problem: string | undefined
}

/** All that the doctor has to say; `--json` prints it as it is. */
export interface Findings {
  readonly version: string
  readonly node: string
  readonly kernel: string
  readonly platform: string
  /** Why there is no addon; undefined where there is one. */
  readonly whyNoAddon: string | undefined
  /** Whether the limits on pipes apply to this process. */
  readonly isPrivileged: boolean
  readonly capabilities: Capabilities
  readonly mounts: readonly MountFinding[]
  readonly remedies: readonly Remedy[]
}

/** Looks at this machine, and at the mounts that the paths lie in. */
export async function examine(paths: readonly string[]): Promise<Findings> {
  const found = await capabilities()
  const mounts: MountFinding[] = []
  // One after the other: they are disks.
  for (const path of paths) mounts.push(await examineMount(path))
  const isPrivileged = addon !== null && opened().limits().privileged
  return {
    version: ownVersion(),
    node: process.version,
    kernel: release(),
    platform: `${process.platform}-${process.arch}`,
    whyNoAddon: addon === null ? whyNoAddon : undefined,
    isPrivileged,
    capabilities: found,
    mounts,
    remedies: remediesFor({ found, mounts, isPrivileged }),
  }
}

async function examineMount(path: string): Promise<MountFinding> {
  if (addon === null) return { path, verdicts: undefined, problem: 'there is no addon to try with' }
  try {
    const { verdicts, refusedBy } = await probeMount(path)
    if (refusedBy === undefined) return { path, verdicts, problem: undefined }
    return { path, verdicts: undefined, problem: `no file can be made there (${refusedBy})` }
  } catch (error) {
    return { path, verdicts: undefined, problem: (error as Error).message }
  }
}

function ownVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/** What a figure depends on besides the code. */
import { availableParallelism, cpus, release } from 'node:os'
import type { Pinning } from './pinning.js'

export interface Environment {
  readonly node: string
  readonly kernel: string
  readonly cpu: string
  readonly cpus: number
  /** The CPU of each side; null where sides could not be pinned. */
  readonly pinned: { readonly sender: number; readonly receiver: number } | null
  /** What SPLICELIST_MODE says. */
  readonly mode: string
  /** Whether the addon may be used: SPLICELIST_NATIVE. */
  readonly addon: boolean
}

export function readEnvironment(pinning: Pinning): Environment {
  return {
    node: process.version,
    kernel: `${process.platform} ${release()}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cpus: availableParallelism(),
    pinned: pinning ?? null,
    mode: process.env['SPLICELIST_MODE'] ?? 'auto',
    addon: process.env['SPLICELIST_NATIVE'] !== '0',
  }
}

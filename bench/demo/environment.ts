/** What a figure depends on besides the code. */
import { availableParallelism, cpus, release, totalmem } from 'node:os'
import type { Pinning } from './pinning.js'

/** How much of the memory files may take before the kernel begins to drop their pages. */
const CACHE_SHARE = 0.75

export interface Environment {
  readonly node: string
  readonly kernel: string
  readonly cpu: string
  readonly cpus: number
  /** Whether source and target fit into memory together; else disks take part in every figure. */
  readonly cached: boolean
  /** The CPU of each side; null where sides could not be pinned. */
  readonly pinned: { readonly sender: number; readonly receiver: number } | null
  /** What SPLICELIST_MODE says. */
  readonly mode: string
  /** Whether the addon may be used: SPLICELIST_NATIVE. */
  readonly addon: boolean
}

export function readEnvironment(pinning: Pinning, fileBytes: number): Environment {
  return {
    node: process.version,
    kernel: `${process.platform} ${release()}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cpus: availableParallelism(),
    cached: 2 * fileBytes < CACHE_SHARE * totalmem(),
    pinned: pinning ?? null,
    mode: process.env['SPLICELIST_MODE'] ?? 'auto',
    addon: process.env['SPLICELIST_NATIVE'] !== '0',
  }
}

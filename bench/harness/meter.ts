/** What a transfer costs the process it runs in. */
import { readFileSync } from 'node:fs'

export interface Cost {
  /** Of all threads of the process, in the kernel too. */
  readonly cpuSeconds: number
  readonly wallSeconds: number
}

/** CPU and time since it was made: what Node needs to start is nobody's merit. */
export class Meter {
  readonly #cpu = process.cpuUsage()
  readonly #startNs = process.hrtime.bigint()

  read(): Cost {
    const { user, system } = process.cpuUsage(this.#cpu)
    const wallNs = process.hrtime.bigint() - this.#startNs
    return { cpuSeconds: (user + system) / 1e6, wallSeconds: Number(wallNs) / 1e9 }
  }
}

/**
 * The most memory this process ever had resident. `VmHWM` belongs to this program alone, where
 * `maxRSS` also remembers the process that started it.
 */
export function peakRssBytes(): number {
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]
    if (kib !== undefined) return Number(kib) * 1024
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS * 1024
}

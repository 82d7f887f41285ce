/** What this process has open, with the flags that each was opened with. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** One row for each descriptor. */
export function fdinfo(): { fd: number; target: string; flags: number }[] {
  const rows = []
  for (const name of readdirSync('/proc/self/fd')) {
    try {
      const target = readlinkSync(`/proc/self/fd/${name}`)
      const [, octal = '0'] =
        /flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${name}`, 'utf8')) ?? []
      rows.push({ fd: Number(name), target, flags: Number.parseInt(octal, 8) })
    } catch {
      // Closed since.
    }
  }
  return rows
}

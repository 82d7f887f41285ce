/**
 * What of a file is in the page cache, as util-linux's `fincore` counts it.
 */
import { execFileSync } from 'node:child_process'
import type { Context } from 'mocha'
import { setTimeout as delay } from 'node:timers/promises'
import { needsAddon } from '../support/needs.js'

/** How often a file is looked at that is let go of in the background, 10 ms apart. */
const LOOKS_MAX = 200

/** Bytes of a file in the page cache, whole pages. */
export function cachedBytes(path: string): number {
  return Number(execFileSync('fincore', ['--bytes', '--noheadings', '--output', 'RES', path]))
}

/** The same, once no more than `atMost` are, or after two seconds. */
export async function cachedBytesAtLast(path: string, atMost = 0): Promise<number> {
  for (let look = 0; look < LOOKS_MAX; look++) {
    if (cachedBytes(path) <= atMost) break
    await delay(10)
  }
  return cachedBytes(path)
}

/** Skips a test where the page cache cannot be looked into, or where there is no addon to drop it. */
export function needsResidency(test: Context): void {
  needsAddon(test)
  try {
    execFileSync('fincore', ['--version'])
  } catch {
    test.skip()
  }
}

/**
 * When nothing moves any more on a loopback socket whose reader does not read.
 */
import { setTimeout as delay } from 'node:timers/promises'

/** Several times what TCP may hold an acknowledgement back for (40 ms), in milliseconds. */
const QUIET_MS = 250

/** Resolves when a count of bytes has stopped growing: both ends' buffers are full. */
export async function quiet(count: () => number): Promise<void> {
  for (let before = -1; before !== count();) {
    before = count()
    await delay(QUIET_MS)
  }
}

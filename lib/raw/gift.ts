import { ledger } from '../audit/ledger.js'
import { EAGAIN } from '../errno.js'
import { systemError } from '../errors.js'
import type { OwnMemory } from './own-memory.js'
import { pipePool, type HeldPipe } from './pipe-pool.js'

const isCopyForced = process.env['SPLICELIST_MODE'] === 'copy'

/** What went into pipes: the pages of the first `lengthBytes` bytes. */
export interface Given {
  readonly pipes: readonly HeldPipe[]
  readonly lengthBytes: number
}

/**
 * Refers pipes of the pool to the pages of mapped memory, as many as the budget has: after McVoy's
 * gift. What did not go in stays where it is, and the ledger's `fallbacks` say why: `vmsplice:budget`,
 * `vmsplice:copy-mode`, or what the system call said.
 */
export function givePages(memory: OwnMemory): Given {
  const pipes: HeldPipe[] = []
  let done = 0
  if (isCopyForced) ledger.countFallback('vmsplice', 'copy-mode')
  else {
    while (done < memory.lengthBytes) {
      const held = pipePool.borrow(memory.lengthBytes - done)
      if (held === undefined) {
        ledger.countFallback('vmsplice', 'budget')
        break
      }
      const failed = fill(held, memory, done)
      if (held.bytes > 0) pipes.push(held)
      else pipePool.giveBack(held)
      done += held.bytes
      if (failed !== 0) {
        ledger.countFallback('vmsplice', systemError(failed)[0])
        break
      }
    }
  }
  ledger.countMoved(done)
  return { pipes, lengthBytes: done }
}

/** Fills one pipe as far as its slots go; 0, or −errno where the next pipe would fare no better. */
function fill(held: HeldPipe, memory: OwnMemory, offset: number): number {
  for (let at = offset; at < memory.lengthBytes;) {
    const n = memory.vmsplice(at, memory.lengthBytes - at, held.pipe)
    if (n === -EAGAIN && held.bytes > 0) return 0
    if (n <= 0) return n === 0 ? -EAGAIN : n
    held.bytes += n
    at += n
  }
  return 0
}

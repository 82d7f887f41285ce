/**
 * Turns for others between operations: whoever pulls in a loop what is always there, or pushes to a
 * peer that always reads, waits for nothing, and would leave the event loop to nobody else.
 *
 * Within one operation the machine sees to it by itself.
 */
import { setImmediate as nextRound } from 'node:timers/promises'
import { wakesSoFar } from '../reactor.js'

/** Bytes after which others have their turn: about a millisecond. */
const LOOP_BYTES_MAX = 4 << 20
/** What an operation counts for besides its bytes: it takes as long as so many more. */
const OPERATION_BYTES = 16384

/** What operations have moved since others had their turn, and how often the loop had called then. */
let spentBytes = 0
let wakesThen = 0
/** While others have it. */
let round: Promise<void> | undefined

/**
 * The turn that others are to have behind an operation on so many bytes; undefined while they need
 * none. They have had one when the event loop has called since: a wait, or a disk job. While it is
 * theirs nobody goes on, or several loops would only relieve one another. Costs a few additions.
 */
export function turnOfOthers(bytes: number): Promise<void> | undefined {
  if (round !== undefined) return round
  const wakes = wakesSoFar()
  if (wakes !== wakesThen) {
    wakesThen = wakes
    spentBytes = 0
  }
  spentBytes += bytes + OPERATION_BYTES
  if (spentBytes < LOOP_BYTES_MAX) return undefined
  spentBytes = 0
  round = nextRound().then(() => {
    round = undefined
  })
  return round
}

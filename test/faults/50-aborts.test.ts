/**
 * An abort at every await of every operation: after each turn of the event loop
 * and so many microtasks in it, and within each report of progress, until one comes too late.
 *
 * Whenever it comes: what was pulled was accepted, is back where it came from, or is handed out.
 */
import { setImmediate as nextRound } from 'node:timers/promises'
import { constants } from 'node:os'
import { expect } from 'chai'
import { AbortError } from 'splicelist'
import type { ScriptRule } from '#lib/native.js'
import { nothingIsLost } from './nothing-is-lost.js'
import { pulling, pushing, transferring, type Prepared, type Scene } from './scenes.js'
import { sendingMemory } from './scenes-of-memory.js'
import { fanningOut, looping, proxying } from './scenes-of-streams.js'
import { checkOutcome, CUT_BYTES, runScene } from './sweep.js'

/** How deep into a turn of the loop an abort comes: promises of ours follow one another at once. */
const MICROTASKS = [0, 1, 2, 4, 9]
/** Up to this moment each one is tried; from here on a thread may be waiting for a peer, and turns fly by. */
const MOMENTS_EACH = 100
/** Later ones: this much further each time. */
const MOMENTS_STRIDE = 1.2
/** More turns, and reports, than any operation here takes. */
const MOMENTS_MAX = 1_000_000

/** Calls that wait when they are told to, and how often each of them is. */
const WAITING_CALLS = ['splice', 'recv', 'sendmsg', 'writev']
const WAITS = 30

/** One moment to abort at: true when the operation was still running. */
type Moment = (running: Promise<unknown>, aborter: AbortController) => Promise<boolean>

const reason = new Error('changed my mind')

/** Every second call moves little, and every other has to wait. */
const haltingScript = (): ScriptRule[] =>
  WAITING_CALLS.flatMap((call) =>
    Array.from({ length: WAITS }, () => [
      { call, maxBytes: CUT_BYTES, times: 1 },
      { call, errno: constants.errno.EAGAIN, times: 1 },
    ]).flat(),
  )

/** After so many turns of the loop, and microtasks. */
function afterTurns(turns: number, microtasks: number): Moment {
  return async (running, aborter) => {
    let isOver = false
    const over = (): void => void (isOver = true)
    running.then(over, over)
    for (let i = 0; i < turns; i++) await nextRound()
    for (let i = 0; i < microtasks; i++) await Promise.resolve()
    aborter.abort(reason)
    return !isOver
  }
}

/** Runs a scene that is aborted at a moment. Returns whether it was still running then. */
async function abortedAt(scene: Scene, moment: Moment): Promise<boolean> {
  let wasRunning = false
  const start = async (prepared: Prepared): Promise<unknown> => {
    const aborter = new AbortController()
    const running = prepared.run({ signal: aborter.signal })
    running.catch(() => undefined)
    wasRunning = await moment(running, aborter)
    return running
  }
  await runAborted(scene, start)
  return wasRunning
}

/** Runs a scene that is aborted within a report. Returns whether there was such a report. */
async function abortedByReport(scene: Scene, number: number): Promise<boolean> {
  let reports = 0
  await runAborted(scene, (prepared) => {
    const aborter = new AbortController()
    const onProgress = (): void => {
      if (++reports === number) aborter.abort(reason)
    }
    return prepared.run({ signal: aborter.signal, onProgress })
  })
  return reports >= number
}

async function runAborted(
  scene: Scene,
  start: (prepared: Prepared) => Promise<unknown>,
): Promise<void> {
  const { error, outcome, account } = await runScene(scene, haltingScript(), start)
  if (error !== undefined) {
    expect(error).to.be.instanceOf(AbortError)
    expect(error).to.have.property('cause', reason)
  }
  // What a list was to have and went back has been counted when it came.
  const isAccounted = scene.isAccounted && scene.sink !== 'list'
  checkOutcome({ ...scene, isAccounted }, outcome, account)
  expect(outcome.sourceError, 'why the source gives no more').to.equal(undefined)
}

/** Tries one moment after the other, until one comes too late. Returns the first that did. */
async function tryAll(
  name: string,
  attempt: (number: number) => Promise<boolean>,
): Promise<number> {
  for (let number = 0; number < MOMENTS_MAX; number = momentAfter(number)) {
    try {
      if (!(await attempt(number))) return number
    } catch (cause) {
      throw new Error(`${name}, aborted at moment ${number}: ${String(cause)}`, { cause })
    }
  }
  throw new Error(`${name} does not end within ${MOMENTS_MAX} moments`)
}

const momentAfter = (number: number): number =>
  number < MOMENTS_EACH ? number + 1 : Math.ceil(number * MOMENTS_STRIDE)

const SCENES: readonly Scene[] = [
  ...(['auto', 'copy'] as const).flatMap((mode) => [
    looping('tcp', mode),
    looping('tmpfs file', mode),
    fanningOut({ from: 'tcp', to: ['unix', 'tmpfs file', 'tcp'], mode }),
    fanningOut({ from: 'tmpfs file', to: ['tcp', 'unix'], mode }),
    proxying('tcp', mode),
    proxying('unix', mode),
    pulling('tcp', 'pull', mode),
    pulling('pipe', 'spliceFrom', mode),
    transferring('tcp', 'unix', mode),
    transferring('tmpfs file', 'tcp', mode),
    transferring('unix', 'tmpfs file', mode),
    pushing('all kinds', 'tcp', { consume: true, mode, face: 'spliceTo' }),
    pushing('pages', 'unix', { consume: false, mode, face: 'push' }),
    pushing('windows', 'tmpfs file', { consume: true, mode, face: 'push' }),
  ]),
  ...(['tmpfs file', 'tcp', 'unix'] as const).flatMap((to) => [
    sendingMemory('gift', to),
    sendingMemory('loan', to),
  ]),
]

/** Aborts a scene at every moment. */
async function abortedAtAll(scene: Scene): Promise<void> {
  for (const microtasks of MICROTASKS) {
    const inTime = await tryAll(`${scene.name}, ${microtasks} microtasks late`, (turns) =>
      abortedAt(scene, afterTurns(turns, microtasks)),
    )
    expect(inTime, 'turns in which it ran').to.be.greaterThan(0)
  }
  await tryAll(scene.name, (number) => abortedByReport(scene, number + 1))
}

describe('Aborted at whatever moment', () => {
  nothingIsLost(SCENES, abortedAtAll)
})

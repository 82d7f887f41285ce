/**
 * The sweep: every fault, at every system call of a scene in turn.
 *
 * A run without faults tells which calls an operation makes and how often; then each of them fails in
 * each way, at the first call, the second, one in the middle and the last. Whatever fails: pulled =
 * accepted + residual, the side is right, the ledger agrees, sending what is left gives identical
 * bytes, and nothing stays. `SPLICELIST_LONG=1` tries every fault at each of those calls.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { TransferError } from 'splicelist'
import { addon, type LiveCounts } from '#lib/native.js'
import { opened } from '#lib/reactor.js'
import { idlePipes, pipePool } from '#lib/raw/pipe-pool.js'
import { bytes } from '../support/bytes.js'
import { cleanedUp } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { accounted, type Account } from '../transfer/account.js'
import { within } from '../transfer/outcomes.js'
import { DATA_CALLS, faultsOf, FLUSH_CALLS, scriptOf, type Fault } from './faults.js'
import type { Outcome, Prepared, Scene } from './scenes.js'

/** What calls are cut to. */
export const CUT_BYTES = 31_000
/** Several calls of each kind, and no multiple of a page. */
const LENGTH_BYTES = 200_001
/** A bound for one operation, not a measurement, in milliseconds. */
const LIMIT_MS = 8_000
/** How often it is looked whether all is closed, a millisecond later each time. */
const LOOKS_MAX = 20
/** Whether every fault is tried at every corner, and more scenes. */
export const isLong = process.env['SPLICELIST_LONG'] === '1'

/** Calls by which a pipe of ours is read, and moved on to where a window begins. */
const OWN_PIPE_CALLS = ['read', 'splice']

const content = bytes(11, LENGTH_BYTES)
const zeros = Buffer.alloc(LENGTH_BYTES)
/** What the bytes of a scene are. */
const contentOf = ({ givesZeros }: Scene): Buffer => (givesZeros === true ? zeros : content)
/** What its calls are cut to. */
const cutOf = ({ cutBytes = CUT_BYTES }: Scene): number => cutBytes

/** What one run of a scene came to. */
export interface Run {
  readonly error: unknown
  readonly outcome: Outcome
  readonly account: Account
  readonly calls: Readonly<Record<string, number>>
}

/** Runs a scene once, by the rules of a script: its calls are cut short in any case. */
export async function runScene(
  scene: Scene,
  rules = scriptOf(cutOf(scene)),
  start = (prepared: Prepared): Promise<unknown> => prepared.run(),
): Promise<Run> {
  const before = liveNow()
  const run = await cleanedUp(async () => {
    const prepared = await scene.prepare(contentOf(scene))
    // Idle pipes would hide the calls that make some.
    pipePool.drain()
    addon?.script(rules)
    const { result: error, account } = await accounted(() => ended(start(prepared)))
    const calls = addon?.scriptedCalls() ?? {}
    const outcome = await within(LIMIT_MS, prepared.finish(error))
    if (outcome === 'pending') throw new Error('What was left could not be sent in time')
    return { error, account, calls, outcome }
  })
  await expectNothingMore(before)
  return run
}

/** How an operation ends, which takes the script out of force. */
async function ended(running: Promise<unknown>): Promise<unknown> {
  try {
    if ((await within(LIMIT_MS, running)) === 'pending') throw new Error('It does not end')
    return undefined
  } catch (error) {
    return error
  } finally {
    addon?.script(null)
  }
}

function liveNow(): LiveCounts {
  const live = opened().live()
  // Slabs are kept for a next time.
  return { ...live, pipes: live.pipes - idlePipes(), slabs: 0 }
}

/** What an operation made is gone; Node closes sockets in a later turn of its loop. */
async function expectNothingMore(before: LiveCounts): Promise<void> {
  const names = Object.keys(before) as (keyof LiveCounts)[]
  for (let look = 0; look < LOOKS_MAX; look++) {
    const now = liveNow()
    if (names.every((name) => now[name] <= before[name])) return
    await delay(look)
  }
  expect(liveNow(), 'what lives').to.deep.equal(before)
}

const sum = (counts: Record<string, number>): number =>
  Object.values(counts).reduce((total, each) => total + each, 0)

/** Bytes that the ledger says the sink took. */
function acceptedByLedger(scene: Scene, { moved, copied, kernelCopied }: Account): number {
  // Pages that came by reference and were read afterwards are in both.
  if (scene.sink === 'list') return moved + sum(copied) - (copied['sparse-pages'] ?? 0)
  // All but pages is staged for a disk thread.
  const isStaged = scene.sink.endsWith('file') || scene.sink === '/dev/null'
  if (isStaged) return moved + (copied['staging'] ?? 0)
  // A device's own copy is made before, when it is read.
  return moved + sum(kernelCopied) - (kernelCopied['device-read'] ?? 0)
}

/** Bytes that a device gave, as the ledger says; undefined where pages of it were read again. */
function pulledByLedger({ copied, kernelCopied, fallbacks }: Account): number | undefined {
  if (sum(fallbacks) > 0) return undefined
  return (kernelCopied['device-read'] ?? 0) + (copied['copy-mode'] ?? 0)
}

/** Checks what a run came to, where one of its calls may have failed. */
export function check(
  scene: Scene,
  { error, outcome, account, calls }: Run,
  faulty?: Faulty,
): void {
  const { accepted } = outcome
  checkOutcome(scene, outcome, account)
  if (faulty === undefined) return void expect(error).to.equal(undefined)
  checkError(scene, error, faulty, (calls[faulty.call] ?? 0) > faulty.index)
  if (error instanceof TransferError && scene.sink !== 'list') {
    expect(error.bytesMoved, 'accepted, says the error').to.equal(accepted)
  }
}

/** Checks that every byte is somewhere, once, and that the ledger knows. */
export function checkOutcome(
  scene: Scene,
  { accepted, ledgerBytes = accepted, whole, sourceError, pulled }: Outcome,
  account: Account,
): void {
  const expected = contentOf(scene)
  if (sourceError === undefined) expectSameBytes(whole, expected)
  else expectSameBytes(whole, expected.subarray(0, whole.length), 'the bytes up to the failure')
  if (scene.isAccounted) {
    expect(acceptedByLedger(scene, account), 'what the ledger says').to.equal(ledgerBytes)
  }
  // It gives zeros for those that are lost.
  const given = scene.givesZeros === true ? pulledByLedger(account) : undefined
  if (given !== undefined) expect(given, 'what the device gave').to.equal(pulled)
}

interface Faulty {
  readonly call: string
  readonly index: number
  readonly fault: Fault
}

function checkError(
  scene: Scene,
  error: unknown,
  { call, fault }: Faulty,
  isReached: boolean,
): void {
  // A pipe of our own that holds bytes does not say EAGAIN; if it did, nothing would wait for it.
  const isOwnPipe = error instanceof TransferError && error.side === 'pipe'
  if (isOwnPipe && fault.code === 'EAGAIN' && OWN_PIPE_CALLS.includes(call)) return
  if (fault.isHarmless) return void expect(error).to.equal(undefined)
  if (error === undefined) {
    const isPages = call === 'splice' || call === 'tee'
    const isFlush = FLUSH_CALLS.includes(call)
    const isOnlyPreparing = call === 'tee' || (!DATA_CALLS.includes(call) && !isFlush)
    const isSentOtherwise = scene.mayGoDirect || (isPages && fault.isRefusal === true)
    const mayPass = !isReached || isOnlyPreparing || isSentOtherwise
    expect(mayPass, 'a failure that nobody was told of').to.equal(true)
    return
  }
  expect(error).to.be.instanceOf(TransferError)
  expect(error).to.have.property('code', fault.code)
  const side = scene.sides[call]
  if (side !== undefined) expect(error).to.have.property('side', side)
}

/** At which of so many calls a fault is tried: all the corners together over the faults. */
function indexesOf(times: number, turn: number): readonly number[] {
  const corners = [...new Set([0, 1, times >> 1, times - 1])].filter((it) => it < times)
  if (isLong) return corners
  const others = corners.slice(1)
  const other = others[turn % others.length]
  return other === undefined ? [0] : [0, other]
}

/** Runs a scene once for every fault of every call. */
export async function sweep(scene: Scene): Promise<void> {
  const dry = await runScene(scene)
  check(scene, dry)
  for (const [call, times] of Object.entries(dry.calls)) {
    for (const [turn, fault] of faultsOf(call).entries()) {
      for (const index of indexesOf(times, turn)) {
        try {
          const faulty = { call, index, fault }
          check(scene, await runScene(scene, scriptOf(cutOf(scene), faulty)), faulty)
        } catch (cause) {
          const what = `${fault.name} of ${call}, after ${index} of ${times} calls`
          throw new Error(`${scene.name}: ${what}: ${String(cause)}`, { cause })
        }
      }
    }
  }
}

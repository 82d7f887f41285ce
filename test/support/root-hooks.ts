/**
 * What holds for every test: afterwards no descriptor, no child process and nothing in the addon is
 * left. Leftovers are printed under the test that made them and fail the run at its end, so that
 * one leak does not hide the tests after it.
 */
import { lookup } from 'node:dns/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { RootHookObject } from 'mocha'
import { addon } from '#lib/native.js'
import { opened } from '#lib/reactor.js'
import { runChild } from './children.js'
import { beginTest, endRun, endTest } from './cleanup.js'
import { held, leftBehind, type Held } from './held.js'

/** Node closes sockets in a later turn of its loop: how often we look again, a little later each. */
const LOOKS_MAX = 12
/** The same while a disk job runs: a disk takes its time, above all for what a closed file leaves behind. */
const LOOKS_AT_JOBS_MAX = 70

const leaks: string[] = []
let before: Held

export const mochaHooks: RootHookObject = {
  async beforeAll() {
    // What Node and the library open once and keep, they open here, before the first account.
    if (addon !== null) openWhatStays()
    await lookup('localhost')
    await runChild(process.execPath, ['--version'])
    process.on('warning', (warning) => {
      // Node's own word that a FileHandle was lost.
      if (warning.message.includes('on garbage collection')) {
        leaks.push(`A test left an open FileHandle: ${warning.message}`)
      }
    })
  },

  beforeEach() {
    beginTest()
    before = held()
  },

  async afterEach(this: Mocha.Context) {
    await endTest()
    // A test that failed half-way has said so already.
    if (this.currentTest?.isFailed() === true) return
    const left = await leftAfterSettling()
    if (left.length === 0) return
    const leak = `${this.currentTest?.fullTitle() ?? 'A test'} left ${left.join(', ')}`
    console.error(`      ✗ left ${left.join(', ')}`)
    leaks.push(leak)
  },

  async afterAll() {
    await endRun()
    if (leaks.length > 0) throw new Error(`Something was left behind:\n${leaks.join('\n')}`)
  },
}

/** The addon's own descriptors, and /dev/null for what is dropped, which it opens when it first does. */
function openWhatStays(): void {
  const pipe = opened().pipe(1)
  if (typeof pipe === 'number') return
  opened().discard(pipe, 0)
  opened().drop(pipe)
}

async function leftAfterSettling(): Promise<string[]> {
  for (let look = 0; ; look++) {
    const now = held()
    const left = leftBehind(before, now)
    const looksMax = (now.live?.jobs ?? 0) > 0 ? LOOKS_AT_JOBS_MAX : LOOKS_MAX
    if (left.length === 0 || look >= looksMax) return left
    // 132 ms in all, or 5 s.
    await delay(look * 2)
  }
}

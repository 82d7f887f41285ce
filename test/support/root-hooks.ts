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

const leaks: string[] = []
let before: Held

export const mochaHooks: RootHookObject = {
  async beforeAll() {
    // What Node and the library open once and keep, they open here, before the first account.
    if (addon !== null) opened()
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

async function leftAfterSettling(): Promise<string[]> {
  for (let look = 0; ; look++) {
    const left = leftBehind(before, held())
    if (left.length === 0 || look === LOOKS_MAX) return left
    // 0 to 66 ms in all but the last looks, 110 ms at the most.
    await delay(look * 2)
  }
}

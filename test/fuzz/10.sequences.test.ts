/**
 * Random sequences of every operation of lists and cursors against a model of flat bytes.
 *
 * `SPLICELIST_FUZZ` says how long: a number of operations ('1000000'), or minutes ('480m').
 * `SPLICELIST_SEED` repeats a run, by the seed that it printed, or a failure, by what it printed.
 */
import { expect } from 'chai'
import '../raw/pipes.js'
import { tempFolder } from '../support/folders.js'
import { runSequences, type Extent, type Start } from './sequence.js'
import { makeContentFile } from './world.js'

/** What a run of the suite takes time for. */
const OPERATIONS_BY_DEFAULT = 10_000
/** How long a run by operations may take, in minutes. */
const MINUTES_MAX = 24 * 60

function extent(): Extent {
  const asked = process.env['SPLICELIST_FUZZ'] ?? ''
  const [, count, unit] = /^(\d+)(m?)$/.exec(asked) ?? []
  if (count === undefined) return { operations: OPERATIONS_BY_DEFAULT, minutes: MINUTES_MAX }
  return unit === 'm'
    ? { operations: Infinity, minutes: Number(count) }
    : { operations: Number(count), minutes: MINUTES_MAX }
}

function start(): Start {
  const [seed, ...path] = (process.env['SPLICELIST_SEED'] ?? '').split(':')
  const given = Number(seed === '' ? NaN : seed)
  return { seed: Number.isInteger(given) ? given : Date.now() | 0, path: path.join(':') }
}

describe('Random sequences of operations', () => {
  const begin = start()
  it(`leave lists with the bytes that a flat model has, from seed ${begin.seed}`, async function () {
    this.timeout(0)
    const file = await makeContentFile(await tempFolder('tmpfs'))
    const asked = extent()
    const done = await runSequences(file, asked, begin)
    console.log(`      ${done} operations`)
    if (begin.path === '' && Number.isFinite(asked.operations)) {
      expect(done).to.be.at.least(asked.operations)
    }
  })
})

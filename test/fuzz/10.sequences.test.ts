/**
 * Random sequences of every operation of lists and cursors against a model of flat bytes.
 *
 * `SPLICELIST_FUZZ` says how long: a number of operations ('1000000'), or minutes ('480m').
 * `SPLICELIST_SEED` repeats a run, by the seed that it printed, or a failure, by what it printed.
 */
import { expect } from 'chai'
import '../raw/pipes.js'
import { tempFolder } from '../support/folders.js'
import { askedExtent, askedStart, hunt } from './hunt.js'
import { againstModels } from './sequence.js'
import { makeContentFile } from './world.js'

describe('Random sequences of operations', () => {
  const start = askedStart()
  it(`leave lists with the bytes that a flat model has, from seed ${start.seed}`, async function () {
    this.timeout(0)
    const extent = askedExtent()
    const file = await makeContentFile(await tempFolder('tmpfs'))
    const done = await hunt(againstModels(file), extent, start)
    console.log(`      ${done} operations`)
    const isWhole = start.path === '' && Number.isFinite(extent.operations)
    if (isWhole) expect(done).to.be.at.least(extent.operations)
  })
})

/**
 * The same random sequences through our lists and through the real `ceph::buffer::list`: the same
 * lengths, the same crc32c, the same bytes, and errors in the same places.
 *
 * `SPLICELIST_FUZZ` and `SPLICELIST_SEED` mean what they mean in test/fuzz.
 */
import { expect } from 'chai'
import { BufferList } from 'splicelist'
import { askedExtent, askedStart, hunt, type Ground } from '../fuzz/hunt.js'
import { afterwards } from '../support/cleanup.js'
import { CEPH_NAMES, CEPH_OPERATIONS, CephTurn, content, type Done } from './operations.js'
import { CephOracle, whyNoCeph } from './oracle.js'

/** As many as the interpreter has. */
const LISTS = 4
const STEPS_MAX = 120
/** A list beyond this is emptied, so that every comparison stays cheap, in bytes. */
const LENGTH_MAX = 300_000

function againstCeph(oracle: CephOracle): Ground {
  return {
    names: CEPH_NAMES,
    lists: LISTS,
    stepsMax: STEPS_MAX,
    run: async (steps, run) => {
      const lists = Array.from({ length: LISTS }, () => new BufferList())
      const done: Done[] = []
      for (const step of steps) {
        run.begun += 1
        const operation = CEPH_OPERATIONS[step.name]
        if (operation !== undefined) done.push(operation(new CephTurn(lists, step)))
        lists.forEach((list, index) => {
          if (list.length > LENGTH_MAX) done.push(emptied(list, index))
        })
        run.trace?.splice(0, Infinity, ...done.map(({ code }) => code))
      }
      lists.forEach((list, index) => done.push(read(list, index)))
      const answers = await oracle.ask([
        'begin',
        ...done.flatMap(({ command }) => command.split('\n')),
      ])
      answers.shift()
      done.forEach(({ command, answer, essence = all }, index) => {
        const theirs = answers.splice(0, command.split('\n').length).join('\n')
        if (essence(answer) === essence(theirs)) return
        run.begun = Math.min(run.begun, index + 1)
        run.trace?.splice(index + 1)
        throw new Error(`Ceph says ${shown(theirs)}, not ${shown(answer)}`)
      })
    },
  }
}

function emptied(list: BufferList, index: number): Done {
  list.consume(list.length)
  return { command: `clear ${index}`, code: `list ${index} is emptied`, answer: '0 4294967295' }
}

function read(list: BufferList, index: number): Done {
  const answer = list.toBuffer().toString('hex')
  return { command: `bytes ${index}`, code: `list ${index}.toBuffer()`, answer }
}

const all = (answer: string): string => answer

/** The beginning of an answer: some are long. */
function shown(answer: string): string {
  return answer.length > 200 ? `${answer.slice(0, 200)}…` : answer
}

describe('Our lists and the real ceph::buffer::list', () => {
  const why = whyNoCeph()
  let oracle: CephOracle
  before(async function () {
    this.timeout(120_000)
    if (why !== undefined) return
    oracle = await CephOracle.start(content)
    afterwards(() => oracle.end())
  })

  const start = askedStart()
  it(`agree after random sequences of operations, from seed ${start.seed}`, async function () {
    if (why !== undefined) {
      console.log(`      ${why}`)
      this.skip()
    }
    this.timeout(0)
    const done = await hunt(againstCeph(oracle), askedExtent(), start)
    console.log(`      ${done} operations`)
    if (start.path === '') expect(done).to.be.at.least(1000)
  })
})

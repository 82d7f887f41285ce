/**
 * One pair of ends, in a process of its own: transfers by reference and by copy in turn, each with what
 * it cost this process and what the ledger said of it.
 *
 *     node child.js ERRAND
 *
 * Prints an `Answer` as JSON.
 */
import { counters } from 'splicelist'
import { ledgerSince } from './account.js'
import { readyFor } from './ends.js'
import { MODES, type Answer, type ComparedMode, type Errand, type Turn } from './errand.js'
import { Meter } from '../harness/meter.js'

/** Turns that do not count: V8 has made code of what is hot, and files and pipes are there. */
const WARM_UP_TURNS = 2

const errand = JSON.parse(process.argv[2] ?? '') as Errand

async function turn(mode: ComparedMode): Promise<Turn> {
  const { run, close } = await readyFor(errand, mode)
  const before = counters.snapshot()
  const meter = new Meter()
  const ways = await run()
  const { cpuSeconds } = meter.read()
  const said = { ...ledgerSince(before), ways }
  close()
  return { said, cpuSeconds }
}

const answer: Record<ComparedMode, Turn[]> = { auto: [], copy: [] }
for (let i = 0; i < WARM_UP_TURNS; i++) for (const mode of MODES) await turn(mode)
for (let i = 0; i < errand.rounds; i++) {
  for (const mode of MODES) answer[mode].push(await turn(mode))
}
process.stdout.write(JSON.stringify(answer satisfies Answer))

/**
 * What the ledger costs while nobody audits: the library as it is, beside the library with its ledger
 * compiled out.
 *
 *     npm run bench:ledger [-- --pairs N] [--case PATTERN] [--json]
 *
 * A fresh process for each figure, in pairs, one variant first in every other pair. A case's cost is the
 * median over the pairs of one figure by the other, less 1. The exit status is 1 where one is above 5 %.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { median } from '../harness/statistics.js'
import { CASES } from './cases.js'

const run = promisify(execFile)
const CHILD = fileURLToPath(new URL('child.js', import.meta.url))
/** Pairs of processes: enough for a median that the odd disturbed process does not move. */
const PAIRS = 31
/** What the ledger may cost. */
const COST_MAX = 0.05
const PROCESS_MS_MAX = 60_000

type Variant = 'counted' | 'uncounted'

interface Row {
  readonly name: string
  /** CPU nanoseconds of one operation, medians. */
  readonly counted: number
  readonly uncounted: number
  /** The median of the pairs' ratios, less 1. */
  readonly cost: number
  /** Of the pairs' ratios, less 1: the middle half. */
  readonly middle: readonly [number, number]
}

async function measure(name: string, variant: Variant): Promise<number> {
  const args = [CHILD, name, variant]
  const { stdout } = await run(process.execPath, args, { timeout: PROCESS_MS_MAX })
  return Number(stdout)
}

async function measureCase(name: string, pairs: number): Promise<Row> {
  const figures = { counted: [] as number[], uncounted: [] as number[] }
  for (let pair = 0; pair < pairs; pair++) {
    process.stderr.write(`\r\x1b[K${name}, pair ${pair + 1} of ${pairs}`)
    const order: Variant[] = pair % 2 === 0 ? ['counted', 'uncounted'] : ['uncounted', 'counted']
    for (const variant of order) figures[variant].push(await measure(name, variant))
  }
  process.stderr.write('\r\x1b[K')
  const ratios = figures.counted.map((ns, i) => ns / (figures.uncounted[i] ?? NaN) - 1)
  const sorted = [...ratios].sort((a, b) => a - b)
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? NaN
  return {
    name,
    counted: median(figures.counted),
    uncounted: median(figures.uncounted),
    cost: median(ratios),
    middle: [at(0.25), at(0.75)],
  }
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`.padStart(8)
const nanoseconds = (ns: number): string => ns.toFixed(ns < 1000 ? 1 : 0).padStart(12)

function print({ name, counted, uncounted, cost, middle }: Row): void {
  const [low, high] = middle
  console.log(
    `${name.padEnd(34)}${nanoseconds(uncounted)}${nanoseconds(counted)}  ${percent(cost)}` +
      `   (${percent(low).trim()} to ${percent(high).trim()})`,
  )
}

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: String(PAIRS) },
    case: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
})
const pairs = Number(values.pairs)
if (!Number.isInteger(pairs) || pairs < 1) throw new Error('--pairs takes a number from 1 up')
const rows: Row[] = []
if (!values.json) {
  const head = `${'CPU ns for one'.padEnd(34)}${'no ledger'.padStart(12)}${'ledger'.padStart(12)}`
  console.log(`${head}      cost   (middle half of ${pairs} pairs)`)
}
for (const name of Object.keys(CASES)) {
  if (!name.includes(values.case)) continue
  const row = await measureCase(name, pairs)
  rows.push(row)
  if (!values.json) print(row)
}
if (values.json) console.log(JSON.stringify(rows))
if (rows.some(({ cost }) => cost > COST_MAX)) process.exitCode = 1

/**
 * What the ledger costs while nobody audits: the library as it is, beside the library with its ledger
 * compiled out.
 *
 *     npm run bench:ledger [-- --case PATTERN] [--pairs N] [--json]
 *     npm run bench:ledger -- --smoke
 *
 * A fresh process for each figure, in pairs, one variant first in every other pair. A case's cost is the
 * median over the pairs of one figure by the other, less 1. The exit code is 1 where one is above 5 %.
 */
import { chosen, printTable, runCommand, type CommandOptions } from '../harness/command.js'
import { readMachine } from '../harness/environment.js'
import { CASES } from './cases.js'
import { measureCase, smoke, type Row } from './measure.js'
import { USAGE, parseOptions } from './options.js'

/** What the ledger may cost. */
const COST_MAX = 0.05
const WIDTHS = { name: 34, figure: 12, cost: 10 } as const

process.exitCode = await runCommand(
  { usage: USAGE, parse: parseOptions, list: (options) => listText(wanted(options)), run },
  process.argv.slice(2),
)

async function run(options: CommandOptions): Promise<number> {
  const { rounds: pairs, node } = options
  const cases = wanted(options)
  if (options.smoke) {
    return smoke(
      cases.map(({ name }) => name),
      node,
    )
  }
  const environment = await readMachine(node)
  let tooDear = 0
  const table = {
    head: [
      `${pairs} pairs of processes; node ${environment.node}, ${environment.kernel}, ` +
        `${environment.cpus} CPUs (${environment.cpu})`,
      '',
      'CPU ns for one'.padEnd(WIDTHS.name) +
        'no ledger'.padStart(WIDTHS.figure) +
        'ledger'.padStart(WIDTHS.figure) +
        'cost'.padStart(WIDTHS.cost) +
        '   (of the middle half of the pairs)',
    ],
    measure: async ({ name }: { readonly name: string }): Promise<Row> => {
      const row = await measureCase(name, pairs, node)
      if (row.cost > COST_MAX) tooDear += 1
      return row
    },
    lines: (row: Row) => [lineOf(row)],
    foot: (rows: readonly Row[]) => [
      '',
      `In ${rows.length - tooDear} of ${rows.length} cases the ledger costs ${percent(COST_MAX)} at the most`,
    ],
    result: (rows: readonly Row[]) => ({ environment, pairs, cases: rows }),
  }
  const code = await printTable(cases, table, options)
  return tooDear > 0 ? 1 : code
}

function wanted(options: CommandOptions): readonly { readonly name: string }[] {
  const cases = Object.keys(CASES).map((name) => ({ name }))
  return chosen(cases, options, listText)
}

function listText(cases: readonly { readonly name: string }[]): string {
  return cases.map(({ name }) => `${name}\n`).join('')
}

function lineOf({ name, counted, uncounted, cost, middle }: Row): string {
  const [low, high] = middle
  return (
    name.padEnd(WIDTHS.name) +
    nanoseconds(uncounted).padStart(WIDTHS.figure) +
    nanoseconds(counted).padStart(WIDTHS.figure) +
    percent(cost).padStart(WIDTHS.cost) +
    `   (${percent(low)} to ${percent(high)})`
  )
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

function nanoseconds(ns: number): string {
  return ns.toFixed(ns < 1000 ? 1 : 0)
}

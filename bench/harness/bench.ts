/** What a set of cases runs: reads the options, measures, and says what was found. */
import { LIBRARIES, type Case } from './case.js'
import { openCeph, type Ceph } from './ceph.js'
import { chosen, printTable, runCommand } from './command.js'
import { readMachine, readPeers, type Environment } from './environment.js'
import { RunError } from './failures.js'
import { USAGE, parseOptions, type Options } from './options.js'
import { showStep } from './output.js'
import { contendersOf, runCase, type Plan } from './rounds.js'
import { smoke } from './smoke.js'
import { footLines, headLines, rowLine, type Row } from './table.js'
import { verdictOf } from './verdict.js'

/** Runs the cases that a module exports as `CASES`; returns the exit code. */
export async function bench(module: URL, args: readonly string[]): Promise<number> {
  const { CASES } = (await import(module.href)) as { CASES: readonly Case[] }
  const wanted = (options: Options) => chosen(CASES, options, listText)
  return runCommand(
    {
      usage: USAGE,
      parse: parseOptions,
      list: (options) => listText(wanted(options)),
      run: (options) => run(CASES, wanted(options), module, options),
    },
    args,
  )
}

async function run(
  all: readonly Case[],
  wanted: readonly Case[],
  module: URL,
  options: Options,
): Promise<number> {
  const { libraries, rounds, node } = options
  const isAsked = libraries.includes('ceph')
  const found = isAsked ? await openCeph() : 'it was not asked for'
  const ceph = typeof found === 'string' ? undefined : found
  if (ceph !== undefined) checkCephCases(all, ceph)
  if (options.smoke) return smoke(wanted, { libraries, ceph })

  const plan: Plan = { module: module.href, libraries, rounds, node, ceph, onStep: showStep }
  const environment: Environment = {
    ...(await readMachine(node)),
    peers: await readPeers(),
    cephAbsent: typeof found === 'string' ? found : null,
  }
  const table = {
    head: headLines(environment, rounds),
    measure: async (one: Case): Promise<Row> => ({ case: one, figures: await runCase(one, plan) }),
    lines: (row: Row) => [rowLine(row)],
    foot: footLines,
    result: (rows: readonly Row[]) => ({ environment, rounds, cases: rows.map(plain) }),
  }
  const contended = wanted.filter((one) => contendersOf(one, plan).length > 0)
  return printTable(contended, table, options)
}

/** A case of the C++ program that no case here has would never be run, and nobody would notice. */
function checkCephCases(cases: readonly Case[], ceph: Ceph): void {
  for (const name of ceph.cases) {
    if (!cases.some((one) => one.name === name)) {
      throw new RunError(`The C++ program has a case ${name} that is not among the cases.`)
    }
  }
}

function listText(cases: readonly Case[]): string {
  return cases.map(({ name, operation }) => `${name.padEnd(30)}${operation}\n`).join('')
}

/** Figures are in nanoseconds, or bytes, for one operation. */
function plain({ case: one, figures }: Row) {
  const { name, operation, unit, target } = one
  return {
    name,
    operation,
    unit,
    target,
    verdict: verdictOf(one, figures),
    figures: Object.fromEntries(LIBRARIES.map((library) => [library, figures[library]])),
  }
}

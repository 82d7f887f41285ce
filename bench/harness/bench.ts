/** What a set of cases runs: reads the options, measures, and says what was found. */
import { LIBRARIES, type Case } from './case.js'
import { openCeph, type Ceph } from './ceph.js'
import { readMachine, readPeers, type Environment } from './environment.js'
import { RunError, UsageError } from './failures.js'
import { USAGE, parseOptions, type Options } from './options.js'
import { endQuietly, showStep } from './output.js'
import { contendersOf, runCase, type Plan } from './rounds.js'
import { smoke } from './smoke.js'
import { footLines, headLines, rowLine, type Row } from './table.js'
import { verdictOf } from './verdict.js'

/** Runs the cases that a module exports as `CASES`; returns the exit code. */
export async function bench(module: URL, args: readonly string[]): Promise<number> {
  process.stdout.on('error', endQuietly)
  try {
    const options = parseOptions(args)
    const { CASES } = (await import(module.href)) as { CASES: readonly Case[] }
    if (options.help) process.stdout.write(USAGE)
    else if (options.list) process.stdout.write(listText(chosen(CASES, options)))
    else return await run(CASES, module, options)
    return 0
  } catch (error) {
    const isExpected = error instanceof UsageError || error instanceof RunError
    process.stderr.write(`${isExpected ? error.message : String((error as Error).stack)}\n`)
    return error instanceof UsageError ? 2 : 1
  }
}

async function run(cases: readonly Case[], module: URL, options: Options): Promise<number> {
  const { libraries, rounds, node } = options
  const isAsked = libraries.includes('ceph')
  const found = isAsked ? await openCeph() : 'it was not asked for'
  const ceph = typeof found === 'string' ? undefined : found
  if (ceph !== undefined) checkCephCases(cases, ceph)
  const wanted = chosen(cases, options)
  if (options.smoke) return (await smoke(wanted, { libraries, ceph })) === 0 ? 0 : 1

  const plan: Plan = { module: module.href, libraries, rounds, node, ceph, onStep: showStep }
  const environment: Environment = {
    ...(await readMachine(node)),
    peers: await readPeers(),
    cephAbsent: typeof found === 'string' ? found : null,
  }
  const print = (lines: readonly string[]): void => {
    showStep('')
    const out = options.json ? process.stderr : process.stdout
    for (const line of lines) out.write(`${line}\n`)
  }
  print(headLines(environment, rounds))
  const rows: Row[] = []
  let failed = 0
  for (const one of wanted) {
    if (contendersOf(one, plan).length === 0) continue
    try {
      const row = { case: one, figures: await runCase(one, plan) }
      rows.push(row)
      print([rowLine(row)])
    } catch (error) {
      // The others' figures are none the worse.
      if (!(error instanceof RunError)) throw error
      failed += 1
      print([error.message])
    }
  }
  print(footLines(rows))
  if (options.json) {
    process.stdout.write(
      `${JSON.stringify({ environment, rounds, cases: rows.map(plain) }, null, 2)}\n`,
    )
  }
  return failed === 0 ? 0 : 1
}

function chosen(cases: readonly Case[], { patterns }: Options): readonly Case[] {
  if (patterns.length === 0) return cases
  const wanted = cases.filter(({ name }) => patterns.some((pattern) => pattern.test(name)))
  if (wanted.length > 0) return wanted
  throw new UsageError(`No case matches. There are:\n${listText(cases)}`)
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

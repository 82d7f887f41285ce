/**
 * The engine's speed, beside loops in C and Node streams:
 *
 *     npm run bench:transfer [-- --case PATTERN] [--size BYTES] [--rounds N] [--verify] [--json]
 *     npm run bench:transfer -- --smoke
 */
import { compiled } from '../harness/compile.js'
import { RunError, UsageError } from '../harness/failures.js'
import { endQuietly, showStep } from '../harness/output.js'
import { twoCpus } from '../harness/pinning.js'
import { readEnvironment } from './environment.js'
import { verdictsOf } from './figures.js'
import { FLOWS, caseOf, type Case } from './flows.js'
import { USAGE, parseOptions, type Options } from './options.js'
import { measure } from './rounds.js'
import type { Surroundings } from './run.js'
import { smoke } from './smoke.js'
import { footLines, headLines, rowLines, type Row } from './table.js'
import { Workplace } from './workplace.js'

/** The first one warms up. */
const PASSES = 3
/** Signals that end a benchmark, and the exit codes that a shell expects of them. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  process.stdout.on('error', endQuietly)
  try {
    const options = parseOptions(args)
    if (options.help) process.stdout.write(USAGE)
    else if (options.list) process.stdout.write(listText(chosen(options)))
    else return await withWorkplace(options, options.smoke ? smokeAll : measureAll)
    return 0
  } catch (error) {
    const isExpected = error instanceof UsageError || error instanceof RunError
    process.stderr.write(`${isExpected ? error.message : String((error as Error).stack)}\n`)
    return error instanceof UsageError ? 2 : 1
  }
}

type Work = (options: Options, surroundings: Surroundings) => Promise<number>

async function withWorkplace(options: Options, work: Work): Promise<number> {
  const programs = {
    peer: await compiled('transfer-peer'),
    mover: await compiled('transfer-mover'),
  }
  const workplace = await Workplace.make(programs.peer)
  const remove = (): void => workplace.remove()
  process.once('exit', remove)
  for (const [signal, code] of Object.entries(SIGNALS))
    process.once(signal, () => process.exit(code))
  const { node, verify } = options
  // The first CPU often has the interrupts: they are the peer's, as a network card's would be.
  const [peer, contestant] = twoCpus() ?? []
  const cpus = peer === undefined || contestant === undefined ? undefined : { contestant, peer }
  const surroundings = { workplace, programs, node, cpus, isVerified: verify }
  return work(options, { ...surroundings, passes: PASSES })
}

function smokeAll(options: Options, surroundings: Surroundings): Promise<number> {
  return smoke(chosen(options), surroundings)
}

async function measureAll(options: Options, surroundings: Surroundings): Promise<number> {
  const environment = await readEnvironment(options, surroundings.cpus)
  const print = (lines: readonly string[]): void => {
    showStep('')
    const out = options.json ? process.stderr : process.stdout
    for (const line of lines) out.write(`${line}\n`)
  }
  print(headLines(environment))
  const rows: Row[] = []
  let failed = 0
  for (const one of chosen(options)) {
    try {
      const row = { case: one, figures: await measure(one, options.rounds, surroundings) }
      rows.push(row)
      print(rowLines(row))
    } catch (error) {
      // The other cases are none the worse.
      if (!(error instanceof RunError)) throw error
      failed += 1
      print([error.message])
    }
  }
  print(footLines(rows))
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ environment, cases: rows.map(plain) }, null, 2)}\n`)
  }
  return failed === 0 ? 0 : 1
}

function chosen({ patterns, sizes }: Options): readonly Case[] {
  const cases = FLOWS.flatMap((flow) => sizes.map((size) => caseOf(flow, size)))
  if (patterns.length === 0) return cases
  const wanted = cases.filter(({ name }) => patterns.some((pattern) => pattern.test(name)))
  if (wanted.length > 0) return wanted
  throw new UsageError(`No case matches. There are:\n${listText(cases)}`)
}

function listText(cases: readonly Case[]): string {
  return cases
    .map(({ name, flow, messages, messageBytes }) => {
      const { connections, sinks } = flow
      const over = connections === 1 ? '' : `, over each of ${connections} connections`
      const to = sinks === 1 ? '' : `, to each of ${sinks} sinks`
      return `${name.padEnd(24)}${messages} × ${messageBytes} bytes${over}${to}\n`
    })
    .join('')
}

function plain({ case: one, figures }: Row) {
  const { name, sizeBytes, messageBytes, messages } = one
  const { connections } = one.flow
  const verdicts = verdictsOf(one, figures)
  return { name, sizeBytes, messageBytes, messages, connections, figures, verdicts }
}

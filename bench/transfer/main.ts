/**
 * The engine's speed, beside loops in C and Node streams:
 *
 *     npm run bench:transfer [-- --case PATTERN] [--size BYTES] [--rounds N] [--verify] [--json]
 *     npm run bench:transfer -- --smoke
 */
import { chosen, printTable, runCommand } from '../harness/command.js'
import { compiled } from '../harness/compile.js'
import { twoCpus } from '../harness/pinning.js'
import { readEnvironment } from './environment.js'
import { verdictsOf } from './figures.js'
import { FLOWS, caseOf, warmUpPassesOf, type Case } from './flows.js'
import { USAGE, parseOptions, type Options } from './options.js'
import { measure } from './rounds.js'
import type { Surroundings } from './run.js'
import { smoke } from './smoke.js'
import { footLines, headLines, rowLines, type Row } from './table.js'
import { Workplace } from './workplace.js'

const COUNTED_PASSES = 2
/** Signals that end a benchmark, and the exit codes that a shell expects of them. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

process.exitCode = await runCommand(
  {
    usage: USAGE,
    parse: parseOptions,
    list: (options) => listText(wanted(options)),
    run: (options) => withWorkplace(options, options.smoke ? smokeAll : measureAll),
  },
  process.argv.slice(2),
)

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
  return work(options, {
    ...surroundings,
    warmUpPasses: warmUpPassesOf,
    countedPasses: COUNTED_PASSES,
  })
}

function smokeAll(options: Options, surroundings: Surroundings): Promise<number> {
  return smoke(wanted(options), surroundings)
}

async function measureAll(options: Options, surroundings: Surroundings): Promise<number> {
  const environment = await readEnvironment(options, surroundings.cpus)
  const table = {
    head: headLines(environment),
    measure: async (one: Case): Promise<Row> => ({
      case: one,
      figures: await measure(one, options.rounds, surroundings),
    }),
    lines: rowLines,
    foot: footLines,
    result: (rows: readonly Row[]) => ({ environment, cases: rows.map(plain) }),
  }
  return printTable(wanted(options), table, options)
}

function wanted(options: Options): readonly Case[] {
  const cases = FLOWS.flatMap((flow) => options.sizes.map((size) => caseOf(flow, size)))
  return chosen(cases, options, listText)
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

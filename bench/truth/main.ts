/**
 * The ledger against the CPU: for each pair of ends, transfers by reference and by copy in turn, what
 * each cost the process, and what the ledger said of it. Where the two contradict each other, one of
 * them is wrong, and it is not the CPU.
 *
 *     npm run bench:truth [-- --case PATTERN] [--bytes BYTES] [--rounds N] [--json]
 *     npm run bench:truth -- --smoke
 */
import { rmSync } from 'node:fs'
import { access, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chosen, printTable, runCommand } from '../harness/command.js'
import { readMachine } from '../harness/environment.js'
import { showStep } from '../harness/output.js'
import { twoCpus } from '../harness/pinning.js'
import { SmokeTally } from '../harness/smoke-tally.js'
import { nameOf, pairsHere } from './ends.js'
import type { Errand } from './errand.js'
import { answerOf, startPeer } from './measure.js'
import { USAGE, parseOptions, type Options } from './options.js'
import { footLines, headLines, rowLines } from './table.js'
import { rowOf, type Row } from './verdict.js'

/** A file system in memory: no disk takes part. */
const IN_MEMORY = '/dev/shm'
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

interface Case {
  readonly name: string
}

process.exitCode = await runCommand(
  { usage: USAGE, parse: parseOptions, list: (options) => listText(wanted(options)), run },
  process.argv.slice(2),
)

async function run(options: Options): Promise<number> {
  const cases = wanted(options)
  const folder = await mkdtemp(join(await placeOfFiles(), 'splicelist-truth-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  for (const [signal, code] of Object.entries(SIGNALS))
    process.once(signal, () => process.exit(code))
  const [peer, endPeer] = await startPeer(join(folder, 'peer'))
  try {
    const errandOf = (name: string, rounds: number): Errand => {
      return { name, bytes: options.bytes, rounds, folder, peer }
    }
    return await (options.smoke ? smoke : measure)(cases, errandOf, options)
  } finally {
    endPeer()
  }
}

type ErrandOf = (name: string, rounds: number) => Errand

async function measure(
  cases: readonly Case[],
  errandOf: ErrandOf,
  options: Options,
): Promise<number> {
  const { node, rounds, bytes } = options
  const environment = await readMachine(node)
  const [, cpu] = twoCpus() ?? []
  let doubtful = 0
  const table = {
    head: headLines(environment, options),
    measure: async ({ name }: Case): Promise<Row> => {
      showStep(name)
      const row = rowOf(name, bytes, await answerOf(errandOf(name, rounds), node, cpu))
      if (!row.agrees) doubtful += 1
      return row
    },
    lines: rowLines,
    foot: footLines,
    result: (rows: readonly Row[]) => ({ environment, bytes, rounds, cases: rows }),
  }
  const code = await printTable(cases, table, options)
  return doubtful > 0 ? 1 : code
}

/** Every pair of ends in both modes, without figures; returns an exit code. */
async function smoke(
  cases: readonly Case[],
  errandOf: ErrandOf,
  { node }: Options,
): Promise<number> {
  const tally = new SmokeTally()
  for (const { name } of cases) {
    await tally.attempt(() => answerOf(errandOf(name, 1), node, undefined))
  }
  return tally.end()
}

function wanted(options: Options): readonly Case[] {
  return chosen(
    pairsHere().map((pair) => ({ name: nameOf(pair) })),
    options,
    listText,
  )
}

function listText(cases: readonly Case[]): string {
  return cases.map(({ name }) => `${name}\n`).join('')
}

function placeOfFiles(): Promise<string> {
  return access(IN_MEMORY).then(
    () => IN_MEMORY,
    () => tmpdir(),
  )
}

/** What every command that measures cases shares: its options, how it prints, and how it ends. */
import { patternOf, roundsOf } from './arguments.js'
import { RunError, UsageError, exitCodeOf } from './failures.js'
import { endQuietly, showStep } from './output.js'

/** As `parseArgs` takes them. */
export function commandOptions(roundsDefault: number) {
  return {
    case: { type: 'string', multiple: true, default: [] as string[] },
    rounds: { type: 'string', default: String(roundsDefault) },
    node: { type: 'string', default: process.execPath },
    json: { type: 'boolean', default: false },
    smoke: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  } as const
}

/** The end of a usage text. */
export const COMMAND_USAGE = `  --node PATH      another Node to measure on
  --json           the figures as JSON on stdout, everything else on stderr
  --smoke          every case once, small, without figures: do all of them still do the same?
  --list           the cases
  --help           this text
`

export interface CommandOptions {
  readonly patterns: readonly RegExp[]
  readonly rounds: number
  readonly node: string
  readonly json: boolean
  readonly smoke: boolean
  readonly list: boolean
  readonly help: boolean
}

interface Values extends Omit<CommandOptions, 'patterns' | 'rounds'> {
  readonly case: readonly string[]
  readonly rounds: string
}

export function commandOptionsOf({ case: cases, rounds, ...others }: Values): CommandOptions {
  const { node, json, smoke, list, help } = others
  return {
    patterns: cases.map(patternOf),
    rounds: roundsOf(rounds),
    node,
    json,
    smoke,
    list,
    help,
  }
}

export interface Command<Options> {
  readonly usage: string
  readonly parse: (args: readonly string[]) => Options
  /** What `--list` prints. */
  readonly list: (options: Options) => string | Promise<string>
  /** Returns the exit code. */
  readonly run: (options: Options) => Promise<number>
}

/** Does what the arguments ask for; returns the exit code. */
export async function runCommand<Options extends CommandOptions>(
  { usage, parse, list, run }: Command<Options>,
  args: readonly string[],
): Promise<number> {
  process.stdout.on('error', endQuietly)
  try {
    const options = parse(args)
    if (!options.help && !options.list) return await run(options)
    process.stdout.write(options.help ? usage : await list(options))
    return 0
  } catch (error) {
    return exitCodeOf(error)
  }
}

/** The cases that `--case` names, or all. */
export function chosen<Case extends { readonly name: string }>(
  cases: readonly Case[],
  { patterns }: CommandOptions,
  listText: (cases: readonly Case[]) => string,
): readonly Case[] {
  if (patterns.length === 0) return cases
  const wanted = cases.filter(({ name }) => patterns.some((pattern) => pattern.test(name)))
  if (wanted.length > 0) return wanted
  throw new UsageError(`No case matches. There are:\n${listText(cases)}`)
}

export interface Table<Case, Row> {
  readonly head: readonly string[]
  readonly measure: (one: Case) => Promise<Row>
  readonly lines: (row: Row) => readonly string[]
  readonly foot: (rows: readonly Row[]) => readonly string[]
  /** What `--json` prints of the rows. */
  readonly result: (rows: readonly Row[]) => object
}

/** Measures one case after the other, and prints each as it comes; returns the exit code. */
export async function printTable<Case, Row>(
  cases: readonly Case[],
  { head, measure, lines, foot, result }: Table<Case, Row>,
  { json }: CommandOptions,
): Promise<number> {
  const print = (text: readonly string[]): void => {
    showStep('')
    const out = json ? process.stderr : process.stdout
    for (const line of text) out.write(`${line}\n`)
  }
  print(head)
  const rows: Row[] = []
  let failed = 0
  for (const one of cases) {
    try {
      const row = await measure(one)
      rows.push(row)
      print(lines(row))
    } catch (error) {
      // The others' figures are none the worse.
      if (!(error instanceof RunError)) throw error
      failed += 1
      print([error.message])
    }
  }
  print(foot(rows))
  if (json) process.stdout.write(`${JSON.stringify(result(rows), null, 2)}\n`)
  return failed === 0 ? 0 : 1
}

/** The command line. */
import { parseArgs } from 'node:util'
import { LIBRARIES, type Library } from './case.js'
import { UsageError } from './failures.js'

const ROUNDS_DEFAULT = 5
const ROUNDS_MAX = 999

export const USAGE = `usage: npm run bench [-- --case PATTERN] [--library NAME] [--rounds N]
                            [--node PATH] [--json]
       npm run bench -- --smoke | --list

  --case PATTERN   only the cases whose name matches (a regular expression; may be repeated)
  --library NAME   only this one of ${LIBRARIES.join(', ')} (may be repeated)
  --rounds N       fresh processes for every figure, interleaved (default ${ROUNDS_DEFAULT}); medians are shown
  --node PATH      another Node to measure on
  --json           the figures as JSON on stdout, everything else on stderr
  --smoke          every case once, small, without a clock: do all libraries give the same answers?
  --list           the cases, and what one operation of each is
  --help           this text
`

export interface Options {
  readonly patterns: readonly RegExp[]
  readonly libraries: readonly Library[]
  readonly rounds: number
  readonly node: string
  readonly json: boolean
  readonly smoke: boolean
  readonly list: boolean
  readonly help: boolean
}

export function parseOptions(args: readonly string[]): Options {
  const values = parse(args)
  return {
    patterns: values.case.map(patternOf),
    libraries: values.library.length === 0 ? LIBRARIES : values.library.map(libraryOf),
    rounds: roundsOf(values.rounds),
    node: values.node,
    json: values.json,
    smoke: values.smoke,
    list: values.list,
    help: values.help,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        case: { type: 'string', multiple: true, default: [] },
        library: { type: 'string', multiple: true, default: [] },
        rounds: { type: 'string', default: String(ROUNDS_DEFAULT) },
        node: { type: 'string', default: process.execPath },
        json: { type: 'boolean', default: false },
        smoke: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    throw new UsageError(`${(error as Error).message} See --help.`)
  }
}

function patternOf(text: string): RegExp {
  try {
    return new RegExp(text, 'i')
  } catch {
    throw new UsageError(`--case takes a regular expression, not '${text}'.`)
  }
}

function libraryOf(text: string): Library {
  const library = LIBRARIES.find((name) => name.toLowerCase() === text.toLowerCase())
  if (library !== undefined) return library
  throw new UsageError(`--library takes one of ${LIBRARIES.join(', ')}, not '${text}'.`)
}

function roundsOf(text: string): number {
  const rounds = /^\d+$/.test(text) ? Number(text) : NaN
  if (rounds >= 1 && rounds <= ROUNDS_MAX) return rounds
  throw new UsageError(`--rounds takes a whole number from 1 to ${ROUNDS_MAX}, not '${text}'.`)
}

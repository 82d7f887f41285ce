/** The command line. */
import { parseArgs } from 'node:util'
import { parsed, patternOf, roundsOf } from './arguments.js'
import { LIBRARIES, type Library } from './case.js'
import { UsageError } from './failures.js'

const ROUNDS_DEFAULT = 5

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
  const values = parsed(() => parse(args))
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
}

function libraryOf(text: string): Library {
  const library = LIBRARIES.find((name) => name.toLowerCase() === text.toLowerCase())
  if (library !== undefined) return library
  throw new UsageError(`--library takes one of ${LIBRARIES.join(', ')}, not '${text}'.`)
}

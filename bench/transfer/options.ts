/** The command line. */
import { parseArgs } from 'node:util'
import { bytesOf, parsed, patternOf, roundsOf } from '../harness/arguments.js'
import { SIZES, SMOKE_SIZES, sizeText } from './flows.js'

const ROUNDS_DEFAULT = 7
const SIZE_MAX = 64 * 1024 * 1024 * 1024

export const USAGE = `usage: npm run bench:transfer [-- --case PATTERN] [--size BYTES] [--rounds N] [--verify]
                            [--node PATH] [--json]
       npm run bench:transfer -- --smoke | --list

  --case PATTERN   only the cases whose name matches (a regular expression; may be repeated)
  --size BYTES     messages of this size instead of ${SIZES.map(sizeText).join(', ')} (may be repeated)
  --rounds N       runs of every contestant, interleaved (default ${ROUNDS_DEFAULT}); medians are shown
  --verify         compare every byte at the peer, which costs throughput; without it bytes are counted
  --node PATH      another Node to measure on
  --json           the figures as JSON on stdout, everything else on stderr
  --smoke          every case once, small, every byte compared, without figures
  --list           the cases
  --help           this text

BYTES may end in KiB, MiB or GiB; from 16 MiB on they are one stream, and no message of many.
`

export interface Options {
  readonly patterns: readonly RegExp[]
  readonly sizes: readonly number[]
  readonly rounds: number
  readonly verify: boolean
  readonly node: string
  readonly json: boolean
  readonly smoke: boolean
  readonly list: boolean
  readonly help: boolean
}

export function parseOptions(args: readonly string[]): Options {
  const values = parsed(() => parse(args))
  const sizes = values.size.map((text) => bytesOf('--size', text, 1, SIZE_MAX))
  return {
    ...values,
    patterns: values.case.map(patternOf),
    sizes: sizes.length > 0 ? sizes : values.smoke ? SMOKE_SIZES : SIZES,
    rounds: roundsOf(values.rounds),
  }
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      case: { type: 'string', multiple: true, default: [] },
      size: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string', default: String(ROUNDS_DEFAULT) },
      verify: { type: 'boolean', default: false },
      node: { type: 'string', default: process.execPath },
      json: { type: 'boolean', default: false },
      smoke: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  }).values
}

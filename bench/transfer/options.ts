/** The command line. */
import { parseArgs } from 'node:util'
import { bytesOf, parsed } from '../harness/arguments.js'
import {
  COMMAND_USAGE,
  commandOptions,
  commandOptionsOf,
  type CommandOptions,
} from '../harness/command.js'
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
${COMMAND_USAGE}
BYTES may end in KiB, MiB or GiB; from 16 MiB on they are one stream, and no message of many.
`

export interface Options extends CommandOptions {
  readonly sizes: readonly number[]
  readonly verify: boolean
}

export function parseOptions(args: readonly string[]): Options {
  const { size, verify, ...values } = parsed(() => parse(args))
  const sizes = size.map((text) => bytesOf('--size', text, 1, SIZE_MAX))
  return {
    ...commandOptionsOf(values),
    sizes: sizes.length > 0 ? sizes : values.smoke ? SMOKE_SIZES : SIZES,
    verify,
  }
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      ...commandOptions(ROUNDS_DEFAULT),
      size: { type: 'string', multiple: true, default: [] },
      verify: { type: 'boolean', default: false },
    },
  }).values
}

/** The command line. */
import { parseArgs } from 'node:util'
import { bytesOf, parsed } from '../harness/arguments.js'
import {
  COMMAND_USAGE,
  commandOptions,
  commandOptionsOf,
  type CommandOptions,
} from '../harness/command.js'

const ROUNDS_DEFAULT = 9
const MIB = 1024 * 1024
/** Every byte is held in memory somewhere: by the peer, or in a file of a file system in memory. */
const BYTES_MAX = 1024 * MIB
const SMOKE_BYTES = MIB

export const USAGE = `usage: npm run bench:truth [-- --case PATTERN] [--bytes BYTES] [--rounds N] [--node PATH] [--json]
       npm run bench:truth -- --smoke | --list

  --case PATTERN   only the pairs of ends whose name matches (a regular expression; may be repeated)
  --bytes BYTES    what each transfer moves (default 64MiB); BYTES may end in KiB, MiB or GiB
  --rounds N       transfers by reference and by copy, in turn (default ${ROUNDS_DEFAULT}); medians are shown
${COMMAND_USAGE}
The exit code is 1 where the CPU contradicts the ledger.
`

export interface Options extends CommandOptions {
  readonly bytes: number
}

export function parseOptions(args: readonly string[]): Options {
  const { bytes, ...values } = parsed(() => parse(args))
  const asked = bytesOf('--bytes', bytes, 1, BYTES_MAX)
  return { ...commandOptionsOf(values), bytes: values.smoke ? SMOKE_BYTES : asked }
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: { ...commandOptions(ROUNDS_DEFAULT), bytes: { type: 'string', default: '64MiB' } },
  }).values
}

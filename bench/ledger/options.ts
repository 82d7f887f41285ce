/** The command line. */
import { parseArgs } from 'node:util'
import { parsed, wholeOf } from '../harness/arguments.js'
import {
  COMMAND_USAGE,
  commandOptions,
  commandOptionsOf,
  type CommandOptions,
} from '../harness/command.js'

/** Enough for a median that the odd disturbed process does not move. */
const PAIRS_DEFAULT = 31
const PAIRS_MAX = 999

export const USAGE = `usage: npm run bench:ledger [-- --case PATTERN] [--pairs N] [--node PATH] [--json]
       npm run bench:ledger -- --smoke | --list

  --case PATTERN   only the cases whose name matches (a regular expression; may be repeated)
  --pairs N        pairs of fresh processes for every case, interleaved (default ${PAIRS_DEFAULT}); medians are shown
${COMMAND_USAGE}
The exit code is 1 where the ledger costs more than it may.
`

/** A round is a pair of processes. */
export function parseOptions(args: readonly string[]): CommandOptions {
  const { pairs, ...values } = parsed(() => parse(args))
  wholeOf('--pairs', pairs, 1, PAIRS_MAX)
  return commandOptionsOf({ ...values, rounds: pairs })
}

function parse(args: readonly string[]) {
  const { case: cases, node, json, smoke, list, help } = commandOptions(PAIRS_DEFAULT)
  const pairs = { type: 'string', default: String(PAIRS_DEFAULT) } as const
  return parseArgs({
    args: [...args],
    options: { case: cases, pairs, node, json, smoke, list, help },
  }).values
}

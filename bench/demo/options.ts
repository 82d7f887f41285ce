/** The command line. */
import { parseArgs } from 'node:util'
import { bytesOf, parsed, roundsOf } from '../harness/arguments.js'
import { UsageError } from './failures.js'

const MIB = 1024 * 1024
/** A header's length field could say more, but a payload is held in memory by the streams. */
const PAYLOAD_BYTES_MAX = 256 * MIB

export const USAGE = `usage: npm run demo [-- FILE] [--payload BYTES] [--rounds N] [--bytes N] [--json] [--dir DIR] [--floor]

  FILE             the file to send; without it, data that does not compress is made
  --payload BYTES  bytes of one message's payload (default 1MiB)
  --rounds N       how often each variant runs; medians are shown (default 7)
  --bytes N        how much data to make when no FILE is given (default 512MiB)
  --dir DIR        where the target and made data are written (default: TMPDIR)
  --floor          beside them, the same job by programs in C: what the kernel alone costs (needs g++)
  --json           the result as JSON on stdout, everything else on stderr
  --help           this text

BYTES and N of --bytes may end in KiB, MiB or GiB.
`

export interface Options {
  readonly file: string | undefined
  readonly payloadBytes: number
  readonly rounds: number
  readonly madeBytes: number
  readonly floor: boolean
  readonly json: boolean
  readonly dir: string | undefined
  readonly help: boolean
}

export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = parsed(() => parse(args))
  if (positionals.length > 1) throw new UsageError('Give one FILE, not several.')
  return {
    file: positionals[0],
    payloadBytes: bytesOf('--payload', values.payload, 1, PAYLOAD_BYTES_MAX),
    rounds: roundsOf(values.rounds),
    madeBytes: bytesOf('--bytes', values.bytes, 0, Number.MAX_SAFE_INTEGER),
    floor: values.floor,
    json: values.json,
    dir: values.dir,
    help: values.help,
  }
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      payload: { type: 'string', default: '1MiB' },
      rounds: { type: 'string', default: '7' },
      bytes: { type: 'string', default: '512MiB' },
      floor: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      dir: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
}

/** The command line. */
import { parseArgs } from 'node:util'
import { UsageError } from './failures.js'

const MIB = 1024 * 1024
/** A header's length field could say more, but a payload is held in memory by the streams. */
const PAYLOAD_BYTES_MAX = 256 * MIB
const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: MIB, g: 1024 * MIB }

export const USAGE = `usage: npm run demo [-- FILE] [--payload BYTES] [--rounds N] [--bytes N] [--json] [--dir DIR]

  FILE             the file to send; without it, data that does not compress is made
  --payload BYTES  bytes of one message's payload (default 1MiB)
  --rounds N       how often each variant runs; medians are shown (default 7)
  --bytes N        how much data to make when no FILE is given (default 512MiB)
  --dir DIR        where the target and made data are written (default: TMPDIR)
  --json           the result as JSON on stdout, everything else on stderr
  --help           this text

BYTES and N of --bytes may end in KiB, MiB or GiB.
`

export interface Options {
  readonly file: string | undefined
  readonly payloadBytes: number
  readonly rounds: number
  readonly madeBytes: number
  readonly json: boolean
  readonly dir: string | undefined
  readonly help: boolean
}

export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args)
  if (positionals.length > 1) throw new UsageError('Give one FILE, not several.')
  return {
    file: positionals[0],
    payloadBytes: bytesOf('--payload', values.payload, 1, PAYLOAD_BYTES_MAX),
    rounds: wholeOf('--rounds', values.rounds, 1, 999),
    madeBytes: bytesOf('--bytes', values.bytes, 0, Number.MAX_SAFE_INTEGER),
    json: values.json,
    dir: values.dir,
    help: values.help,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        payload: { type: 'string', default: '1MiB' },
        rounds: { type: 'string', default: '7' },
        bytes: { type: 'string', default: '512MiB' },
        json: { type: 'boolean', default: false },
        dir: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    // parseArgs says what is wrong in its first sentence, and then how to quote it.
    const [sentence = 'Bad options'] = (error as Error).message.split('. ')
    throw new UsageError(`${sentence.replace(/\.$/, '')}. See --help.`)
  }
}

function bytesOf(name: string, text: string, min: number, max: number): number {
  const match = /^(\d+)\s*(?:([kmg])(?:i?b)?)?$/i.exec(text)
  const unit = UNITS[(match?.[2] ?? '').toLowerCase()] ?? 1
  return inRange(name, text, Number(match?.[1] ?? NaN) * unit, min, max)
}

function wholeOf(name: string, text: string, min: number, max: number): number {
  return inRange(name, text, /^\d+$/.test(text) ? Number(text) : NaN, min, max)
}

function inRange(name: string, text: string, value: number, min: number, max: number): number {
  if (value >= min && value <= max) return value
  throw new UsageError(`${name} takes a whole number from ${min} to ${max}, not '${text}'.`)
}

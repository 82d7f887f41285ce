/** What the command lines of all benchmarks are made of. */
import { UsageError } from './failures.js'

const MIB = 1024 * 1024
const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: MIB, g: 1024 * MIB }
const ROUNDS_MAX = 999

/** What `parseArgs` finds. Throws `UsageError` for what it does not know. */
export function parsed<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    // parseArgs says what is wrong in its first sentence, and then how to quote it.
    const [sentence = 'Bad options'] = (error as Error).message.split('. ')
    throw new UsageError(`${sentence.replace(/\.$/, '')}. See --help.`)
  }
}

export function patternOf(text: string): RegExp {
  try {
    return new RegExp(text, 'i')
  } catch {
    throw new UsageError(`--case takes a regular expression, not '${text}'.`)
  }
}

export function roundsOf(text: string): number {
  return wholeOf('--rounds', text, 1, ROUNDS_MAX)
}

export function wholeOf(name: string, text: string, min: number, max: number): number {
  return inRange(name, text, /^\d+$/.test(text) ? Number(text) : NaN, min, max)
}

/** A number of bytes, which may end in KiB, MiB or GiB. */
export function bytesOf(name: string, text: string, min: number, max: number): number {
  const match = /^(\d+)\s*(?:([kmg])(?:i?b)?)?$/i.exec(text)
  const unit = UNITS[(match?.[2] ?? '').toLowerCase()] ?? 1
  return inRange(name, text, Number(match?.[1] ?? NaN) * unit, min, max)
}

function inRange(name: string, text: string, value: number, min: number, max: number): number {
  if (value >= min && value <= max) return value
  throw new UsageError(`${name} takes a whole number from ${min} to ${max}, not '${text}'.`)
}

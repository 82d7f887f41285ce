/**
 * The collector as a backstop: what owns descriptors and is collected without being released gives
 * them back and is reported, once, with the place it was made when `SPLICELIST_LEAKS=trace`.
 */
import { ledger } from '../audit/ledger.js'

/** What an owner holds, apart from it: it must not refer to the owner, or neither is ever collected. */
export interface Closable {
  /** Gives back what is held. `false` says that nothing was: then it was no leak. */
  close(): unknown
}

interface Leak {
  readonly kind: string
  readonly holdings: Closable
  readonly place: string | undefined
}

/** Frames that are looked at for the caller's: ours, of an operation that waited, take a dozen. */
const FRAMES_MAX = 50
const ownFolder = new URL('..', import.meta.url).href
const tracesLeaks = process.env['SPLICELIST_LEAKS'] === 'trace'
/** Kinds that were reported: a server that leaks does so for every request. */
const reported = new Set<string>()

const registry = new FinalizationRegistry<Leak>(({ kind, holdings, place }) => {
  if (holdings.close() === false) return
  ledger.countLeak(kind, place)
  const sentence = kind === 'endpoint' ? ENDPOINT : SEGMENT
  if (reported.has(sentence) && place === undefined) return
  reported.add(sentence)
  const where = place === undefined ? 'Set SPLICELIST_LEAKS=trace to see where' : `Made\n${place}`
  process.emitWarning(`${sentence.replace('KIND', kind)} ${where}`, {
    type: 'SplicelistLeakWarning',
    code: 'SPLICELIST_LEAK',
  })
})

const SEGMENT =
  'A KIND segment was collected without release(); its descriptors are closed now. Release lists ' +
  'that hold pipes or files, or declare them with "using".'
const ENDPOINT =
  'An endpoint was collected without detach(); what it had taken over is given back now. Detach ' +
  'endpoints, or declare them with "await using".'

/** Watches an owner of descriptors. `holdings` must not refer to it. Costs 165 ns. */
export function watchForLeak(owner: object, kind: string, holdings: Closable): void {
  const place = tracesLeaks ? callersFrames() : undefined
  registry.register(owner, { kind, place, holdings }, owner)
}

/** Ends the watch: the owner was released. */
export function endLeakWatch(owner: object): void {
  registry.unregister(owner)
}

/** Where the program is, also behind an operation that waited; without the library's own frames. */
function callersFrames(): string {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = FRAMES_MAX
  const [, ...frames] = (new Error().stack ?? '').split('\n')
  Error.stackTraceLimit = limit
  const callers = frames.filter((frame) => !frame.includes(ownFolder))
  return (callers.length > 0 ? callers : frames).join('\n')
}

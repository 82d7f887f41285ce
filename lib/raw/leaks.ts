/**
 * The collector as a backstop: what owns descriptors and is collected without being released gives
 * them back and is reported, once, with the place it was made when `SPLICELIST_LEAKS=trace`.
 */
import { Trace } from '../audit/call-site.js'
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

/** Whether the places are kept where what leaks was made. */
export const tracesLeaks = process.env['SPLICELIST_LEAKS'] === 'trace'
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
  const place = tracesLeaks ? new Trace(watchForLeak).callers : undefined
  registry.register(owner, { kind, place, holdings }, owner)
}

/** Ends the watch: the owner was released. */
export function endLeakWatch(owner: object): void {
  registry.unregister(owner)
}

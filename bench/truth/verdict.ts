/**
 * Whether the CPU bears out what the ledger said.
 *
 * A byte that is copied takes time, and one whose page is passed on takes none. So where the ledger
 * says that fewer bytes were copied than in a copying run, the CPU must have had less to do; and where
 * it says that as many were, the CPU must not have had much less.
 */
import { median, middleHalf } from '../harness/statistics.js'
import { MODES, type Answer, type ComparedMode, type Said, type Turn } from './errand.js'

/** Copies that differ by less than this, as a share of the bytes moved, are the same: headers, edges. */
const SHARE_MIN = 0.1
/** As many copies may cost this much less by another way: fewer calls, larger ones. */
const SAME_RATIO_MIN = 0.75

export interface Row {
  readonly name: string
  readonly bytes: number
  /** Medians of the process's CPU, in seconds for a GB, and what the ledger said of a typical turn. */
  readonly cpuPerGB: Readonly<Record<ComparedMode, number>>
  readonly said: Readonly<Record<ComparedMode, Said>>
  /** The CPU by reference over that of the copying run after it: median, and the middle half. */
  readonly ratio: number
  readonly middle: readonly [number, number]
  /** What the ledger makes one expect of the ratio. */
  readonly claim: 'less' | 'same'
  readonly agrees: boolean
}

export function rowOf(name: string, bytes: number, answer: Answer): Row {
  const ratios = answer.auto.map(
    ({ cpuSeconds }, i) => cpuSeconds / (answer.copy[i]?.cpuSeconds ?? NaN),
  )
  const ratio = median(ratios)
  const said = ofEach((mode) => typical(answer[mode]).said)
  const saved = (copiesOf(said.copy) - copiesOf(said.auto)) / bytes
  const claim = saved > SHARE_MIN ? 'less' : 'same'
  const cpuPerGB = ofEach((mode) => {
    return (median(answer[mode].map(({ cpuSeconds }) => cpuSeconds)) / bytes) * 1e9
  })
  const agrees = claim === 'less' ? ratio < 1 : ratio >= SAME_RATIO_MIN
  return { name, bytes, cpuPerGB, said, ratio, middle: middleHalf(ratios), claim, agrees }
}

/** Bytes that the ledger knows to have been copied, by whomever; each time counts. */
function copiesOf({ copied, kernelCopied }: Said): number {
  return sumOf(copied) + sumOf(kernelCopied)
}

function sumOf(byCause: Readonly<Record<string, number>>): number {
  return Object.values(byCause).reduce((sum, bytes) => sum + bytes, 0)
}

/** The turn with the median of copies: of a few bytes turns may differ. */
function typical(turns: readonly Turn[]): Turn {
  const sorted = [...turns].sort((a, b) => copiesOf(a.said) - copiesOf(b.said))
  return sorted[sorted.length >>> 1] as Turn
}

function ofEach<T>(get: (mode: ComparedMode) => T): Record<ComparedMode, T> {
  return Object.fromEntries(MODES.map((mode) => [mode, get(mode)])) as Record<ComparedMode, T>
}

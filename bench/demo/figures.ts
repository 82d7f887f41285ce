/** From the reports of many runs to the figures that are shown. */
import { SIDES, VARIANTS, type Ledger, type Side, type SideReport, type Variant } from './job.js'
import type { PairReport } from './pair.js'

/** One side of one variant over all rounds. A rate of an empty file is null. */
export interface SideFigures extends Ledger {
  /** Median of the last pass of each run: warm processes. */
  readonly cpuSecondsPerGB: number | null
  /** Median of the first pass of each run: processes that have just started. */
  readonly coldCpuSecondsPerGB: number | null
  /** Median. */
  readonly gbPerSecond: number | null
  /** The highest of all rounds. */
  readonly peakRssMiB: number
}
export type VariantFigures = Readonly<Record<Side, SideFigures>>
export type Figures = Readonly<Record<Variant, VariantFigures>>

/** How many times the CPU of ours a streams version takes. */
export type Ratios = Readonly<Record<Side, { default: number | null; tuned: number | null }>>

export function figuresOf(
  runs: Readonly<Record<Variant, readonly PairReport[]>>,
  fileBytes: number,
): Figures {
  return mapVariants((variant) => ({
    sender: sideFigures(
      runs[variant].map(({ sender }) => sender),
      fileBytes,
    ),
    receiver: sideFigures(
      runs[variant].map(({ receiver }) => receiver),
      fileBytes,
    ),
  }))
}

export function ratiosOf(figures: Figures): Ratios {
  const cpu = (variant: Variant, side: Side) => figures[variant][side].cpuSecondsPerGB
  const ratios = SIDES.map((side) => [
    side,
    {
      default: quotient(cpu('streams.default', side), cpu('splicelist', side)),
      tuned: quotient(cpu('streams.tuned', side), cpu('splicelist', side)),
    },
  ])
  return Object.fromEntries(ratios) as Ratios
}

export function mapVariants<T>(of: (variant: Variant) => T): Record<Variant, T> {
  return Object.fromEntries(VARIANTS.map((variant) => [variant, of(variant)])) as Record<Variant, T>
}

export function sumOf(byCause: Readonly<Record<string, number>>): number {
  return Object.values(byCause).reduce((sum, bytes) => sum + bytes, 0)
}

function sideFigures(reports: readonly SideReport[], fileBytes: number): SideFigures {
  const gb = fileBytes / 1e9
  return {
    cpuSecondsPerGB: quotient(median(reports.map(({ cpuSeconds }) => cpuSeconds)), gb),
    coldCpuSecondsPerGB: quotient(median(reports.map(({ cold }) => cold.cpuSeconds)), gb),
    gbPerSecond: gb === 0 ? null : quotient(gb, median(reports.map((r) => r.wallSeconds))),
    peakRssMiB: Math.max(...reports.map(({ peakRssBytes }) => peakRssBytes)) / 1024 / 1024,
    ...mostCopied(reports.map(({ ledger }) => ledger)),
  }
}

/** The account of the round that copied most: one real round, and none was worse. */
function mostCopied(ledgers: readonly Ledger[]): Ledger {
  return ledgers.reduce((worst, ledger) =>
    sumOf(ledger.copied) > sumOf(worst.copied) ? ledger : worst,
  )
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const low = sorted[Math.ceil(middle) - 1] ?? NaN
  const high = sorted[Math.floor(middle)] ?? NaN
  return (low + high) / 2
}

function quotient(dividend: number | null, divisor: number | null): number | null {
  if (dividend === null || divisor === null || divisor === 0) return null
  return dividend / divisor
}

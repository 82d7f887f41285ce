/** From the reports of many runs to the figures that are shown. */
import {
  SIDES,
  VARIANTS,
  type Ledger,
  type Party,
  type Side,
  type SideReport,
  type Variant,
} from './job.js'
import type { PairReport } from './pair.js'

/** What one side of one party costs, over all rounds. A rate of an empty file is null. */
export interface CpuFigures {
  /** Median over the runs of what a counted pass costs: warm processes. */
  readonly cpuSecondsPerGB: number | null
  /** Median of the first pass of each run: processes that have just started. */
  readonly coldCpuSecondsPerGB: number | null
  /** Median. */
  readonly gbPerSecond: number | null
  /** The highest of all rounds. */
  readonly peakRssMiB: number
}
export interface SideFigures extends CpuFigures, Ledger {}
export type VariantFigures = Readonly<Record<Side, SideFigures>>
export type Figures = Readonly<Record<Variant, VariantFigures>>

/** How many times the CPU of ours a streams version takes. */
export type Ratios = Readonly<Record<Side, { default: number | null; tuned: number | null }>>

export function figuresOf(
  runs: Readonly<Record<Variant, readonly PairReport[]>>,
  fileBytes: number,
): Figures {
  return mapParties(VARIANTS, (variant) =>
    mapSides((side): SideFigures => {
      const reports = runs[variant].map((report) => report[side])
      return { ...cpuFigures(reports, fileBytes), ...mostCopied(reports) }
    }),
  )
}

export function cpuFiguresOf<P extends Party>(
  runs: Readonly<Record<P, readonly PairReport[]>>,
  parties: readonly P[],
  fileBytes: number,
): Record<P, Record<Side, CpuFigures>> {
  return mapParties(parties, (party) =>
    mapSides((side) =>
      cpuFigures(
        runs[party].map((report) => report[side]),
        fileBytes,
      ),
    ),
  )
}

export function ratiosOf(figures: Figures): Ratios {
  const cpu = (variant: Variant, side: Side) => figures[variant][side].cpuSecondsPerGB
  return mapSides((side) => ({
    default: quotient(cpu('streams.default', side), cpu('splicelist', side)),
    tuned: quotient(cpu('streams.tuned', side), cpu('splicelist', side)),
  }))
}

export function mapParties<P extends Party, T>(
  parties: readonly P[],
  of: (party: P) => T,
): Record<P, T> {
  return Object.fromEntries(parties.map((party) => [party, of(party)])) as Record<P, T>
}

export function mapSides<T>(of: (side: Side) => T): Record<Side, T> {
  return Object.fromEntries(SIDES.map((side) => [side, of(side)])) as Record<Side, T>
}

export function sumOf(byCause: Readonly<Record<string, number>>): number {
  return Object.values(byCause).reduce((sum, bytes) => sum + bytes, 0)
}

function cpuFigures(reports: readonly SideReport[], fileBytes: number): CpuFigures {
  const gb = fileBytes / 1e9
  return {
    cpuSecondsPerGB: quotient(median(reports.map(({ cpuSeconds }) => cpuSeconds)), gb),
    coldCpuSecondsPerGB: quotient(median(reports.map(({ cold }) => cold.cpuSeconds)), gb),
    gbPerSecond: gb === 0 ? null : quotient(gb, median(reports.map((r) => r.wallSeconds))),
    peakRssMiB: Math.max(...reports.map(({ peakRssBytes }) => peakRssBytes)) / 1024 / 1024,
  }
}

/** The account of the round that copied most: one real round, and none was worse. */
function mostCopied(reports: readonly SideReport[]): Ledger {
  return reports
    .flatMap(({ ledger }) => ledger ?? [])
    .reduce((worst, ledger) => (sumOf(ledger.copied) > sumOf(worst.copied) ? ledger : worst))
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const low = sorted[Math.ceil(middle) - 1] ?? NaN
  const high = sorted[Math.floor(middle)] ?? NaN
  return (low + high) / 2
}

export function quotient(dividend: number | null, divisor: number | null): number | null {
  if (dividend === null || divisor === null || divisor === 0) return null
  return dividend / divisor
}

/** The result of the demo, as `--json` prints it. */
import type { Environment } from './environment.js'
import {
  cpuFiguresOf,
  figuresOf,
  mapSides,
  ratiosOf,
  type Figures,
  type Ratios,
  type SideFigures,
  type VariantFigures,
} from './figures.js'
import { floorResult, type FloorResult } from './floor.js'
import { FLOORS, VARIANTS, type Party, type Side, type SideReport, type Variant } from './job.js'
import { planTotals, type Plan, type PlanTotals } from './plan.js'
import { reconcile, type Reconciliation } from './reconcile.js'
import type { Runs } from './rounds.js'

export interface Result extends VariantFigures {
  /** Whether every run left equal files behind, by sha256. */
  readonly equal: boolean
  /** Of the file. Rates and costs are per byte of the file. */
  readonly bytes: number
  readonly sha256: string
  readonly environment: Environment & {
    readonly rounds: number
    /** In all: one of a fresh process, those that warm up, and those that count. */
    readonly passes: number
    readonly warmPasses: number
    readonly countedPasses: number
    readonly payloadBytes: number
  }
  /** What every run put on the wire. */
  readonly wire: PlanTotals
  readonly streams: Readonly<Record<'default' | 'tuned', VariantFigures>>
  readonly ratio: Ratios
  /** What programs in C need for the same; only where it was asked for. */
  readonly floor?: FloorResult
  readonly reconciliation: Readonly<Record<Side, Reconciliation>>
  /** The two sides of every counted run, in order. */
  readonly runs: readonly RunFigures[]
}

export interface RunFigures {
  readonly round: number
  readonly variant: Party
  readonly sender: RunSide
  readonly receiver: RunSide
}
interface RunSide {
  readonly cpuSeconds: number
  readonly wallSeconds: number
  readonly coldCpuSeconds: number
  readonly peakRssBytes: number
}

export function resultOf(
  runs: Runs,
  plan: Plan,
  sha256: string,
  environment: Result['environment'],
): Result {
  const figures = figuresOf(runs.reports, plan.fileBytes)
  const wire = planTotals(plan)
  const ours: VariantFigures = figures.splicelist
  return {
    equal: runs.equal,
    bytes: plan.fileBytes,
    sha256,
    environment,
    wire,
    ...ours,
    streams: { default: figures['streams.default'], tuned: figures['streams.tuned'] },
    ratio: ratiosOf(figures),
    ...floorOf(runs, figures, plan),
    reconciliation: {
      sender: reconcile('sender', ours.sender, wire),
      receiver: reconcile('receiver', ours.receiver, wire),
    },
    runs: everyRun(runs),
  }
}

/** The figures of one side of one variant, wherever they stand in the result. */
export function sideOf(result: Result, variant: Variant, side: Side): SideFigures {
  if (variant === 'splicelist') return result[side]
  return result.streams[variant === 'streams.default' ? 'default' : 'tuned'][side]
}

function floorOf({ reports }: Runs, figures: Figures, { fileBytes }: Plan): Pick<Result, 'floor'> {
  if (reports['floor.splice'].length === 0) return {}
  const others = mapSides((side) => ({
    splicelist: figures.splicelist[side].cpuSecondsPerGB,
    default: figures['streams.default'][side].cpuSecondsPerGB,
    tuned: figures['streams.tuned'][side].cpuSecondsPerGB,
  }))
  return { floor: floorResult(cpuFiguresOf(reports, FLOORS, fileBytes), others) }
}

function everyRun({ reports }: Runs): RunFigures[] {
  return reports.splicelist.flatMap((_, index) =>
    [...VARIANTS, ...FLOORS].flatMap((variant) => {
      const report = reports[variant][index]
      if (report === undefined) return []
      const { sender, receiver } = report
      return [{ round: index + 1, variant, sender: runSide(sender), receiver: runSide(receiver) }]
    }),
  )
}

function runSide({ cpuSeconds, wallSeconds, cold, peakRssBytes }: SideReport): RunSide {
  return { cpuSeconds, wallSeconds, coldCpuSeconds: cold.cpuSeconds, peakRssBytes }
}

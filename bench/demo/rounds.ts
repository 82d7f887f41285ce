/** All parties in turn, A B C A B C: whatever disturbs the machine disturbs them alike. */
import { FLOORS, VARIANTS, type Party } from './job.js'
import { runPair, type PairReport } from './pair.js'
import type { Pinning } from './pinning.js'
import { planTotals, type Plan } from './plan.js'
import type { Progress } from './progress.js'
import { mapParties } from './figures.js'
import { formatFixed } from './units.js'
import type { Workplace } from './workplace.js'

export interface Rounds {
  readonly plan: Plan
  readonly rounds: number
  readonly workplace: Workplace
  readonly pinning: Pinning
  /** Whose turns a round has, in this order. */
  readonly parties: readonly Party[]
  readonly floorProgram: string | undefined
}
export interface Runs {
  readonly reports: Record<Party, PairReport[]>
  /** Whether every single run left equal files behind. */
  equal: boolean
}

/** By then V8 has compiled what it will compile, in each of the variants. */
const WARM_BYTES = 3 * 1024 * 1024 * 1024
/** A tiny file is not worth more: its figures mean little anyway. */
const PASSES_MAX = 16

/**
 * How often a run does the job in the same two processes. Servers run for months: what counts is the
 * last pass. What the first one cost is shown beside it.
 */
export function passesFor(fileBytes: number): number {
  return Math.min(PASSES_MAX, 1 + Math.ceil(WARM_BYTES / Math.max(1, fileBytes)))
}

export async function runRounds(
  settings: Rounds,
  progress: Progress,
  signal: AbortSignal,
): Promise<Runs> {
  const runs: Runs = { reports: mapParties([...VARIANTS, ...FLOORS], () => []), equal: true }
  const passes = passesFor(settings.plan.fileBytes)
  const allBytes = passes * planTotals(settings.plan).payloadBytesSent
  for (let round = 1; round <= settings.rounds; round += 1) {
    for (const variant of settings.parties) {
      progress.startRun(`round ${round} of ${settings.rounds}, ${variant}`)
      const onProgress = (bytes: number): void => progress.update(bytes / allBytes)
      const { report, equal } = await runOnce(settings, variant, passes, onProgress, signal)
      runs.reports[variant].push(report)
      runs.equal &&= equal
      progress.endRun(summaryOf(report, equal, settings.plan.fileBytes))
    }
  }
  return runs
}

/** One run, and the proof that its last pass stored everything. */
async function runOnce(
  { plan, workplace, pinning, floorProgram }: Rounds,
  variant: Party,
  passes: number,
  onProgress: (acceptedBytes: number) => void,
  signal: AbortSignal,
): Promise<{ report: PairReport; equal: boolean }> {
  const { source, target } = workplace
  const beforePass = (): void => workplace.spoilTarget()
  const pair = { variant, plan, source, target, pinning, floorProgram, passes, beforePass }
  const report = await runPair(pair, onProgress, signal)
  return { report, equal: await workplace.isTargetEqual(signal) }
}

function summaryOf({ sender, receiver }: PairReport, equal: boolean, fileBytes: number): string {
  const gb = fileBytes / 1e9
  const perGb = (seconds: number): string => formatFixed(gb === 0 ? null : seconds / gb, 3)
  const rate = formatFixed(gb === 0 ? null : gb / sender.wallSeconds, 2)
  const cpu = `CPU s/GB: sender ${perGb(sender.cpuSeconds)}, receiver ${perGb(receiver.cpuSeconds)}`
  return `${rate} GB/s, ${cpu}; ${equal ? 'files equal' : 'FILES DIFFER'}`
}

/** All variants in turn, A B C A B C: whatever disturbs the machine disturbs them alike. */
import { VARIANTS, type Variant } from './job.js'
import { runPair, type PairReport } from './pair.js'
import type { Pinning } from './pinning.js'
import { planTotals, type Plan } from './plan.js'
import type { Progress } from './progress.js'
import { mapVariants } from './figures.js'
import { formatFixed } from './units.js'
import type { Workplace } from './workplace.js'

export interface Rounds {
  readonly plan: Plan
  readonly rounds: number
  readonly workplace: Workplace
  readonly pinning: Pinning
}
export interface Runs {
  readonly reports: Record<Variant, PairReport[]>
  /** Whether every single run, the warm-up too, left equal files behind. */
  equal: boolean
}

/** With several rounds, one more comes first and does not count. */
export function hasWarmUp({ rounds }: { rounds: number }): boolean {
  return rounds > 1
}

export async function runRounds(
  settings: Rounds,
  progress: Progress,
  signal: AbortSignal,
): Promise<Runs> {
  const runs: Runs = { reports: mapVariants(() => []), equal: true }
  const { payloadBytesSent } = planTotals(settings.plan)
  for (let round = hasWarmUp(settings) ? 0 : 1; round <= settings.rounds; round += 1) {
    const name = round === 0 ? 'warm-up' : `round ${round} of ${settings.rounds}`
    for (const variant of VARIANTS) {
      progress.startRun(`${name}, ${variant}`)
      const onProgress = (bytes: number): void => progress.update(bytes / payloadBytesSent)
      const { report, equal } = await runOnce(settings, variant, onProgress, signal)
      if (round > 0) runs.reports[variant].push(report)
      runs.equal &&= equal
      progress.endRun(summaryOf(report, equal, settings.plan.fileBytes))
    }
  }
  return runs
}

/** One run, and the proof that it stored everything. */
async function runOnce(
  { plan, workplace, pinning }: Rounds,
  variant: Variant,
  onProgress: (acceptedBytes: number) => void,
  signal: AbortSignal,
): Promise<{ report: PairReport; equal: boolean }> {
  const { source, target } = workplace
  workplace.spoilTarget()
  const report = await runPair({ variant, plan, source, target, pinning }, onProgress, signal)
  return { report, equal: await workplace.isTargetEqual(signal) }
}

function summaryOf({ sender, receiver }: PairReport, equal: boolean, fileBytes: number): string {
  const gb = fileBytes / 1e9
  const perGb = (seconds: number): string => formatFixed(gb === 0 ? null : seconds / gb, 3)
  const rate = formatFixed(gb === 0 ? null : gb / sender.wallSeconds, 2)
  const cpu = `CPU s/GB: sender ${perGb(sender.cpuSeconds)}, receiver ${perGb(receiver.cpuSeconds)}`
  return `${rate} GB/s, ${cpu}; ${equal ? 'files equal' : 'FILES DIFFER'}`
}

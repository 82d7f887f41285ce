/** All parties in turn, A B C A B C: whatever disturbs the machine disturbs them alike. */
import { FLOORS, VARIANTS, type Party } from './job.js'
import { runPair, type PairReport } from './pair.js'
import type { Pinning } from './pinning.js'
import { bytesSent, type Passes } from './passes.js'
import type { Progress } from './progress.js'
import { mapParties } from './figures.js'
import { formatFixed } from './units.js'
import type { Workplace } from './workplace.js'

export interface Rounds {
  readonly passes: Passes
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

export async function runRounds(
  settings: Rounds,
  progress: Progress,
  signal: AbortSignal,
): Promise<Runs> {
  const runs: Runs = { reports: mapParties([...VARIANTS, ...FLOORS], () => []), equal: true }
  const allBytes = bytesSent(settings.passes)
  for (let round = 1; round <= settings.rounds; round += 1) {
    for (const variant of settings.parties) {
      progress.startRun(`round ${round} of ${settings.rounds}, ${variant}`)
      const onProgress = (bytes: number): void => progress.update(bytes / allBytes)
      const { report, equal } = await runOnce(settings, variant, onProgress, signal)
      runs.reports[variant].push(report)
      runs.equal &&= equal
      progress.endRun(summaryOf(report, equal, settings.passes.plan.fileBytes))
    }
  }
  return runs
}

/** One run, and the proof that its last pass stored everything. */
async function runOnce(
  { passes, workplace, pinning, floorProgram }: Rounds,
  variant: Party,
  onProgress: (acceptedBytes: number) => void,
  signal: AbortSignal,
): Promise<{ report: PairReport; equal: boolean }> {
  const { source, target } = workplace
  const beforePass = (): void => workplace.spoilTarget()
  const pair = { variant, source, target, pinning, floorProgram, passes, beforePass }
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

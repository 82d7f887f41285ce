/** From what runs cost to the figures that are shown, and what is asked of them. */
import { median } from '../harness/statistics.js'
import { LOOPS, ONE_CALL, passBytesOf, type Case, type Contestant } from './flows.js'
import type { Report } from './job.js'

/** A contestant's figures in one case. Bytes are those of the source. */
export interface Figures {
  /** Median of all runs. */
  readonly cpuSecondsPerGB: number
  readonly gbPerSecond: number
  /** The highest of all runs. */
  readonly peakRssMiB: number
  /** Whether others had the CPU for much of the time: then the throughput says little. */
  readonly disturbed: boolean
  readonly runs: readonly RunFigures[]
  /** The ways that splicelist says it used. */
  readonly ways: readonly string[]
}

export interface RunFigures {
  readonly cpuSecondsPerGB: number
  readonly gbPerSecond: number
  /** The most memory that the process ever had. */
  readonly peakRssMiB: number
  readonly waitedShare: number
}

/** Figures, or why there are none. */
export type CaseFigures = Partial<Record<Contestant, Figures | string>>

export type Metric = 'cpuSecondsPerGB' | 'gbPerSecond' | 'peakRssMiB'

/** What is asked of splicelist in a case, and what became of it. */
export interface Verdict {
  readonly metric: Metric
  /** Which of our two ways: by one call where there is one, as streams are piped for good. */
  readonly us: Contestant | undefined
  /** With whom it is compared: the best one of those that were asked for. */
  readonly of: Contestant | undefined
  /** What the ratio must be: at the least for throughput, at the most for all else. */
  readonly limit: number
  /** Our figure divided by theirs; undefined where one is missing. */
  readonly ratio: number | undefined
  readonly isMet: boolean | undefined
}

const MIB = 1024 * 1024
/** What is asked at 1 GiB is asked from here on, and what is asked at 4 KiB up to there. */
const LARGE_BYTES = 256 * MIB
const SMALL_BYTES = 4 * 1024
/** A process that waited for a CPU for more than this share of its time was disturbed. */
const WAITED_SHARE_MAX = 0.1
/** "Within 10 %", and "not slower by more than 10 %". */
const MARGIN = 1.1
const OURS: readonly Contestant[] = [ONE_CALL, 'splicelist']
const STREAMS: readonly Contestant[] = ['streams default', 'streams tuned']

export function figuresOf(one: Case, reports: readonly Report[]): Figures {
  const gb = passBytesOf(one) / 1e9
  const runs = reports.map(({ passes, peakRssBytes }) => ({
    cpuSecondsPerGB: median(passes.map(({ cpuSeconds }) => cpuSeconds)) / gb,
    gbPerSecond: gb / median(passes.map(({ wallSeconds }) => wallSeconds)),
    peakRssMiB: peakRssBytes / MIB,
    waitedShare: median(
      passes.map(({ waitedSeconds, wallSeconds }) => waitedSeconds / wallSeconds),
    ),
  }))
  return {
    cpuSecondsPerGB: median(runs.map((run) => run.cpuSecondsPerGB)),
    gbPerSecond: median(runs.map((run) => run.gbPerSecond)),
    peakRssMiB: Math.max(...runs.map((run) => run.peakRssMiB)),
    disturbed: median(runs.map((run) => run.waitedShare)) > WAITED_SHARE_MAX,
    runs,
    ways: [...new Set(reports.flatMap(({ ways = [] }) => ways))],
  }
}

export function verdictsOf({ flow, sizeBytes }: Case, figures: CaseFigures): Verdict[] {
  const against = (metric: Metric, others: readonly Contestant[], limit: number): Verdict => {
    const of = bestOf(metric, others, figures)
    const us = OURS.find((one) => figureOf(figures, one, metric) !== undefined)
    const ours = us === undefined ? undefined : figureOf(figures, us, metric)
    const theirs = of === undefined ? undefined : figureOf(figures, of, metric)
    const ratio = ours === undefined || theirs === undefined ? undefined : ours / theirs
    const isHigher = metric === 'gbPerSecond'
    const isMet = ratio === undefined ? undefined : isHigher ? ratio >= limit : ratio <= limit
    return { metric, us, of, limit, ratio, isMet }
  }
  const both = (others: readonly Contestant[]): Verdict[] => [
    against('cpuSecondsPerGB', others, MARGIN),
    against('gbPerSecond', others, 1 / MARGIN),
  ]
  if (sizeBytes <= SMALL_BYTES) return both(STREAMS)
  if (sizeBytes < LARGE_BYTES) return []
  const { share } = flow
  return [
    ...both(LOOPS),
    ...(share === undefined ? [] : [against('cpuSecondsPerGB', ['streams tuned'], share)]),
    // Flat: what streams hold does not grow with what they move.
    against('peakRssMiB', STREAMS, MARGIN),
  ]
}

export function figureOf(
  figures: CaseFigures,
  contestant: Contestant,
  metric: Metric,
): number | undefined {
  const found = figures[contestant]
  return found === undefined || typeof found === 'string' ? undefined : found[metric]
}

function bestOf(
  metric: Metric,
  others: readonly Contestant[],
  figures: CaseFigures,
): Contestant | undefined {
  const sign = metric === 'gbPerSecond' ? -1 : 1
  const rank = (other: Contestant): number =>
    sign * (figureOf(figures, other, metric) ?? sign * Infinity)
  const there = others.filter((other) => figureOf(figures, other, metric) !== undefined)
  return [...there].sort((a, b) => rank(a) - rank(b))[0]
}

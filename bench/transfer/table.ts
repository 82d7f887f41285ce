/** The table that people read: three lines for every case, and one for whatever is asked of it. */
import type { Environment } from './environment.js'
import { ONE_CALL, type Case, type Contestant } from './flows.js'
import {
  figureOf,
  verdictsOf,
  type CaseFigures,
  type Figures,
  type Metric,
  type Verdict,
} from './figures.js'

/** Loops of which a case has one at the most share a column. */
const COLUMNS: readonly { readonly head: string; readonly of: readonly Contestant[] }[] = [
  { head: 'in one call', of: [ONE_CALL] },
  { head: 'C, best call', of: ['sendfile', 'copy_file_range', 'tee'] },
  { head: 'C, splice', of: ['splice'] },
  { head: 'C, read/write', of: ['read/write'] },
  { head: 'streams', of: ['streams default'] },
  { head: 'streams, 1 MiB', of: ['streams tuned'] },
]
const WIDTHS = { name: 21, metric: 10, ours: 11, spread: 7, peer: 17 } as const
const RULE = '─'.repeat(
  WIDTHS.name + WIDTHS.metric + WIDTHS.ours + WIDTHS.spread + COLUMNS.length * WIDTHS.peer,
)
const METRICS: Readonly<Record<Metric, string>> = {
  cpuSecondsPerGB: 'CPU s/GB',
  gbPerSecond: 'GB/s',
  peakRssMiB: 'peak MiB',
}

export interface Row {
  readonly case: Case
  readonly figures: CaseFigures
}

export function headLines(environment: Environment): string[] {
  const { node, kernel, cpu, cpus, pinned, rounds, verified, addon, mode } = environment
  return [
    `${rounds === 1 ? 'one round' : `medians of ${rounds} rounds, interleaved`}; ` +
      `a fresh process for every figure, warm before its connections; ` +
      (verified ? 'every byte compared' : 'bytes counted'),
    `node ${node}, ${kernel}, ${cpus} CPUs (${cpu}), ` +
      (pinned === null
        ? 'not pinned (no taskset, or one CPU): expect noise'
        : `contestants on CPU ${pinned.contestant}, their peer on CPU ${pinned.peer}`),
    `splicelist: mode ${mode}, ${addon ? 'with' : 'without'} the addon; ` +
      "in brackets: how many times splicelist's figure",
    '',
    'message'.padEnd(WIDTHS.name) +
      ''.padEnd(WIDTHS.metric) +
      'splicelist'.padStart(WIDTHS.ours) +
      '±'.padStart(WIDTHS.spread) +
      COLUMNS.map(({ head }) => head.padStart(WIDTHS.peer)).join(''),
    RULE,
  ]
}

export function rowLines({ case: one, figures }: Row): string[] {
  return [
    metricLine(one.name, 'cpuSecondsPerGB', figures),
    metricLine('', 'gbPerSecond', figures),
    metricLine('', 'peakRssMiB', figures),
    ...waysLines(figures),
    ...verdictsOf(one, figures).map(verdictLine),
  ]
}

export function footLines(rows: readonly Row[]): string[] {
  const verdicts = rows.flatMap((row) => verdictsOf(row.case, row.figures))
  const met = verdicts.filter(({ isMet }) => isMet === true).length
  const missed = verdicts.filter(({ isMet }) => isMet === false).length
  return [
    RULE,
    '~ others had the CPU for more than a tenth of the time: the throughput says little',
    `${met} of ${verdicts.length} targets met, ${missed} missed, ` +
      `${verdicts.length - met - missed} without a figure`,
  ]
}

function metricLine(name: string, metric: Metric, figures: CaseFigures): string {
  const ours = figures.splicelist
  const text = ours === undefined ? '–' : typeof ours === 'string' ? ours : figureText(ours, metric)
  const spread = ours === undefined || typeof ours === 'string' ? '' : spreadOf(ours.runs, metric)
  return (
    name.padEnd(WIDTHS.name) +
    METRICS[metric].padEnd(WIDTHS.metric) +
    text.padStart(WIDTHS.ours) +
    spread.padStart(WIDTHS.spread) +
    COLUMNS.map(({ of }) => peerText(figures, of, metric).padStart(WIDTHS.peer)).join('')
  ).trimEnd()
}

function peerText(figures: CaseFigures, column: readonly Contestant[], metric: Metric): string {
  const peer = column.find((contestant) => figures[contestant] !== undefined)
  const theirs = peer === undefined ? undefined : figures[peer]
  if (theirs === undefined || typeof theirs === 'string') return '–'
  const text = figureText(theirs, metric)
  const ours = figureOf(figures, 'splicelist', metric)
  return ours === undefined ? text : `${text} (${format(theirs[metric] / ours)}×)`
}

function figureText(figures: Figures, metric: Metric): string {
  return `${figures.disturbed ? '~' : ''}${format(figures[metric])}`
}

/** Half of what lies between the lowest run and the highest: what a difference has to exceed. */
function spreadOf(runs: readonly Readonly<Record<Metric, number>>[], metric: Metric): string {
  if (runs.length < 2) return ''
  const values = runs.map((run) => run[metric])
  const low = Math.min(...values)
  const high = Math.max(...values)
  return `${Math.round(((high - low) / (high + low)) * 100)} %`
}

function waysLines({ splicelist }: CaseFigures): string[] {
  if (splicelist === undefined || typeof splicelist === 'string') return []
  if (splicelist.ways.length === 0) return []
  return [`${''.padEnd(WIDTHS.name)}  ways: ${splicelist.ways.join(', ')}`]
}

function verdictLine({ metric, us, of, limit, ratio, isMet }: Verdict): string {
  const bound = metric === 'gbPerSecond' ? 'at least' : 'at most'
  const found =
    ratio === undefined ? 'no figure' : `× ${format(ratio)}  ${isMet === true ? 'met' : 'missed'}`
  return (
    ''.padEnd(WIDTHS.name) +
    `  asked: ${METRICS[metric]} ${bound} ${format(limit)} × ${of ?? 'theirs'}: ${found}` +
    (us === ONE_CALL ? ', in one call' : '')
  )
}

/** Three digits that count. */
function format(figure: number): string {
  const digits = figure >= 100 ? 0 : figure >= 10 ? 1 : figure >= 1 ? 2 : 3
  return figure.toFixed(digits)
}

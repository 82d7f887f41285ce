/** The one table that people read. */
import { LIBRARIES, type Case, type Library } from './case.js'
import type { Environment } from './environment.js'
import type { CaseFigures, Figures } from './rounds.js'
import { IN_UNIT, figureOf, verdictOf } from './verdict.js'

const [OURS, ...PEERS] = LIBRARIES
const HEADS: Readonly<Record<Library, string>> = {
  splicelist: 'splicelist',
  ceph: 'Ceph, C++',
  bl: 'bl',
  uint8arraylist: 'uint8arraylist',
  Buffer: 'Buffer',
}
const WIDTHS = { name: 30, unit: 6, ours: 13, spread: 7, target: 9, verdict: 15, peer: 19 } as const
const RULE_WIDTH =
  Object.values(WIDTHS).reduce((sum, width) => sum + width, 0) + (PEERS.length - 1) * WIDTHS.peer

export interface Row {
  readonly case: Case
  readonly figures: CaseFigures
}

export function headLines(environment: Environment, rounds: number): string[] {
  const { node, kernel, cpu, cpus, addon, peers, cephAbsent } = environment
  const versions = Object.entries(peers).map(([name, version]) => `${name} ${version}`)
  const heads = PEERS.map((library) => HEADS[library].padStart(WIDTHS.peer)).join('')
  return [
    `${rounds === 1 ? 'one round' : `medians of ${rounds} rounds, interleaved`}, ` +
      'a fresh process for every figure',
    `node ${node}, ${kernel}, ${cpus} CPUs (${cpu}), ${versions.join(', ')}`,
    `splicelist ${addon ? 'with' : 'without'} the addon; ` +
      "in brackets: how many times splicelist's figure",
    ...(cephAbsent === null ? [] : [`no column of the Ceph list: ${cephAbsent}`]),
    '',
    'one operation'.padEnd(WIDTHS.name) +
      'unit'.padEnd(WIDTHS.unit) +
      HEADS[OURS].padStart(WIDTHS.ours) +
      '±'.padStart(WIDTHS.spread) +
      'at most'.padStart(WIDTHS.target) +
      ''.padEnd(WIDTHS.verdict) +
      heads,
    '─'.repeat(RULE_WIDTH),
  ]
}

export function rowLine({ case: one, figures }: Row): string {
  const { name, unit } = one
  const verdict = verdictOf(one, figures)
  const limit = verdict?.limit === undefined ? '' : formatFigure(verdict.limit)
  return (
    name.padEnd(WIDTHS.name) +
    unit.padEnd(WIDTHS.unit) +
    figureText(figures[OURS], IN_UNIT[unit]).padStart(WIDTHS.ours) +
    spreadText(figures[OURS]).padStart(WIDTHS.spread) +
    limit.padStart(WIDTHS.target) +
    `  ${verdictText(verdict)}`.padEnd(WIDTHS.verdict) +
    PEERS.map((peer) => peerText(figures, peer, IN_UNIT[unit]).padStart(WIDTHS.peer)).join('')
  ).trimEnd()
}

export function footLines(rows: readonly Row[]): string[] {
  const verdicts = rows.map((row) => verdictOf(row.case, row.figures))
  const asked = verdicts.filter((verdict) => verdict !== null)
  const met = asked.filter(({ ratio }) => ratio !== undefined && ratio <= 1).length
  const unknown = asked.filter(({ ratio }) => ratio === undefined).length
  return [
    '─'.repeat(RULE_WIDTH),
    ...(rows.some(({ figures }) => Object.values(figures).some(({ disturbed }) => disturbed))
      ? ['~ others had the CPU for much of the time: it is not in the figure, but cold caches are']
      : []),
    `${met} of ${asked.length} targets met, ${asked.length - met - unknown} missed, ` +
      `${unknown} without a figure`,
  ]
}

function verdictText(verdict: ReturnType<typeof verdictOf>): string {
  if (verdict === null) return ''
  if (verdict.ratio === undefined) return '?'
  return verdict.ratio <= 1 ? 'met' : `missed × ${formatFigure(verdict.ratio)}`
}

function peerText(figures: CaseFigures, peer: Library, scale: number): string {
  const text = figureText(figures[peer], scale)
  const ours = figureOf(figures, OURS)
  const theirs = figureOf(figures, peer)
  if (ours === undefined || theirs === undefined) return text
  return `${text} (${formatFigure(theirs / ours)}×)`
}

function figureText(figures: Figures | undefined, scale: number): string {
  if (figures === undefined) return '–'
  const { absent, disturbed, median } = figures
  return absent ?? `${disturbed ? '~' : ''}${formatFigure(median / scale)}`
}

/** Half of what lies between the lowest round and the highest: what a difference has to exceed. */
function spreadText(figures: Figures | undefined): string {
  if (figures === undefined || figures.rounds.length < 2) return ''
  const { rounds, median } = figures
  const percent = ((Math.max(...rounds) - Math.min(...rounds)) / 2 / median) * 100
  return `${Math.round(percent)} %`
}

/** Three digits that count. */
function formatFigure(figure: number): string {
  const digits = figure >= 100 ? 0 : figure >= 10 ? 1 : 2
  return figure.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
}

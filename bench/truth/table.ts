/** The table that people read: two lines for each pair of ends, and whether they fit together. */
import { formatBytes } from '../demo/units.js'
import type { Machine } from '../harness/environment.js'
import type { ComparedMode, Said } from './errand.js'
import type { Options } from './options.js'
import type { Row } from './verdict.js'

const WIDTHS = { name: 26, cpu: 10, bytes: 12 } as const
const NAMES: Readonly<Record<ComparedMode, string>> = {
  auto: '  as it comes',
  copy: "  by mode 'copy'",
}

export function headLines(
  { node, kernel, cpu, cpus, addon }: Machine,
  { bytes, rounds }: Options,
): string[] {
  return [
    `${formatBytes(bytes)} by each pair of ends, as it comes and by mode 'copy' in turn; ` +
      `medians of ${rounds}`,
    `node ${node}, ${kernel}, ${cpus} CPUs (${cpu}), splicelist ${addon ? 'with' : 'without'} the addon`,
    '',
    ''.padEnd(WIDTHS.name) +
      'CPU s/GB'.padStart(WIDTHS.cpu) +
      'moved'.padStart(WIDTHS.bytes) +
      'unknown'.padStart(WIDTHS.bytes) +
      '  copied',
  ]
}

export function rowLines(row: Row): string[] {
  const { name, ratio, middle, cpuPerGB, said } = row
  const [low, high] = middle.map((share) => share.toFixed(2))
  const line = (mode: ComparedMode): string =>
    NAMES[mode].padEnd(WIDTHS.name) +
    cpuPerGB[mode].toFixed(3).padStart(WIDTHS.cpu) +
    saidText(said[mode])
  return [
    `${name}: ${ratio.toFixed(2)} of the copying run's CPU (${low} to ${high}), ${verdictText(row)}`,
    line('auto'),
    line('copy'),
  ]
}

export function footLines(rows: readonly Row[]): string[] {
  const doubtful = rows.filter(({ agrees }) => !agrees).map(({ name }) => name)
  const told = `The CPU bears the ledger out in ${rows.length - doubtful.length} of ${rows.length} rows`
  return ['', doubtful.length === 0 ? `${told}.` : `${told}, and not in: ${doubtful.join(', ')}.`]
}

function verdictText({ claim, agrees }: Row): string {
  const said = claim === 'less' ? 'fewer bytes copied' : 'as many bytes copied'
  return agrees ? `and the ledger said: ${said}` : `BUT the ledger said: ${said}`
}

function saidText({ moved, unknown, copied, kernelCopied }: Said): string {
  const byCause = (where: string, group: Readonly<Record<string, number>>): string[] =>
    Object.entries(group).map(([cause, bytes]) => `${where}${cause} ${formatBytes(bytes)}`)
  const copies = [...byCause('', copied), ...byCause('kernel: ', kernelCopied)]
  return (
    formatBytes(moved).padStart(WIDTHS.bytes) +
    formatBytes(unknown).padStart(WIDTHS.bytes) +
    `  ${copies.length === 0 ? 'nothing' : copies.join(', ')}`
  )
}

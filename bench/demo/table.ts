/** The one table that people read. */
import { SIDES, VARIANTS, type Side, type Variant } from './job.js'
import type { SideFigures } from './figures.js'
import { CALLS, type WayFigures } from './floor.js'
import { sideOf, type Result } from './result.js'
import { formatBytes, formatFixed } from './units.js'

const LABEL_WIDTH = 34
const CELL_WIDTH = 18
const RULE = '─'.repeat(LABEL_WIDTH + VARIANTS.length * CELL_WIDTH)

export function renderTable(result: Result): string {
  const throughput = (variant: Variant): string =>
    formatFixed(sideOf(result, variant, 'sender').gbPerSecond, 2)
  return [
    ...headLines(result),
    '',
    row('', (variant) => variant),
    RULE,
    row('throughput, GB/s', throughput),
    ...SIDES.flatMap((side) => ['', ...sideLines(result, side)]),
    RULE,
    ...footLines(result),
    ...floorLines(result),
    '',
  ].join('\n')
}

function headLines({ bytes, wire, environment }: Result): string[] {
  const { node, kernel, cpu, cpus, pinned, cached, mode, addon } = environment
  const { rounds, warmPasses, countedPasses, payloadBytes } = environment
  const where = pinned
    ? `sender on CPU ${pinned.sender}, receiver on CPU ${pinned.receiver}`
    : 'not pinned (no taskset, or one CPU): expect noise'
  return [
    `${formatBytes(bytes)}, file to file over loopback TCP: ${wire.messages.toLocaleString('en-US')} messages of up to ${formatBytes(payloadBytes)},`,
    `${formatBytes(wire.payloadBytesSent)} of payload on the wire; ${rounds === 1 ? 'one round' : `medians of ${rounds} rounds, interleaved`}`,
    `node ${node}, ${kernel}, ${cpus} CPUs (${cpu}), ${where}`,
    'each run, in the same two processes: the job once (a fresh process), ' +
      `${warmPasses} passes of small messages until`,
    `V8 has compiled what is hot, and the job ${timesText(countedPasses)}`,
    `splicelist: mode ${mode}, ${addon ? 'with the addon' : 'without the addon'}`,
    ...(cached ? [] : ['The two files do not fit into memory together: the disk takes part.']),
  ]
}

function sideLines(result: Result, side: Side): string[] {
  const of = (variant: Variant): SideFigures => sideOf(result, variant, side)
  const ratio = {
    splicelist: 1,
    'streams.default': result.ratio[side].default,
    'streams.tuned': result.ratio[side].tuned,
  }
  return [
    side,
    row('  CPU, s/GB', (variant) => formatFixed(of(variant).cpuSecondsPerGB, 3)),
    row('    of a fresh process', (variant) => formatFixed(of(variant).coldCpuSecondsPerGB, 3)),
    row('  CPU, times splicelist', (variant) => formatFixed(ratio[variant], 2)),
    row('  peak memory, MiB', (variant) => formatFixed(of(variant).peakRssMiB, 1)),
    row('  moved by reference', (variant) => formatBytes(of(variant).moved)),
    row('  looked at', (variant) => formatBytes(of(variant).inspected)),
    ...causeLines('copied', of, 'copied'),
    ...causeLines('kernel copied', of, 'kernelCopied'),
  ]
}

/** One row for every cause that any variant knows. */
function causeLines(
  label: string,
  of: (variant: Variant) => SideFigures,
  key: 'copied' | 'kernelCopied',
): string[] {
  const causes = new Set(VARIANTS.flatMap((variant) => Object.keys(of(variant)[key])))
  if (causes.size === 0) return [row(`  ${label}`, () => formatBytes(0))]
  return [...causes].map((cause) =>
    row(`  ${label}: ${cause}`, (variant) => formatBytes(of(variant)[key][cause] ?? 0)),
  )
}

function timesText(countedPasses: number): string {
  return countedPasses === 1
    ? 'again, which counts'
    : `${countedPasses} times more, whose mean counts`
}

/** A table of its own: a program in C keeps no ledger, and is measured by its CPU alone. */
function floorLines({ floor }: Result): string[] {
  if (floor === undefined) return []
  const heads = ['CPU, s/GB', 'splicelist', 'streams.default', 'streams.tuned']
  return [
    '',
    'The same job by programs in C, in the same rounds: what the kernel does for it, whoever asks.',
    "Behind each, how many times its CPU the others take: streams' are the most that any program",
    'could show here.',
    '',
    ' '.repeat(LABEL_WIDTH) + heads.map((head) => head.padStart(CELL_WIDTH)).join(''),
    RULE + '─'.repeat(CELL_WIDTH),
    ...SIDES.flatMap((side) => [side, ...floor[side].map((way) => wayLine(side, way))]),
    RULE + '─'.repeat(CELL_WIDTH),
  ]
}

function wayLine(side: Side, { way, cpuSecondsPerGB, ratio }: WayFigures): string {
  const times = [ratio.splicelist, ratio.default, ratio.tuned].map((value) => formatFixed(value, 2))
  const cells = [formatFixed(cpuSecondsPerGB, 3), ...times]
  const label = `  ${CALLS[side][way] ?? way}`.padEnd(LABEL_WIDTH)
  return label + cells.map((cell) => cell.padStart(CELL_WIDTH)).join('')
}

function footLines(result: Result): string[] {
  return [
    ...SIDES.map((side) => reconciliationLine(result, side)),
    `${result.equal ? 'The files are equal' : 'THE FILES DIFFER'} after every run: sha256 ${result.sha256}`,
  ]
}

function reconciliationLine(result: Result, side: Side): string {
  const { copiedBytes, headerBytes, lookedAtBytes, otherBytes } = result.reconciliation[side]
  const other = otherBytes === 0 ? '' : ` + ${formatBytes(otherBytes)} of other bytes`
  return (
    `The ${side} copied ${formatBytes(copiedBytes)} = ${formatBytes(headerBytes)} of headers` +
    ` + ${formatBytes(lookedAtBytes)} looked at${other}.`
  )
}

function row(label: string, cell: (variant: Variant) => string): string {
  const cells = VARIANTS.map((variant) => cell(variant).padStart(CELL_WIDTH))
  return label.padEnd(LABEL_WIDTH) + cells.join('')
}

/**
 * The account in the shape of monitoring systems: Prometheus, OpenTelemetry. Names, labels and units
 * are stable; causes may be added.
 */
import { COPY_CAUSES, INTENDED, KERNEL_CAUSES, type CopyCause, type KernelCause } from './causes.js'
import type { Snapshot } from './ledger.js'

/** One time series of a metric, as it stands. */
export interface MetricSample {
  /** What tells it apart from the metric's others. */
  readonly labels: Readonly<Record<string, string>>
  /** In the metric's unit. */
  readonly value: number
}

/** One metric. */
export interface Metric {
  /** Of letters, digits and underlines, with the unit and, of a counter, `_total` at its end. */
  readonly name: string
  /** What it counts, in a sentence. */
  readonly help: string
  /** 'bytes', or 'count' for a number of things or of times. */
  readonly unit: 'bytes' | 'count'
  /** A counter only grows while the process lives; a gauge tells what is now. */
  readonly type: 'counter' | 'gauge'
  /** The labels that its series have, all of them; also while there is no series yet. */
  readonly labelNames: readonly string[]
  /** Its series: one, unless it has labels. */
  readonly samples: readonly MetricSample[]
}

/** Figures of a snapshot that are one counter each. */
type Single = {
  [Name in keyof Snapshot]: Snapshot[Name] extends number ? Name : never
}[keyof Snapshot]

/** What is told without labels; the sums of copies are told by cause. */
const COUNTERS: Readonly<
  Record<Exclude<Single, 'accidental' | 'intended'>, readonly [name: string, help: string]>
> = {
  moved: ['moved_bytes', 'Bytes that a sink accepted, or a list took, by reference.'],
  moves: ['moves', 'How many times bytes moved by reference.'],
  teed: ['teed_bytes', 'Bytes referenced a second time by tee.'],
  tees: ['tees', 'How many times pages were teed.'],
  discarded: ['discarded_bytes', "Bytes dropped from a teed pipe to reach a window's start."],
  discards: ['discards', 'How many times bytes were dropped from a teed pipe.'],
  inspected: ['inspected_bytes', 'Bytes made readable from a pipe or a file.'],
  inspections: ['inspections', 'How many times bytes were made readable.'],
  unknown: ['unknown_bytes', 'Bytes moved where it is not known whether the kernel copied.'],
  retries: ['retries', 'Attempts to move bytes that had to wait and were made again.'],
  shortTransfers: ['short_transfers', 'Attempts in which a sink took less than it was offered.'],
  degradedPipes: ['degraded_pipes', 'Pipes that got fewer slots than were asked for.'],
  sparsePipes: ['sparse_pipes', 'Pipes that were read because their pages were nearly empty.'],
  shrunkPipes: ['shrunk_pipes', 'Held pipes that were shrunk to fit when pipes were short.'],
  leaks: ['leaks', 'Owning segments that were collected without release().'],
}

/** What lives now, by the name that the snapshot has for it. */
const GAUGES: Readonly<Record<string, readonly [name: string, help: string]>> = {
  pipes: ['pipes', 'Pipes in use.'],
  idlePipes: ['idle_pipes', 'Pipes kept for a next time.'],
  pipeSlots: ['pipe_slots', 'Slots reserved in pipes.'],
  pipeBytes: ['pipe_bytes', 'Bytes that pipes may pin, at their worst case.'],
  pinnedBytes: ['pinned_bytes', 'Bytes of the page cache that pipes may pin, at their worst case.'],
  slabs: ['slabs', 'Slabs of memory that views or lent pages use.'],
  idleSlabBytes: ['idle_slab_bytes', 'Memory kept in slabs for a next time.'],
  descriptors: ['descriptors', 'Descriptors that the addon holds.'],
  orphans: ['orphans', 'Descriptors that a disk call still uses after their owner let go.'],
}

/** A snapshot as metrics. */
export function metricsOf(snapshot: Snapshot): Metric[] {
  const counters = Object.entries(COUNTERS).map(([figure, [name, help]]) =>
    counter(name, help, [sample(snapshot[figure as keyof typeof COUNTERS])]),
  )
  return [...counters, ...copyMetrics(snapshot), fallbacks(snapshot), ...gauges(snapshot)]
}

function copyMetrics({ copied, copiedByAccident, copies, kernelCopied }: Snapshot): Metric[] {
  const causes = Object.keys(COPY_CAUSES) as CopyCause[]
  const kernelCauses = Object.keys(KERNEL_CAUSES) as KernelCause[]
  return [
    counter(
      'copied_bytes',
      "Bytes copied in the process's memory, by cause, and whether the program asked for it.",
      causes.flatMap((cause) => {
        const accidental = copiedByAccident[cause] ?? 0
        return copySamples(cause, accidental, (copied[cause] ?? 0) - accidental)
      }),
      ['cause', 'intended'],
    ),
    counter(
      'copies',
      "Copies in the process's memory, by cause.",
      causes.map((cause) => sample(copies[cause] ?? 0, { cause })),
      ['cause'],
    ),
    counter(
      'kernel_copied_bytes',
      'Bytes that the kernel is known to have copied, by cause.',
      kernelCauses.map((cause) => sample(kernelCopied[cause] ?? 0, { cause })),
      ['cause'],
    ),
  ]
}

/** The series that a cause is expected in is there from the start, so that its first copy is seen. */
function copySamples(cause: CopyCause, accidental: number, intended: number): MetricSample[] {
  const isMeant = INTENDED.has(cause)
  const samples: MetricSample[] = []
  if (!isMeant || accidental > 0) samples.push(sample(accidental, { cause, intended: 'false' }))
  if (isMeant || intended > 0) samples.push(sample(intended, { cause, intended: 'true' }))
  return samples
}

function fallbacks({ fallbacks: refused }: Snapshot): Metric {
  const samples = Object.entries(refused).map(([name, count]) => {
    const [call = '', code = ''] = name.split(':')
    return sample(count, { call, code })
  })
  const help = 'Refusals that sent bytes the next way, by system call.'
  return counter('fallbacks', help, samples, ['call', 'code'])
}

function gauges({ live }: Snapshot): Metric[] {
  return Object.entries(live).flatMap(([key, value]) => {
    const known = GAUGES[key]
    if (known === undefined) return []
    const [name, help] = known
    return [metric('gauge', name, help, [sample(value)])]
  })
}

function counter(
  name: string,
  help: string,
  samples: readonly MetricSample[],
  labelNames: readonly string[] = [],
): Metric {
  const it = metric('counter', name, help, samples)
  return { ...it, name: `${it.name}_total`, labelNames }
}

function metric(
  type: Metric['type'],
  name: string,
  help: string,
  samples: readonly MetricSample[],
): Metric {
  const unit = name.endsWith('_bytes') ? 'bytes' : 'count'
  return { name: `splicelist_${name}`, help, unit, type, labelNames: [], samples }
}

function sample(value: number, labels: Readonly<Record<string, string>> = {}): MetricSample {
  return { labels, value }
}

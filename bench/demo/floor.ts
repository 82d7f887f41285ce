/**
 * The same job by programs in C without a library: what it costs whoever asks the kernel for it.
 * `--floor` runs them in the same rounds, by the ways that there are; it needs g++.
 */
import { compiled } from '../harness/compile.js'
import { mapSides, quotient, type CpuFigures } from './figures.js'
import { FLOORS, type Floor, type Job, type Side } from './job.js'

/** How each side of a floor does it. The cheapest way of a side need not be that of the other. */
export const WAYS: Readonly<Record<Floor, Readonly<Record<Side, string>>>> = {
  'floor.splice': { sender: 'splice', receiver: 'splice' },
  'floor.sendfile': { sender: 'sendfile', receiver: 'mapped' },
  'floor.copy': { sender: 'copy', receiver: 'copy' },
}

/** What the ways of a side are, in words of the kernel. */
export const CALLS: Readonly<Record<Side, Readonly<Record<string, string>>>> = {
  sender: { splice: 'splice, splice', sendfile: 'sendfile', copy: 'pread, send' },
  receiver: { splice: 'splice, splice', mapped: 'recv into mmap', copy: 'recv, pwrite' },
}

/** One way of one side, and how all others compare with it. */
export interface WayFigures extends CpuFigures {
  readonly way: string
  /** CPU of the streams and of splicelist, divided by that of this way. */
  readonly ratio: Readonly<Record<'splicelist' | 'default' | 'tuned', number | null>>
}

/** The ways of each side, the cheapest first. */
export type FloorResult = Readonly<Record<Side, readonly WayFigures[]>>

export function isFloor(party: string): party is Floor {
  return FLOORS.some((floor) => floor === party)
}

/** Compiles the program; returns its path. */
export async function compileFloor(): Promise<string> {
  return compiled('demo-floor')
}

/** The command of one side. */
export function floorCommand(program: string, job: Job & { readonly variant: Floor }): string[] {
  const { side, variant, passes, path, port } = job
  const { plan, warmPlan, warmPasses, countedPasses } = passes
  const named = {
    way: WAYS[variant][side],
    path,
    port,
    ...plan,
    warmFileBytes: warmPlan.fileBytes,
    warmPayloadBytes: warmPlan.payloadBytes,
    warmPasses,
    countedPasses,
  }
  return [program, side, ...Object.entries(named).map(([name, value]) => `${name}=${value}`)]
}

export function floorResult(
  figures: Readonly<Record<Floor, Readonly<Record<Side, CpuFigures>>>>,
  others: Readonly<Record<Side, WayFigures['ratio']>>,
): FloorResult {
  const byCpu = (a: WayFigures, b: WayFigures) =>
    (a.cpuSecondsPerGB ?? 0) - (b.cpuSecondsPerGB ?? 0)
  return mapSides((side) => {
    const ways = FLOORS.map((floor): WayFigures => {
      const own = figures[floor][side]
      const over = (cpu: number | null) => quotient(cpu, own.cpuSecondsPerGB)
      const { splicelist, default: ordinary, tuned } = others[side]
      return {
        way: WAYS[floor][side],
        ...own,
        ratio: { splicelist: over(splicelist), default: over(ordinary), tuned: over(tuned) },
      }
    })
    return ways.sort(byCpu)
  })
}

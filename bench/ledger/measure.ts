/** One case: pairs of processes that differ in the ledger alone. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { RunError } from '../harness/failures.js'
import { showStep } from '../harness/output.js'
import { median, middleHalf } from '../harness/statistics.js'
import { SmokeTally } from '../harness/smoke-tally.js'

const run = promisify(execFile)
const CHILD = fileURLToPath(new URL('child.js', import.meta.url))
const PROCESS_MS_MAX = 60_000

type Variant = 'counted' | 'uncounted'

export interface Row {
  readonly name: string
  /** CPU nanoseconds of one operation, medians. */
  readonly counted: number
  readonly uncounted: number
  /** The median of the pairs' ratios, less 1. */
  readonly cost: number
  /** Of the pairs' ratios, less 1: the middle half. */
  readonly middle: readonly [number, number]
}

export async function measureCase(name: string, pairs: number, node: string): Promise<Row> {
  const figures = { counted: [] as number[], uncounted: [] as number[] }
  for (let pair = 0; pair < pairs; pair++) {
    showStep(`${name}, pair ${pair + 1} of ${pairs}`)
    const order: Variant[] = pair % 2 === 0 ? ['counted', 'uncounted'] : ['uncounted', 'counted']
    for (const variant of order) figures[variant].push(Number(await runChild(node, name, variant)))
  }
  const costs = figures.counted.map((ns, i) => ns / (figures.uncounted[i] ?? NaN) - 1)
  return {
    name,
    counted: median(figures.counted),
    uncounted: median(figures.uncounted),
    cost: median(costs),
    middle: middleHalf(costs),
  }
}

/** Every case once in both variants, without figures; returns an exit code. */
export async function smoke(names: readonly string[], node: string): Promise<number> {
  const tally = new SmokeTally()
  for (const name of names) {
    for (const variant of ['counted', 'uncounted'] as const) {
      await tally.attempt(() => runChild(node, name, variant, 'once'))
    }
  }
  return tally.end()
}

async function runChild(node: string, ...args: string[]): Promise<string> {
  try {
    return (await run(node, [CHILD, ...args], { timeout: PROCESS_MS_MAX })).stdout
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string }
    throw new RunError(`${args.join(', ')}: ${(error as Error).message}\n${stderr}`.trimEnd())
  }
}

/**
 * One case with one variant of the library, measured in a process of its own:
 *
 *     node child.js CASE counted|uncounted [once]
 *
 * Prints the CPU time of one operation in the least disturbed sample, in nanoseconds: disturbances only
 * add, and are ten times what counting costs. Runs the case once, and prints nothing, where that is
 * asked for.
 */
import { register } from 'node:module'
import type { Case } from './cases.js'

/** CPU time of one sample, at the least, in microseconds: a thousand times the clock's grain. */
const SAMPLE_MICROS = 10_000
const SAMPLES = 15
/** CPU time that is spent before anything counts, in microseconds: V8 has optimized by then. */
const WARM_UP_MICROS = 150_000

const [name = '', variant = '', times] = process.argv.slice(2)
register<string>('./link.js', { parentURL: import.meta.url, data: variant })
const { CASES } = (await import('./cases.js')) as { CASES: Readonly<Record<string, Case>> }
const { counters } = await import('splicelist')
if (Object.keys(counters.snapshot()).length > 0 !== (variant === 'counted')) {
  throw new Error(`This library is not linked as ${variant}`)
}
const work = await CASES[name]?.()
if (work === undefined) throw new Error(`There is no case '${name}'`)

/** Nanoseconds of one operation, over as many runs as take so long. */
async function sample(atLeastMicros: number): Promise<number> {
  const before = process.cpuUsage()
  for (let runs = 1; ; runs++) {
    const running = work?.run()
    if (running !== undefined) await running
    const { user, system } = process.cpuUsage(before)
    if (user + system >= atLeastMicros) {
      return ((user + system) * 1000) / runs / (work?.operations ?? 1)
    }
  }
}

if (times === 'once') await work.run()
else {
  await sample(WARM_UP_MICROS)
  let least = Infinity
  for (let i = 0; i < SAMPLES; i++) least = Math.min(least, await sample(SAMPLE_MICROS))
  process.stdout.write(`${String(least)}\n`)
}
await work.close()

/**
 * Measures one library's work in this process, which should be a fresh one.
 *
 * What can be repeated is sampled by the `benchmark` package, in batches that are long against its
 * clock. What uses up its input is not for that package, which would have to time the making of the
 * input too: here a clock stands around each run, whose many operations make it long, and the input
 * is made before it.
 */
import Benchmark from 'benchmark'
import type { Consuming, Repeated, Weighed, Work } from './case.js'
import { beginNs, endNs, hrtime, waitedNs, wallNs } from './clock.js'

const NS_PER_MS = 1e6
const NS_PER_SECOND = 1e9
/** Time for V8 to settle. */
const WARM_NS = 80 * NS_PER_MS
/** Time to sample. */
const SAMPLING_NS = 120 * NS_PER_MS
/** How long one call of the `benchmark` package should last: its own loop then costs nothing. */
const CALL_NS_MIN = NS_PER_MS
/** A repetition that takes longer is its own sample: there is no time to warm it up. */
const SLOW_NS = 400 * NS_PER_MS
/** Samples, where they are not slow. Each is long enough to have its share of collected garbage. */
const SAMPLES_MIN = 5
const WEIGHINGS = 3

export interface Measurement {
  /** Nanoseconds, or bytes, for one operation. */
  readonly samples: readonly number[]
  /** What the first repetition found: every library has to find the same. */
  readonly answer: number
  /** How much of the time others had the CPU. It is not in the samples, but cold caches are. */
  readonly waitedShare: number
}

type Sampling = Omit<Measurement, 'waitedShare'>

/** So that no result is dead code. */
let sink = 0

export function measure(work: Work): Measurement {
  const waitedBefore = waitedNs()
  const begin = wallNs()
  const sampling = byKind(work)
  const waitedShare = (waitedNs() - waitedBefore) / (wallNs() - begin)
  if (Number.isNaN(sink)) throw new Error('The work returned something other than numbers')
  return { ...sampling, waitedShare }
}

/** What the first repetition finds. */
export function answerOf(work: Work): number {
  if (work.kind === 'repeated') return work.repeat(1)
  const result = work.prepare()()
  return typeof result === 'number' ? result : work.operations
}

function byKind(work: Work): Sampling {
  switch (work.kind) {
    case 'repeated':
      return sampled(work)
    case 'consuming':
      return timed(work)
    case 'weighed':
      return weighed(work)
  }
}

function sampled(work: Repeated): Sampling {
  const { operations } = work
  const answer = answerOf(work)
  const { times, repetitionNs } = warmUp(work)
  if (repetitionNs > SLOW_NS) return { samples: [repetitionNs / operations], answer }
  collectGarbage()
  const benchmark = new BenchmarkByClock(
    () => {
      sink += work.repeat(times)
    },
    {
      minTime: SAMPLING_NS / NS_PER_SECOND / SAMPLES_MIN / 2,
      maxTime: SAMPLING_NS / NS_PER_SECOND,
      minSamples: SAMPLES_MIN,
    },
  )
  benchmark.run()
  // The package keeps an exception to itself.
  if (benchmark.error as Error | undefined) throw benchmark.error
  const seconds = benchmark.stats.sample as number[]
  return { samples: seconds.map((s) => (s * NS_PER_SECOND) / (times * operations)), answer }
}

/** The package takes its clock from the globals that it is given. */
const BenchmarkByClock = Benchmark.runInContext({ process: { hrtime } }) as typeof Benchmark

/** Repeats until V8 has had its time; finds how many repetitions make a call that is long enough. */
function warmUp(work: Repeated): { times: number; repetitionNs: number } {
  let times = 1
  for (let warmNs = 0; ;) {
    const callNs = stopwatch(() => (sink += work.repeat(times)))
    warmNs += callNs
    if (callNs < CALL_NS_MIN) times *= 2
    else if (warmNs >= WARM_NS) return { times, repetitionNs: callNs / times }
  }
}

function timed(work: Consuming): Sampling {
  const { operations } = work
  const answer = answerOf(work)
  const samples: number[] = []
  const begin = beginNs()
  for (let runNs = 0; samples.length < SAMPLES_MIN || runNs < WARM_NS + SAMPLING_NS;) {
    const run = work.prepare()
    collectGarbage()
    const ns = stopwatch(() => (sink += run()))
    if (ns > SLOW_NS) return { samples: [ns / operations], answer }
    // Where the making takes most of the time, it has warmed what it shares with the run.
    if (runNs > WARM_NS || endNs() - begin > 2 * WARM_NS) samples.push(ns / operations)
    runNs += ns
    if (samples.length >= SAMPLES_MIN && endNs() - begin > 2 * (WARM_NS + SAMPLING_NS)) break
  }
  return { samples, answer }
}

function weighed(work: Weighed): Sampling {
  const samples: number[] = []
  for (let i = 0; i < WEIGHINGS; i++) {
    const make = work.prepare()
    const before = heldBytes()
    const made = make()
    samples.push((heldBytes() - before) / work.operations)
    // Until here it must be alive.
    sink += Object.keys(made).length
  }
  return { samples, answer: work.operations }
}

/** Memory that V8 holds: objects, and what typed arrays hold outside of its heap. */
function heldBytes(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function collectGarbage(): void {
  if (global.gc === undefined) throw new Error('Run this with node --expose-gc')
  // A second time for what the first one's finalizers let go of.
  global.gc()
  global.gc()
}

function stopwatch(run: () => unknown): number {
  const begin = beginNs()
  run()
  return endNs() - begin
}

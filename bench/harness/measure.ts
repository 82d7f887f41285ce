/**
 * Measures one library's work in this process, which should be a fresh one.
 *
 * What can be repeated is sampled by the `benchmark` package, in batches that are long against its
 * clock. What uses up its input is not for that package, which would have to time the making of the
 * input too: here a clock stands around each run, whose many operations make it long, and the input
 * is made before it.
 */
import { setTimeout as pause } from 'node:timers/promises'
import Benchmark from 'benchmark'
import type { Consuming, Repeated, Weighed, Work } from './case.js'
import { hrtime, nowNs, waitedNs, wallNs } from './clock.js'

const NS_PER_MS = 1e6
const NS_PER_SECOND = 1e9
/** Time for V8 to see what is hot, twice: what it compiles after the first is hot in the second. */
const WARM_NS = 100 * NS_PER_MS
/** Time for V8's other threads to compile it, which on a busy machine they must be given. */
const COMPILING_MS = 20
/** Time to sample. */
const SAMPLING_NS = 120 * NS_PER_MS
/** How long one call of the `benchmark` package should last: its own loop then costs nothing. */
const CALL_NS_MIN = NS_PER_MS
/** Work whose first repetition takes longer has its figure: V8 settled on the way. */
const SLOW_NS = 400 * NS_PER_MS
/** Samples, where they are not slow. Each is long enough to have its share of collected garbage. */
const SAMPLES_MIN = 5
/** How much more time than the runs themselves the making of their input may take. */
const PREPARED_TIMES = 2
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

export async function measure(work: Work): Promise<Measurement> {
  const waitedBefore = waitedNs()
  const begin = wallNs()
  const sampling = await byKind(work)
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

async function byKind(work: Work): Promise<Sampling> {
  switch (work.kind) {
    case 'repeated':
      return sampled(work)
    case 'consuming':
      return timed(work)
    case 'weighed':
      return weighed(work)
  }
}

async function sampled(work: Repeated): Promise<Sampling> {
  const { operations } = work
  const first = stopwatch(() => work.repeat(1))
  if (first.ns > SLOW_NS) return { samples: [first.ns / operations], answer: first.answer }
  warmUp(work)
  await pause(COMPILING_MS)
  const times = warmUp(work)
  await pause(COMPILING_MS)
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
  const samples = seconds.map((s) => (s * NS_PER_SECOND) / (times * operations))
  return { samples, answer: first.answer }
}

/** The package takes its clock from the globals that it is given. */
const BenchmarkByClock = Benchmark.runInContext({ process: { hrtime } }) as typeof Benchmark

/** Repeats until V8 has had its time; finds how many repetitions make a call long enough. */
function warmUp(work: Repeated): number {
  let times = 1
  for (let warmNs = 0; ;) {
    const { ns } = stopwatch(() => work.repeat(times))
    warmNs += ns
    if (ns < CALL_NS_MIN) times *= 2
    else if (warmNs >= WARM_NS) return times
  }
}

async function timed(work: Consuming): Promise<Sampling> {
  const { operations } = work
  const first = stopwatch(work.prepare())
  if (first.ns > SLOW_NS) return { samples: [first.ns / operations], answer: first.answer }
  const runFor = (totalNs: number, samplesMin: number): number[] => {
    const samples: number[] = []
    const begin = nowNs()
    for (let left = totalNs; samples.length < samplesMin || left > 0;) {
      const run = work.prepare()
      collectGarbage()
      const { ns } = stopwatch(run)
      samples.push(ns / operations)
      left -= ns
      if (nowNs() - begin > PREPARED_TIMES * totalNs) left = 0
    }
    return samples
  }
  runFor(WARM_NS, 1)
  await pause(COMPILING_MS)
  runFor(WARM_NS, 1)
  await pause(COMPILING_MS)
  return { samples: runFor(SAMPLING_NS, SAMPLES_MIN), answer: first.answer }
}

function weighed(work: Weighed): Sampling {
  const samples = Array.from({ length: WEIGHINGS }, () => weigh(work.prepare()) / work.operations)
  return { samples, answer: work.operations }
}

/** A function of its own: when it is left, what it made can be collected. */
function weigh(make: () => object): number {
  const before = heldBytes()
  const made = make()
  const held = heldBytes() - before
  // Until here it must be alive.
  sink += Object.keys(made).length
  return held
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

function stopwatch(run: () => number): { readonly ns: number; readonly answer: number } {
  const begin = nowNs()
  const answer = run()
  const ns = nowNs() - begin
  sink += answer
  return { ns, answer }
}

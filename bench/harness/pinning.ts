/**
 * Two processes that talk to each other, each on a CPU of its own. Unpinned, one and the same program
 * differs fourfold from run to run, because the scheduler now and then puts both on one CPU.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Two CPUs, of two cores where there are two; undefined where processes cannot be pinned. */
export function twoCpus(): readonly [number, number] | undefined {
  const [first, ...others] = allowedCpus()
  if (first === undefined) return undefined
  const siblings = siblingsOf(first)
  const second = others.find((cpu) => !siblings.includes(cpu)) ?? others[0]
  if (second === undefined) return undefined
  const tried = spawnSync('taskset', ['-c', String(second), 'true'], { stdio: 'ignore' })
  return tried.status === 0 ? [first, second] : undefined
}

/** A command that runs pinned. `taskset` replaces itself by it: the pid and the channel stay. */
export function pinned(command: readonly string[], cpu: number | undefined): readonly string[] {
  return cpu === undefined ? command : ['taskset', '-c', String(cpu), ...command]
}

function allowedCpus(): number[] {
  return parseCpuList(/^Cpus_allowed_list:\s*(\S+)$/m.exec(read('/proc/self/status'))?.[1] ?? '')
}

/** The CPUs that share a core with this one: a second thread of one core is half a CPU. */
function siblingsOf(cpu: number): number[] {
  const topology = `/sys/devices/system/cpu/cpu${cpu}/topology`
  return parseCpuList(read(`${topology}/thread_siblings_list`).trim())
}

/** '0-2,5' → 0, 1, 2, 5. */
function parseCpuList(text: string): number[] {
  if (text === '') return []
  return text.split(',').flatMap((range) => {
    const [first = NaN, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

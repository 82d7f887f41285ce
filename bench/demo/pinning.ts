/**
 * Each side on a CPU of its own. Unpinned, one and the same program differs fourfold from run to
 * run, because the scheduler now and then puts both sides on one CPU.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Side } from './job.js'

/** Which CPU each side runs on; undefined where sides cannot be pinned. */
export type Pinning = Readonly<Record<Side, number>> | undefined

export function choosePinning(): Pinning {
  const [sender, ...others] = allowedCpus()
  if (sender === undefined) return undefined
  const siblings = siblingsOf(sender)
  const receiver = others.find((cpu) => !siblings.includes(cpu)) ?? others[0]
  if (receiver === undefined) return undefined
  const tried = spawnSync('taskset', ['-c', String(receiver), 'true'], { stdio: 'ignore' })
  return tried.status === 0 ? { sender, receiver } : undefined
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

/**
 * A child's system calls that move bytes, as `strace` has seen them: between the marks of a run, and
 * by what they move between.
 */
import { MARK } from './cases.js'

/** What to watch. */
export const TRACED = [
  'read,readv,pread64,preadv,preadv2,recvfrom,recvmsg',
  'write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg',
  'splice,tee,vmsplice,sendfile,copy_file_range,access,faccessat,faccessat2',
].join(',')

/** What a descriptor is open on, as far as it matters here. */
export type Kind = 'file' | 'socket' | 'fifo' | 'own pipe' | 'null' | 'device' | 'other'

/** One call that has moved bytes. */
export interface Call {
  readonly name: string
  /** What the bytes left. 'memory' is the process's. */
  readonly from: Kind | 'memory'
  /** What they came to. */
  readonly to: Kind | 'memory'
  readonly bytes: number
  /** Whether memory was lent to a socket, not copied from. */
  readonly isLent: boolean
}

const READS = new Set(['read', 'readv', 'pread64', 'preadv', 'preadv2', 'recvfrom', 'recvmsg'])
const WRITES = new Set(['write', 'writev', 'pwrite64', 'pwritev', 'pwritev2', 'sendto', 'sendmsg'])

/** The calls of each run, from a log of `strace -f -y`. */
export function callsOfRuns(log: string): Map<number, Call[]> {
  const runs = new Map<number, Call[]>()
  let current: Call[] | undefined
  for (const line of wholeLines(log)) {
    const mark = new RegExp(`"${MARK}/(begin|end)-(\\d+)"`).exec(line)
    if (mark !== null) {
      current = mark[1] === 'begin' ? [] : undefined
      if (current !== undefined) runs.set(Number(mark[2]), current)
      continue
    }
    const call = current === undefined ? undefined : parsed(line)
    if (call !== undefined) current?.push(call)
  }
  return runs
}

/** The lines without their thread's number, those that another thread's cut in two as one. */
function wholeLines(log: string): string[] {
  const begun = new Map<string, string>()
  const lines: string[] = []
  for (const line of log.split('\n')) {
    const [, thread = '', text = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? []
    const unfinished = /^(.*?)\s*<unfinished \.\.\.>$/.exec(text)
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(text)
    if (unfinished !== null) begun.set(thread, unfinished[1] ?? '')
    else if (resumed !== null) lines.push((begun.get(thread) ?? '') + (resumed[1] ?? ''))
    else lines.push(text)
  }
  return lines
}

function parsed(line: string): Call | undefined {
  const [, name = '', args = '', result = ''] = /^(\w+)\((.*)\)\s+= (\d+)/.exec(line) ?? []
  const bytes = Number(result)
  if (name === '' || bytes === 0) return undefined
  // A look whether a page is in the page cache: the byte goes nowhere.
  if (name === 'preadv2' && bytes === 1 && args.includes('RWF_NOWAIT')) return undefined
  // Descriptors are numbers with what they are open on behind them.
  const kinds = [...args.matchAll(/(?:^|, )\d+<((?:[^<>]|<[^<>]*>)*)>/g)].map(([, on]) =>
    kindOf(on ?? ''),
  )
  const [first = 'other', second = 'other'] = kinds
  const isLent = args.includes('MSG_ZEROCOPY')
  if (READS.has(name)) return { name, from: first, to: 'memory', bytes, isLent }
  if (WRITES.has(name)) return { name, from: 'memory', to: first, bytes, isLent }
  if (name === 'vmsplice') return { name, from: 'memory', to: first, bytes, isLent: true }
  // sendfile names its target first.
  if (name === 'sendfile') return { name, from: second, to: first, bytes, isLent }
  return { name, from: first, to: second, bytes, isLent }
}

function kindOf(on: string): Kind {
  if (on.startsWith('pipe:')) return 'own pipe'
  if (on.startsWith('socket:') || /^(TCP|UNIX)/.test(on)) return 'socket'
  // With what kind of device it is behind it.
  if (on.startsWith('/dev/null')) return 'null'
  if (on.startsWith('/dev/zero')) return 'device'
  if (on.startsWith('/proc/') || !on.startsWith('/')) return 'other'
  if (!on.includes('/splicelist-test-')) return 'other'
  return /\/(giving|taking)$/.test(on) ? 'fifo' : 'file'
}

/** The bytes of the calls that a condition holds for. */
export function sumOf(calls: readonly Call[], holds: (call: Call) => boolean): number {
  return calls.filter(holds).reduce((sum, { bytes }) => sum + bytes, 0)
}

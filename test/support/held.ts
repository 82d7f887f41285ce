/**
 * What this process holds of the system: descriptors, children, and what lives in the addon. Taken
 * before and after a test, the difference is what the test left behind.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { counters } from '#lib/audit/ledger.js'
import { addon, type LiveCounts } from '#lib/native.js'
import { idlePipes } from '#lib/raw/pipe-pool.js'

/** One moment's account. */
export interface Held {
  /** Descriptor number to what it is open on, as /proc tells: 'socket:[4711]', '/tmp/file'. */
  readonly descriptors: ReadonlyMap<string, string>
  /** Process ids of live children. */
  readonly children: ReadonlySet<string>
  /** What the addon counts, without what the library keeps for a next time. */
  readonly live: LiveCounts | null
  /** Descriptors of the pipes that the library keeps for a next time. */
  readonly pooledDescriptors: number
}

/** Takes the account. */
export function held(): Held {
  const live = addon?.live() ?? null
  const pooled = live === null ? 0 : idlePipes()
  const slabs = counters.snapshot().live['slabs'] ?? 0
  return {
    descriptors: openDescriptors(),
    children: liveChildren(),
    live: live && { ...live, pipes: live.pipes - pooled, slabs },
    pooledDescriptors: 2 * pooled,
  }
}

/**
 * What `after` holds that `before` did not, each as a phrase; empty when nothing was left.
 *
 * A descriptor is told by its number and what it is open on, which for sockets and pipes is unique.
 * Only pipes are also counted, because those that the library keeps look like any other.
 */
export function leftBehind(before: Held, after: Held): string[] {
  const isNew = ([fd, target]: [string, string]): boolean => before.descriptors.get(fd) !== target
  const opened = [...after.descriptors].filter(isNew)
  const pipesOf = ({ descriptors, pooledDescriptors }: Held): number =>
    [...descriptors.values()].filter(isPipe).length - pooledDescriptors
  const arePipesBack = pipesOf(after) <= pipesOf(before)

  const left = opened
    .filter(
      ([, target]) => !(isPipe(target) && arePipesBack) && !isSlab(target) && !isTheirs(target),
    )
    .map(([fd, target]) => `descriptor ${fd} on ${target}`)
  for (const pid of after.children) {
    if (!before.children.has(pid)) left.push(`child process ${pid}`)
  }
  for (const [name, count] of Object.entries(after.live ?? {})) {
    const was = before.live?.[name as keyof LiveCounts] ?? 0
    if (count > was) left.push(`${count - was} ${name} in the addon`)
  }
  return left
}

const isPipe = (target: string): boolean => target.startsWith('pipe:')
/** A slab's descriptor: the addon counts slabs, and keeps idle ones. */
const isSlab = (target: string): boolean => target.startsWith('/memfd:splicelist')

/** What a runtime waits with. Without the addon nothing of the kind is ours. */
const isTheirs = (target: string): boolean => addon === null && target.startsWith('anon_inode:')

function openDescriptors(): Map<string, string> {
  const found = new Map<string, string>()
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      found.set(fd, readlinkSync(`/proc/self/fd/${fd}`))
    } catch {
      // Closed since, like the one that the folder was read through.
    }
  }
  return found
}

function liveChildren(): Set<string> {
  const found = new Set<string>()
  for (const thread of readdirSync('/proc/self/task')) {
    try {
      const pids = readFileSync(`/proc/self/task/${thread}/children`, 'utf8')
      for (const pid of pids.split(' ')) if (pid !== '') found.add(pid)
    } catch {
      // The thread has ended since.
    }
  }
  return found
}

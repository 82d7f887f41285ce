/**
 * Watches what the addon is asked to do, and lets it do it.
 */
import type { Addon } from '#lib/native.js'
import { opened } from '#lib/reactor.js'
import { afterwards } from './cleanup.js'

/** Tells of each call of one of the addon's functions, until the test is over. */
export function watch<K extends keyof Addon>(
  name: K,
  tell: (args: Parameters<Addon[K]>, result: ReturnType<Addon[K]>) => void,
): void {
  const door = opened()
  const real = door[name] as (...args: Parameters<Addon[K]>) => ReturnType<Addon[K]>
  const watched = (...args: Parameters<Addon[K]>): ReturnType<Addon[K]> => {
    const result = real(...args)
    tell(args, result)
    return result
  }
  Object.assign(door, { [name]: watched })
  afterwards(() => void Object.assign(door, { [name]: real }))
}

/** How often one of the addon's functions was called, from now on. */
export function callsOf(name: keyof Addon): () => number {
  let times = 0
  watch(name, () => (times += 1))
  return () => times
}

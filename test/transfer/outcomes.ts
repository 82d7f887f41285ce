/**
 * How promises end, as values.
 */
import { setTimeout as delay } from 'node:timers/promises'

/** The error that a promise rejects with; a failure of its own when it does not. */
export function failure(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    (value) => {
      throw new Error(`Resolved with ${String(value)} instead of rejecting`)
    },
    (error: unknown) => {
      if (error instanceof Error) return error
      throw new TypeError(`Rejected with ${String(error)}, which is no error`)
    },
  )
}

/** What a call throws, or what it rejects with. */
export function refusal(call: () => unknown): Promise<Error> {
  return failure(new Promise((resolve) => resolve(call())))
}

/** The promise's result, or 'pending' when it takes longer. A bound, not a measurement. */
export async function within<T>(limitMs: number, promise: Promise<T>): Promise<T | 'pending'> {
  const timer = new AbortController()
  const late = delay(limitMs, 'pending' as const, { signal: timer.signal })
  try {
    return await Promise.race([promise, late.catch(() => 'pending' as const)])
  } finally {
    timer.abort()
  }
}

/** Resolves once `condition` holds; looks again in every turn of the loop. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(1)
}

/** Resolves once a count has stood still for a while: what moves has nowhere left to go. */
export async function standstill(count: () => number): Promise<void> {
  for (let before = -1; before !== count();) {
    before = count()
    await delay(40)
  }
}

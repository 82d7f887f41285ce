import { addon } from '../native.js'
import { checkLimits, type Limits, type LimitsToSet } from './pipe-budget.js'
import { pipePool } from './pipe-pool.js'

/** Limits where there is no addon, and so no pipe. */
const NO_PIPES: Limits = { pipeSlots: 0, pipes: 0, pipeBytes: 0, pinnedBytes: 0 }

/**
 * The limits on what this environment (the main thread, or one worker) holds in kernel pipes. Past them
 * bytes are copied into ordinary memory, counted under `budget`; nothing fails, but for operations
 * with `mode: 'reference'`.
 *
 * They are read from the system: three quarters of what `pipe-user-pages-soft` allows the user, a
 * quarter of the descriptors, a quarter of the memory, an eighth of it for pages of files; 65,536 slots
 * at the most. `SPLICELIST_PIPE_SLOTS`, `SPLICELIST_PIPES`, `SPLICELIST_PIPE_BYTES` and
 * `SPLICELIST_PINNED_BYTES` override them at the start, `set` later. What is in use is in
 * `counters.snapshot().live`. Each worker has limits of its own: where several move bytes, divide.
 *
 * ```ts
 * import { limits } from 'splicelist'
 * limits.set({ pipeSlots: 4096 }) // at most 16 MiB of files' pages, or 128 MiB of sockets', in pipes
 * console.log(limits.get().pipeSlots) // 4096
 * ```
 */
export const limits: {
  /** The limits in force. Zeros where there is no addon. */
  get(): Limits
  /**
   * Lowers or raises limits, as far as the system allows, and returns those in force. One that is
   * undefined is as it was at the start. What is held already stays. Throws `InvalidArgumentError`
   * for what is no whole number, or no limit.
   */
  set(asked: LimitsToSet): Limits
} = {
  get: () => (addon === null ? NO_PIPES : pipePool.budget.limits),
  set(asked) {
    checkLimits(asked)
    if (addon === null) return NO_PIPES
    pipePool.budget.ask(asked)
    pipePool.drain()
    return pipePool.budget.limits
  },
}

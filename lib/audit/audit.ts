import { checkLength, describe } from '../arguments.js'
import { CopyBudgetError, InvalidArgumentError } from '../errors.js'
import { closeScope, openScope } from './observers.js'
import { excessOf, type CopyLimits, type CopyReport } from './report.js'

/** What an audit comes to. */
export interface AuditResult<T> {
  /** What the function returned. */
  readonly result: T
  /** What was found. */
  readonly report: CopyReport
}

/**
 * Runs a function and reports every byte that moved, was made readable or was copied for it: with the
 * cause, and with the place in the application that asked for it.
 *
 * It follows asynchronous work: whatever the function starts is its own until the function settles,
 * also in timers and callbacks that it sets up; audits that run beside it see none of that. One that
 * begins inside another counts for both. Work of a server that was started before (its handlers, its
 * sockets' listeners) is not the function's.
 *
 * Rejects with `CopyBudgetError` when a limit is exceeded, after the function has settled, with the
 * report and the result; with the function's own error when that fails. Release what the result holds
 * in either case. **Cost**: a few microseconds for each operation, and while any audit runs every await
 * of the process is dearer (threefold on Node 20). Afterwards all is as before.
 *
 * ```ts
 * import { BufferList, audit } from 'splicelist'
 * const head = Buffer.from('head')
 * const { report } = await audit(() => new BufferList(head, 'payload').cStr())
 * console.log(report.accidental, report.copies[0].cause) // 11 cross-segment
 * ```
 */
export async function audit<T>(
  fn: () => T | Promise<T>,
  limits: CopyLimits = {},
): Promise<AuditResult<T>> {
  check(fn, limits)
  const { scope, run } = openScope()
  let result: T
  try {
    result = await run(fn)
  } finally {
    closeScope()
  }
  const report = scope.report()
  const excess = excessOf(report, limits)
  if (excess !== undefined) throw new CopyBudgetError(excess, report, result)
  return { result, report }
}

function check(fn: unknown, limits: CopyLimits): void {
  if (typeof fn !== 'function') {
    throw new InvalidArgumentError(`Expected a function to audit, not ${describe(fn)}`)
  }
  const { accidentalBytes, inspectedBytes } = limits
  if (accidentalBytes !== undefined) checkLength('accidentalBytes', accidentalBytes)
  if (inspectedBytes !== undefined) checkLength('inspectedBytes', inspectedBytes)
}

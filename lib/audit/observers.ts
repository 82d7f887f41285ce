/**
 * Who looks at what happens as it happens, beyond the sums of the process: audits, `SPLICELIST_AUDIT`,
 * and subscribers. While there is none, counting is an addition and a look at a flag.
 *
 * What happens belongs to the audit in which the operation was *started*. Node carries that along
 * (`AsyncLocalStorage`) wherever a promise is awaited, and all that this library waits for is a
 * promise made in the operation's own course: so the events of the addon, which come from nowhere,
 * need no thought, but for what is counted when one comes ({@link inCourse}). While a context is
 * carried, every await of the process is dearer (threefold on Node 20); so it is switched off with the
 * last audit.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { refuseAccident, reportAccident, AUDIT_MODE } from './accidents.js'
import { Trace } from './call-site.js'
import { causeOf, type CopyCause, type CopyReason, type KernelCause } from './causes.js'
import { copies, type CopyMessage } from './channels.js'
import { isIntended, Scope, type Figure } from './scope.js'

/** What is carried along: the audit, and where the running operation was called. */
export interface Course {
  readonly scope: Scope | undefined
  readonly called: Trace | undefined
}

const courses = new AsyncLocalStorage<Course>()
let openScopes = 0

/** Whether anybody but subscribers looks. */
export const observation = { isOn: AUDIT_MODE !== undefined }

/**
 * Runs a function in a scope of its own, inside that of the caller. Call `closeScope` once afterwards:
 * what comes later is nobody's.
 */
export function openScope(): {
  readonly scope: Scope
  readonly run: <T>(fn: () => T) => T
} {
  const scope = new Scope(courses.getStore()?.scope)
  openScopes += 1
  observation.isOn = true
  return { scope, run: (fn) => courses.run({ scope, called: undefined }, fn) }
}

export function closeScope(): void {
  openScopes -= 1
  if (openScopes > 0 || AUDIT_MODE !== undefined) return
  observation.isOn = false
  courses.disable()
}

/**
 * Begins an operation that takes time: what it copies later is told under the call that this is part
 * of. Costs nothing while nobody looks, else a microsecond or two.
 */
export function beginOperation<T>(operation: () => T): T {
  if (!observation.isOn) return operation()
  const scope = courses.getStore()?.scope
  if (scope === undefined && AUDIT_MODE === undefined) return operation()
  return courses.run({ scope, called: new Trace(beginOperation) }, operation)
}

/**
 * What the running operation belongs to, for what will be known of it later; undefined while nobody
 * looks.
 */
export function courseNow(): Course | undefined {
  return observation.isOn ? courses.getStore() : undefined
}
/** Counts for an operation what an event has told of it. */
export function inCourse(course: Course | undefined, count: () => void): void {
  // Not when the last audit is over: running in a context would switch it on again.
  if (course === undefined || !observation.isOn) count()
  else courses.run(course, count)
}

/** Only while `observation.isOn`. */
export function note(figure: Figure, amount: number): void {
  for (const scope of scopesOf(courses.getStore())) scope.add(figure, amount)
}
/** Only while `observation.isOn`. */
export function noteKernelCopy(cause: KernelCause, bytes: number): void {
  for (const scope of scopesOf(courses.getStore())) scope.addKernelCopy(cause, bytes)
}
/** Only while `observation.isOn`, or where somebody has subscribed. */
export function noteCopy(reason: CopyReason, bytes: number): void {
  const course = observation.isOn ? courses.getStore() : undefined
  const scopes = scopesOf(course)
  const wantsSite = scopes.filter((scope) => scope.wantsSite(reason, bytes)).length > 0
  const isAccident = AUDIT_MODE !== undefined && !isIntended(reason)
  const site = wantsSite || isAccident ? siteIn(course, new Trace(noteCopy)) : undefined
  for (const scope of scopes) scope.addCopy(reason, bytes, site)
  if (copies.hasSubscribers) copies.publish(new CopyNews(reason, bytes, course))
  if (isAccident) reportAccident(causeOf(reason), bytes, site)
}
/** Throws for an accident that is about to happen, where accidents are errors. */
export function refuseCopy(reason: CopyReason, bytes: number | undefined): void {
  if (isIntended(reason)) return
  refuseAccident(causeOf(reason), bytes, siteIn(courses.getStore(), new Trace(refuseCopy)))
}

class CopyNews implements CopyMessage {
  readonly cause: CopyCause
  readonly bytes: number
  readonly intended: boolean
  readonly #course: Course | undefined

  constructor(reason: CopyReason, bytes: number, course: Course | undefined) {
    this.cause = causeOf(reason)
    this.bytes = bytes
    this.intended = isIntended(reason)
    this.#course = course
  }
  get site(): string | undefined {
    return siteIn(this.#course, new Trace(noteCopy))
  }
}

/** The call that has not returned; else where the operation was called; else who waits for it. */
function siteIn(course: Course | undefined, now: Trace): string | undefined {
  const called = course?.called
  return now.called ?? called?.called ?? called?.awaited ?? now.awaited
}

/** The audit of a course, and those around it. */
function scopesOf(course: Course | undefined): Scope[] {
  const scopes: Scope[] = []
  for (let scope = course?.scope; scope !== undefined; scope = scope.parent) scopes.push(scope)
  return scopes
}

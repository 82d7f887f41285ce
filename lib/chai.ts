/**
 * `splicelist/chai`: assertions on copies, for Chai 5 and later.
 *
 * ```ts
 * import * as chai from 'chai'
 * import { BufferList } from 'splicelist'
 * import { splicelistChai } from 'splicelist/chai'
 * chai.use(splicelistChai)
 * const list = new BufferList(Buffer.from('head'), Buffer.from('payload'))
 * await chai.expect(() => list.substr(2, 5)).to.copyNothing()
 * await chai.expect(() => list.cStr()).to.copyAtMost(11)
 * ```
 *
 * @packageDocumentation
 */
import { audit } from './audit/audit.js'
import { accidentsIn, type CopyReport } from './audit/report.js'
import { BufferList } from './list/buffer-list.js'

/** What an assertion on a function's copies resolves with, when it holds. */
export interface Audited {
  /** What the function returned. Yours to release. */
  readonly result: unknown
  /** What the audit found. */
  readonly report: CopyReport
}

declare global {
  // How Chai's types are added to.
  // eslint-disable-next-line @typescript-eslint/no-namespace
  namespace Chai {
    interface Assertion {
      /**
       * Runs the function in an `audit` and asserts that it copies no byte by accident. What it asks
       * for in so many words (`toBuffer()`, strings, `{ intended: true }`) is no accident; nor is
       * what the kernel copies. Await it.
       */
      copyNothing(): Promise<Audited>
      /** As `copyNothing`, for at most so many bytes. Await it. */
      copyAtMost(bytes: number): Promise<Audited>
      /** Asserts that no byte of the list lies in the heap: all are in pipes, files, pages, or zeros. */
      readonly byReference: Assertion
      /** Asserts that a report, or a snapshot of the counters, has so many bytes moved by reference. */
      moved(bytes: number): Assertion
    }
  }
}

/** What is used of an assertion. */
interface Assertion {
  assert(
    holds: boolean,
    message: string,
    negatedMessage: string,
    expected?: unknown,
    actual?: unknown,
    showDiff?: boolean,
  ): void
}

/** What is used of Chai; given by `chai.use`. */
export interface ChaiStatic {
  /** Where assertions are added. */
  readonly Assertion: {
    /** Adds a method. */
    addMethod(name: string, method: (this: object, bytes: number) => unknown): void
    /** Adds a property. */
    addProperty(name: string, getter: (this: object) => void): void
  }
}

/** What is used of Chai's utilities; given by `chai.use`. */
export interface ChaiUtils {
  /** Reads a flag of an assertion. */
  flag(assertion: object, name: string): unknown
}

/** The plugin: `chai.use(splicelistChai)`. */
export function splicelistChai(chai: ChaiStatic, utils: ChaiUtils): void {
  const { Assertion } = chai
  const subjectOf = (assertion: object): unknown => utils.flag(assertion, 'object')

  Assertion.addMethod('copyNothing', function () {
    return assertCopies(this as Assertion, subjectOf(this), 0, 'copy nothing')
  })
  Assertion.addMethod('copyAtMost', function (bytes) {
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      throw new TypeError(`copyAtMost takes a number of bytes, not ${String(bytes)}`)
    }
    const promise = `copy at most ${bytes} bytes`
    return assertCopies(this as Assertion, subjectOf(this), bytes, promise)
  })
  Assertion.addProperty('byReference', function () {
    assertByReference(this as Assertion, subjectOf(this))
  })
  Assertion.addMethod('moved', function (bytes) {
    assertMoved(this as Assertion, subjectOf(this), bytes)
  })
}

async function assertCopies(
  assertion: Assertion,
  fn: unknown,
  bytesMax: number,
  promise: string,
): Promise<Audited> {
  if (typeof fn !== 'function') throw new TypeError('Expected a function to audit')
  const { result, report } = await audit(fn as () => unknown)
  const { accidental } = report
  const lines = accidentsIn(report).join('\n')
  assertion.assert(
    accidental <= bytesMax,
    `expected the function to ${promise}, but ${accidental} bytes were copied by accident:\n${lines}`,
    `expected the function not to ${promise}, and it copied ${accidental} by accident`,
  )
  return { result, report }
}

function assertByReference(assertion: Assertion, list: unknown): void {
  if (!BufferList.isBufferList(list)) throw new TypeError('Expected a BufferList')
  const rows = list.explain()
  const heap = rows.flatMap(({ kind, length }, i) =>
    kind === 'heap' ? [`  segment ${i} of ${rows.length}: ${length} bytes`] : [],
  )
  assertion.assert(
    heap.length === 0,
    `expected the list to be by reference, but bytes of it lie in the heap:\n${heap.join('\n')}`,
    'expected bytes of the list to lie in the heap, and none does',
  )
}

function assertMoved(assertion: Assertion, report: unknown, bytes: number): void {
  const moved: unknown =
    typeof report === 'object' && report !== null && 'moved' in report ? report.moved : undefined
  if (typeof moved !== 'number') throw new TypeError('Expected a report of audit()')
  const copies = 'copies' in (report as object) ? (report as CopyReport).copies : []
  const lines = Array.isArray(copies) ? accidentsIn(report as CopyReport).join('\n') : ''
  assertion.assert(
    moved === bytes,
    `expected ${bytes} bytes to have moved by reference, but ${moved} have` +
      (lines === '' ? '' : `; copied were\n${lines}`),
    `expected other than ${bytes} bytes to have moved by reference`,
    bytes,
    moved,
  )
}

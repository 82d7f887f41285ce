/**
 * What an audit found, in numbers and in sentences.
 */
import { COPY_CAUSES, type CopyCause, type KernelCause } from './causes.js'

/** Copies of one cause that were asked for at one place. */
export interface CopyRow {
  /** Why: see `COPY_CAUSES`. */
  readonly cause: CopyCause
  /** Bytes, of all of them together. */
  readonly bytes: number
  /** How many copies. */
  readonly count: number
  /** Whether the program asked for them in so many words. */
  readonly intended: boolean
  /**
   * The application's nearest frame, as a stack trace names it: where the operation was called that
   * copied. Absent where no call of the application's led there, and for those of very many small
   * copies whose place was not taken down.
   */
  readonly site?: string
}

/** Copies of one cause that the kernel made. */
export interface KernelCopyRow {
  /** Why: see `KERNEL_CAUSES`. */
  readonly cause: KernelCause
  /** Bytes, of all of them together. */
  readonly bytes: number
  /** How many copies. */
  readonly count: number
}

/** What `audit` found. Bytes, unless a name says otherwise. */
export interface CopyReport {
  /**
   * Pages accepted by a sink, or taken into a list, by reference. What does both counts twice; an
   * extent of a file is no pages, and counts when it is sent.
   */
  readonly moved: number
  /** How many times bytes moved by reference. A count. */
  readonly moves: number
  /** Referenced a second time by `tee`. */
  readonly teed: number
  /** Dropped from a teed pipe to reach a window's start. */
  readonly discarded: number
  /** Made readable from a pipe or a file. Each is among the copies as well. */
  readonly inspected: number
  /** How many times bytes were made readable. A count. */
  readonly inspections: number
  /** Copied in the process's memory by accident: nobody asked for it. */
  readonly accidental: number
  /** Copied in the process's memory because the program asked for it in so many words. */
  readonly intended: number
  /** Copied by the kernel, as far as is known. */
  readonly kernelCopied: number
  /** Moved where it is not known whether the kernel copied: from a socket into a pipe. */
  readonly unknown: number
  /**
   * How often an attempt to move bytes had to wait and was made again. A count. A disk thread that
   * carries a busy stream waits by itself, and does not say how often: nor for `shortTransfers`.
   */
  readonly retries: number
  /** How often a sink took fewer bytes than it was offered. A count. */
  readonly shortTransfers: number
  /** Pipes that got fewer slots than were asked for. A count. */
  readonly degradedPipes: number
  /** What makes up `accidental` and `intended`: accidents first, the largest first. */
  readonly copies: readonly CopyRow[]
  /** What makes up `kernelCopied`: the largest first. */
  readonly kernelCopies: readonly KernelCopyRow[]
}

/** What a report may hold at the most. */
export interface CopyLimits {
  /** Bytes copied by accident. Default: any number. */
  readonly accidentalBytes?: number
  /** Bytes made readable from a pipe or a file. Default: any number. */
  readonly inspectedBytes?: number
}

/** Rows that a sentence names, at the most. */
const ROWS_MAX = 10

/** Which limits a report exceeds, and by what, as sentences; undefined where it keeps them. @internal */
export function excessOf(report: CopyReport, limits: CopyLimits): string | undefined {
  const { accidentalBytes = Infinity, inspectedBytes = Infinity } = limits
  const excess: string[] = []
  if (report.accidental > accidentalBytes) {
    excess.push(
      `${report.accidental} bytes were copied by accident, ${accidentalBytes} were allowed`,
    )
  }
  if (report.inspected > inspectedBytes) {
    excess.push(`${report.inspected} bytes were made readable, ${inspectedBytes} were allowed`)
  }
  if (excess.length === 0) return undefined
  return [`${excess.join('; ')}:`, ...accidentsIn(report)].join('\n')
}

/** The accidents of a report, a line for each; where there are none, what else was copied. @internal */
export function accidentsIn({ copies }: CopyReport): string[] {
  const accidents = copies.filter(({ intended }) => !intended)
  const told = accidents.length > 0 ? accidents : copies
  const lines = told.slice(0, ROWS_MAX).map(rowText)
  if (told.length > ROWS_MAX) lines.push(`  and ${told.length - ROWS_MAX} more`)
  return lines
}

function rowText({ cause, bytes, count, intended, site }: CopyRow): string {
  const times = count === 1 ? '' : ` in ${count} copies`
  const meant = intended ? ', intended' : ''
  const where = site === undefined ? '' : `\n      at ${site}`
  return `  ${bytes} bytes${times}: ${cause}${meant} (${COPY_CAUSES[cause]})${where}`
}

/**
 * A list in one line, for logs and debuggers: what its segments are and who else holds them, and not
 * one of its bytes. Ceph's printed list made held bytes readable; a log line must not.
 */
import type { SegmentRow } from './buffer-list.js'

/** How many runs of segments a line shows: what a person takes in. */
const RUNS_MAX = 8

/** Segments side by side of which the same can be said. */
interface Run {
  readonly first: SegmentRow
  segments: number
  bytes: number
}

/** The line of a list of these segments. O(segments). */
export function inspectText(segments: Iterable<SegmentRow>): string {
  const runs = runsOf(segments)
  const bytes = runs.reduce((sum, run) => sum + run.bytes, 0)
  const total = bytes === 1 ? '1 byte' : `${bytes} bytes`
  if (runs.length === 0) return `BufferList(${total})`
  const shown = runs.slice(0, RUNS_MAX).map(runText)
  if (runs.length > RUNS_MAX) shown.push(`… ${runs.length - RUNS_MAX} more`)
  return `BufferList(${total}: ${shown.join(', ')})`
}

function runsOf(segments: Iterable<SegmentRow>): readonly Run[] {
  const runs: Run[] = []
  let run: Run | undefined
  for (const segment of segments) {
    if (run === undefined || !areAlike(run.first, segment)) {
      run = { first: segment, segments: 0, bytes: 0 }
      runs.push(run)
    }
    run.segments += 1
    run.bytes += segment.length
  }
  return runs
}

function areAlike(a: SegmentRow, b: SegmentRow): boolean {
  return a.kind === b.kind && a.pages === b.pages && a.refs === b.refs
}

function runText({ first, segments, bytes }: Run): string {
  const count = segments === 1 ? '' : ` in ${segments} segments`
  const owners: string[] = []
  if (first.pages !== null) owners.push(first.pages)
  if (first.refs !== null) owners.push(first.refs === 1 ? '1 ref' : `${first.refs} refs`)
  return `${first.kind} ${bytes}${count}${owners.length === 0 ? '' : ` [${owners.join(', ')}]`}`
}

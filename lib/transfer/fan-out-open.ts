import type { SourceEnd } from '../endpoints/end.js'
import { FileEnd } from '../endpoints/file-end.js'
import { EPIPE } from '../errno.js'
import { TransferError } from '../errors.js'
import type { Eventually } from '../eventually.js'
import type { Sink, Source } from '../list/endpoint.js'
import { openEnds, placeOptions, type OpenedEnds } from './open.js'
import {
  identityOf,
  pathOf,
  refuseOverlap,
  refuseSameSinks,
  spanOfSink,
  type Identity,
  type Span,
} from './same-place.js'

/** A sink that is there, or why it is not. */
export type OpenedSink = OpenedEnds | TransferError

/** What sinks are opened for. */
export interface SinksFor {
  readonly source: Source
  /** The source's end; undefined for a list. */
  readonly from: SourceEnd | undefined
  readonly length: number
  readonly signal: AbortSignal | undefined
}

/**
 * Opens the sinks of a fan-out, those that are named by a path last: opening may truncate them, and by
 * then nothing else refuses. One whose place fails is a failed sink; one that is no place, or the same
 * place as another, is the caller's mistake, and none is opened then.
 */
export async function openSinks(
  sinks: readonly Sink[],
  options: SinksFor,
): Promise<readonly OpenedSink[]> {
  const opened: (OpenedSink | undefined)[] = sinks.map(() => undefined)
  try {
    await openThose(false, sinks, opened, options.signal)
    const refusing = refuseOnePlace(sinks, opened, options)
    if (refusing instanceof Promise) await refusing
    if (opened.includes(undefined)) await openThose(true, sinks, opened, options.signal)
    return opened as OpenedSink[]
  } catch (error) {
    closeSinks(opened)
    throw error
  }
}

/** Opens the sinks that are named by a path, or the others. Throws when all have been tried. */
function openThose(
  areNamed: boolean,
  sinks: readonly Sink[],
  opened: (OpenedSink | undefined)[],
  signal: AbortSignal | undefined,
): Eventually<void> {
  const opening: Promise<unknown>[] = []
  const refusals: unknown[] = []
  const refused = (error: unknown): number => refusals.push(error)
  for (const [i, sink] of sinks.entries()) {
    const there = (it: OpenedSink): void => {
      opened[i] = it
    }
    try {
      if ((pathOf(sink) !== undefined) !== areNamed) continue
      const one = openSink(sink, signal)
      if (one instanceof Promise) opening.push(one.then(there, refused))
      else there(one)
    } catch (error) {
      refused(error)
    }
  }
  const tried = (): void => {
    if (refusals.length > 0) throw refusals[0]
  }
  return opening.length === 0 ? tried() : Promise.all(opening).then(tried)
}

/** Lets go of the sinks that are there. */
export function closeSinks(sinks: readonly (OpenedSink | undefined)[]): void {
  for (const sink of sinks) if (!(sink instanceof TransferError)) sink?.close()
}

function openSink(sink: Sink, signal: AbortSignal | undefined): Eventually<OpenedSink> {
  const failed = (error: unknown): TransferError => {
    const failure = failureOf(sink, error)
    if (failure === undefined) throw error
    return failure
  }
  try {
    const opening = openEnds(sink, placeOptions(true, { signal }))
    return opening instanceof Promise ? opening.catch(failed) : opening
  } catch (error) {
    return failed(error)
  }
}

/** What a sink failed with before its first byte; undefined where the caller is to blame. */
function failureOf(sink: Sink, cause: unknown): TransferError | undefined {
  if (cause instanceof TransferError) return cause
  const { errno, syscall } = cause as NodeJS.ErrnoException
  if (typeof errno === 'number' && typeof syscall === 'string') {
    return new TransferError({ side: 'sink', errno, syscall, bytesMoved: 0, cause })
  }
  // A replica may have gone before the fan-out began.
  if ((sink as { readonly destroyed?: boolean } | null)?.destroyed !== true) return undefined
  const detail = 'It was destroyed before'
  const failure = { side: 'sink', errno: EPIPE, syscall: 'write', bytesMoved: 0 } as const
  return new TransferError({ ...failure, detail, cause })
}

/** Throws, or rejects, where two of the places are one. */
function refuseOnePlace(
  sinks: readonly Sink[],
  opened: readonly (OpenedSink | undefined)[],
  options: SinksFor,
): Eventually<void> {
  const asked = [options.source, ...sinks].map((place) => identityOf(place))
  const compare = ([giver, ...takers]: readonly Identity[]): void =>
    refuseEqual(giver as Identity, takers, { sinks, opened, options })
  const known = asked.filter((it): it is Identity => !(it instanceof Promise))
  if (known.length === asked.length) return compare(known)
  return Promise.all(asked.map((identity) => Promise.resolve(identity))).then(compare)
}

interface Sinks {
  readonly sinks: readonly Sink[]
  readonly opened: readonly (OpenedSink | undefined)[]
  readonly options: SinksFor
}

function refuseEqual(
  giver: Identity,
  takers: readonly Identity[],
  { sinks, opened, options: { from, length } }: Sinks,
): void {
  const spanOf = (i: number, sizeBytes: number | undefined): Span => {
    const there = opened[i]
    const end = there instanceof TransferError ? undefined : there?.ends.sink
    return spanOfSink(sinks[i] as Sink, end, sizeBytes)
  }
  takers.forEach((taker, i) => {
    if (taker.isDevice) return
    if (from !== undefined && taker.key === giver.key) {
      const sizeBytes = from instanceof FileEnd ? from.file.sizeBytes() : undefined
      refuseOverlap(from, spanOf(i, sizeBytes), length)
    }
    const first = takers.findIndex(({ key }: Identity) => key === taker.key)
    if (first < i) refuseSameSinks(spanOf(first, undefined), spanOf(i, undefined), length)
  })
}

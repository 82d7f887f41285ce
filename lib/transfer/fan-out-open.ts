import type { SourceEnd } from '../endpoints/end.js'
import { EPIPE } from '../endpoints/end.js'
import { FileEnd } from '../endpoints/file-end.js'
import { TransferError } from '../errors.js'
import type { Sink, Source } from '../list/endpoint.js'
import { openEnds, placeOptions, type OpenedEnds } from './open.js'
import {
  identityOf,
  pathOf,
  refuseOverlap,
  refuseSameSinks,
  spanOfSink,
  type Identity,
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
  const open = async (areNamed: boolean): Promise<void> => {
    const opening = sinks.map(async (sink, i) => {
      if ((pathOf(sink) !== undefined) === areNamed) {
        opened[i] = await openSink(sink, options.signal)
      }
    })
    const refused = (await Promise.allSettled(opening)).find(({ status }) => status === 'rejected')
    if (refused !== undefined) throw (refused as PromiseRejectedResult).reason
  }
  try {
    await open(false)
    await refuseOnePlace(sinks, opened, options)
    await open(true)
    return opened as OpenedSink[]
  } catch (error) {
    closeSinks(opened)
    throw error
  }
}

/** Lets go of the sinks that are there. */
export function closeSinks(sinks: readonly (OpenedSink | undefined)[]): void {
  for (const sink of sinks) if (!(sink instanceof TransferError)) sink?.close()
}

async function openSink(sink: Sink, signal: AbortSignal | undefined): Promise<OpenedSink> {
  try {
    return await openEnds(sink, placeOptions(true, { signal }))
  } catch (error) {
    const failure = failureOf(sink, error)
    if (failure === undefined) throw error
    return failure
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

async function refuseOnePlace(
  sinks: readonly Sink[],
  opened: readonly (OpenedSink | undefined)[],
  { source, from, length }: SinksFor,
): Promise<void> {
  const giver = await identityOf(source)
  const takers = await Promise.all(sinks.map((sink) => identityOf(sink)))
  const spanOf = (i: number, sizeBytes: number | undefined) => {
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

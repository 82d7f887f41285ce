import { endsOf, type Ends, type Place, type PlaceOptions } from '../endpoints/recognize.js'
import { EndpointBusyError, InvalidArgumentError } from '../errors.js'
import { after, type Eventually } from '../eventually.js'
import type { Sink, Source } from '../list/endpoint.js'
import { BufferList } from '../list/buffer-list.js'
import { AttachedEndpoint, refuseOffset } from './endpoint.js'

/** Ends for one operation. `close` lets go of them, unless they are an endpoint's. */
export interface OpenedEnds {
  readonly ends: Ends
  readonly close: () => void
}

/** The ends of whatever a caller hands in, for one operation. */
export function openEnds(place: Source | Sink, options: PlaceOptions): Eventually<OpenedEnds> {
  if (place instanceof AttachedEndpoint) {
    refuseOffset(options)
    const opening = place.opened(options.isSink ? 'sink' : 'source', place.ends(options.signal))
    return after(opening, (ends) => ({ ends, close: () => undefined }))
  }
  if (BufferList.isBufferList(place)) {
    throw new InvalidArgumentError(
      'A list is no place to send to. Use list.spliceFrom(source, length); from a list, append() or ' +
        'claimAppend()',
    )
  }
  if (isForeignEndpoint(place)) {
    throw new EndpointBusyError('This endpoint belongs to another copy of splicelist')
  }
  return after(endsOf(place as Place, options), (ends) => ({ ends, close: () => ends.close() }))
}

const PLAIN_SOURCE: PlaceOptions = { isSink: false, use: 'operation' }
const PLAIN_SINK: PlaceOptions = { isSink: true, use: 'operation' }

/** What the caller of one operation said of a place, for `openEnds`. */
export function placeOptions(
  isSink: boolean,
  {
    offset,
    signal,
  }: { readonly offset?: number | undefined; readonly signal?: AbortSignal | undefined },
): PlaceOptions {
  // Spread in only where they are there, which costs: most operations have neither.
  if (offset === undefined && signal === undefined) return isSink ? PLAIN_SINK : PLAIN_SOURCE
  return {
    isSink,
    use: 'operation',
    ...(offset === undefined ? {} : { offset }),
    ...(signal === undefined ? {} : { signal }),
  }
}

/** A sink that is opened (and perhaps truncated) only once what is to be sent was found fit for it. */
export interface Opening {
  /** Throws or rejects with a typed error before any byte moves. */
  open(): Eventually<Ends>
  /** Lets go of what was opened, if it was. */
  close(): void
}

/** The opening of a sink for one operation. */
export class SinkOpening implements Opening {
  readonly #sink: Sink
  readonly #options: PlaceOptions
  #opened: OpenedEnds | undefined

  constructor(sink: Sink, options: PlaceOptions) {
    this.#sink = sink
    this.#options = options
    this.#opened = undefined
  }
  open(): Eventually<Ends> {
    return after(openEnds(this.#sink, this.#options), (opened) => {
      this.#opened = opened
      return opened.ends
    })
  }
  close(): void {
    this.#opened?.close()
  }
}

function isForeignEndpoint(place: unknown): boolean {
  return typeof place === 'object' && place !== null && 'unpull' in place && 'detach' in place
}

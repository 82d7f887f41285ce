import { endLeakWatch, tracesLeaks, watchForLeak } from './leaks.js'

/** What a counted raw owns. It must not refer to the raw, or neither would ever be collected. */
export interface Owned {
  close(): void
}

/**
 * How long a raw may live before it is watched, in milliseconds: a watch costs 300 ns and work for the
 * collector, and most payloads are sent on, and released, within one.
 */
const UNWATCHED_MS = 20
/** As many raws are not watched at the most: they are kept from the collector meanwhile. */
const UNWATCHED_MAX = 256

/** Raws that were made since the last round of `watchTheLiving`. */
let young: CountedRaw<Owned>[] = []
let timer: NodeJS.Timeout | undefined

/** Begins to watch those that were not released meanwhile. */
function watchTheLiving(): void {
  const made = young
  young = []
  clearTimeout(timer)
  timer = undefined
  for (const raw of made) if (raw.refs > 0) raw.watch()
}

/**
 * A raw that owns something, for its kinds to build on: made with one reference, closed with the last,
 * and watched by the collector for the case that nobody releases it. A retain or a release costs an
 * addition; plain memory is not counted at all.
 */
export abstract class CountedRaw<O extends Owned> {
  refs: number
  looked: number
  protected readonly owned: O
  /** What it is to whoever is told of a leak. */
  private readonly called: string
  private isWatched: boolean

  protected constructor(called: string, owned: O) {
    this.refs = 1
    this.looked = 0
    this.owned = owned
    this.called = called
    this.isWatched = false
    // Where the place it was made is wanted, it is known only now.
    if (tracesLeaks) this.watch()
    else if (young.push(this) === UNWATCHED_MAX) watchTheLiving()
    else timer ??= setTimeout(watchTheLiving, UNWATCHED_MS).unref()
  }
  /** Begins the watch. @internal */
  watch(): void {
    this.isWatched = true
    watchForLeak(this, this.called, this.owned)
  }
  retain(): void {
    this.refs += 1
  }
  release(): void {
    this.refs -= 1
    if (this.refs > 0) return
    if (this.isWatched) endLeakWatch(this)
    this.owned.close()
  }
}

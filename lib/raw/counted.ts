import { endLeakWatch, watchForLeak } from './leaks.js'

/** What a counted raw owns. It must not refer to the raw, or neither would ever be collected. */
export interface Owned {
  close(): void
}

/**
 * A raw that owns something, for its kinds to build on: made with one reference, closed with the last,
 * and watched by the collector for the case that nobody releases it. A retain or a release costs an
 * addition; plain memory is not counted at all.
 */
export abstract class CountedRaw<O extends Owned> {
  refs = 1
  looked = 0
  protected readonly owned: O

  protected constructor(kind: string, owned: O) {
    this.owned = owned
    watchForLeak(this, kind, owned)
  }
  retain(): void {
    this.refs += 1
  }
  release(): void {
    this.refs -= 1
    if (this.refs > 0) return
    endLeakWatch(this)
    this.owned.close()
  }
}

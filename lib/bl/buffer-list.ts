import { Collector } from './collector.js'
import { HELD, Held } from './held.js'
import { BRAND, isBufferList, type BufferListAcceptedTypes } from './parts.js'

/**
 * bl's `BufferList`: bytes collected in pieces and read as if they were one Buffer.
 *
 * **Use it** to move a program from bl to Splicelist by its imports. **Do not use it** in a new
 * program: `BufferList` of `splicelist` itself has more, and says no to wrong arguments.
 */
export class BufferList extends Collector {
  /** @internal */
  readonly [BRAND] = true;
  /** @internal */
  override [HELD] = new Held()

  /** A list of a part, or of the parts of an array; nothing for what is falsy. See `append`. */
  constructor(part?: BufferListAcceptedTypes) {
    super()
    if (part) this.append(part)
  }
  /** @internal */
  override _new(part?: BufferListAcceptedTypes): BufferList {
    return new BufferList(part)
  }
  /** Whether a value is a `BufferList` or a `BufferListStream`: of this package, or of bl. */
  static isBufferList(value: unknown): boolean {
    return isBufferList(value)
  }
}

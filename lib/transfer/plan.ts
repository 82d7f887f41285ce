/**
 * Which way bytes go: by reference, or by a copy that has a cause. Decided before any byte moves, and
 * again when a system call refuses.
 */
import {
  COPY_CAUSES,
  fallbackCause,
  reasonOf,
  type CopyCause,
  type CopyReason,
} from '../audit/causes.js'
import { beforeCopy, ledger } from '../audit/ledger.js'
import type { Mode } from '../contract.js'
import { EINVAL, ENOSYS, EOPNOTSUPP, EPERM } from '../errno.js'
import { NotByReferenceError, systemError } from '../errors.js'
import { withoutAddon, type Obstacle } from '../endpoints/end.js'
import { addon, whyNoAddon } from '../native.js'
import type { PageOwnership } from '../raw/raw.js'

/**
 * Below this a pull is read, in bytes. Pulled and pushed on, over loopback TCP and over unix sockets, pages
 * took of the copy's time 0.96 and 0.84 at 4 KiB, 0.88 and 0.82 at 8, 0.73 and 0.56 at 16, 0.64 and 0.51
 * at 32. But small messages are looked at, which costs a mapping: with one look pages took 1.53 and 1.42
 * times as long at 4 KiB, 1.41 and 1.39 at 8, 1.14 and 0.91 at 16. And each that is held holds a pipe.
 */
export const REFERENCE_BYTES_MIN = 16384

/** Errors by which the kernel refuses pages where a copy may still do. */
const REFUSALS: ReadonlySet<number> = new Set([EPERM, EINVAL, ENOSYS, EOPNOTSUPP])

/** The ways of copies. Made once: a string made for each attempt is compared by its characters. */
const COPY_WAYS = Object.fromEntries(
  Object.keys(COPY_CAUSES).map((cause) => [cause, `copy:${cause}`]),
) as Readonly<Record<CopyCause, string>>

const FORCED_COPY: Obstacle = {
  cause: 'copy-mode',
  reason: 'SPLICELIST_MODE=copy makes every transfer a copy',
  remedy: 'Unset SPLICELIST_MODE',
}
/** Whether the environment wants every transfer to be a copy. */
export const isCopyForced = process.env['SPLICELIST_MODE'] === 'copy'

/** The way of one operation. */
export class Plan {
  /** Why bytes are copied; undefined while they move by reference. */
  copyCause: CopyCause | undefined
  readonly ways: string[]
  private readonly mode: Mode
  /** Whether the caller means whatever will be copied. */
  readonly isIntended: boolean
  private keepsOnlyOwned: boolean

  /** `intended`: the caller means whatever will be copied. */
  constructor(mode: Mode | undefined, intended = false) {
    this.copyCause = undefined
    this.ways = []
    this.mode = mode ?? 'auto'
    this.isIntended = intended
    this.keepsOnlyOwned = false
    if (this.mode === 'copy') this.copyCause = 'copy-mode'
    if (isCopyForced && addon !== null) this.meet(FORCED_COPY)
    // Before a sink is opened, and perhaps truncated.
    if (addon === null && this.isReferenceOnly) this.meet(withoutAddon(whyNoAddon))
  }
  /** Whether pages that others can change may not be kept. */
  get isStable(): boolean {
    return this.mode === 'stable'
  }
  /** Whether the caller would rather have an error than a copy. */
  get isReferenceOnly(): boolean {
    return this.mode === 'reference'
  }
  /** Takes an obstacle into account; throws where a copy was ruled out. */
  meet(obstacle: Obstacle | undefined): void {
    if (obstacle === undefined) return
    if (this.isReferenceOnly) throw new NotByReferenceError(obstacle.reason, obstacle.remedy)
    // The caller's own wish for copies tells more than what would have prevented references.
    this.copyFor(obstacle.cause)
  }
  /** Takes a cause into account that is a matter of economy: references would do as well. */
  prefer(cause: CopyCause): void {
    if (!this.isReferenceOnly) this.copyFor(cause)
  }
  /** From here on pages that others can change are copied, and those that nobody can are not. */
  keepOnlyOwned(): void {
    this.keepsOnlyOwned = true
  }
  /** Why bytes of such pages are copied; undefined where they move by reference. Null: no pages. */
  causeFor(pages: PageOwnership | null): CopyCause | undefined {
    if (this.copyCause !== undefined || !this.keepsOnlyOwned) return this.copyCause
    return pages === null || pages === 'owned' ? undefined : 'stable-mode'
  }
  /**
   * Whether a refused call sends the rest by a copy. Only a refusal of pages does, not a failure of
   * the place; it is counted.
   */
  fallsBack(errno: number, syscall: string): boolean {
    if (this.copyCause !== undefined || this.isReferenceOnly) return false
    if (!REFUSALS.has(Math.abs(errno))) return false
    const [code] = systemError(errno)
    ledger.countFallback(syscall, code)
    this.copyFor(fallbackCause(code))
    return true
  }
  /** What a copy of this operation is counted under. */
  reason(cause: CopyCause): CopyReason {
    return reasonOf(cause, this.isIntended)
  }
  /** Before bytes are copied for a cause that is not the plan's own, while an error loses none. */
  beforeCopy(cause: CopyCause, bytes?: number): void {
    beforeCopy(this.reason(cause), bytes)
  }
  /** Notes a way that was used. */
  use(way: string): void {
    // Mostly it is the last one again.
    if (this.ways.at(-1) !== way && !this.ways.includes(way)) this.ways.push(way)
  }
  /** Notes that bytes were copied for a cause. */
  useCopy(cause: CopyCause): void {
    this.use(COPY_WAYS[cause])
  }
  /** From here on bytes are copied, unless they are already. */
  private copyFor(cause: CopyCause): void {
    if (this.copyCause !== undefined) return
    this.beforeCopy(cause)
    this.copyCause = cause
  }
}

/**
 * Memory that looks are read into: memfd slabs, mapped once and recycled, because fresh pages cost
 * ten times what reading into warm ones does. A lease ends by detaching its view, so that a program
 * that kept it sees length 0 and never another request's bytes.
 */
import { ledger } from '../audit/ledger.js'
import { addon, type Slab } from '../native.js'
import { opened } from '../reactor.js'

/** The block that looks are rounded to, and the smallest slab, in bytes. */
export const BLOCK_BYTES = 65536
/** Slabs above this are not worth keeping mapped for a next time, in bytes. */
const RECYCLED_SLAB_BYTES_MAX = 4 << 20
/** The largest slab, in bytes: all of it is there at once. Beyond it memory comes page by page. */
const SLAB_BYTES_MAX = 1 << 30
/** What idle slabs may hold together, in bytes: enough for sixteen whole 1 MiB looks. */
const IDLE_SLAB_BYTES_MAX = 16 << 20

/** Memory on loan to a view. */
export interface Lease {
  /** At least the bytes asked for; all of them writable until the first look is handed out. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Whether it is mapped memory, and so begins at a page. */
  readonly isMapped: boolean
  /** Ends the view: it is detached where that is possible. Idempotent. */
  end(): void
}

/** Whoever ends leases later; a look adds the ones that it took. */
export interface LeaseHolder {
  push(lease: Lease): unknown
}

const idle = new Map<number, Slab[]>()
let idleBytes = 0
let idleSlabs = 0
// What lives is asked of the addon, because the collector gives back what nobody released.
ledger.addGauge('slabs', () => (addon === null ? 0 : addon.live().slabs - idleSlabs))
ledger.addGauge('idleSlabBytes', () => idleBytes)

/** The slab size for a length: the next power of two, a block at the least. */
function sizeClass(lengthBytes: number): number {
  let size = BLOCK_BYTES
  while (size < lengthBytes) size *= 2
  return size
}

/**
 * Leases exactly this much memory for a look. Heap memory where there is no addon or external memory
 * is forbidden.
 */
export function leaseMemory(lengthBytes: number): Lease {
  const size = sizeClass(lengthBytes)
  const slab = addon === null || size > SLAB_BYTES_MAX ? undefined : takeSlab(size)
  if (slab === undefined) return heapLease(lengthBytes)
  const memory = opened().view(slab, lengthBytes)
  if (typeof memory === 'number') {
    opened().drop(slab)
    return heapLease(lengthBytes)
  }
  let ended = false
  return {
    bytes: new Uint8Array(memory),
    isMapped: true,
    end: () => {
      if (ended) return
      ended = true
      // Memory that somebody has taken out of the view (ArrayBuffer.prototype.transfer) is theirs.
      const isTaken = memory.byteLength === 0
      opened().detach(slab)
      if (isTaken) opened().drop(slab)
      else putSlab(size, slab)
    },
  }
}

function heapLease(lengthBytes: number): Lease {
  return {
    bytes: new Uint8Array(lengthBytes),
    isMapped: false,
    end: () => {
      // Never recycled, so a kept view can do no harm.
    },
  }
}

function takeSlab(size: number): Slab | undefined {
  const kept = idle.get(size)?.pop()
  if (kept !== undefined) {
    idleBytes -= size
    idleSlabs -= 1
    return kept
  }
  const made = opened().slab(size)
  return typeof made === 'number' ? undefined : made
}

function putSlab(size: number, slab: Slab): void {
  if (size > RECYCLED_SLAB_BYTES_MAX || idleBytes + size > IDLE_SLAB_BYTES_MAX) {
    opened().drop(slab)
    return
  }
  const kept = idle.get(size)
  if (kept === undefined) idle.set(size, [slab])
  else kept.push(slab)
  idleBytes += size
  idleSlabs += 1
}

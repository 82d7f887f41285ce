import { beforeCopy, copy, ledger } from '../audit/ledger.js'
import { isMeant, reasonOf, type CopyReason, type LookReason } from '../audit/causes.js'
import { TransferError } from '../errors.js'
import { opened } from '../reactor.js'
import { CountedRaw } from './counted.js'
import { MemoryParcel, PipeParcel, readPipeInto, type Lender, type Parcel } from './parcel.js'
import { pipePool, type HeldPipe, type Reclaimable } from './pipe-pool.js'
import type { BufferRaw, PageOwnership, Stretch } from './raw.js'
import { BLOCK_BYTES, leaseMemory, type LeaseHolder } from './slabs.js'

/** A run of the raw's bytes that lies in one pipe, or, once it was spilled, in memory. */
interface PipePart {
  /** Behind its last byte in the raw. */
  readonly end: number
  held: HeldPipe | undefined
  memory: Uint8Array | undefined
}

/** Where a teed copy of a part's pages stands: the next byte that it gives. */
interface Reader {
  readonly part: PipePart
  readonly held: HeldPipe
  position: number
}

/** What a raw owns, apart from it, so that the pool and the leak watch do not keep it alive. */
class Holdings implements Reclaimable {
  readonly parts: PipePart[]
  reader: Reader | undefined
  keeperIndex: number

  constructor(parts: PipePart[]) {
    this.parts = parts
    this.reader = undefined
    this.keeperIndex = -1
    pipePool.addReclaimable(this)
  }
  /** Gives up what it keeps only to save work, and shrinks its pipes to what they hold. */
  reclaim(): void {
    this.closeReader()
    for (const { held } of this.parts) {
      if (held === undefined) continue
      if (held.isLent) pipePool.addReclaimable(this)
      else pipePool.shrink(held)
    }
  }
  closeReader(): void {
    const reader = this.reader
    this.reader = undefined
    if (reader !== undefined) pipePool.giveBack(reader.held)
  }
  close(): void {
    pipePool.removeReclaimable(this)
    this.closeReader()
    for (const part of this.parts) {
      if (part.held !== undefined) pipePool.giveBack(part.held)
      part.held = undefined
      part.memory = undefined
    }
  }
}

/**
 * Pages held in kernel pipes (Ceph had `buffer::raw_pipe`, one pipe that could be sent once).
 *
 * Use it for payloads that pass through: from a socket or a file to another, without entering the
 * process. Do not use it for bytes that the program reads anyway, nor below 16 KiB: a pipe costs
 * more than a copy there.
 *
 * It is as large as it needs to be: as many pipes as it takes. A window of it can be sent as often as
 * asked, in any order, and looked at: each time the pages are teed (25 ns a page, from the front of
 * the pipe, because tee has no offset) into a pipe from the pool, which is kept as the raw's one
 * reader while windows follow each other. The last holder of all may consume instead: no tee.
 *
 * It owns its pipes from construction to the release of the last reference. Pages are `loan` (a
 * file's: an overwrite changes them) or `foreign` (a socket's), so no look is cached.
 */
export class PipeRaw extends CountedRaw<Holdings> implements BufferRaw {
  readonly kind = 'pipe'
  readonly pages: PageOwnership
  readonly length: number
  /** Where the last read or send ended: one that goes on from there gets a reader to the end. */
  private lastEnd = -1

  /** Takes ownership of the pipes and of all that they hold. */
  constructor(pipes: readonly HeldPipe[], pages: PageOwnership) {
    const parts = partsOf(pipes)
    super('pipe', new Holdings(parts))
    this.length = parts.at(-1)?.end ?? 0
    this.pages = pages
  }
  look(
    offset: number,
    length: number,
    leases: LeaseHolder,
    cause: LookReason = 'look',
  ): Uint8Array {
    const part = this.partAt(offset)
    if (part.memory !== undefined && offset + length <= part.end) {
      return part.memory.subarray(offset - frontOf(part), offset - frontOf(part) + length)
    }
    const from = Math.max(frontOf(part), offset - (offset % BLOCK_BYTES))
    const end = Math.ceil((offset + length) / BLOCK_BYTES) * BLOCK_BYTES
    const to = Math.min(this.length, end)
    const lease = leaseMemory(to - from)
    leases.push(lease)
    this.copyOut(from, to - from, lease.bytes, 0, cause)
    return lease.bytes.subarray(offset - from, offset - from + length)
  }
  stretch(offset: number, leases: LeaseHolder, cause?: LookReason): Stretch {
    const start = Math.max(frontOf(this.partAt(offset)), offset - (offset % BLOCK_BYTES))
    const end = Math.min(this.length, offset - (offset % BLOCK_BYTES) + BLOCK_BYTES)
    return { bytes: this.look(start, end - start, leases, cause), start }
  }
  copyOut(
    offset: number,
    length: number,
    target: Uint8Array,
    at: number,
    cause: CopyReason,
  ): boolean {
    beforeCopy(cause, length)
    for (let done = 0; done < length;) {
      const part = this.partAt(offset + done)
      const n = Math.min(length - done, part.end - offset - done)
      this.readPart(part, offset + done, n, target, at + done, cause)
      done += n
    }
    ledger.countInspected(length)
    this.looked += length
    return true
  }
  parcel(
    offset: number,
    length: number,
    copyCause?: CopyReason,
    isIntended = copyCause !== undefined && isMeant(copyCause),
  ): Parcel {
    const part = this.partAt(offset)
    const n = Math.min(length, part.end - offset)
    if (part.memory !== undefined) {
      const from = offset - frontOf(part)
      return new MemoryParcel([part.memory.subarray(from, from + n)])
    }
    const reader = this.readerAt(part, offset, n, false)
    if (reader === undefined) {
      return new MemoryParcel([
        this.spill(part, isIntended)
          .subarray(offset - frontOf(part))
          .subarray(0, n),
      ])
    }
    this.retain()
    const ready = Math.min(n, reader.held.bytes)
    const parcel = new PipeParcel([reader.held], ready, {
      takeBack: ({ remaining }) => {
        reader.position = offset + ready - remaining
        this.keepReader(reader)
        this.release()
      },
    })
    if (copyCause === undefined) return parcel
    try {
      return parcel.toMemory(copyCause)
    } catch (error) {
      pipePool.destroy(reader.held)
      this.release()
      throw error
    }
  }
  /**
   * The pipes themselves, which a transfer may empty, if it copies nothing (what is read into memory
   * must stay in the pipe until the sink has accepted it): of as many as the window spans, added to
   * `lent`. Returns how many bytes of the window they hold, which is 0 where somebody else needs
   * them.
   */
  lend(offset: number, length: number, lent: HeldPipe[]): number {
    if (this.refs !== 1) return 0
    this.owned.closeReader()
    const to = offset + length
    let end = offset
    for (const part of this.owned.parts) {
      if (part.end <= offset) continue
      const { held } = part
      if (held === undefined || frontOf(part) > end) break
      if (end === offset) discard(held, offset - frontOf(part))
      held.isLent = true
      lent.push(held)
      end = Math.min(part.end, to)
      if (end === to) break
    }
    return end - offset
  }
  /** The pipe whose first bytes are these, where one holds all of them. It stays the raw's. */
  pipeAt(offset: number, length: number): HeldPipe | undefined {
    const part = this.partAt(offset)
    const { held } = part
    if (held === undefined || held.isLent || frontOf(part) !== offset) return undefined
    return offset + length <= part.end ? held : undefined
  }

  private partAt(offset: number): PipePart {
    for (const part of this.owned.parts) if (offset < part.end) return part
    throw new RangeError(`No byte ${offset} in a pipe segment of ${this.length} bytes`)
  }
  private readPart(
    part: PipePart,
    offset: number,
    n: number,
    target: Uint8Array,
    at: number,
    cause: CopyReason,
  ): void {
    const reader = part.memory === undefined ? this.readerAt(part, offset, n, true) : undefined
    if (reader === undefined || reader.held.bytes < n) {
      if (reader !== undefined) this.keepReader(reader)
      const memory = this.spill(part, isMeant(cause))
      copy(cause, memory.subarray(offset - frontOf(part), offset - frontOf(part) + n), target, at)
      return
    }
    try {
      for (let got = 0; got < n;) got += readPipeInto(reader.held, target, at + got, n - got)
    } catch (error) {
      pipePool.destroy(reader.held)
      throw error
    }
    ledger.countCopied(cause, n)
    reader.held.bytes -= n
    reader.position += n
    this.keepReader(reader)
  }
  /**
   * A teed pipe whose next byte is `offset`, holding `length` bytes from there, or fewer when its
   * slots ran out; undefined when it cannot get there.
   */
  private readerAt(
    part: PipePart,
    offset: number,
    length: number,
    isLook: boolean,
  ): Reader | undefined {
    const goesOn = offset === this.lastEnd
    this.lastEnd = offset + length
    const reader = this.takeReader(part, offset, length)
    if (reader !== undefined) return reader
    const wanted = goesOn ? part.end - frontOf(part) : offset + length - frontOf(part)
    const held = this.tee(part, wanted, isLook)
    if (held === undefined) return undefined
    if (held.bytes <= offset - frontOf(part)) {
      pipePool.giveBack(held)
      return undefined
    }
    discardOrDestroy(held, offset - frontOf(part))
    return { part, held, position: offset }
  }
  /** A pipe with a part's first bytes: all that are wanted, or as many as its slots hold. */
  private tee(part: PipePart, wanted: number, isLook: boolean): HeldPipe | undefined {
    const source = part.held as HeldPipe
    // A pipe for so many bytes is large enough where pages are full; one with as many slots, always.
    for (let slotsMin = 0; ; slotsMin = source.slots) {
      const held = isLook
        ? pipePool.borrowForLook(wanted, slotsMin)
        : pipePool.borrow(wanted, slotsMin, 'shared')
      if (held === undefined) return undefined
      held.bytes = Math.max(0, opened().tee(source.pipe, held.pipe, wanted))
      ledger.countTeed(held.bytes)
      const isEnough = held.bytes >= wanted || held.slots >= source.slots || slotsMin > 0
      if (isEnough) return held
      pipePool.giveBack(held)
    }
  }
  /** The kept reader, if it stands at or before `offset` and holds the bytes. */
  private takeReader(part: PipePart, offset: number, length: number): Reader | undefined {
    const reader = this.owned.reader
    if (reader?.part !== part || reader.position > offset) return undefined
    if (reader.position + reader.held.bytes < offset + length) return undefined
    this.owned.reader = undefined
    discardOrDestroy(reader.held, offset - reader.position)
    reader.position = offset
    return reader
  }
  private keepReader(reader: Reader): void {
    if (reader.held.bytes === 0) return pipePool.giveBack(reader.held)
    this.owned.closeReader()
    this.owned.reader = reader
    pipePool.addReclaimable(this.owned)
  }
  /** Reads a whole part into memory for good, when no pipe is left to tee it into. */
  private spill(part: PipePart, isIntended: boolean): Uint8Array {
    if (part.memory !== undefined) return part.memory
    const reason = reasonOf('no-scratch', isIntended)
    const held = part.held as HeldPipe
    const lengthBytes = held.bytes
    beforeCopy(reason, lengthBytes)
    const memory = Buffer.allocUnsafeSlow(lengthBytes)
    let got = 0
    try {
      while (got < lengthBytes) got += readPipeInto(held, memory, got, lengthBytes - got)
    } catch (error) {
      this.splitOff(part, memory.subarray(0, got))
      throw error
    } finally {
      held.bytes -= got
      ledger.countCopied(reason, got)
    }
    part.memory = memory
    part.held = undefined
    pipePool.giveBack(held)
    return memory
  }
  /** Makes what was read of a part, before its pipe failed, a part of its own in front of the rest. */
  private splitOff(part: PipePart, memory: Uint8Array): void {
    if (memory.length === 0) return
    const { parts } = this.owned
    parts.splice(parts.indexOf(part), 0, {
      end: frontOf(part) + memory.length,
      held: undefined,
      memory,
    })
  }
}

function partsOf(pipes: readonly HeldPipe[]): PipePart[] {
  let end = 0
  return pipes.map((held) => {
    end += held.bytes
    return { end, held, memory: undefined }
  })
}

/** The first byte in the raw that a part still holds: a later one once it was consumed from. */
function frontOf({ end, held, memory }: PipePart): number {
  return end - (held?.bytes ?? memory?.length ?? 0)
}

/** The lender of pipes that stay a raw's own while they are emptied. */
export const LENT: Lender = {
  takeBack: ({ pipes }) => {
    for (const held of pipes) held.isLent = false
  },
}

function discard(held: HeldPipe, bytes: number): void {
  if (bytes === 0) return
  const n = opened().discard(held.pipe, bytes)
  if (n > 0) {
    held.bytes -= n
    ledger.countDiscarded(n)
  }
  if (n === bytes) return
  const detail = `It dropped ${n} of the ${bytes} bytes that it holds`
  throw new TransferError({ side: 'pipe', errno: n, syscall: 'splice', bytesMoved: 0, detail })
}

/** As `discard`, of a pipe that is nobody's yet: it is closed when it fails. */
function discardOrDestroy(held: HeldPipe, bytes: number): void {
  try {
    discard(held, bytes)
  } catch (error) {
    pipePool.destroy(held)
    throw error
  }
}

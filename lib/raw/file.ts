import { beforeCopy, copy, ledger } from '../audit/ledger.js'
import { isMeant, reasonOf, type CopyReason, type LookReason } from '../audit/causes.js'
import { CountedRaw } from './counted.js'
import { MemoryParcel, PipeParcel, POOL, type Parcel } from './parcel.js'
import { addon, type Descriptor } from '../native.js'
import { pipePool } from './pipe-pool.js'
import type { OpenFile } from './open-file.js'
import type { BufferRaw, Stretch } from './raw.js'
import { leaseMemory, type LeaseHolder } from './slabs.js'
import { ENODATA } from '../errno.js'

/** How much of an extent one parcel reads into memory where pages cannot be moved, in bytes. */
const COPY_PARCEL_BYTES_MAX = 1 << 20
/** The same where pipes are short: then many sends are under way, and any of them may stall with it. */
const BUDGET_PARCEL_BYTES_MAX = 65536

/** What the raw owns, apart from it, so that the leak watch does not keep it alive. */
class Holdings {
  readonly file: OpenFile
  /** Ranges that were loaded into memory. */
  readonly loaded: Stretch[] = []
  constructor(file: OpenFile) {
    this.file = file
  }
  close(): void {
    this.loaded.length = 0
    this.file.release()
  }
}

/**
 * A range of a file, not its bytes: no page, no pipe, cut for free.
 *
 * Use it for what is sent on as it is: it leaves as page-cache references. Use `load()` for the parts
 * that the program reads, and `hold: 'pages'` for what must stay when the file is truncated. It is a
 * `loan`: it always sends what the file holds at that moment. A file that has become shorter is an
 * error (ENODATA), never a short read. It keeps the file open until the last reference is released.
 */
export class FileRaw extends CountedRaw<Holdings> implements BufferRaw {
  readonly kind = 'file'
  readonly pages = 'loan'
  readonly length: number
  readonly #fileOffset: number

  /** Takes over one reference of `file`. */
  constructor(file: OpenFile, fileOffset: number, length: number) {
    super('file', new Holdings(file))
    this.length = length
    this.#fileOffset = fileOffset
  }
  look(
    offset: number,
    length: number,
    leases: LeaseHolder,
    cause: LookReason = 'look',
  ): Uint8Array | undefined {
    const found = this.#loadedAround(offset, length)
    if (found !== undefined) {
      return found.bytes.subarray(offset - found.start, offset - found.start + length)
    }
    if (!this.#isLoaded(offset, length)) return undefined
    const lease = leaseMemory(length)
    leases.push(lease)
    this.copyOut(offset, length, lease.bytes, 0, reasonOf('cross-segment', isMeant(cause)))
    return lease.bytes
  }
  stretch(offset: number): Stretch | undefined {
    return this.#loadedAround(offset, 1)
  }
  copyOut(
    offset: number,
    length: number,
    target: Uint8Array,
    at: number,
    cause: CopyReason,
  ): boolean {
    if (!this.#isLoaded(offset, length)) return false
    for (let done = 0; done < length;) {
      const { start, bytes } = this.#loadedAround(offset + done, 1) as Stretch
      const part = bytes.subarray(offset + done - start).subarray(0, length - done)
      copy(cause, part, target, at + done)
      done += part.length
    }
    return true
  }
  async load(offset: number, length: number): Promise<number> {
    if (this.#isLoaded(offset, length)) return 0
    const bytes = Buffer.allocUnsafeSlow(length)
    const failed = await this.#read(offset, bytes)
    if (failed < 0) return failed
    this.owned.loaded.push({ start: offset, bytes })
    this.looked += length
    ledger.countInspected(length)
    ledger.countCopied('load', length)
    return 0
  }
  async parcel(
    offset: number,
    length: number,
    copyCause?: CopyReason,
    isIntended?: boolean,
  ): Promise<Parcel | number> {
    if (copyCause !== undefined) return this.#memoryParcel(offset, length, copyCause)
    if (addon === null) return this.#memoryParcel(offset, length, reasonOf('no-addon', isIntended))
    const held = pipePool.borrow(length, 0, this.pages)
    if (held === undefined) {
      const lengthMax = Math.min(length, BUDGET_PARCEL_BYTES_MAX)
      return this.#memoryParcel(offset, lengthMax, reasonOf('budget', isIntended))
    }
    const { file } = this.owned
    const { bytes, errno } = await file.fill([held], this.#fileOffset + offset, [length]).done
    held.bytes = bytes
    if (bytes > 0) return new PipeParcel([held], bytes, POOL)
    pipePool.giveBack(held)
    return errno === 0 ? -ENODATA : -errno
  }
  /** The file, for a call that needs no pipe of ours. Only with the addon. */
  get descriptor(): Descriptor {
    return this.owned.file.descriptor
  }
  /** Where in the file a byte of the raw lies. */
  inFile(offset: number): number {
    return this.#fileOffset + offset
  }
  #loadedAround(offset: number, length: number): Stretch | undefined {
    return this.owned.loaded.find(
      ({ start, bytes }) => offset >= start && offset + length <= start + bytes.length,
    )
  }
  /** Whether a range is in memory, in as many pieces as it was loaded. */
  #isLoaded(offset: number, length: number): boolean {
    for (let at = offset; at < offset + length;) {
      const found = this.#loadedAround(at, 1)
      if (found === undefined) return false
      at = found.start + found.bytes.length
    }
    return true
  }
  async #memoryParcel(offset: number, length: number, cause: CopyReason): Promise<Parcel | number> {
    const bytes = Buffer.allocUnsafeSlow(Math.min(length, COPY_PARCEL_BYTES_MAX))
    beforeCopy(cause, bytes.length)
    const failed = await this.#read(offset, bytes)
    if (failed < 0) return failed
    ledger.countCopied(cause, bytes.length)
    return new MemoryParcel([bytes])
  }
  /** Fills `bytes` from the file: 0, −errno, or −ENODATA when the file has become shorter. */
  async #read(offset: number, bytes: Uint8Array): Promise<number> {
    const { file } = this.owned
    for (let got = 0; got < bytes.length;) {
      const from = this.#fileOffset + offset + got
      const result = await file.readAt(from, bytes, got, bytes.length - got).done
      if (result.bytes === 0) return result.errno === 0 ? -ENODATA : -result.errno
      got += result.bytes
    }
    return 0
  }
}

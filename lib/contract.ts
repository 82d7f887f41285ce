/**
 * The options that every way of moving bytes shares. Types only; the bottom floor.
 */
import type { FileHandle } from 'node:fs/promises'
import type { TransferError } from './errors.js'

/**
 * How bytes may move. `auto`: by reference where that is possible, else by a counted copy.
 * `reference`: by reference, or `NotByReferenceError` before any byte moves. `stable`: later writes
 * to the source change nothing (a copy, unless the pages are ours alone). `copy`: a copy.
 */
export type Mode = 'auto' | 'reference' | 'stable' | 'copy'

/** A place in a file. Without an `offset` the file's own position is used, and advances. */
export interface FileEnd {
  /** An open file, which stays yours to close, or a path, which is opened and closed for you. */
  readonly file: FileHandle | string | URL
  /** Bytes from the start of the file. */
  readonly offset?: number
  /**
   * How a path is opened, as in `fs.open`. Default 'r' for a source; for a sink 'w', or without
   * truncation when an offset is given.
   */
  readonly flags?: string
  /**
   * What to do with the page cache. 'keep' (default): the bytes go through it and may stay there.
   * 'drop': they go through it, are written back where they were written, and leave it behind the
   * transfer; best effort, for pages that are in use stay, and on file systems in memory, where the
   * cache is the file, all do. 'direct': past it (`O_DIRECT`), by reference and without a copy: what
   * is read is ours alone, and later writes do not change it; what is written leaves by whole pages
   * where they lie so that the device can take them. Where that cannot be, bytes go as with 'drop',
   * counted. For a FileHandle the file is opened a second time; your own flags are never changed.
   * Without the addon there is nothing but 'keep'.
   */
  readonly cache?: 'keep' | 'drop' | 'direct'
  /** Whether the bytes are on the disk before the operation resolves. Default 'none'. */
  readonly flush?: 'none' | 'data' | 'full'
}

/** What everything takes that may copy. */
export interface CopyOptions {
  /**
   * Whether copies that this call makes are meant: the ledger and audits tell them apart from
   * accidents then. Default false; `toBuffer()`, `appendCopy()`, `load()`, strings, and the modes
   * 'copy' and 'stable' are intended as they are.
   */
  readonly intended?: boolean
}

/** What every operation takes. */
export interface TransferOptions extends CopyOptions {
  /** Aborts the operation with an `AbortError`. Nothing is lost: see each operation. */
  readonly signal?: AbortSignal
  /** See {@link Mode}. Default 'auto', or what `SPLICELIST_MODE` says. */
  readonly mode?: Mode
  /**
   * Called with the bytes that the sink has accepted so far. What it throws stops the operation, which
   * rejects with that; or with an `AbortError`, that as its cause, where it hands bytes back. It has a
   * price with many streams between sockets: those that nobody listens to go on below JavaScript.
   */
  readonly onProgress?: (bytesMoved: number) => void
}

/** What taking bytes from somewhere takes. */
export interface PullOptions extends TransferOptions {
  /** Where in a file to begin, in bytes. Without it the file's own position is used, and advances. */
  readonly offset?: number
  /**
   * Resolve when this many bytes are in, not only when all are. Default: all. Where it is given, a
   * stream that ends with fewer, but not with none, is an `EndOfStreamError`: it broke off.
   */
  readonly atLeast?: number
  /**
   * What a list holds of a file. 'extent' (default): no pages, the range itself. 'pages': the page
   * cache's own pages, pinned in kernel pipes; they change when the file is overwritten.
   */
  readonly hold?: 'extent' | 'pages'
}

/** What sending a list takes. */
export interface PushOptions extends TransferOptions {
  /** Where in a file to begin, in bytes. Without it the file's own position is used, and advances. */
  readonly offset?: number
  /** Take the bytes out of the list as they are accepted. Default: the list keeps them. */
  readonly consume?: boolean
  /** More bytes follow at once: a TCP socket may wait for them to fill its packets. */
  readonly more?: boolean
}

/** What a transfer did. */
export interface TransferResult {
  /** Bytes that the sink accepted: stored, for a file or pipe; handed to the kernel, for a socket. */
  readonly bytesMoved: number
  /** Whether the source ended. */
  readonly eof: boolean
  /**
   * The ways that were used: the calls 'splice', 'sendfile', 'copy_file_range' and 'write', 'lend' for
   * memory that was lent, and 'copy:<cause>'.
   */
  readonly ways: readonly string[]
}

/** What one sink of several has got. */
export interface SinkResult {
  /** Bytes that the sink accepted: the first ones of the source, in its order. */
  readonly bytesMoved: number
  /** Why it got no more. Absent where it did not fail. */
  readonly error?: TransferError
}

/** What a fan-out did. */
export interface FanOutResult {
  /** Bytes that were taken from the source: each sink without an error has accepted them all. */
  readonly bytesPulled: number
  /** Whether the source ended. */
  readonly eof: boolean
  /** One for each sink, in their order. */
  readonly sinks: readonly SinkResult[]
}

/** What a proxy did in its two directions. */
export interface ProxyResult {
  /** From the first socket to the second. */
  readonly aToB: TransferResult
  /** From the second socket to the first. */
  readonly bToA: TransferResult
}

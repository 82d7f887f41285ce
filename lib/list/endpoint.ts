/**
 * What bytes can be moved from and to, as types: the list's side of the seam to the floors above.
 */
import type { FileHandle } from 'node:fs/promises'
import type { Socket } from 'node:net'
import type { ServerResponse } from 'node:http'
import type { Readable, Writable } from 'node:stream'
import type { FileEnd, PullOptions, PushOptions } from '../contract.js'
import type { BufferList } from './buffer-list.js'

/** What a list is made of: another list or bytes, both shared, or a string, which is encoded. */
export type Part = BufferList | Uint8Array | string
/** Where bytes come from. A number is a descriptor: a file's, a pipe's, a non-blocking socket's. */
export type Source = FileHandle | FileEnd | Socket | Endpoint | BufferList | Readable | number
/**
 * Where bytes go. A number is a descriptor: a file's, a pipe's, a non-blocking socket's. Streams and
 * responses are not ended: that is their owner's. A `ServerResponse` is sent to by reference where
 * its Content-Length was set and Node neither frames nor drops its body; more bytes than that are
 * refused, and a stream of unknown length is moved up to it.
 */
export type Sink = FileHandle | FileEnd | Socket | Endpoint | ServerResponse | Writable | number

/**
 * A place that was attached for a whole conversation: it is ours until `detach()`.
 *
 * One pull and one push run at a time; further ones wait in order. Bytes that were given back
 * (`unpull`), and bytes that Node had read already, come first.
 */
export interface Endpoint extends AsyncDisposable {
  /**
   * Takes bytes: resolves when `length` bytes (or `atLeast`) are in, or with fewer at the end of the
   * stream. By reference from 16 KiB up, else by a counted copy. On a `TransferError` the bytes that
   * had arrived are in `takeResidual()`; on an abort they are given back to the endpoint.
   *
   * For messages give `atLeast`, as large as the message: a stream that breaks off inside of it is an
   * `EndOfStreamError` then, its bytes are given back to the endpoint; one that ends before it
   * resolves with an empty list.
   */
  pull(length: number, options?: PullOptions): Promise<BufferList>
  /**
   * Looks at what comes next without consuming it: a pull whose bytes are given back as well. At the
   * end of the stream it shows what there is, however little.
   */
  peek(length: number, options?: PullOptions): Promise<BufferList>
  /**
   * Gives bytes back: the next pull takes them first. The list is emptied; its bytes move. So are the
   * bytes given that came with an upgrade: `peer.unpull(new BufferList(head))`.
   */
  unpull(list: BufferList): void
  /** Sends a list as it is now, and keeps it, unless `consume`. Resolves with the bytes accepted. */
  push(list: BufferList, options?: PushOptions): Promise<number>
  /** Gives the place back to its owner, with what was not consumed. Waits for what is running. */
  detach(): Promise<void>
}

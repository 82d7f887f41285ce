/// <reference types="node" preserve="true" />
/**
 * Splicelist: a buffer list whose segments may live inside the kernel. The public face: re-exports,
 * nothing else.
 *
 * @packageDocumentation
 */
import './transfer/list-moves.js'

export { counters, type Snapshot } from './audit/ledger.js'
export { COPY_CAUSES, KERNEL_CAUSES, type CopyCause, type KernelCause } from './audit/causes.js'
export type {
  FanOutResult,
  FileEnd,
  Mode,
  ProxyResult,
  PullOptions,
  PushOptions,
  SinkResult,
  TransferOptions,
  TransferResult,
} from './contract.js'
export {
  AbortError,
  EndOfBufferError,
  EndOfStreamError,
  EndpointBusyError,
  FanOutAbortError,
  FanOutError,
  InvalidArgumentError,
  MalformedInputError,
  NoPagesError,
  NotByReferenceError,
  NotLoadedError,
  ProxyAbortError,
  ProxyError,
  ReleasedError,
  SplicelistError,
  TransferError,
  UnfilledHoleError,
  UnsupportedEndpointError,
} from './errors.js'
export { BufferList, type SegmentRow } from './list/buffer-list.js'
export { crc32c } from './list/crc32c.js'
export type { Cursor } from './list/cursor.js'
export type { Hole } from './list/hole.js'
export type { Endpoint, Part, Sink, Source } from './list/endpoint.js'
export type { PageOwnership, SegmentKind } from './raw/raw.js'
export { attach } from './transfer/endpoint.js'
export { fanOut, type FanOutOptions } from './transfer/fan-out.js'
export { lists, type ListsOptions } from './transfer/lists.js'
export { proxy } from './transfer/proxy.js'
export type { ProxyPeer } from './transfer/proxy-side.js'
export { transfer, type TransferLimits } from './transfer/transfer.js'

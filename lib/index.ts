/// <reference types="node" preserve="true" />
/**
 * Splicelist: a buffer list whose segments may live inside the kernel. The public face: re-exports,
 * nothing else.
 *
 * @packageDocumentation
 */
import './transfer/list-moves.js'

export { audit, type AuditResult } from './audit/audit.js'
export type { CopyMessage, DegradeMessage, LeakMessage, TransferMessage } from './audit/channels.js'
export { formatReport } from './audit/format.js'
export { counters, type Snapshot } from './audit/ledger.js'
export type { Metric, MetricSample } from './audit/metrics.js'
export type { CopyLimits, CopyReport, CopyRow, KernelCopyRow } from './audit/report.js'
export { COPY_CAUSES, KERNEL_CAUSES, type CopyCause, type KernelCause } from './audit/causes.js'
export { capabilities, type Capabilities } from './capabilities/capabilities.js'
export type { MountVerdicts } from './capabilities/mount.js'
export type { Verdict } from './capabilities/trial.js'
export type {
  CopyOptions,
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
  AccidentalCopyError,
  CopyBudgetError,
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
export { allocPages, type LentPages, type PageBuffer } from './memory/page-buffer.js'
export { ProducerRing, type ReserveOptions } from './memory/producer-ring.js'
export { limits } from './raw/limits.js'
export type { Limits, LimitsToSet } from './raw/pipe-budget.js'
export type { PageOwnership, SegmentKind } from './raw/raw.js'
export { attach } from './transfer/endpoint.js'
export { fanOut, type FanOutOptions } from './transfer/fan-out.js'
export { lists, type ListsOptions } from './transfer/lists.js'
export { proxy } from './transfer/proxy.js'
export type { ProxyPeer } from './transfer/proxy-side.js'
export { transfer, type TransferLimits } from './transfer/transfer.js'

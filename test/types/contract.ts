/**
 * The public face, held against what programs may rely on. Nothing here runs: it compiles, or a name,
 * a parameter or a result has changed under those who use it.
 */
import type { FileHandle } from 'node:fs/promises'
import type { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import type * as splicelist from 'splicelist'
import type * as chai from 'splicelist/chai'
import type {
  BufferList,
  CopyReport,
  Cursor,
  Endpoint,
  FanOutResult,
  FileEnd,
  Hole,
  Mode,
  Part,
  PullOptions,
  PushOptions,
  SegmentRow,
  Sink,
  SinkResult,
  Source,
  TransferOptions,
  TransferResult,
} from 'splicelist'

/** Compiles when `Actual` can stand wherever `Promised` is expected. */
type Keeps<Promised, Actual extends Promised> = Actual
/** Compiles when both are the same type. */
type Same<A, B extends A> = A extends B ? B : never

type Widths = '16' | '32'
type Order = 'LE' | 'BE'
type NumberName =
  'UInt8' | 'Int8' | `${'UInt' | 'Int'}${Widths}${Order}` | `${'Float' | 'Double'}${Order}`
type BigName = `Big${'UInt' | 'Int'}64${Order}`

interface PromisedBuilding {
  append(part: Part): BufferList
  appendCopy(bytes: Uint8Array | string): BufferList
  appendZero(length: number): BufferList
  appendHole(length: number): Hole
  prepend(part: Part): BufferList
  prependZero(length: number): BufferList
  claimAppend(other: BufferList): BufferList
}
interface PromisedCutting {
  substr(offset?: number, length?: number): BufferList
  splice(offset: number, length: number, replacement?: Part): BufferList
  take(length: number): BufferList
  consume(length: number): BufferList
  truncate(length: number): BufferList
}
interface PromisedReading extends Iterable<Uint8Array> {
  byteAt(index: number): number
  copyOut(offset: number, target: Uint8Array): number
  indexOf(needle: Uint8Array | string | number, from?: number): number
  includes(needle: Uint8Array | string | number, from?: number): boolean
  equals(other: Part): boolean
  compare(other: Part): -1 | 0 | 1
  isZero(): boolean
  hexdump(): string
  cStr(offset?: number, length?: number): Buffer
  toBuffer(offset?: number, length?: number): Buffer<ArrayBuffer>
  toString(encoding?: BufferEncoding, offset?: number, length?: number): string
  cursor(offset?: number): Cursor
  crc32c(seed?: number): number
  load(offset?: number, length?: number, options?: { signal?: AbortSignal }): Promise<BufferList>
}
interface PromisedRest extends Disposable {
  readonly length: number
  readonly numBuffers: number
  isContiguous(): boolean
  rebuild(): BufferList
  compact(): BufferList
  explain(): readonly SegmentRow[]
  spliceFrom(source: Source, length: number, options?: PullOptions): Promise<number>
  spliceTo(sink: Sink, options?: PushOptions): Promise<number>
  release(): void
}
type PromisedNumbers = Record<`append${NumberName}`, (value: number) => BufferList> &
  Record<`append${BigName}`, (value: bigint) => BufferList>
type PromisedReads = Record<`read${NumberName}`, () => number> &
  Record<`read${BigName}`, () => bigint>

interface PromisedCursor {
  readonly offset: number
  readonly remaining: number
  readString(length: number, encoding?: BufferEncoding): string
  readList(length: number): BufferList
  skip(length: number): Cursor
  seek(offset: number): Cursor
}
interface PromisedHole {
  readonly length: number
  fill(bytes: Uint8Array, at?: number): void
}
interface PromisedEndpoint extends AsyncDisposable {
  pull(length: number, options?: PullOptions): Promise<BufferList>
  peek(length: number, options?: PullOptions): Promise<BufferList>
  unpull(list: BufferList): void
  push(list: BufferList, options?: PushOptions): Promise<number>
  detach(): Promise<void>
}
interface PromisedRow {
  readonly kind: 'heap' | 'zero' | 'file' | 'pipe' | 'pages'
  readonly length: number
  readonly pages: 'owned' | 'loan' | 'foreign' | null
  readonly refs: number | null
  readonly looked: number
}
interface PromisedFanOutFailure {
  readonly bytesPulled: number
  readonly sinks: readonly PromisedSink[]
}
interface PromisedSink {
  readonly bytesMoved: number
  readonly error?: splicelist.TransferError
}
interface PromisedFanOut {
  readonly bytesPulled: number
  readonly eof: boolean
  readonly sinks: readonly PromisedSink[]
}
interface PromisedModule {
  readonly BufferList: {
    new (...parts: readonly Part[]): BufferList
    from(parts: Part | Iterable<Part>): BufferList
    fromFile(
      file: FileHandle | string,
      range?: { offset?: number; length?: number },
    ): Promise<BufferList>
    isBufferList(x: unknown): x is BufferList
  }
  attach(what: Socket | FileHandle | FileEnd | number): Endpoint
  transfer(
    source: Source,
    sink: Sink,
    options?: TransferOptions & { length?: number },
  ): Promise<TransferResult>
  audit<T>(
    fn: () => T | Promise<T>,
    limits?: { readonly accidentalBytes?: number; readonly inspectedBytes?: number },
  ): Promise<{ result: T; report: CopyReport }>
  lists(source: Source, options?: PullOptions & { chunkBytes?: number }): AsyncIterable<BufferList>
  fanOut(
    source: Source,
    sinks: readonly Sink[],
    options?: TransferOptions & {
      length?: number
      atLeast?: number
      windowBytes?: number
      onSlow?: 'wait' | 'drop'
    },
  ): Promise<PromisedFanOut>
  proxy(
    a: Socket,
    b: Socket,
    options?: TransferOptions,
  ): Promise<{ readonly aToB: TransferResult; readonly bToA: TransferResult }>
  readonly counters: { snapshot(): object }
  capabilities(
    path?: string,
  ): Promise<Record<string, 'reference' | 'copy' | 'absent' | 'unknown' | number>>
  allocPages(length: number): PromisedPages
  readonly ProducerRing: new (options: { readonly bytes: number }) => PromisedRing
}
interface PromisedPages {
  readonly bytes: Uint8Array
  gift(): BufferList
  loan(): { list: BufferList; returned: Promise<'released' | 'copied'> }
}
interface PromisedRing {
  reserve(length: number): Promise<Uint8Array>
  commit(length: number): BufferList
  close(): Promise<void>
}
interface PromisedReport {
  readonly moved: number
  readonly teed: number
  readonly inspected: number
  readonly accidental: number
  readonly intended: number
  readonly kernelCopied: number
  readonly unknown: number
  readonly copies: readonly { cause: string; bytes: number; count: number; site?: string }[]
}
interface PromisedError extends Error {
  readonly code: string
}
interface PromisedTransferError extends PromisedError {
  readonly side: 'source' | 'sink' | 'pipe'
  readonly errno: number
  readonly syscall: string
  readonly bytesMoved: number
  takeResidual(): BufferList | undefined
}

export type Kept = [
  Keeps<PromisedBuilding, BufferList>,
  Keeps<PromisedCutting, BufferList>,
  Keeps<PromisedReading, BufferList>,
  Keeps<PromisedRest, BufferList>,
  Keeps<PromisedNumbers, BufferList>,
  Keeps<PromisedReads, Cursor>,
  Keeps<PromisedCursor, Cursor>,
  Keeps<PromisedHole, Hole>,
  Keeps<PromisedEndpoint, Endpoint>,
  Keeps<PromisedRow, SegmentRow>,
  Keeps<PromisedModule, typeof splicelist>,
  Keeps<PromisedPages, splicelist.PageBuffer>,
  Keeps<PromisedRing, splicelist.ProducerRing>,
  Keeps<PromisedSink, SinkResult>,
  Keeps<PromisedFanOut, FanOutResult>,
  // What their failures tell besides.
  Keeps<splicelist.TransferError & PromisedFanOutFailure, splicelist.FanOutError>,
  Keeps<
    splicelist.AbortError & Omit<PromisedFanOutFailure, 'bytesPulled'>,
    splicelist.FanOutAbortError
  >,
  Keeps<splicelist.TransferError & splicelist.ProxyResult, splicelist.ProxyError>,
  Keeps<splicelist.AbortError & splicelist.ProxyResult, splicelist.ProxyAbortError>,
  Keeps<PromisedTransferError, splicelist.TransferError>,
  Keeps<PromisedReport, CopyReport>,
  Keeps<PromisedError & { report: CopyReport; result: unknown }, splicelist.CopyBudgetError>,
  Keeps<splicelist.SplicelistError, splicelist.CopyBudgetError>,
  Keeps<splicelist.SplicelistError, splicelist.AccidentalCopyError>,
  Keeps<PromisedError, splicelist.SplicelistError>,
  Keeps<splicelist.SplicelistError, splicelist.EndOfBufferError>,
  Keeps<splicelist.SplicelistError, splicelist.EndpointBusyError>,
  Keeps<splicelist.SplicelistError, splicelist.InvalidArgumentError>,
  Keeps<splicelist.SplicelistError, splicelist.MalformedInputError>,
  Keeps<splicelist.SplicelistError, splicelist.NoPagesError>,
  Keeps<splicelist.SplicelistError, splicelist.NotLoadedError>,
  Keeps<splicelist.SplicelistError, splicelist.ReleasedError>,
  Keeps<splicelist.SplicelistError, splicelist.UnfilledHoleError>,
  Keeps<PromisedError & { wanted: number; got: number }, splicelist.EndOfStreamError>,
  Keeps<PromisedError & { reason: string; remedy: string }, splicelist.NotByReferenceError>,
  Keeps<PromisedError & { remedy: string }, splicelist.UnsupportedEndpointError>,
  Same<Mode, 'auto' | 'reference' | 'stable' | 'copy'>,
  Same<Part, BufferList | Uint8Array | string>,
  // What may be handed in: everything that is promised here.
  Keeps<Source, FileHandle | FileEnd | Socket | Endpoint | BufferList | Readable | number>,
  Keeps<Sink, FileHandle | FileEnd | Socket | Endpoint | Writable | number>,
  Keeps<PullOptions, TransferOptions & { offset: 0; atLeast: 0; hold: 'pages' | 'extent' }>,
  Keeps<PushOptions, TransferOptions & { offset: 0; consume: true; more: true }>,
  Keeps<TransferOptions, { intended: true }>,
  // Every cause has a sentence, and a report names no others.
  Same<splicelist.CopyCause, keyof typeof splicelist.COPY_CAUSES>,
  Same<splicelist.CopyCause, CopyReport['copies'][number]['cause']>,
  // The plugin is one for Chai, and its assertions are typed.
  Keeps<Chai.ChaiPlugin, typeof chai.splicelistChai>,
  Same<ReturnType<Chai.Assertion['copyNothing']>, Promise<chai.Audited>>,
  Same<ReturnType<Chai.Assertion['moved']>, Chai.Assertion>,
]

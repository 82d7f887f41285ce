/**
 * The matrix: places, modes and sizes, and what a run of one says of itself and of the kernel.
 */
import type { Mode } from 'splicelist'

/** Where bytes come from. Lists are made before the evidence is taken. */
export const SOURCES = [
  'disk file',
  'tmpfs file',
  'zero device',
  'tcp',
  'unix',
  'fifo',
  'stream',
  'memory list',
  'gifted list',
  'lent list',
  'extent list',
  'page list',
] as const
/** One of them. */
export type SourceKind = (typeof SOURCES)[number]

/** Where they go. */
export const SINKS = [
  'disk file',
  'tmpfs file',
  'append file',
  'null device',
  'tcp',
  'unix',
  'fifo',
  'stream',
  'list',
  'held list',
] as const
/** One of them. */
export type SinkKind = (typeof SINKS)[number]

/** What looks at a list of pages. */
export const LOOKS = ['cStr', 'crc32c', 'cursor', 'toBuffer'] as const
/** One of them. */
export type Look = (typeof LOOKS)[number]

/** One run. */
export interface Case {
  readonly source: SourceKind
  readonly sink: SinkKind | Look
  readonly mode: Mode
  readonly length: number
}

/** What the ledger wrote during a run, in bytes. */
export interface Said {
  readonly moved: number
  readonly teed: number
  readonly discarded: number
  readonly unknown: number
  readonly copied: Readonly<Record<string, number>>
  readonly kernelCopied: Readonly<Record<string, number>>
}

/** What came of a run. */
export interface Outcome {
  /** Bytes that the sink accepted. */
  readonly bytesMoved: number
  /** How, where that is told. */
  readonly ways: readonly string[]
  /** Whether the source was a list of memory alone, of which nothing need be read. */
  readonly isFromMemory: boolean
  /** The ledger's account of the process. */
  readonly said: Said
  /** The account of an audit of the same run. */
  readonly audited: Said
  /** `/proc/self/io`: what the process's calls read and wrote, in bytes. */
  readonly rchar: number
  readonly wchar: number
}

/** Whether the source is a list. */
export const isList = (source: SourceKind): boolean => source.endsWith('list')

/** What can be run from a source: each sink in each mode and size, and each look at pages. */
export function casesFrom(
  source: SourceKind,
  modes: readonly Mode[],
  lengths: readonly number[],
): Case[] {
  const sinks: readonly (SinkKind | Look)[] =
    source === 'page list' || source === 'gifted list' ? [...SINKS, ...LOOKS] : SINKS
  return sinks
    .filter((sink) => !(isList(source) && sink.endsWith('list')))
    .flatMap((sink) => modes.map((mode) => ({ source, sink, mode })))
    .flatMap((one) => lengths.map((length) => ({ ...one, length })))
}

/** A run by name. */
export function nameOf({ source, sink, mode, length }: Case): string {
  return `${source} to ${sink}, mode ${mode}, ${length} bytes`
}

/** Marks in the list of a child's system calls. */
export const MARK = '/splicelist-test-mark'

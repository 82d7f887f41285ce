/**
 * What a contestant and its peer are told of a run. The C programs get it as name=value, under these
 * names.
 */
import type { Cost } from '../harness/meter.js'

export const KINDS = ['file', 'tcp', 'unix', 'pipe'] as const
export type Kind = (typeof KINDS)[number]

export interface Job {
  /** Where pipes and unix sockets are made; `source` and `sink` in it are the files. */
  readonly dir: string
  readonly source: Kind
  readonly sink: Kind
  /** Where the peer listens; 0 where it does not. */
  readonly sourcePort: number
  readonly sinkPort: number
  readonly connections: number
  /** Of each connection. */
  readonly sinks: number
  readonly messageBytes: number
  /** Of each connection in each pass. */
  readonly messages: number
  /** How often the whole is done in the same two processes. */
  readonly passes: number
  /** Whether the peer compares every byte (1), or counts them (0). */
  readonly verify: 0 | 1
}

/** What one pass costs a contestant's process. */
export interface PassCost extends Cost {
  /** In which its main thread could have run, but others had the CPU. */
  readonly waitedSeconds: number
}

export interface Report {
  readonly passes: readonly PassCost[]
  readonly peakRssBytes: number
  /** The ways that splicelist says it used. */
  readonly ways?: readonly string[]
}

/** A prime: multiples of it visit every message once before they come round. */
const STRIDE = 1_000_003

/** Where in a file a message lies: extents of a source are asked for in any order. */
export function offsetOf({ source, messages, messageBytes }: Job, message: number): number {
  const extent = source === 'file' ? (message * STRIDE) % messages : message
  return extent * messageBytes
}

export function hasPeer({ source, sink }: Pick<Job, 'source' | 'sink'>): boolean {
  return source !== 'file' || sink !== 'file'
}

export function argumentsOf(job: Job): string[] {
  return Object.entries(job).map(([name, value]) => `${name}=${value}`)
}

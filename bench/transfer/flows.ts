/**
 * What is measured: from where to where, over how many connections, and beside which loops in C.
 *
 * A message is N bytes that are moved as one operation, awaited before the next one of its connection:
 * one `transfer`, one read stream, one round of a loop in C whose calls never span two messages. Out
 * of a socket or a pipe the next message comes when the last one has arrived (at every sink), or is
 * stored: then the contestant says so with one byte in a pipe. Out of a file each is another extent.
 *
 * Streams between sockets are piped for good. So is splicelist, once more, by one call for all messages:
 * like is compared with like, and what an operation costs for itself is seen beside it.
 */
import type { Job } from './job.js'

export const LOOPS = ['sendfile', 'splice', 'read/write', 'copy_file_range', 'tee'] as const
export type Loop = (typeof LOOPS)[number]

/** All messages of a connection by one `transfer` or `fanOut`, as streams are piped: for good. */
export const ONE_CALL = 'splicelist, one call'
export const IN_NODE = ['splicelist', ONE_CALL, 'streams default', 'streams tuned'] as const
export type Contestant = (typeof IN_NODE)[number] | Loop

export interface Flow extends Pick<Job, 'source' | 'sink' | 'connections' | 'sinks'> {
  readonly name: string
  readonly loops: readonly Loop[]
  /** The share of the CPU of tuned streams that is asked for at 1 GiB. */
  readonly share?: number
}

const THROUGH: readonly Loop[] = ['splice', 'read/write']

const TCP_TO_TCP = { source: 'tcp', sink: 'tcp', sinks: 1, loops: THROUGH } as const

export const FLOWS: readonly Flow[] = [
  {
    name: 'file-tcp',
    source: 'file',
    sink: 'tcp',
    connections: 1,
    sinks: 1,
    loops: ['sendfile', 'splice', 'read/write'],
    share: 0.6,
  },
  {
    name: 'tcp-file',
    source: 'tcp',
    sink: 'file',
    connections: 1,
    sinks: 1,
    loops: THROUGH,
    share: 1 / 3,
  },
  { ...TCP_TO_TCP, name: 'tcp-tcp', connections: 1, share: 0.5 },
  { ...TCP_TO_TCP, name: 'tcp-tcp-100', connections: 100, share: 0.5 },
  { ...TCP_TO_TCP, name: 'tcp-tcp-1000', connections: 1000, share: 0.5 },
  { name: 'unix-unix', source: 'unix', sink: 'unix', connections: 1, sinks: 1, loops: THROUGH },
  { name: 'pipe-file', source: 'pipe', sink: 'file', connections: 1, sinks: 1, loops: THROUGH },
  {
    name: 'fan-out-8',
    source: 'tcp',
    sink: 'tcp',
    connections: 1,
    sinks: 8,
    loops: ['tee', 'read/write'],
  },
  {
    name: 'file-file',
    source: 'file',
    sink: 'file',
    connections: 1,
    sinks: 1,
    loops: ['copy_file_range', 'splice', 'read/write'],
  },
]

const KIB = 1024
const MIB = 1024 * KIB
export const SIZES: readonly number[] = [4 * KIB, 64 * KIB, MIB, 1024 * MIB]

/** What is copied, and what is moved by reference. */
export const SMOKE_SIZES: readonly number[] = [4 * KIB, 1024 * MIB]

/** Bytes of a pass, where messages are small. */
const PASS_BYTES = 256 * MIB
/** Messages of a pass at the most. */
const MESSAGES_MAX = 8192
/**
 * Messages after which V8 has compiled what is hot, whoever the contestant is: with 100 connections the
 * second 8,192 still took 1.2 to 2 times the CPU of the fifth.
 */
const WARM_UP_MESSAGES = 32_768
/** Passes that warm up at the most: what is hot in large messages is the kernel. */
const WARM_UP_PASSES_MAX = 4
/**
 * Passes until V8 has compiled what is hot in one stream, which is a thousand chunks a pass at the most:
 * of eight passes of a fan-out of 1 GiB the first two took a third more CPU than each of the others.
 */
const WARM_UP_PASSES_OF_STREAM = 3
/**
 * Streams after which V8 has compiled what begins and ends one. It stops the crowd while it does, for
 * milliseconds in which the queues fill, and BBR paces from then on what it has seen in a queue. Of 100
 * connections the fresh ones that came behind 300 streams took 1.28 of the CPU of C's, behind 800 1.14,
 * behind 1,600 1.07 (medians of six); one connection takes as much behind 3 as behind 16.
 */
const WARM_UP_STREAMS_OF_CROWD = 1600
/** A size from here on is one stream; shared by many connections, each has its part. */
const STREAM_BYTES = 16 * MIB

export interface Case {
  /** Its flow and size, as `--case` finds it. */
  readonly name: string
  readonly flow: Flow
  /** The size that was asked for. */
  readonly sizeBytes: number
  readonly messageBytes: number
  /** Of each connection, in each pass. */
  readonly messages: number
}

export function caseOf(flow: Flow, sizeBytes: number): Case {
  const { connections } = flow
  const name = `${flow.name}/${sizeText(sizeBytes)}`
  const isStream = sizeBytes >= STREAM_BYTES
  const messageBytes = isStream ? Math.max(MIB, Math.floor(sizeBytes / connections)) : sizeBytes
  const inAll = isStream ? 1 : Math.min(MESSAGES_MAX, Math.ceil(PASS_BYTES / sizeBytes))
  const messages = Math.max(1, Math.ceil(inAll / connections))
  return { name, flow, sizeBytes, messageBytes, messages }
}

/** Whether a message at a time is one way to do it, and a stream of all of them another. */
export function hasOneCall({ flow, messages }: Case): boolean {
  return flow.source !== 'file' && flow.sink !== 'file' && messages > 1
}

/** Passes of a warm-up. */
export function warmUpPassesOf({ flow, messages }: Case): number {
  const { connections } = flow
  if (messages > 1) {
    return Math.min(WARM_UP_PASSES_MAX, Math.ceil(WARM_UP_MESSAGES / (connections * messages)))
  }
  if (connections === 1) return WARM_UP_PASSES_OF_STREAM
  return Math.max(WARM_UP_PASSES_OF_STREAM, Math.ceil(WARM_UP_STREAMS_OF_CROWD / connections))
}

export function passBytesOf({ flow, messageBytes, messages }: Case): number {
  return flow.connections * messages * messageBytes
}

/** '64KiB': as short as `--size` takes it. */
export function sizeText(bytes: number): string {
  if (bytes % (KIB * MIB) === 0) return `${bytes / KIB / MIB}GiB`
  if (bytes % MIB === 0) return `${bytes / MIB}MiB`
  return bytes % KIB === 0 ? `${bytes / KIB}KiB` : `${bytes}B`
}

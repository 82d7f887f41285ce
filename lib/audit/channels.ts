/**
 * What happens, for whoever listens: Node's `diagnostics_channel`. A message is made only when somebody
 * has subscribed to its channel; subscribers run at once, and must not throw.
 */
import { channel } from 'node:diagnostics_channel'
import type { CopyCause } from './causes.js'

/** Channel `splicelist:copy`: bytes were copied in the process's memory. */
export interface CopyMessage {
  /** Why: see `COPY_CAUSES`. */
  readonly cause: CopyCause
  /** Bytes. */
  readonly bytes: number
  /** Whether the program asked for this copy in so many words. */
  readonly intended: boolean
  /**
   * Where in the application, as a stack trace names it. Made when it is read, for microseconds; only
   * while the message is being delivered.
   */
  readonly site: string | undefined
}

/** Channel `splicelist:transfer`: an operation that moves bytes has ended. */
export interface TransferMessage {
  /** Where bytes came from: 'tcp', 'unix', 'file', 'pipe', 'stream', 'list', … */
  readonly source: string
  /** Where they went: the same names. */
  readonly sink: string
  /** Bytes that the sink accepted. */
  readonly bytesMoved: number
  /** The ways that were used: 'splice', 'write', …, and 'copy:<cause>'. */
  readonly ways: readonly string[]
  /** 'done' also at the source's end; 'failed' with a `TransferError` or another error. */
  readonly outcome: 'done' | 'failed' | 'aborted'
}

/** Channel `splicelist:leak`: a segment was collected that nobody had released. */
export interface LeakMessage {
  /** What it was: 'pipe', 'file', 'pages', … */
  readonly kind: string
  /** Where it was made, a stack trace, with `SPLICELIST_LEAKS=trace`. */
  readonly stack: string | undefined
}

/** Channel `splicelist:degrade`: something goes on in a dearer way than was asked for. */
export type DegradeMessage =
  | {
      /** A pipe got fewer slots than were asked for: the user's allowance is used up. */
      readonly what: 'pipe'
      /** Slots that were asked for. */
      readonly wantedSlots: number
      /** Slots that it got. */
      readonly slots: number
    }
  | {
      /** A system call refused, and the bytes go the next way. */
      readonly what: 'fallback'
      /** The system call. */
      readonly call: string
      /** Node's name of the error: 'EINVAL', … */
      readonly code: string
    }

/** @internal */
export const copies = channel('splicelist:copy')
/** @internal */
export const transfers = channel('splicelist:transfer')
/** @internal */
export const leaks = channel('splicelist:leak')
/** @internal */
export const degrades = channel('splicelist:degrade')

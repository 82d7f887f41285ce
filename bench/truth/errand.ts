/** What the programs of this benchmark say to each other. */
import type { Mode, Snapshot } from 'splicelist'

/** The two ways that are compared. `auto` goes by reference wherever that is possible. */
export const MODES = ['auto', 'copy'] as const satisfies readonly Mode[]
export type ComparedMode = (typeof MODES)[number]

/** Where the peer listens. */
export interface Peer {
  readonly port: number
  readonly unixPath: string
}

/** What a process is to do, as JSON in its first argument. */
export interface Errand {
  readonly name: string
  readonly bytes: number
  /** Turns that count, of both modes each. */
  readonly rounds: number
  readonly folder: string
  readonly peer: Peer
}

/** What the ledger said of one transfer, in bytes. */
export interface Said extends Pick<Snapshot, 'moved' | 'unknown' | 'copied' | 'kernelCopied'> {
  readonly ways: readonly string[]
}

export interface Turn {
  readonly said: Said
  /** Of all threads of the process, in the kernel too, in seconds. */
  readonly cpuSeconds: number
}

/** What a process answers, as JSON: the turns of each mode, in their order. */
export type Answer = Readonly<Record<ComparedMode, readonly Turn[]>>

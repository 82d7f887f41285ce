/** What a contestant in Node is: something that moves all messages of a pass. */
import type { Job } from './job.js'

export interface Contestant {
  /** Moves `job.messages` messages of every connection. Resolves with the bytes moved. */
  pass(): Promise<number>
  /** The ways that splicelist says it used. */
  readonly ways?: ReadonlySet<string>
  close(): Promise<void>
}

/** Opens and connects everything. `stored` is to be called for each message that is in a file. */
export type Prepare = (job: Job, stored: () => void) => Promise<Contestant>

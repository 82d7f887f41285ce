/** Each side of a run on a CPU of its own. */
import { twoCpus } from '../harness/pinning.js'
import type { Side } from './job.js'

/** Which CPU each side runs on; undefined where sides cannot be pinned. */
export type Pinning = Readonly<Record<Side, number>> | undefined

export function choosePinning(): Pinning {
  const cpus = twoCpus()
  return cpus === undefined ? undefined : { sender: cpus[0], receiver: cpus[1] }
}

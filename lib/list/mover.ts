/**
 * The seam between the list and the floors that move it. The list knows that it can be moved; how,
 * the transfer floor says when it is loaded. So the list works, and reads, without any of it.
 */
import type { PullOptions, PushOptions } from '../contract.js'
import type { BufferList } from './buffer-list.js'
import type { Sink, Source } from './endpoint.js'

/** What the transfer floor does for a list. */
export interface Mover {
  spliceFrom(list: BufferList, source: Source, length: number, o: PullOptions): Promise<number>
  spliceTo(list: BufferList, sink: Sink, options: PushOptions): Promise<number>
}

let installed: Mover | undefined

/** Called once, by the transfer floor. */
export function installMover(mover: Mover): void {
  installed = mover
}

/** The transfer floor. */
export function mover(): Mover {
  if (installed === undefined) throw new Error('The transfer floor is not loaded')
  return installed
}

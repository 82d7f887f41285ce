/**
 * Memory that a list keeps alive without holding its bytes: a view keeps the whole buffer behind it.
 */
import { copy } from '../audit/ledger.js'
import { Segments } from './segments.js'
import { MemoryWindow, windowOfMemory, type Window } from './window.js'

/** A buffer of which a list holds less than one part in so many is not worth keeping alive. */
const WASTE_RATIO = 2

/** Bytes kept alive and not held, each buffer counted once. */
export function wastedBytes(segments: Segments): number {
  let wasted = 0
  for (const [buffer, heldBytes] of heldOfEach(segments)) {
    wasted += Math.max(0, buffer.byteLength - heldBytes)
  }
  return wasted
}

/** The same bytes, those of wasteful buffers in memory of their own. */
export function compacted(segments: Segments): Segments {
  const held = heldOfEach(segments)
  const isWasteful = (window: Window): window is MemoryWindow => {
    if (!(window instanceof MemoryWindow)) return false
    const { buffer } = window.bytes
    return (held.get(buffer) ?? 0) * WASTE_RATIO < buffer.byteLength
  }
  const result = new Segments()
  let run: MemoryWindow[] = []
  const close = (): void => {
    if (run.length > 0) result.push(copied(run))
    run = []
  }
  for (const window of segments.windows()) {
    if (isWasteful(window)) run.push(window)
    else {
      close()
      window.retain()
      result.push(window)
    }
  }
  close()
  return result
}

/** One piece of memory with the bytes of windows that follow each other. */
function copied(run: readonly MemoryWindow[]): MemoryWindow {
  const bytes = Buffer.allocUnsafeSlow(run.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const window of run) {
    copy('compact', window.view(0, window.length), bytes, at)
    at += window.length
  }
  return windowOfMemory(bytes)
}

function heldOfEach(segments: Segments): Map<ArrayBufferLike, number> {
  const held = new Map<ArrayBufferLike, number>()
  for (const window of segments.windows()) {
    if (!(window instanceof MemoryWindow)) continue
    const { buffer } = window.bytes
    held.set(buffer, (held.get(buffer) ?? 0) + window.length)
  }
  return held
}

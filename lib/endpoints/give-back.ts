import type { BufferList } from '../list/buffer-list.js'
import { copyOf } from '../list/buffer-list.js'

/**
 * What a Node stream is given back of bytes that were pulled and not consumed: memory as it is, pages
 * by a counted copy, because a stream holds only memory. Empties the list.
 */
export function partsToGiveBack(front: BufferList): readonly Uint8Array[] {
  if (front.length === 0) return []
  const isMemory = front.explain().every(({ kind }) => kind === 'heap')
  const parts = isMemory ? [...front] : [copyOf(front, 'give-back')]
  front.consume(front.length)
  return parts
}

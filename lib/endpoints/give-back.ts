import type { Readable } from 'node:stream'
import { UnsupportedEndpointError } from '../errors.js'
import type { BufferList } from '../list/buffer-list.js'
import { copyOf } from '../list/buffer-list.js'

/**
 * What a Node stream is given back of bytes that were pulled and not consumed: memory as it is, pages
 * by a counted copy, because a stream holds only memory. Empties the list.
 * Throws where the stream takes nothing back.
 */
export function partsToGiveBack(stream: Readable, front: BufferList): readonly Uint8Array[] {
  if (front.length === 0) return []
  if (stream.readableEnded && !stream.destroyed) {
    // They would be an error of its, and end it a second time.
    throw new UnsupportedEndpointError(
      `${front.length} bytes were given back to a stream that has told its end before`,
      'Pull them before you detach',
    )
  }
  const isMemory = front.explain().every(({ kind }) => kind === 'heap')
  const parts = isMemory ? [...front] : [copyOf(front, 'give-back')]
  front.consume(front.length)
  return parts
}

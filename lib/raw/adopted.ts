import { MemoryRaw, type OwnedMemory } from './memory.js'
import type { BufferRaw } from './raw.js'

/** The memory and whoever wants it back, apart from the raw. */
class Holdings implements OwnedMemory {
  readonly bytes: Uint8Array
  readonly #onRelease: () => void

  constructor(bytes: Uint8Array, onRelease: () => void) {
    this.bytes = bytes
    this.#onRelease = onRelease
  }
  close(): void {
    this.#onRelease()
  }
}

/**
 * Memory of the process that somebody wants back: a pool's block, a registered buffer. Use it where
 * the memory must not be used again before the last list has let go of it; for all other memory,
 * counting references costs more than the collector does. Views of it are not ended: its owner must
 * be told by the release alone.
 */
export class AdoptedRaw extends MemoryRaw<Holdings> implements BufferRaw {
  readonly kind = 'heap'
  readonly pages = null

  constructor(bytes: Uint8Array, onRelease: () => void) {
    super('adopted memory', new Holdings(bytes, onRelease))
  }
}

/**
 * What the machine is compared with: a queue of bytes that operations take from the front, and that
 * is given some back. It knows nothing of pages, parcels, turns or waits.
 */
import { firstDifference } from '../support/first-difference.js'

/** Bytes of the source are below that, bytes given to `unpull` are not: neither is taken for the other. */
const MARK = 128

/** Bytes as a source sends them. */
export function sourceBytes(bytes: Buffer): Buffer {
  return bytes.map((byte) => byte % MARK) as Buffer
}
/** Bytes as `unpull` is given them. */
export function unpulledBytes(bytes: Buffer): Buffer {
  return bytes.map((byte) => (byte % MARK) + MARK) as Buffer
}

/** The queue. */
export class ByteQueue {
  #parts: Buffer[]
  /** Given back while an operation was running: in front of what comes next, whenever that is seen. */
  readonly #pending: Buffer[]

  constructor(parts: readonly Buffer[] = [], pending: readonly Buffer[] = []) {
    this.#parts = parts.filter(({ length }) => length > 0)
    this.#pending = [...pending]
  }
  get length(): number {
    return [...this.#parts, ...this.#pending].reduce((sum, part) => sum + part.length, 0)
  }
  copy(): ByteQueue {
    return new ByteQueue(this.#parts, this.#pending)
  }
  append(bytes: Buffer): void {
    this.#parts.push(bytes)
  }
  /** Bytes come in front, at any moment from now on. */
  giveBack(bytes: Buffer): void {
    this.#pending.push(bytes)
  }
  /** Takes exactly these bytes, or says what is there instead. */
  take(bytes: Buffer, who: string): void {
    for (let at = 0; at < bytes.length;) {
      const rest = bytes.subarray(at)
      const front = this.#frontFor(rest)
      const n = Math.min(front.length, rest.length, runOf(rest, front))
      const differs = firstDifference(rest.subarray(0, n), front.subarray(0, n))
      if (n === 0 || differs >= 0) {
        throw new Error(`${who} has another byte ${at + Math.max(0, differs)} of ${bytes.length}`)
      }
      at += n
      this.#drop(n)
    }
  }
  /** The next bytes, among which may be some that were given back just now. */
  #frontFor(bytes: Buffer): Buffer {
    const front = this.#parts[0]
    const isUnpulled = (bytes[0] ?? 0) >= MARK
    const goesOn = front !== undefined && isSame(front, bytes)
    if (isUnpulled && !goesOn) {
      const at = this.#pending.findIndex((part) => isSame(part, bytes))
      if (at >= 0) this.#parts.unshift(...this.#pending.splice(at, 1))
    }
    return this.#parts[0] ?? Buffer.alloc(0)
  }
  #drop(n: number): void {
    const front = this.#parts[0] as Buffer
    if (n === front.length) this.#parts.shift()
    else this.#parts[0] = front.subarray(n)
  }
}

function isSame(a: Buffer, b: Buffer): boolean {
  const n = Math.min(a.length, b.length, 16)
  return a.subarray(0, n).equals(b.subarray(0, n))
}

/** Up to where the bytes are of one kind: what was given back may begin there. */
function runOf(bytes: Buffer, front: Buffer): number {
  const n = Math.min(bytes.length, front.length)
  if (firstDifference(bytes.subarray(0, n), front.subarray(0, n)) < 0) return n
  const at = firstDifference(bytes.subarray(0, n), front.subarray(0, n))
  const isUnpulledNext = (bytes[at] ?? 0) >= MARK && at > 0
  return isUnpulledNext ? at : n
}

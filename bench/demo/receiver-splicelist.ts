/**
 * The receiving side with splicelist. Headers are read into memory; payloads go from the socket's
 * pages through kernel pipes into the file: large ones by one operation each, small ones gathered
 * in a list. Every hundredth payload is pulled as a list in any case: a cursor reads its first
 * bytes, and it is sent on untouched all the same.
 */
import { open, type FileHandle } from 'node:fs/promises'
import { BufferList, attach, counters, transfer, type Endpoint } from 'splicelist'
import { encodeAcknowledgement } from './acknowledgement.js'
import { HEADER_BYTES, KIND, decodeFrame, type Frame } from './frame.js'
import type { Role, Tally } from './job.js'
import { ledgerSince } from './ledger.js'
import { LOOK_BYTES, isLookedAt } from './plan.js'

/**
 * Payloads below this are gathered, in bytes. An operation on a file is a trip to a disk thread and
 * back, some 20 µs: with 64 KiB that is half of all CPU, with 256 KiB nobody can tell.
 */
const GATHERED_BELOW_BYTES = 128 * 1024
/** Payloads that are gathered at the most: each may hold a pipe. */
const GATHERED_MAX = 16

export const receiveBySplicelist: Role = async (socket, job, tally) => {
  const before = counters.snapshot()
  const file = await open(job.path, 'r+')
  const endpoint = attach(socket)
  try {
    using receiver = new Receiver(endpoint, file, tally)
    const messages = await receiver.run()
    using answer = new BufferList(encodeAcknowledgement(messages, job.plan.fileBytes))
    await endpoint.push(answer, { consume: true })
    return ledgerSince(before)
  } finally {
    await endpoint.detach()
    await file.close()
  }
}

class Receiver implements Disposable {
  readonly #endpoint: Endpoint
  readonly #file: FileHandle
  readonly #tally: Tally
  /** Payloads that are one behind the other in the file, and not there yet. */
  readonly #gathered = new BufferList()
  #gatheredAt = 0
  #gatheredPayloads = 0

  constructor(endpoint: Endpoint, file: FileHandle, tally: Tally) {
    this.#endpoint = endpoint
    this.#file = file
    this.#tally = tally
  }

  /** Stores payloads until the end message. Returns how many there were. */
  async run(): Promise<number> {
    for (let messages = 0; ; messages += 1) {
      const frame = await this.#header()
      if (frame.kind === KIND.end) {
        if (frame.sequence !== messages) {
          throw new Error(`the sender sent ${frame.sequence} messages, and ${messages} arrived`)
        }
        await this.#storeGathered()
        return messages
      }
      const isWhole = frame.lengthBytes >= GATHERED_BELOW_BYTES && !isLookedAt(frame.sequence)
      await (isWhole ? this.#store(frame) : this.#pull(frame))
      this.#tally.acceptedBytes += frame.lengthBytes
    }
  }

  [Symbol.dispose](): void {
    this.#gathered.release()
  }

  async #header(): Promise<Frame> {
    using header = await this.#endpoint.pull(HEADER_BYTES)
    return decodeFrame(header.cStr())
  }

  /** Pulls a payload and pushes it into the file, by one operation. */
  async #store({ offsetBytes, lengthBytes }: Frame): Promise<void> {
    const place = { file: this.#file, offset: offsetBytes }
    const { bytesMoved } = await transfer(this.#endpoint, place, { length: lengthBytes })
    checkWhole(bytesMoved, lengthBytes)
  }

  /** Pulls a payload as a list, and stores it with what comes in front of it in the file. */
  async #pull({ sequence, offsetBytes, lengthBytes }: Frame): Promise<void> {
    using payload = await this.#endpoint.pull(lengthBytes)
    checkWhole(payload.length, lengthBytes)
    if (isLookedAt(sequence)) look(payload)
    if (offsetBytes !== this.#gatheredAt + this.#gathered.length) await this.#storeGathered()
    if (this.#gathered.length === 0) this.#gatheredAt = offsetBytes
    this.#gathered.claimAppend(payload)
    this.#gatheredPayloads += 1
    const isLarge = lengthBytes >= GATHERED_BELOW_BYTES
    if (isLarge || this.#gatheredPayloads === GATHERED_MAX) await this.#storeGathered()
  }

  async #storeGathered(): Promise<void> {
    this.#gatheredPayloads = 0
    if (this.#gathered.length === 0) return
    const place = { file: this.#file, offset: this.#gatheredAt }
    await this.#gathered.spliceTo(place, { consume: true })
  }
}

function checkWhole(bytes: number, lengthBytes: number): void {
  if (bytes < lengthBytes) throw new Error('the stream ended inside a payload')
}

/** Reads the first bytes as a storage server would read a magic number or a type. */
function look(payload: BufferList): bigint {
  const cursor = payload.cursor()
  let folded = 0n
  for (let at = 0; at + 8 <= Math.min(LOOK_BYTES, payload.length); at += 8) {
    folded ^= cursor.readBigUInt64LE()
  }
  return folded
}

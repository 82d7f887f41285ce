/**
 * The sending side with splicelist. The file's pages are pinned in kernel pipes, cut into payloads
 * and sent on from there; all that this process writes itself are the headers.
 */
import { open, type FileHandle } from 'node:fs/promises'
import { BufferList, attach, counters, type Endpoint } from 'splicelist'
import { checkAcknowledgement } from './acknowledgement.js'
import { HEADER_BYTES, KIND, encodeFrame } from './frame.js'
import type { Role } from './job.js'
import { ledgerSince } from './ledger.js'
import {
  isSentTwice,
  payloadCount,
  payloadLength,
  payloadOffset,
  sentAgainAfter,
  type Plan,
} from './plan.js'

/** How much of the file is held in pipes at a time: whole payloads, and at least one. */
const BATCH_BYTES = 8 * 1024 * 1024

export const sendBySplicelist: Role = async (socket, job) => {
  const before = counters.snapshot()
  const file = await open(job.path, 'r')
  const endpoint = attach(socket)
  try {
    await new Sender(file, endpoint, job.plan).run()
    return ledgerSince(before)
  } finally {
    await endpoint.detach()
    await file.close()
  }
}

class Sender {
  readonly #file: FileHandle
  readonly #endpoint: Endpoint
  readonly #plan: Plan
  #messages = 0
  /** The payload that will be sent again: a view of its own, which outlives its batch. */
  #kept: BufferList | undefined

  constructor(file: FileHandle, endpoint: Endpoint, plan: Plan) {
    this.#file = file
    this.#endpoint = endpoint
    this.#plan = plan
  }

  async run(): Promise<void> {
    const payloads = payloadCount(this.#plan)
    const batchPayloads = Math.max(1, Math.floor(BATCH_BYTES / this.#plan.payloadBytes))
    for (let first = 0; first < payloads; first += batchPayloads) {
      await this.#sendBatch(first, Math.min(first + batchPayloads, payloads))
    }
    await this.#finish()
  }

  /** Sends the payloads from `first` up to, not including, `end`. */
  async #sendBatch(first: number, end: number): Promise<void> {
    const offset = payloadOffset(this.#plan, first)
    const lengthBytes = Math.min(payloadOffset(this.#plan, end), this.#plan.fileBytes) - offset
    using batch = new BufferList()
    const gotBytes = await batch.spliceFrom(this.#file, lengthBytes, { offset, hold: 'pages' })
    if (gotBytes < lengthBytes) throw new Error('the file became shorter while it was read')
    for (let sequence = first; sequence < end; sequence += 1) {
      using payload = batch.substr(0, payloadLength(this.#plan, sequence))
      // Its pages are the payload's alone then, and leave without being referenced twice.
      batch.consume(payload.length)
      await this.#sendPayload(sequence, payload)
    }
  }

  /** Sends a payload, which is empty afterwards. */
  async #sendPayload(sequence: number, payload: BufferList): Promise<void> {
    if (isSentTwice(sequence)) this.#kept = payload.substr()
    await this.#sendMessage(sequence, payload)
    const again = sentAgainAfter(this.#plan, sequence)
    if (again === undefined || this.#kept === undefined) return
    await this.#sendMessage(again, this.#kept)
    this.#kept = undefined
  }

  async #sendMessage(sequence: number, payload: BufferList): Promise<void> {
    const header = encodeFrame({
      kind: KIND.data,
      sequence,
      lengthBytes: payload.length,
      offsetBytes: payloadOffset(this.#plan, sequence),
    })
    using message = new BufferList(header)
    message.claimAppend(payload)
    await this.#endpoint.push(message, { consume: true })
    this.#messages += 1
  }

  /** Says that this was all, and waits until the receiver's file has it. */
  async #finish(): Promise<void> {
    const offsetBytes = this.#plan.fileBytes
    const end = encodeFrame({
      kind: KIND.end,
      sequence: this.#messages,
      lengthBytes: 0,
      offsetBytes,
    })
    using message = new BufferList(end)
    await this.#endpoint.push(message, { consume: true })
    using answer = await this.#endpoint.pull(HEADER_BYTES)
    checkAcknowledgement(answer.cStr(), this.#messages, offsetBytes)
  }
}

/**
 * The sending side with ordinary Node streams: read stream → framing transform → socket.
 *
 * What makes it a fair opponent: payloads are cut with `subarray` and never joined or copied, a
 * payload that is sent twice is kept as references to its chunks, `pipeline` does the back-pressure,
 * and with the tuned mark of 1 MiB one read is one payload is one write. Headers are pushed as
 * chunks of their own: joining them to a payload would copy it.
 */
import { createReadStream } from 'node:fs'
import type { Socket } from 'node:net'
import { Transform, type TransformCallback } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { checkAcknowledgement } from './acknowledgement.js'
import { KIND, HEADER_BYTES, encodeFrame } from './frame.js'
import { highWaterMarkOf, type Role } from './job.js'
import {
  isSentTwice,
  payloadCount,
  payloadLength,
  payloadOffset,
  planTotals,
  sentAgainAfter,
  type Plan,
} from './plan.js'

/** Puts a header in front of every payload of the file that is written to it. */
class Framing extends Transform {
  readonly #plan: Plan
  #sequence = 0
  #seenBytes = 0
  #messages = 0
  /** The pieces of the one payload that will be sent again. */
  #kept: Buffer[] = []

  constructor(plan: Plan, highWaterMark: number | undefined) {
    super(highWaterMark === undefined ? {} : { highWaterMark })
    this.#plan = plan
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#seenBytes === 0) this.#pushHeader(this.#sequence)
      const leftBytes = payloadLength(this.#plan, this.#sequence) - this.#seenBytes
      const piece = chunk.subarray(at, at + leftBytes)
      this.push(piece)
      if (isSentTwice(this.#sequence)) this.#kept.push(piece)
      at += piece.length
      this.#seenBytes += piece.length
      if (piece.length === leftBytes) this.#endPayload()
    }
    done()
  }

  override _flush(done: TransformCallback): void {
    if (this.#sequence !== payloadCount(this.#plan)) {
      done(new Error('the file became shorter while it was read'))
      return
    }
    const offsetBytes = this.#plan.fileBytes
    done(
      null,
      encodeFrame({ kind: KIND.end, sequence: this.#messages, lengthBytes: 0, offsetBytes }),
    )
  }

  #endPayload(): void {
    const again = sentAgainAfter(this.#plan, this.#sequence)
    if (again !== undefined) {
      this.#pushHeader(again)
      for (const piece of this.#kept) this.push(piece)
      this.#kept = []
    }
    this.#sequence += 1
    this.#seenBytes = 0
  }

  #pushHeader(sequence: number): void {
    this.#messages += 1
    this.push(
      encodeFrame({
        kind: KIND.data,
        sequence,
        lengthBytes: payloadLength(this.#plan, sequence),
        offsetBytes: payloadOffset(this.#plan, sequence),
      }),
    )
  }
}

export const sendByStreams: Role = async (socket, job) => {
  const highWaterMark = highWaterMarkOf(job.variant)
  // A pass that warms up sends the beginning of a file.
  const end = Math.max(0, job.plan.fileBytes - 1)
  const mark = highWaterMark === undefined ? {} : { highWaterMark }
  const file = createReadStream(job.path, { ...mark, end })
  await pipeline(file, new Framing(job.plan, highWaterMark), socket)
  checkAcknowledgement(await readToEnd(socket), planTotals(job.plan).messages, job.plan.fileBytes)
  return {
    moved: 0,
    inspected: 0,
    copied: { stream: file.bytesRead },
    kernelCopied: { 'socket-write': socket.bytesWritten },
  }
}

/** The answer is one header; the receiver closes behind it. */
async function readToEnd(socket: Socket): Promise<Buffer> {
  const answer: Buffer[] = []
  for await (const chunk of socket as AsyncIterable<Buffer>) answer.push(chunk)
  return Buffer.concat(answer).subarray(0, HEADER_BYTES)
}

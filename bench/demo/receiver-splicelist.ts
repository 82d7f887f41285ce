/**
 * The receiving side with splicelist. Headers are read into memory; payloads go from the socket's
 * pages through kernel pipes into the file. Every hundredth payload is pulled as a list first: a
 * cursor reads its first bytes, and it is sent on untouched all the same.
 */
import { open, type FileHandle } from 'node:fs/promises'
import { BufferList, attach, counters, transfer, type Endpoint } from 'splicelist'
import { encodeAcknowledgement } from './acknowledgement.js'
import { HEADER_BYTES, KIND, decodeFrame, type Frame } from './frame.js'
import type { Role, Tally } from './job.js'
import { ledgerSince } from './ledger.js'
import { LOOK_BYTES, isLookedAt } from './plan.js'

export const receiveBySplicelist: Role = async (socket, job, tally) => {
  const before = counters.snapshot()
  const file = await open(job.path, 'r+')
  const endpoint = attach(socket)
  try {
    const messages = await receiveMessages(endpoint, file, tally)
    using answer = new BufferList(encodeAcknowledgement(messages, job.plan.fileBytes))
    await endpoint.push(answer, { consume: true })
    return ledgerSince(before)
  } finally {
    await endpoint.detach()
    await file.close()
  }
}

/** Stores payloads until the end message. Returns how many there were. */
async function receiveMessages(
  endpoint: Endpoint,
  file: FileHandle,
  tally: Tally,
): Promise<number> {
  for (let messages = 0; ; messages += 1) {
    const frame = await receiveHeader(endpoint)
    if (frame.kind === KIND.end) {
      if (frame.sequence === messages) return messages
      throw new Error(`the sender sent ${frame.sequence} messages, and ${messages} arrived`)
    }
    const store = isLookedAt(frame.sequence) ? storeLookedAt : storeUnseen
    const storedBytes = await store(endpoint, frame, file)
    if (storedBytes < frame.lengthBytes) throw new Error('the stream ended inside a payload')
    tally.acceptedBytes += frame.lengthBytes
  }
}

/** Pulls a payload and pushes it into the file, by one operation. Returns how many bytes. */
async function storeUnseen(endpoint: Endpoint, frame: Frame, file: FileHandle): Promise<number> {
  const place = { file, offset: frame.offsetBytes }
  const { bytesMoved } = await transfer(endpoint, place, { length: frame.lengthBytes })
  return bytesMoved
}

async function storeLookedAt(endpoint: Endpoint, frame: Frame, file: FileHandle): Promise<number> {
  using payload = await endpoint.pull(frame.lengthBytes)
  look(payload)
  return await payload.spliceTo({ file, offset: frame.offsetBytes }, { consume: true })
}

async function receiveHeader(endpoint: Endpoint): Promise<Frame> {
  using header = await endpoint.pull(HEADER_BYTES)
  return decodeFrame(header.cStr())
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

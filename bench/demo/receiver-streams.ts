/**
 * The receiving side with ordinary Node streams: socket → a writable that parses messages and
 * writes their payloads into the target file.
 *
 * What makes it a fair opponent: payloads are cut with `subarray` and never joined; whatever has
 * piled up behind a busy disk is taken at once (`writev`), and pieces that are neighbours in the
 * file, across chunks and messages, go out in one vectored write. Only a header that a chunk border
 * cuts in two is put together by copying, 32 bytes at most.
 */
import { open, type FileHandle } from 'node:fs/promises'
import { Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { encodeAcknowledgement } from './acknowledgement.js'
import { HEADER_BYTES, KIND, decodeFrame, type Frame } from './frame.js'
import { highWaterMarkOf, type Role, type Tally } from './job.js'
import { LOOK_BYTES, isLookedAt } from './plan.js'

type Done = (error?: Error | null) => void

/** Neighbouring pieces of the file. */
interface Extent {
  readonly offsetBytes: number
  readonly pieces: Buffer[]
  lengthBytes: number
}

/** Cuts a stream of chunks into headers and the extents of a file. */
class Parser {
  messages = 0
  /** What the end message says the stream came to; undefined until it was read. */
  end: Frame | undefined
  /** Folded from the bytes that were looked at, so that looking cannot be optimized away. */
  looked = 0n
  readonly #header = Buffer.alloc(HEADER_BYTES)
  #headerBytes = 0
  #frame: Frame | undefined
  #seenBytes = 0

  /** Adds the payload bytes of one chunk to `extents`. */
  feed(chunk: Buffer, extents: Extent[]): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#frame === undefined) at += this.#takeHeader(chunk.subarray(at))
      else at += this.#takePayload(this.#frame, chunk.subarray(at), extents)
    }
  }

  #takeHeader(bytes: Buffer): number {
    if (this.end !== undefined) throw new Error('bytes behind the end message')
    const isWhole = this.#headerBytes === 0 && bytes.length >= HEADER_BYTES
    const taken = isWhole ? HEADER_BYTES : bytes.copy(this.#header, this.#headerBytes)
    this.#headerBytes += taken
    if (this.#headerBytes < HEADER_BYTES) return taken
    this.#headerBytes = 0
    this.#startMessage(decodeFrame(isWhole ? bytes.subarray(0, HEADER_BYTES) : this.#header))
    return taken
  }

  #startMessage(frame: Frame): void {
    if (frame.kind === KIND.end) {
      this.end = frame
      return
    }
    this.#frame = frame
    this.#seenBytes = 0
    this.messages += 1
  }

  #takePayload(frame: Frame, bytes: Buffer, extents: Extent[]): number {
    const piece = bytes.subarray(0, frame.lengthBytes - this.#seenBytes)
    if (isLookedAt(frame.sequence) && this.#seenBytes < LOOK_BYTES) {
      this.#look(piece.subarray(0, LOOK_BYTES - this.#seenBytes))
    }
    addPiece(extents, frame.offsetBytes + this.#seenBytes, piece)
    this.#seenBytes += piece.length
    if (this.#seenBytes === frame.lengthBytes) this.#frame = undefined
    return piece.length
  }

  #look(bytes: Buffer): void {
    for (let at = 0; at + 8 <= bytes.length; at += 8) this.looked ^= bytes.readBigUInt64LE(at)
  }
}

function addPiece(extents: Extent[], offsetBytes: number, piece: Buffer): void {
  const last = extents.at(-1)
  if (last !== undefined && last.offsetBytes + last.lengthBytes === offsetBytes) {
    last.pieces.push(piece)
    last.lengthBytes += piece.length
  } else {
    extents.push({ offsetBytes, pieces: [piece], lengthBytes: piece.length })
  }
}

/** Writes the payloads of a message stream to where they belong in a file. */
class MessageFile extends Writable {
  readonly parser = new Parser()
  readonly #file: FileHandle
  readonly #tally: Tally

  constructor(file: FileHandle, tally: Tally, highWaterMark: number | undefined) {
    super(highWaterMark === undefined ? {} : { highWaterMark })
    this.#file = file
    this.#tally = tally
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#accept([chunk]).then(done, done)
  }

  override _writev(chunks: { chunk: Buffer }[], done: Done): void {
    this.#accept(chunks.map(({ chunk }) => chunk)).then(done, done)
  }

  override _final(done: Done): void {
    const { end, messages } = this.parser
    if (end?.sequence === messages) done()
    else done(new Error(`the stream ended after ${messages} messages, without an end message`))
  }

  async #accept(chunks: readonly Buffer[]): Promise<undefined> {
    const extents: Extent[] = []
    for (const chunk of chunks) this.parser.feed(chunk, extents)
    for (const extent of extents) await this.#store(extent)
  }

  async #store({ pieces, offsetBytes, lengthBytes }: Extent): Promise<void> {
    const { bytesWritten } = await this.#file.writev(pieces, offsetBytes)
    this.#tally.acceptedBytes += bytesWritten
    if (bytesWritten === lengthBytes) return
    // A disk that is nearly full takes a part; what is left of it is one piece from here on.
    const rest = Buffer.concat(pieces).subarray(bytesWritten)
    await this.#store({
      pieces: [rest],
      offsetBytes: offsetBytes + bytesWritten,
      lengthBytes: rest.length,
    })
  }
}

export const receiveByStreams: Role = async (socket, job, tally) => {
  const acceptedBefore = tally.acceptedBytes
  const file = await open(job.path, 'r+')
  try {
    const target = new MessageFile(file, tally, highWaterMarkOf(job.variant))
    await pipeline(socket, target)
    socket.end(encodeAcknowledgement(target.parser.messages, job.plan.fileBytes))
    await finished(socket)
    return {
      moved: 0,
      inspected: 0,
      copied: { stream: socket.bytesRead },
      kernelCopied: { 'page-cache-write': tally.acceptedBytes - acceptedBefore },
    }
  } finally {
    await file.close()
  }
}

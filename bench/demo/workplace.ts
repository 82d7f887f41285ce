/**
 * The files of the demo: a source, and a target of the same size that exists and is cached before
 * anything is measured. A run overwrites the target; it does not grow it.
 */
import { createCipheriv, createHash, randomBytes } from 'node:crypto'
import { closeSync, createReadStream, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { mkdtemp, open } from 'node:fs/promises'
import { join } from 'node:path'
import { RunError } from './failures.js'
import type { Request } from './request.js'

const BLOCK_BYTES = 1024 * 1024
/** One wrong byte in each such stretch of the target shows a write that did not happen. */
const SPOIL_STRIDE_BYTES = 64 * 1024

export class Workplace {
  private constructor(
    readonly source: string,
    readonly target: string,
    readonly fileBytes: number,
    /** What the target has to come to. Reading the whole source for it has also cached it. */
    readonly digest: string,
    readonly dir: string,
  ) {}

  /** Makes the folder, the target and, unless a file was given, the source. */
  static async make(request: Request, signal: AbortSignal): Promise<Workplace> {
    const { file, fileBytes } = request
    const dir = await mkdtemp(join(request.dir, 'splicelist-demo-'))
    try {
      const source = file ?? join(dir, 'source')
      if (file === undefined) await fill(source, fileBytes, signal)
      const target = join(dir, 'target')
      await fill(target, fileBytes, signal)
      return new Workplace(source, target, fileBytes, await sha256(source, signal), dir)
    } catch (error) {
      rmSync(dir, { recursive: true, force: true })
      throw error
    }
  }

  /**
   * Flips one byte in every 64 KiB of the target, and its last one. A run that stores less than
   * everything, or nothing at all, cannot leave equal files behind.
   */
  spoilTarget(): void {
    const source = openSync(this.source, 'r')
    const target = openSync(this.target, 'r+')
    try {
      for (let at = 0; at < this.fileBytes; at += SPOIL_STRIDE_BYTES) flip(source, target, at)
      if (this.fileBytes > 0) flip(source, target, this.fileBytes - 1)
    } finally {
      closeSync(source)
      closeSync(target)
    }
  }

  async isTargetEqual(signal: AbortSignal): Promise<boolean> {
    return (await sha256(this.target, signal)) === this.digest
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true })
  }
}

/** Fills a file with what no compression shrinks: a cipher's key stream, at gigabytes a second. */
async function fill(path: string, fileBytes: number, signal: AbortSignal): Promise<void> {
  const cipher = createCipheriv('aes-128-ctr', randomBytes(16), randomBytes(16))
  const zeros = Buffer.alloc(BLOCK_BYTES)
  const file = await open(path, 'w')
  try {
    for (let at = 0; at < fileBytes; at += BLOCK_BYTES) {
      signal.throwIfAborted()
      const block = cipher.update(zeros.subarray(0, Math.min(BLOCK_BYTES, fileBytes - at)))
      await file.writeFile(block)
    }
  } finally {
    await file.close()
  }
}

function flip(source: number, target: number, at: number): void {
  const byte = Buffer.alloc(1)
  if (readSync(source, byte, 0, 1, at) === 0) throw new RunError('the file became shorter')
  byte.writeUInt8(byte.readUInt8() ^ 0xff)
  writeSync(target, byte, 0, 1, at)
}

async function sha256(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  const blocks = createReadStream(path, { highWaterMark: BLOCK_BYTES, signal })
  for await (const block of blocks as AsyncIterable<Buffer>) hash.update(block)
  return hash.digest('hex')
}

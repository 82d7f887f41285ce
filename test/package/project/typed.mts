// A program that names every part of a transfer by its type.
import { open } from 'node:fs/promises'
import { BufferList, SplicelistError, counters, transfer } from 'splicelist'
import type { Mode, PullOptions, Sink, Source, TransferResult } from 'splicelist'
import { bufferlist, list, struct, u64, type Codec, type ValueOf } from 'splicelist/encoding'

const options: PullOptions = { hold: 'pages', mode: 'auto' satisfies Mode }

export async function copy(from: string, to: string): Promise<number> {
  const source: Source = await open(from)
  const sink: Sink = { file: to, offset: 0 }
  const list = new BufferList('header', new Uint8Array(4))
  try {
    const pulled: number = await list.spliceFrom(source, 65536, options)
    const window: BufferList = list.substr(6, pulled)
    const rest: TransferResult = await transfer(window, sink)
    const view: Buffer = list.cStr(0, 6)
    const own: Buffer<ArrayBuffer> = list.toBuffer()
    for (const part of list) if (part.length > view.length) break
    return rest.bytesMoved + own.length + counters.snapshot().moved
  } catch (error) {
    if (error instanceof SplicelistError) throw new Error(error.code, { cause: error })
    throw error
  } finally {
    list.release()
    await source.close()
  }
}

const write = struct({ version: 1, compat: 1 }, { snapshots: list(u64), data: bufferlist })
export const codec: Codec<{ snapshots: bigint[]; data: BufferList }> = write
export const value: ValueOf<typeof write> = { snapshots: [1n], data: new BufferList() }

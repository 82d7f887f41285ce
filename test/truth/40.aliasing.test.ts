/**
 * The ledger against an oracle that needs nobody's word: the source is overwritten after the bytes
 * have left it. What then shows the new bytes went by reference; what shows the old ones was copied.
 */
import { closeSync, readSync } from 'node:fs'
import { readFile, type FileHandle } from 'node:fs/promises'
import { expect } from 'chai'
import { attach, BufferList, transfer, type Mode } from 'splicelist'
import { listOf } from '#lib/list/buffer-list.js'
import { Segments } from '#lib/list/segments.js'
import { windowOf } from '#lib/list/window.js'
import { givePages } from '#lib/raw/gift.js'
import { OwnMemory } from '#lib/raw/own-memory.js'
import { PipeRaw } from '#lib/raw/pipe.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { needsAddon, needsPages } from '../support/needs.js'
import { tcpPair, unixPair, type SocketPair } from '../support/socket-pairs.js'
import { accounted, copiedBytes, type Account } from '../transfer/account.js'
import { Collector } from '../transfer/collector.js'
import { fifo } from '../transfer/fifos.js'
import { fileOf, freshPath } from '../transfer/places.js'

/** Below the threshold, and above; no more than a pipe of 16 slots takes while nobody reads. */
const LENGTHS = [5000, 60_000]
const MODES: readonly Mode[] = ['auto', 'stable', 'copy']
const LENGTH_MAX = Math.max(...LENGTHS)
/** No byte is the same in both. */
const before = bytes(1, LENGTH_MAX)
const after = before.map((byte) => byte ^ 0xff)

/** How bytes leave a file, and how what came of them is read when the file has been overwritten. */
interface Path {
  /** Runs what is accounted for; the account ends with it. */
  readonly send: (
    file: FileHandle,
    length: number,
    mode: Mode,
  ) => Promise<() => Promise<Uint8Array>>
  /** What is made ready before. */
  readonly prepare?: (file: FileHandle, length: number) => Promise<void>
}

function toSocket(pair: () => Promise<SocketPair>): () => Promise<Path> {
  return async () => {
    const { client, server } = await pair()
    return {
      send: async (file, length, mode) => {
        await transfer({ file, offset: 0 }, client, { length, mode })
        return () => new Collector(server).take(length)
      },
    }
  }
}

/** A file's pages by way of a socket, in a list: only its pulling is accounted for. */
function fromSocket(pair: () => Promise<SocketPair>): () => Promise<Path> {
  return async () => {
    const { client, server } = await pair()
    const end = attach(server)
    return {
      prepare: async (file, length) => {
        await transfer({ file, offset: 0 }, client, { length })
      },
      send: async (_file, length, mode) => {
        const list = await end.pull(length, { mode, hold: 'pages' })
        return async () => {
          await end.detach()
          return readAndRelease(list)
        }
      },
    }
  }
}

function readAndRelease(list: BufferList): Uint8Array {
  const all = list.toBuffer()
  list.release()
  return all
}

async function held(file: FileHandle, length: number, mode: Mode): Promise<BufferList> {
  const list = new BufferList()
  await list.spliceFrom({ file, offset: 0 }, length, { mode, hold: 'pages' })
  return list
}

const PATHS: Record<string, () => Promise<Path> | Path> = {
  'held in a list': () => ({
    send: async (file, length, mode) => {
      const list = await held(file, length, mode)
      return () => Promise.resolve(readAndRelease(list))
    },
  }),
  'sent to TCP and not read yet': toSocket(tcpPair),
  'sent to a unix socket and not read yet': toSocket(unixPair),
  'sent to a pipe and not read yet': () => {
    // Not by way of a stream, which would read ahead.
    const { readEnd, writeEnd } = fifo()
    for (const fd of [readEnd, writeEnd]) afterwards(() => closeSync(fd))
    return {
      send: async (file, length, mode) => {
        await transfer({ file, offset: 0 }, writeEnd, { length, mode })
        return () => {
          const all = Buffer.alloc(length)
          return Promise.resolve(all.subarray(0, readSync(readEnd, all)))
        }
      },
    }
  },
  'written to another file': async () => {
    const path = await freshPath()
    return {
      send: async (file, length, mode) => {
        await transfer({ file, offset: 0 }, { file: path }, { length, mode })
        return () => readFile(path)
      },
    }
  },
  'pulled from TCP, where the file was sent': fromSocket(tcpPair),
  'pulled from a unix socket, where the file was sent': fromSocket(unixPair),
  'made readable by cStr()': () => looking((list) => list.cStr()),
  'taken out by toBuffer()': () => looking((list) => list.toBuffer()),
}

/** A look at pages of the file that a list holds. */
function looking(look: (list: BufferList) => Uint8Array): Path {
  let list = new BufferList()
  return {
    prepare: async (file, length) => {
      list = await held(file, length, 'auto')
    },
    send: () => {
      const seen = look(list)
      return Promise.resolve(() => {
        const copy = Uint8Array.from(seen)
        list.release()
        return Promise.resolve(copy)
      })
    },
  }
}

/** How many bytes show what the file holds now. */
function aliased(found: Uint8Array): number {
  let count = 0
  for (const [i, byte] of found.entries()) {
    if (byte === after[i]) count += 1
    else if (byte !== before[i]) throw new Error(`Byte ${i} is neither the old one nor the new one`)
  }
  return count
}

/** What the ledger says moved by reference all the way, at least and at the most. */
function told({ moved, unknown, kernelCopied }: Account): readonly [number, number] {
  const byKernel = Object.values(kernelCopied).reduce((sum, n) => sum + n, 0)
  const most = moved - Math.min(moved, byKernel)
  return [Math.max(0, most - unknown), most]
}

for (const on of ['disk', 'tmpfs'] as const) {
  describe(`Bytes of a file on ${on} that is overwritten afterwards`, () => {
    for (const [name, path] of Object.entries(PATHS)) {
      it(`show, ${name}, whether the ledger is right`, async function () {
        if (name.includes('pipe')) needsAddon(this)
        // Memory is readable as it is.
        if (name.includes('cStr')) needsPages(this)
        for (const mode of MODES) {
          for (const length of LENGTHS) {
            const { handle } = await fileOf(before.subarray(0, length), on)
            const { prepare, send } = await path()
            await prepare?.(handle, length)
            const { result: read, account } = await accounted(() => send(handle, length, mode))
            await handle.write(after, 0, length, 0)
            const found = await read()
            const about = `mode ${mode}, ${length} bytes, ${JSON.stringify(account)}`
            expect(found.length, about).to.equal(length)
            expect(aliased(found), about).to.be.within(...told(account))
            // Every byte is in the account, as one or the other.
            const kernelCopied = Object.values(account.kernelCopied).reduce((sum, n) => sum + n, 0)
            const all = account.moved + copiedBytes(account) + kernelCopied
            expect(all, about).to.be.at.least(length)
          }
        }
      })
    }
  })
}

/** A gift whose giver, against the rule, still has its memory: nothing else could show who reads it. */
function giftOf(content: Uint8Array): { readonly memory: Uint8Array; readonly list: BufferList } {
  const memory = OwnMemory.make(content.length)
  afterwards(() => memory.end())
  memory.bytes.set(content)
  const segments = new Segments()
  segments.push(windowOf(new PipeRaw(givePages(memory).pipes, 'owned')))
  return { memory: memory.bytes, list: listOf(segments) }
}

describe('Pages that are ours alone', () => {
  for (const [name, pair] of [
    ['TCP', tcpPair],
    ['a unix socket', unixPair],
  ] as const) {
    it(`leave for ${name} by reference in every mode but 'copy', and the ledger is right`, async function () {
      needsPages(this)
      for (const mode of MODES) {
        for (const length of LENGTHS) {
          const { memory, list } = giftOf(before.subarray(0, length))
          const { client, server } = await pair()
          const { account } = await accounted(() => list.spliceTo(client, { mode }))
          list.release()
          memory.set(after.subarray(0, length))
          const found = await new Collector(server).take(length)
          const about = `mode ${mode}, ${length} bytes, ${JSON.stringify(account)}`
          expect(aliased(found), about).to.equal(mode === 'copy' ? 0 : length)
          expect(aliased(found), about).to.be.within(...told(account))
        }
      }
    })
  }
})

/**
 * The same bytes as lists of every kind. What a list says must not depend on where its bytes are.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Context } from 'mocha'
import { BufferList } from 'splicelist'
import { pipeList, pipeRaw } from '../raw/pipes.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { tempFolder } from '../support/folders.js'
import { needsAddon } from '../support/needs.js'

/** A way of holding bytes. */
export interface Kind {
  readonly name: string
  /** Whether it can be had with the addon alone. */
  readonly needsAddon: boolean
  /** Skips the test where this kind cannot be had. */
  check(test: Context): void
  /** A list of these bytes, released after the test. */
  make(content: Uint8Array<ArrayBuffer>): Promise<BufferList> | BufferList
}

/** Sizes at which pages, blocks and pipes end. */
export const SIZES = [
  0, 1, 4095, 4096, 4097, 65535, 65536, 65537, 1048575, 1048576, 1048577, 5242880,
] as const

const anywhere = { needsAddon: false, check: (): void => undefined } as const
const withAddon = { needsAddon: true, check: needsAddon } as const

/** Bytes in segments of growing, odd sizes. */
export function cutUp(content: Uint8Array<ArrayBuffer>): BufferList {
  const list = new BufferList()
  for (let at = 0, n = 1; at < content.length; at += n, n = n * 3 + 1) {
    list.append(Buffer.from(content.subarray(at, at + n)))
  }
  return list
}

/** A list of one extent of a file that holds these bytes behind 777 others. Not loaded. */
export async function extentList(content: Uint8Array): Promise<BufferList> {
  const path = join(await tempFolder('tmpfs'), 'extent')
  await writeFile(path, Buffer.concat([bytes(99, 777), content, bytes(98, 55)]))
  const list = await BufferList.fromFile(path, { offset: 777, length: content.length })
  afterwards(() => list.release())
  return list
}

/** Every kind that can be read at once. */
export const KINDS: readonly Kind[] = [
  {
    name: 'one segment of memory',
    ...anywhere,
    make: (content) => new BufferList(Buffer.from(content)),
  },
  { name: 'many segments of memory', ...anywhere, make: cutUp },
  { name: 'pipes', ...withAddon, make: pipeList },
  {
    name: 'a loaded extent of a file',
    ...anywhere,
    make: async (content) => (await extentList(content)).load(),
  },
  {
    name: 'memory, pipes and a file by turns',
    ...withAddon,
    make: async (content) => {
      const list = new BufferList()
      afterwards(() => list.release())
      const third = Math.floor(content.length / 3)
      list.append(Buffer.from(content.subarray(0, third)))
      if (third > 0) list.adoptRaw(pipeRaw(content.subarray(third, 2 * third)))
      list.claimAppend(await (await extentList(content.subarray(2 * third))).load())
      return list
    },
  },
]

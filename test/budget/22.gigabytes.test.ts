/**
 * More bytes than 32 bits count, and than anybody has memory for, with `SPLICELIST_LONG=1`; else four
 * times what memory may grow by. Every byte is checked, and memory stays flat.
 */
import { open } from 'node:fs/promises'
import { expect } from 'chai'
import { attach, fanOut, lists, proxy, transfer } from 'splicelist'
import { needsAddon } from '../support/needs.js'
import { freshPath } from '../transfer/places.js'
import { isLong } from './crowd.js'
import { BLOCK_BYTES, longPeer, Run } from './long-run.js'

/** What goes over a wire: past 4 GiB, and no multiple of a page. */
const WIRE_BYTES = (isLong ? 4.5 * 2 ** 30 : 256 << 20) + 12_345
/** What is kept by a file, or goes several ways. */
const KEPT_BYTES = (isLong ? 2 * 2 ** 30 : 256 << 20) + 12_345
/** A file may grow past 4 GiB all the same: it begins with a hole. */
const BEYOND_BYTES = 2 ** 32 - (48 << 20)
/** What the process may grow by meanwhile: garbage that was not collected yet, not payload. */
const GROWTH_BYTES_MAX = 64 << 20
/** How often memory is looked at. */
const LOOK_EACH_BYTES = 64 << 20

/** Does work that reports its progress, in memory that stays as it is. */
async function inFlatMemory(
  work: (onProgress: (bytesMoved: number) => void) => Promise<void>,
): Promise<void> {
  globalThis.gc?.()
  const before = process.memoryUsage.rss()
  let nextLook = LOOK_EACH_BYTES
  let growth = 0
  await work((bytesMoved) => {
    if (bytesMoved < nextLook) return
    nextLook = bytesMoved + LOOK_EACH_BYTES
    growth = Math.max(growth, process.memoryUsage.rss() - before)
  })
  expect(growth, 'bytes that the process has grown by').to.be.lessThan(GROWTH_BYTES_MAX)
}

/** A file that is a sparse run, and longer than any memory it takes. */
async function sparseFile(lengthBytes: number): Promise<string> {
  const path = await freshPath('tmpfs')
  const run = new Run(true)
  await using file = await open(path, 'w')
  for (let index = 0; index * BLOCK_BYTES < lengthBytes; index++) {
    if (!run.isHole(index)) await file.write(run.block(index), 0, BLOCK_BYTES, index * BLOCK_BYTES)
  }
  await file.truncate(lengthBytes)
  return path
}

/** Bytes of a file from an offset on that are those of a run. */
async function rightBytes(path: string, offset: number): Promise<number> {
  const run = new Run(false)
  await using file = await open(path)
  const block = Buffer.alloc(BLOCK_BYTES)
  for (let at = 0; ;) {
    const { bytesRead } = await file.read(block, 0, BLOCK_BYTES, offset + at)
    if (bytesRead === 0 || !run.hasAt(at, block.subarray(0, bytesRead))) return at
    at += bytesRead
  }
}

describe('Gigabytes', function () {
  this.timeout(isLong ? 120_000 : 30_000)

  beforeEach(function () {
    // Streams of Node's are not what this is about, and take minutes.
    needsAddon(this)
  })
  it('of a file go to a socket', async () => {
    const file = await sparseFile(WIRE_BYTES)
    const to = await longPeer('check sparse', WIRE_BYTES)
    await inFlatMemory(async (onProgress) => {
      const { bytesMoved } = await transfer({ file }, to.socket, { onProgress })
      expect(bytesMoved).to.equal(WIRE_BYTES)
    })
    expect(await to.right).to.equal(WIRE_BYTES)
  })

  it('go from socket to socket', async () => {
    const from = await longPeer('send', WIRE_BYTES)
    const to = await longPeer('check', WIRE_BYTES)
    await inFlatMemory(async (onProgress) => {
      const { bytesMoved, eof } = await transfer(from.socket, to.socket, { onProgress })
      expect({ bytesMoved, eof }).to.deep.equal({ bytesMoved: WIRE_BYTES, eof: true })
    })
    expect(await to.right).to.equal(WIRE_BYTES)
  })

  it('go from a socket to a file, past its fourth gigabyte', async () => {
    const from = await longPeer('send', KEPT_BYTES)
    const file = await freshPath('tmpfs')
    await inFlatMemory(async (onProgress) => {
      const sink = { file, offset: BEYOND_BYTES }
      const { bytesMoved } = await transfer(from.socket, sink, { onProgress })
      expect(bytesMoved).to.equal(KEPT_BYTES)
    })
    expect(await rightBytes(file, BEYOND_BYTES)).to.equal(KEPT_BYTES)
  })

  it('go through lists, one at a time', async () => {
    const from = await longPeer('send', KEPT_BYTES)
    const to = await longPeer('check', KEPT_BYTES)
    await using peer = attach(to.socket)
    await inFlatMemory(async (onProgress) => {
      for await (using list of lists(from.socket, { onProgress })) {
        await peer.push(list, { consume: true })
      }
    })
    expect(await to.right).to.equal(KEPT_BYTES)
  })

  it('go to two sockets at once', async () => {
    const from = await longPeer('send', KEPT_BYTES)
    const tos = [await longPeer('check', KEPT_BYTES), await longPeer('check', KEPT_BYTES)]
    await inFlatMemory(async (onProgress) => {
      const sockets = tos.map(({ socket }) => socket)
      const { sinks } = await fanOut(from.socket, sockets, { onProgress })
      expect(sinks).to.deep.equal([{ bytesMoved: KEPT_BYTES }, { bytesMoved: KEPT_BYTES }])
    })
    expect(await Promise.all(tos.map(({ right }) => right))).to.deep.equal([KEPT_BYTES, KEPT_BYTES])
  })

  it('go through a proxy', async () => {
    const a = await longPeer('send', KEPT_BYTES)
    const b = await longPeer('check', KEPT_BYTES)
    await inFlatMemory(async (onProgress) => {
      const { aToB } = await proxy(a.socket, b.socket, { onProgress })
      expect(aToB).to.include({ bytesMoved: KEPT_BYTES, eof: true })
    })
    expect(await b.right).to.equal(KEPT_BYTES)
  })
})

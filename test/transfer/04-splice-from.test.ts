/**
 * spliceFrom(): what the count means, where a file's position goes, and what an error leaves.
 */
import { openSync, closeSync, truncateSync } from 'node:fs'
import { open, rm, writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import { attach, BufferList, InvalidArgumentError, ReleasedError, TransferError } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { hasAddon, needsAddon, needsPages } from '../support/needs.js'
import { tcpPair } from '../support/socket-pairs.js'
import { failure } from './outcomes.js'
import { fileOf, freshPath, giver, KINDS } from './places.js'
import { Collector } from './collector.js'
import { reset } from './reset.js'

async function same(list: BufferList, expected: Uint8Array): Promise<void> {
  await list.load()
  expectSameBytes(list.toBuffer(), expected)
}

describe('spliceFrom()', () => {
  it('resolves with fewer bytes than asked for only at the end of a stream', async () => {
    const { client, server } = await tcpPair()
    client.end(bytes(1, 100_000))
    using list = new BufferList()
    expect(await list.spliceFrom(server, 150_000)).to.equal(100_000)
    expect(await list.spliceFrom(server, 1)).to.equal(0)
    await same(list, bytes(1, 100_000))
  })

  it('resolves with fewer bytes than asked for at the end of a file', async () => {
    const { handle } = await fileOf(bytes(2, 10_000))
    for (const hold of ['extent', 'pages'] as const) {
      using list = new BufferList()
      expect(await list.spliceFrom(handle, 9_000, { offset: 4_000, hold })).to.equal(6_000)
      expect(await list.spliceFrom(handle, 5, { offset: 10_000, hold })).to.equal(0)
      expect(await list.spliceFrom(handle, 5, { offset: 2 ** 40, hold })).to.equal(0)
      await same(list, bytes(2, 10_000).subarray(4_000))
    }
  })

  it('waits for all the bytes, in however many pieces they come', async () => {
    const { client, server } = await tcpPair()
    using list = new BufferList()
    const taking = list.spliceFrom(server, 50_000)
    for (let at = 0; at < 50_000; at += 10_000) {
      client.write(bytes(3, 50_000).subarray(at, at + 10_000))
      await new Promise(setImmediate)
    }
    expect(await taking).to.equal(50_000)
    await same(list, bytes(3, 50_000))
  })

  it('is content with atLeast, and takes what is there', async () => {
    const { client, server } = await tcpPair()
    client.write(bytes(4, 5_000))
    using list = new BufferList()
    const came = await list.spliceFrom(server, 1_000_000, { atLeast: 5_000 })
    expect(came).to.equal(5_000)
    client.write(bytes(5, 30_000))
    const more = await list.spliceFrom(server, 1_000_000, { atLeast: 20_000 })
    expect(more).to.be.within(20_000, 30_000)
    await same(list, Buffer.concat([bytes(4, 5_000), bytes(5, more)]))
  })

  it('with atLeast 0 takes what is there, be it nothing', async () => {
    const { client, server } = await tcpPair()
    using list = new BufferList()
    expect(await list.spliceFrom(server, 1_000, { atLeast: 0 })).to.equal(0)
    client.end()
    expect(await list.spliceFrom(server, 1_000, { atLeast: 1 })).to.equal(0)
  })

  it('never takes more than it was asked for', async () => {
    const { client, server } = await tcpPair()
    client.end(bytes(6, 100_000))
    using list = new BufferList()
    expect(await list.spliceFrom(server, 40_000, { atLeast: 1 })).to.be.at.most(40_000)
    const rest = await new Collector(server).rest()
    expectSameBytes(Buffer.concat([list.toBuffer(), rest]), bytes(6, 100_000))
  })

  it('adds to the end of what the list has', async () => {
    const { client, server } = await tcpPair()
    client.write(bytes(7, 20_000))
    using list = new BufferList('head')
    const taking = list.spliceFrom(server, 20_000)
    list.append('meanwhile')
    await taking
    expect(list.toString('utf8', 0, 13)).to.equal('headmeanwhile')
    expectSameBytes(list.toBuffer(13), bytes(7, 20_000))
  })

  it("uses a handle's own position and advances it by what came", async () => {
    const { handle } = await fileOf(bytes(8, 60_000))
    for (const hold of ['extent', 'pages'] as const) {
      const at = hold === 'extent' ? 0 : 30_000
      using list = new BufferList()
      await list.spliceFrom(handle, 20_000, { hold })
      await list.spliceFrom(handle, 5_000, { hold })
      const { buffer } = await handle.read(Buffer.alloc(5_000), 0, 5_000)
      await same(list, bytes(8, 60_000).subarray(at, at + 25_000))
      expectSameBytes(buffer, bytes(8, 60_000).subarray(at + 25_000, at + 30_000))
    }
  })

  it("lets operations on one handle's own position wait for each other", async () => {
    const { handle } = await fileOf(bytes(20, 6_000_000))
    using pages = new BufferList()
    using extent = new BufferList()
    using more = new BufferList()
    await Promise.all([
      pages.spliceFrom(handle, 5_000_001, { hold: 'pages' }),
      extent.spliceFrom(handle, 10_000),
      more.spliceFrom(handle, 20_000, { mode: 'copy' }),
    ])
    await same(pages, bytes(20, 5_000_001))
    await same(extent, bytes(20, 6_000_000).subarray(5_000_001, 5_010_001))
    await same(more, bytes(20, 6_000_000).subarray(5_010_001, 5_030_001))
  })

  it('with an offset leaves the own position where it was', async () => {
    const { handle } = await fileOf(bytes(9, 60_000))
    using list = new BufferList()
    await list.spliceFrom(handle, 1_000, { offset: 50_000 })
    await list.spliceFrom({ file: handle, offset: 40_000 }, 1_000, { hold: 'pages' })
    const { buffer } = await handle.read(Buffer.alloc(10), 0, 10)
    expectSameBytes(buffer, bytes(9, 10))
    const expected = bytes(9, 60_000)
    await same(
      list,
      Buffer.concat([expected.subarray(50_000, 51_000), expected.subarray(40_000, 41_000)]),
    )
  })

  it('takes the offset from its options also when the file is named by { file }', async () => {
    const { path, handle } = await fileOf(bytes(10, 60_000))
    for (const file of [path, pathToFileURL(path), handle]) {
      using list = new BufferList()
      await list.spliceFrom({ file }, 1_000, { offset: 30_000 })
      await same(list, bytes(10, 60_000).subarray(30_000, 31_000))
    }
  })

  it('refuses an offset that is given twice', async () => {
    const { path } = await fileOf(bytes(10, 100))
    using list = new BufferList()
    const error = await failure(list.spliceFrom({ file: path, offset: 1 }, 10, { offset: 1 }))
    expect(error).to.be.instanceOf(InvalidArgumentError)
  })

  it('takes a path, a URL, a handle and the number of a regular file', async () => {
    const { path, handle } = await fileOf(bytes(11, 70_000))
    const fd = openSync(path, 'r')
    afterwards(() => closeSync(fd))
    for (const source of [{ file: path }, { file: pathToFileURL(path) }, handle, fd]) {
      using list = new BufferList()
      expect(await list.spliceFrom(source, 100_000)).to.equal(70_000)
      await same(list, bytes(11, 70_000))
    }
  })

  it('holds an extent of a file that is closed and unlinked meanwhile', async function () {
    needsAddon(this)
    const path = await freshPath()
    await writeFile(path, bytes(12, 50_000))
    const handle = await open(path, 'r')
    using list = new BufferList()
    await list.spliceFrom(handle, 50_000, { offset: 0 })
    await handle.close()
    await rm(path)
    await same(list, bytes(12, 50_000))
  })

  it('reports an extent whose file has become shorter, and sends what there is', async () => {
    const { path, handle } = await fileOf(bytes(13, 50_000))
    const { client, server } = await tcpPair()
    const collector = new Collector(server)
    using list = new BufferList()
    await list.spliceFrom(handle, 50_000, { offset: 0 })
    truncateSync(path, 20_000)
    const error = await failure(list.spliceTo(client))
    expect(error).to.be.instanceOf(TransferError)
    expect(error).to.include({ side: 'source', code: 'ENODATA' })
    const { bytesMoved } = error as TransferError
    expectSameBytes(await collector.take(bytesMoved), bytes(13, bytesMoved))
  })

  it('moves bytes out of a list that is given as the source', async () => {
    using source = new BufferList(bytes(14, 10_000))
    using list = new BufferList()
    expect(await list.spliceFrom(source, 4_000)).to.equal(4_000)
    expect(source.length).to.equal(6_000)
    expect(await list.spliceFrom(source, 10_000)).to.equal(6_000)
    expect(source.length).to.equal(0)
    expectSameBytes(list.toBuffer(), bytes(14, 10_000))
  })

  it('takes from an attached endpoint and leaves it attached', async () => {
    const { client, server } = await tcpPair()
    client.write(bytes(15, 60_000))
    await using peer = attach(server)
    using list = new BufferList()
    expect(await list.spliceFrom(peer, 40_000)).to.equal(40_000)
    using rest = await peer.pull(20_000)
    list.append(rest)
    expectSameBytes(list.toBuffer(), bytes(15, 60_000))
  })

  it('leaves in the list what had arrived before an error', async () => {
    const { client, server } = await tcpPair()
    server.on('error', () => undefined)
    using list = new BufferList()
    client.write(bytes(16, 40_000))
    const taking = failure(list.spliceFrom(server, 200_000))
    await new Promise((resolve) => setTimeout(resolve, 10))
    reset(client)
    const error = await taking
    expect(error).to.include({ side: 'source', code: 'ECONNRESET', bytesMoved: 40_000 })
    expect((error as TransferError).takeResidual()).to.equal(undefined)
    expectSameBytes(list.toBuffer(), bytes(16, 40_000))
  })

  it('tells when its list was released meanwhile, and keeps nothing', async () => {
    const { client, server } = await tcpPair()
    const list = new BufferList()
    const taking = list.spliceFrom(server, 100_000)
    client.write(bytes(17, 50_000))
    await new Promise((resolve) => setTimeout(resolve, 10))
    list.release()
    client.write(bytes(18, 50_000))
    expect(await failure(taking)).to.be.instanceOf(ReleasedError)
  })

  it('takes nothing for a length of 0, from every source', async () => {
    for (const kind of KINDS) {
      if (kind === 'pipe' && !hasAddon) continue
      const from = await giver(kind)
      using list = new BufferList()
      expect(await list.spliceFrom(await from.give(bytes(1, 10)), 0)).to.equal(0)
      expect(list.length).to.equal(0)
    }
  })

  it("holds pages also of a few bytes when 'pages' are asked for", async function () {
    needsPages(this)
    for (const kind of ['tcp', 'unix', 'pipe', 'disk file', 'tmpfs file'] as const) {
      using list = new BufferList()
      await list.spliceFrom(await (await giver(kind)).give(bytes(1, 10)), 10, { hold: 'pages' })
      expect(list.explain().map((row) => row.kind)).to.deep.equal(['pipe'])
      expect(list.explain()[0]?.pages).to.equal(kind.endsWith('file') ? 'loan' : 'foreign')
    }
  })

  it('reads a device, which has no length and no position', async () => {
    using list = new BufferList()
    expect(await list.spliceFrom({ file: '/dev/zero' }, 100_000)).to.equal(100_000)
    expectSameBytes(list.toBuffer(), Buffer.alloc(100_000))
  })

  it('refuses an offset for what has none', async () => {
    const { client, server } = await tcpPair()
    client.write(bytes(19, 10))
    using list = new BufferList()
    const error = await failure(list.spliceFrom(server, 5, { offset: 3 }))
    expect(error).to.be.instanceOf(InvalidArgumentError)
    expect(await list.spliceFrom(server, 10)).to.equal(10)
  })
})

/**
 * transfer(): from any place to any place, holding one pipe.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { expect } from 'chai'
import {
  attach,
  BufferList,
  InvalidArgumentError,
  NotByReferenceError,
  ReleasedError,
  transfer,
  TransferError,
} from 'splicelist'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { hasAddon, hasPages, needsAddon } from '../support/needs.js'
import { tcpPair } from '../support/socket-pairs.js'
import { accounted, copiedBytes } from './account.js'
import { Collector } from './collector.js'
import { failure, within } from './outcomes.js'
import { fileOf, freshPath, giver, isFile, KINDS, opened, taker, type Kind } from './places.js'
import { reset } from './reset.js'
import { slowDisk } from './slow-disk.js'

const SIZES = [0, 1, 4097, 65537, 1048577] as const

/** The calls by which bytes may move by reference between two kinds of places. */
function byReference(from: Kind, to: Kind): readonly string[] {
  if (!isFile(from) || to === 'pipe') return ['splice']
  if (!isFile(to)) return ['sendfile']
  // Between two file systems that have nothing in common, and where extents cannot be shared, pages go
  // through a pipe.
  return from === to ? ['splice', 'copy_file_range'] : ['splice']
}

describe('transfer()', () => {
  for (const from of KINDS) {
    for (const to of KINDS) {
      for (const mode of ['auto', 'stable', 'copy'] as const) {
        it(`moves from ${from} to ${to}, mode ${mode}, and says how`, async function () {
          if (!hasAddon && [from, to].includes('pipe')) this.skip()
          const source = await giver(from)
          const sink = await taker(to)
          const isByReference = hasPages && mode === 'auto' && from !== 'stream' && to !== 'stream'
          for (const [seed, length] of SIZES.entries()) {
            const sent = bytes(seed, length)
            const place = await source.give(sent)
            const target = await sink.open()
            const arriving = isFile(to) ? undefined : sink.taken(length)
            const { result, account } = await accounted(() =>
              transfer(place, target, { length, mode }),
            )
            expect(result.bytesMoved).to.equal(length)
            expectSameBytes(await (arriving ?? sink.taken(length)), sent, `${length} bytes`)
            expect(account.moved, 'moved').to.equal(isByReference ? length : 0)
            const copies = copiedBytes(account) - (account.copied['staging'] ?? 0)
            expect(copies, 'copied').to.equal(isByReference ? 0 : length)
            if (length > 0) {
              const expected = isByReference ? byReference(from, to) : ['write']
              expect(result.ways).to.satisfy((ways: string[]) =>
                ways.some((way) => expected.includes(way)),
              )
              expect(result.ways.some((way) => way.startsWith('copy:'))).to.equal(!isByReference)
            }
          }
        })
      }
    }
  }

  for (const [from, to] of [
    ['disk file', 'tmpfs file'],
    ['tcp', 'disk file'],
    ['disk file', 'tcp'],
    ['tcp', 'unix'],
  ] as const) {
    it(`moves 64 MiB from ${from} to ${to}`, async () => {
      const length = 64 << 20
      const sent = bytes(6, length)
      const source = await (await giver(from)).give(sent)
      const sink = await taker(to)
      const target = await sink.open()
      const arriving = isFile(to) ? undefined : sink.taken(length)
      const { bytesMoved } = await transfer(source, target, { length })
      expect(bytesMoved).to.equal(length)
      expectSameBytes(await (arriving ?? sink.taken(length)), sent)
    })
  }

  it('goes on to the end of the source, and says that it ended', async () => {
    const { client, server } = await tcpPair()
    const sent = bytes(1, 300_001)
    client.end(sent)
    const path = await freshPath()
    const result = await transfer(server, { file: path })
    expect(result.bytesMoved).to.equal(300_001)
    expect(result.eof).to.equal(true)
    expectSameBytes(await readFile(path), sent)
  })

  it('stops at the given length and leaves the rest in the source', async () => {
    const { client, server } = await tcpPair()
    const sent = bytes(2, 100_000)
    client.end(sent)
    const path = await freshPath()
    const result = await transfer(server, { file: path }, { length: 70_001 })
    expect(result).to.deep.include({ bytesMoved: 70_001, eof: false })
    expectSameBytes(await readFile(path), sent.subarray(0, 70_001))
    expectSameBytes(await new Collector(server).rest(), sent.subarray(70_001))
  })

  it('consumes a list that it is given as the source', async () => {
    const { client, server } = await tcpPair()
    const collector = new Collector(server)
    using list = new BufferList(bytes(3, 50_000))
    const { bytesMoved } = await transfer(list, client, { length: 30_000 })
    expect(bytesMoved).to.equal(30_000)
    expect(list.length).to.equal(20_000)
    await transfer(list, client)
    expect(list.length).to.equal(0)
    expectSameBytes(await collector.take(50_000), bytes(3, 50_000))
  })

  it('sends first what an endpoint had been given back', async () => {
    const { client, server } = await tcpPair()
    client.end(bytes(4, 200_000))
    await using peer = attach(server)
    using head = await peer.pull(100_000)
    peer.unpull(head)
    const path = await freshPath()
    const { bytesMoved } = await transfer(peer, { file: path })
    expect(bytesMoved).to.equal(200_000)
    expectSameBytes(await readFile(path), bytes(4, 200_000))
  })

  it('reports progress that only grows, up to the whole', async () => {
    const length = hasPages ? 300_000 : 20_000_000
    const { handle } = await fileOf(bytes(5, length))
    const seen: number[] = []
    const onProgress = (moved: number): void => void seen.push(moved)
    slowDisk(1)
    await transfer({ file: handle, offset: 0 }, { file: await freshPath() }, { onProgress })
    expect(seen.at(-1)).to.equal(length)
    expect(seen).to.deep.equal([...seen].sort((a, b) => a - b))
    expect(seen.length).to.be.greaterThan(1)
  })

  it('runs both ways between two sockets at once without waiting for itself', async () => {
    const left = await tcpPair()
    const right = await tcpPair()
    const there = transfer(left.server, right.client)
    const back = transfer(right.client, left.server)
    const toRight = new Collector(right.server)
    const toLeft = new Collector(left.client)
    left.client.end(bytes(1, 2_000_000))
    right.server.end(bytes(2, 1_500_000))
    const results = await Promise.all([there, back])
    expect(results.map(({ bytesMoved }) => bytesMoved)).to.deep.equal([2_000_000, 1_500_000])
    expectSameBytes(await toRight.take(2_000_000), bytes(1, 2_000_000))
    expectSameBytes(await toLeft.take(1_500_000), bytes(2, 1_500_000))
  })

  it('echoes: one socket as source and sink', async () => {
    const { client, server } = await tcpPair()
    const echoed = new Collector(client)
    client.end(bytes(7, 3_000_000))
    const { bytesMoved } = await transfer(server, server)
    expect(bytesMoved).to.equal(3_000_000)
    expectSameBytes(await echoed.take(3_000_000), bytes(7, 3_000_000))
  })

  it("does not wait for itself when source and sink are one handle's own position", async () => {
    const { handle } = await fileOf(bytes(8, 10_000))
    const error = await within(5_000, failure(transfer(handle, handle, { length: 5_000 })))
    expect(error).to.be.instanceOf(InvalidArgumentError)
    expect(String(error)).to.match(/offset/)
    // With an offset for one of them it is a copy within the file.
    const { bytesMoved } = await transfer(handle, { file: handle, offset: 10_000 }, { length: 10 })
    expect(bytesMoved).to.equal(10)
  })

  it("does not wait for another that moves between the same handles' own positions", async () => {
    const one = await fileOf(bytes(11, 50_000))
    const two = await fileOf(bytes(12, 50_000))
    const both = Promise.all([
      transfer(one.handle, two.handle, { length: 20_000 }),
      transfer(two.handle, one.handle, { length: 20_000 }),
      transfer(one.handle, two.handle, { length: 10_000 }),
    ])
    const results = await within(10_000, both)
    expect(results).to.not.equal('pending')
  })

  it('touches no target when its source cannot be had', async () => {
    const path = await freshPath()
    await writeFile(path, 'precious')
    const error = await failure(transfer({ file: `${path}.missing` }, { file: path }))
    expect(error).to.have.property('code', 'ENOENT')
    expect(await readFile(path, 'utf8')).to.equal('precious')
  })

  it('touches no target when its list was released', async () => {
    const path = await freshPath()
    await writeFile(path, 'precious')
    const list = new BufferList('other')
    list.release()
    for (const send of [
      () => transfer(list, { file: path }),
      () => list.spliceTo({ file: path }),
    ]) {
      expect(await failure(send())).to.be.instanceOf(ReleasedError)
    }
    expect(await readFile(path, 'utf8')).to.equal('precious')
  })

  it('touches no target when the bytes cannot go by reference and must', async () => {
    const path = await freshPath()
    await writeFile(path, 'precious')
    const stream = (await import('node:stream')).Readable.from([Buffer.from('other')], {
      objectMode: false,
    })
    const error = await failure(transfer(stream, { file: path }, { mode: 'reference' }))
    expect(error).to.be.instanceOf(NotByReferenceError)
    expect(await readFile(path, 'utf8')).to.equal('precious')
  })

  it("advances both files' own positions by what was accepted", async function () {
    needsAddon(this)
    const from = await fileOf(bytes(9, 100_000))
    const to = await opened(await freshPath(), 'w+')
    await transfer(from.handle, to, { length: 30_000 })
    await transfer(from.handle, to, { length: 40_000 })
    const next = await from.handle.read(Buffer.alloc(1), 0, 1)
    expect(next.buffer[0]).to.equal(bytes(9, 100_000)[70_000])
    await to.write('end')
    const { buffer } = await to.read(Buffer.alloc(70_003), 0, 70_003, 0)
    expectSameBytes(buffer.subarray(0, 70_000), bytes(9, 70_000))
    expect(buffer.subarray(70_000).toString()).to.equal('end')
  })

  it('names the side that failed, and what had arrived by then', async () => {
    const { client, server } = await tcpPair()
    client.on('error', () => undefined)
    server.on('error', () => undefined)
    const path = await freshPath()
    const onProgress = (moved: number): void => {
      if (moved === 100_000) reset(client)
    }
    const moving = transfer(server, { file: path }, { onProgress })
    client.write(bytes(10, 100_000))
    const error = await failure(moving)
    expect(error).to.be.instanceOf(TransferError)
    expect(error).to.include({ side: 'source', code: 'ECONNRESET', bytesMoved: 100_000 })
    expectSameBytes(await readFile(path), bytes(10, 100_000))
  })
})

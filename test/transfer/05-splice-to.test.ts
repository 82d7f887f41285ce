/**
 * spliceTo(): what the list keeps and what it gives up, as often and in whatever order it is sent.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import { BufferList, InvalidArgumentError, NotByReferenceError, TransferError } from 'splicelist'
import { addon } from '#lib/native.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { hasPages, needsAddon, needsPages } from '../support/needs.js'
import { tcpPair, unixPair, type SocketPair } from '../support/socket-pairs.js'
import { accounted } from './account.js'
import { Collector } from './collector.js'
import { failure, until } from './outcomes.js'
import { fileOf, freshPath, giver, opened } from './places.js'
import { reset } from './reset.js'

/** More than any loopback socket takes while nobody reads. */
const TOO_MUCH_BYTES = 24 << 20

/** A list held in pipes where that is possible. */
async function heldList(
  content: Uint8Array,
  kind: 'tcp' | 'disk file' = 'tcp',
): Promise<BufferList> {
  const list = new BufferList()
  await list.spliceFrom(await (await giver(kind)).give(content), content.length, { hold: 'pages' })
  return list
}

describe('spliceTo()', () => {
  for (const kind of ['tcp', 'disk file'] as const) {
    it(`sends windows of held pages (${kind}) repeatedly and out of order`, async () => {
      const content = bytes(1, 3_000_000)
      using list = await heldList(content, kind)
      const { client, server } = await tcpPair()
      const collector = new Collector(server)
      const windows = [
        [2_500_000, 499_999],
        [0, 1],
        [1_048_570, 20],
        [777, 1_500_000],
        [777, 1_500_000],
        [2_999_999, 1],
        [0, 3_000_000],
        [65_536, 65_536],
        [65_535, 2],
      ] as const
      for (const [offset, length] of windows) {
        using window = list.substr(offset, length)
        expect(await window.spliceTo(client)).to.equal(length)
        expectSameBytes(await collector.take(length), content.subarray(offset, offset + length))
      }
      expectSameBytes(list.toBuffer(), content)
    })
  }

  it('sends one list to two sockets and a file at once', async () => {
    const content = bytes(2, 5_000_000)
    using list = await heldList(content)
    const one = await tcpPair()
    const two = await unixPair()
    const path = await freshPath()
    const arrived = [one, two].map(({ server }) => new Collector(server).take(content.length))
    const sinks = [one.client, two.client, { file: path }]
    const counts = await Promise.all(sinks.map((sink) => list.spliceTo(sink)))
    expect(counts).to.deep.equal([content.length, content.length, content.length])
    for (const each of arrived) expectSameBytes(await each, content)
    expectSameBytes(await readFile(path), content)
  })

  it('sends the list as it was at the call, however it is edited or released meanwhile', async () => {
    const content = bytes(3, TOO_MUCH_BYTES)
    const { client, server } = await tcpPair()
    const list = await heldList(content)
    const sending = list.spliceTo(client)
    await until(() => client.writableLength === 0)
    list.append('more').consume(1_000_000).prepend('front')
    list.splice(500, 1_000).release()
    list.release()
    const arrived = new Collector(server).take(content.length)
    expect(await sending).to.equal(content.length)
    expectSameBytes(await arrived, content)
  })

  it('keeps the views of the list alive, for sending changes nothing', async () => {
    using list = new BufferList(bytes(4, 100))
    using held = await heldList(bytes(5, 100_000))
    list.append(held)
    const { client, server } = await tcpPair()
    const collector = new Collector(server)
    const view = list.cStr(1_000, 50_000)
    await list.spliceTo(client)
    expect(view.length).to.equal(50_000)
    expectSameBytes(view, bytes(5, 100_000).subarray(900, 50_900))
    await collector.take(list.length)
  })

  it('can be sent from within an iteration over it', async () => {
    using list = new BufferList(Buffer.from('one'), Buffer.from('two'))
    const { client, server } = await tcpPair()
    const collector = new Collector(server)
    for (const part of list) {
      expect(part.length).to.equal(3)
      await list.spliceTo(client)
    }
    expect((await collector.take(12)).toString()).to.equal('onetwoonetwo')
  })

  it('is by reference again after a look, and the look costs its block alone', async function () {
    needsPages(this)
    using list = await heldList(bytes(6, 1 << 20))
    expect(list.byteAt(700_000)).to.equal(bytes(6, 700_001)[700_000])
    const { client, server } = await tcpPair()
    const collector = new Collector(server)
    const { account } = await accounted(() => list.spliceTo(client))
    expect(account.copied).to.deep.equal({})
    expect(account.moved).to.equal(1 << 20)
    expectSameBytes(await collector.take(1 << 20), bytes(6, 1 << 20))
  })

  it('sends an empty list as nothing', async () => {
    const { client } = await tcpPair()
    using list = new BufferList()
    expect(await list.spliceTo(client)).to.equal(0)
    expect(await list.spliceTo({ file: await freshPath() })).to.equal(0)
  })

  describe('with consume', () => {
    it('leaves nothing behind, and tees nothing', async function () {
      needsPages(this)
      const list = await heldList(bytes(7, 2_000_000))
      const { client, server } = await tcpPair()
      const arrived = new Collector(server).take(2_000_000)
      const { result, account } = await accounted(() => list.spliceTo(client, { consume: true }))
      expect(result).to.equal(2_000_000)
      expect(list.length).to.equal(0)
      expect(account.teed).to.equal(0)
      expect(account.moved).to.equal(2_000_000)
      expectSameBytes(await arrived, bytes(7, 2_000_000))
    })

    it('keeps what another list shares', async () => {
      using list = await heldList(bytes(8, 300_000))
      using shared = list.substr(100_000)
      const path = await freshPath()
      await list.spliceTo({ file: path }, { consume: true })
      expectSameBytes(await readFile(path), bytes(8, 300_000))
      expectSameBytes(shared.toBuffer(), bytes(8, 300_000).subarray(100_000))
    })

    it('consumes windows that share pages, in any order', async () => {
      const content = bytes(9, 400_000)
      using list = await heldList(content)
      using back = list.splice(250_000, 150_000)
      using middle = list.splice(100_000, 100_000)
      const { client, server } = await tcpPair()
      const collector = new Collector(server)
      for (const part of [back, list, middle]) await part.spliceTo(client, { consume: true })
      const parts = [
        content.subarray(250_000),
        content.subarray(0, 100_000),
        content.subarray(200_000, 250_000),
        content.subarray(100_000, 200_000),
      ]
      expectSameBytes(await collector.take(400_000), Buffer.concat(parts))
    })

    it('empties the list while it is under way, and what is added then stays', async () => {
      const content = bytes(10, TOO_MUCH_BYTES)
      using list = await heldList(content)
      const { client, server } = await tcpPair()
      const sending = list.spliceTo(client, { consume: true })
      expect(list.length).to.equal(0)
      list.append('next')
      const arrived = new Collector(server).take(content.length)
      expect(await sending).to.equal(content.length)
      expectSameBytes(await arrived, content)
      expect(list.toString()).to.equal('next')
    })

    it('puts the rest back in front of what was added, after an error', async () => {
      const content = bytes(11, TOO_MUCH_BYTES)
      using list = await heldList(content)
      const { client, server } = await tcpPair()
      client.on('error', () => undefined)
      const sending = list.spliceTo(client, { consume: true })
      list.append('next')
      const collector = new Collector(server)
      await collector.take(1_000_000)
      reset(server)
      const error = (await failure(sending)) as TransferError
      expect(error).to.be.instanceOf(TransferError)
      expect(error.side).to.equal('sink')
      expect(error.bytesMoved + list.length).to.equal(content.length + 4)
      expectSameBytes(list.toBuffer(0, list.length - 4), content.subarray(error.bytesMoved))
      expect(list.toString('utf8', list.length - 4)).to.equal('next')
    })

    it('gives the rest up when the list was released meanwhile', async () => {
      const list = await heldList(bytes(12, TOO_MUCH_BYTES))
      const { client, server } = await tcpPair()
      client.on('error', () => undefined)
      const sending = list.spliceTo(client, { consume: true })
      list.release()
      await new Promise(setImmediate)
      reset(server)
      expect(await failure(sending)).to.be.instanceOf(TransferError)
    })

    it('leaves the list whole when the mode is refused', async function () {
      if (hasPages) this.skip()
      using list = new BufferList(bytes(13, 1_000))
      const { client } = await tcpPair()
      const path = await freshPath()
      await writeFile(path, 'precious')
      for (const sink of [client, { file: path }]) {
        const sending = list.spliceTo(sink, { consume: true, mode: 'reference' })
        expect(await failure(sending)).to.be.instanceOf(NotByReferenceError)
      }
      expect(list.length).to.equal(1_000)
      expect(await readFile(path, 'utf8')).to.equal('precious')
    })

    it('leaves the list whole when the sink is refused', async () => {
      using list = await heldList(bytes(13, 100_000))
      const path = `${await freshPath()}/missing/file`
      expect(await failure(list.spliceTo({ file: path }, { consume: true }))).to.have.property(
        'code',
        'ENOENT',
      )
      expectSameBytes(list.toBuffer(), bytes(13, 100_000))
    })
  })

  describe('into a file', () => {
    it('goes to its own position and advances it by what was accepted', async () => {
      const handle = await opened(await freshPath(), 'w+')
      using list = await heldList(bytes(14, 50_000))
      using memory = new BufferList('memory')
      await list.spliceTo(handle)
      await memory.spliceTo(handle)
      await list.spliceTo(handle)
      await handle.write('end')
      const { size } = await handle.stat()
      expect(size).to.equal(100_009)
      const { buffer } = await handle.read(Buffer.alloc(size), 0, size, 0)
      const content = bytes(14, 50_000)
      const expected = [content, Buffer.from('memory'), content, Buffer.from('end')]
      expectSameBytes(buffer, Buffer.concat(expected))
    })

    it('with an offset keeps what is around it, and its own position', async () => {
      const { path, handle } = await fileOf(Buffer.alloc(100_000, 'x'))
      using list = await heldList(bytes(15, 20_000))
      await list.spliceTo(handle, { offset: 30_001 })
      await list.spliceTo({ file: handle, offset: 60_001 })
      await handle.write('start')
      const content = await readFile(path)
      expect(content.length).to.equal(100_000)
      expect(content.toString('utf8', 0, 6)).to.equal('startx')
      expectSameBytes(content.subarray(30_001, 50_001), bytes(15, 20_000))
      expectSameBytes(content.subarray(60_001, 80_001), bytes(15, 20_000))
      expect(content.toString('utf8', 29_999, 30_001)).to.equal('xx')
      expect(content.toString('utf8', 80_001, 80_003)).to.equal('xx')
    })

    it('named by a path truncates it, but not where an offset is given', async () => {
      const { path } = await fileOf(Buffer.alloc(100, 'x'))
      using list = new BufferList('new')
      await list.spliceTo({ file: path, offset: 10 })
      expect((await readFile(path)).length).to.equal(100)
      await list.spliceTo({ file: pathToFileURL(path) }, { offset: 50 })
      expect((await readFile(path)).toString('utf8', 49, 54)).to.equal('xnewx')
      await list.spliceTo({ file: path })
      expect(await readFile(path, 'utf8')).to.equal('new')
    })

    it('creates a path that is not there, also at an offset', async () => {
      using list = new BufferList('new')
      const path = await freshPath()
      await list.spliceTo({ file: path, offset: 3 })
      expect(await readFile(path)).to.deep.equal(Buffer.from('\0\0\0new'))
    })

    it('is opened by the flags that are given', async () => {
      using list = new BufferList('new')
      const { path } = await fileOf(Buffer.from('old'))
      await list.spliceTo({ file: path, flags: 'a' })
      expect(await readFile(path, 'utf8')).to.equal('oldnew')
      expect(await failure(list.spliceTo({ file: path, flags: 'wx' }))).to.have.property(
        'code',
        'EEXIST',
      )
      expect(await failure(list.spliceTo({ file: `${path}2`, flags: 'r+' }))).to.have.property(
        'code',
        'ENOENT',
      )
      expect(await readFile(path, 'utf8')).to.equal('oldnew')
    })

    it('appends held pages too', async () => {
      const { path } = await fileOf(Buffer.from('old'))
      using list = await heldList(bytes(16, 200_000))
      await list.spliceTo({ file: path, flags: 'a' })
      await list.spliceTo({ file: path, flags: 'a' })
      const content = [Buffer.from('old'), bytes(16, 200_000), bytes(16, 200_000)]
      expectSameBytes(await readFile(path), Buffer.concat(content))
    })

    for (const flush of ['none', 'data', 'full'] as const) {
      it(`with flush '${flush}' writes the same`, async () => {
        const path = await freshPath()
        using list = await heldList(bytes(17, 70_000))
        expect(await list.spliceTo({ file: path, flush })).to.equal(70_000)
        expectSameBytes(await readFile(path), bytes(17, 70_000))
      })
    }

    for (const [flush, call] of [
      ['data', 'fdatasync'],
      ['full', 'fsync'],
    ] as const) {
      it(`reports that a flush of '${flush}' failed: accepted bytes may not be stored`, async function () {
        needsAddon(this)
        const path = await freshPath()
        using list = new BufferList('precious')
        addon?.script([{ call, errno: 5 }])
        afterwards(() => addon?.script(null))
        const error = await failure(list.spliceTo({ file: path, flush }))
        expect(error).to.be.instanceOf(TransferError)
        expect(error).to.include({ side: 'sink', code: 'EIO', bytesMoved: 8 })
        expect((error as TransferError).syscall).to.match(/sync$/)
      })
    }

    it('refuses an offset for what has none', async () => {
      const { client, server } = await tcpPair()
      using list = new BufferList('abc')
      expect(await failure(list.spliceTo(client, { offset: 1 }))).to.be.instanceOf(
        InvalidArgumentError,
      )
      await list.spliceTo(client)
      expect((await new Collector(server).take(3)).toString()).to.equal('abc')
    })

    it('is written in turns by lists that are sent at once to one handle', async () => {
      const handle = await opened(await freshPath(), 'w+')
      const lists = await Promise.all([1, 2, 3, 4].map((seed) => heldList(bytes(seed, 300_000))))
      await Promise.all(lists.map((list) => list.spliceTo(handle, { consume: true })))
      const { buffer } = await handle.read(Buffer.alloc(1_200_001), 0, 1_200_001, 0)
      const expected = [1, 2, 3, 4].map((seed) => bytes(seed, 300_000))
      expectSameBytes(buffer.subarray(0, 1_200_000), Buffer.concat(expected))
      expect((await handle.stat()).size).to.equal(1_200_000)
    })
  })

  it('sends pages of many segments, each smaller than a page', async () => {
    const content = bytes(18, 40_000)
    using list = new BufferList()
    using held = await heldList(content)
    for (let at = 0; at < 40_000; at += 100) {
      using piece = held.substr(at, 100)
      list.append(piece).append('-')
    }
    const path = await freshPath()
    const { client, server } = await tcpPair()
    const arrived = new Collector(server).take(40_400)
    await Promise.all([list.spliceTo({ file: path }), list.spliceTo(client)])
    const written = await readFile(path)
    expectSameBytes(await arrived, written)
    for (let i = 0; i < 400; i++) {
      expectSameBytes(
        written.subarray(i * 101, i * 101 + 100),
        content.subarray(i * 100, i * 100 + 100),
      )
    }
  })

  it('waits in the write order of the socket', async () => {
    const pair: SocketPair = await tcpPair()
    const collector = new Collector(pair.server)
    pair.client.write('before ')
    using list = new BufferList('list')
    const sending = list.spliceTo(pair.client)
    pair.client.write(' after')
    expect(await sending).to.equal(4)
    expect((await collector.take(17)).toString()).to.equal('before list after')
  })

  it('leaves a file alone that it is only shown', async () => {
    const { path } = await fileOf(Buffer.from('old'))
    using list = new BufferList('new')
    await writeFile(path, 'old')
    await failure(list.spliceTo({ file: path }, { signal: AbortSignal.abort() }))
    expect(await readFile(path, 'utf8')).to.equal('old')
  })
})

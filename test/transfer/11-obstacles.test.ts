/**
 * Where bytes can only be copied: TLS, files opened for appending, streams. Counted in mode 'auto',
 * refused in mode 'reference' before any byte moves.
 */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer as createHttpServer, get } from 'node:http'
import type { Socket } from 'node:net'
import { Duplex, PassThrough } from 'node:stream'
import { expect } from 'chai'
import { attach, BufferList, NotByReferenceError, transfer } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { hasAddon, hasPages, needsPages } from '../support/needs.js'
import { tcpPair } from '../support/socket-pairs.js'
import { hasTls, tlsPair } from '../support/tls-pairs.js'
import { accounted, copiedBytes } from './account.js'
import { Collector } from './collector.js'
import { failure, refusal } from './outcomes.js'
import { fileOf, giver, opened } from './places.js'

/** A list of pages, where there are any. */
async function heldList(content: Uint8Array): Promise<BufferList> {
  const list = new BufferList()
  const source = await (await giver('tcp')).give(content)
  await list.spliceFrom(source, content.length)
  return list
}

describe('A TLS socket', () => {
  before(async function () {
    if (!(await hasTls())) this.skip()
  })

  it('gives its bytes by a counted copy, in the clear', async () => {
    const { client, server } = await tlsPair()
    const content = bytes(1, 500_000)
    client.write(content)
    using list = new BufferList()
    const { account } = await accounted(() => list.spliceFrom(server, content.length))
    expectSameBytes(list.toBuffer(), content)
    expect(account.moved).to.equal(0)
    expect(copiedBytes(account)).to.equal(content.length)
    if (hasPages) expect(account.copied).to.deep.equal({ stream: content.length })
  })

  it('takes bytes by a counted copy, and what arrives is whole', async () => {
    const { client, server } = await tlsPair()
    const content = bytes(2, 500_000)
    using list = await heldList(content)
    const arrived = new Collector(server).take(content.length)
    const { account } = await accounted(() => list.spliceTo(client))
    expectSameBytes(await arrived, content)
    expect(account.moved).to.equal(0)
    if (hasPages) expect(account.copied).to.deep.equal({ stream: content.length })
  })

  it("is refused in mode 'reference', with the reason and the remedy", async () => {
    const { client, server } = await tlsPair()
    using list = new BufferList('secret')
    client.write('hello')
    const refused = [
      await refusal(() => list.spliceFrom(server, 5, { mode: 'reference' })),
      await refusal(() => list.spliceTo(client, { mode: 'reference', consume: true })),
      await refusal(() => transfer(server, client, { mode: 'reference' })),
    ]
    const peer = attach(client)
    refused.push(
      await refusal(() => peer.push(list, { mode: 'reference', consume: true })),
      await refusal(() => peer.pull(1, { mode: 'reference' })),
    )
    for (const error of refused) {
      expect(error).to.be.instanceOf(NotByReferenceError)
      const { reason, remedy } = error as NotByReferenceError
      if (hasPages) expect(reason).to.match(/TLS/)
      expect(remedy.length).to.be.greaterThan(10)
      expect(error.message).to.equal(`${reason}. ${remedy}`)
    }
    await peer.detach()
    expect(list.toString()).to.equal('secret')
    expect((await new Collector(server).take(5)).toString()).to.equal('hello')
  })

  it('can be attached: pull, peek, unpull, push, detach', async () => {
    const { client, server } = await tlsPair()
    const content = bytes(3, 100_000)
    client.write(content)
    const peer = attach(server)
    using head = await peer.peek(10)
    expectSameBytes(head.toBuffer(), content.subarray(0, 10))
    using half = await peer.pull(50_000)
    expectSameBytes(half.toBuffer(), content.subarray(0, 50_000))
    using back = half.splice(40_000, 10_000)
    peer.unpull(back)
    const collector = new Collector(client)
    expect(await peer.push(half)).to.equal(40_000)
    expectSameBytes(await collector.take(40_000), content.subarray(0, 40_000))
    await peer.detach()
    expectSameBytes(await new Collector(server).take(60_000), content.subarray(40_000))
  })

  it('moves to a file and from a file', async () => {
    const { client, server } = await tlsPair()
    const content = bytes(4, 2_000_000)
    const from = await fileOf(content)
    const to = await fileOf(new Uint8Array(0))
    const receiving = transfer(server, { file: to.handle, offset: 0 }, { length: content.length })
    const { ways } = await transfer({ file: from.handle, offset: 0 }, client)
    expect(ways).to.include('copy:' + (hasPages ? 'stream' : hasAddon ? 'copy-mode' : 'no-addon'))
    await receiving
    expectSameBytes(await readFile(to.path), content)
  })
})

describe('A file that was opened for appending', () => {
  it('takes bytes by a counted copy, at its end, whatever kind they are', async () => {
    const { path } = await fileOf(Buffer.from('old'))
    const handle = await opened(path, 'a')
    const content = bytes(5, 300_000)
    using list = await heldList(content)
    const { account } = await accounted(() => list.spliceTo(handle))
    expect(account.moved).to.equal(0)
    if (hasPages) expect(account.copied['append-file']).to.equal(content.length)
    const from = await fileOf(content)
    const { ways } = await transfer({ file: from.handle, offset: 0 }, handle)
    if (hasPages) expect(ways).to.include('copy:append-file')
    await new BufferList('new').spliceTo({ file: path, flags: 'a' })
    const whole = Buffer.concat([Buffer.from('old'), content, content, Buffer.from('new')])
    expectSameBytes(await readFile(path), whole)
  })

  it("is refused in mode 'reference', and left as it is", async function () {
    const { path } = await fileOf(Buffer.from('old'))
    const handle = await opened(path, 'a')
    using list = await heldList(bytes(6, 100_000))
    for (const sink of [handle, { file: handle }, { file: path, flags: 'a' }]) {
      const error = await failure(list.spliceTo(sink, { mode: 'reference', consume: true }))
      expect(error).to.be.instanceOf(NotByReferenceError)
      if (hasPages) expect((error as NotByReferenceError).reason).to.match(/append/)
    }
    expect(list.length).to.equal(100_000)
    expect(await readFile(path, 'utf8')).to.equal('old')
  })

  it('gives its pages by reference all the same', async function () {
    needsPages(this)
    const { path } = await fileOf(bytes(7, 100_000))
    const handle = await opened(path, 'a+')
    using list = new BufferList()
    const { account } = await accounted(() =>
      list.spliceFrom(handle, 100_000, { offset: 0, mode: 'reference', hold: 'pages' }),
    )
    expect(account.moved).to.equal(100_000)
    expectSameBytes(list.toBuffer(), bytes(7, 100_000))
  })
})

describe('A stream', () => {
  it("is refused in mode 'reference', either way", async () => {
    const stream = new PassThrough()
    stream.write('hello')
    using list = await heldList(bytes(8, 100_000))
    for (const use of [
      () => list.spliceFrom(stream, 5, { mode: 'reference' }),
      () => list.spliceTo(stream, { mode: 'reference', consume: true }),
      () => transfer(stream, { file: '/dev/null' }, { mode: 'reference' }),
    ]) {
      expect(await refusal(use)).to.be.instanceOf(NotByReferenceError)
    }
    expect(list.length).to.equal(100_000)
    expect((stream.read() as Buffer).toString()).to.equal('hello')
  })

  it('that fails is an error of its side, with its counts', async () => {
    const source = new PassThrough()
    source.on('error', () => undefined)
    using list = new BufferList()
    source.write('abc')
    const taking = list.spliceFrom(source, 10)
    await new Promise(setImmediate)
    source.destroy(Object.assign(new Error('broken'), { code: 'EIO', errno: -5 }))
    expect(await failure(taking)).to.include({ side: 'source', code: 'EIO', bytesMoved: 3 })
    expect(list.toString()).to.equal('abc')

    const sink = new PassThrough()
    sink.on('error', () => undefined)
    const content = bytes(9, 3_000_000)
    using sent = new BufferList()
    for (let at = 0; at < content.length; at += 100_000) {
      sent.append(content.subarray(at, at + 100_000))
    }
    const sending = sent.spliceTo(sink, { consume: true })
    await new Promise(setImmediate)
    sink.destroy(Object.assign(new Error('broken'), { code: 'EIO', errno: -5 }))
    const error = await failure(sending)
    expect(error).to.include({ side: 'sink' })
    expect((error as unknown as { bytesMoved: number }).bytesMoved + sent.length).to.equal(
      content.length,
    )
  })

  it('that ends in the middle gives fewer bytes, and is left ended', async () => {
    const stream = new PassThrough()
    stream.end('abc')
    using list = new BufferList()
    expect(await list.spliceFrom(stream, 10)).to.equal(3)
    expect(await list.spliceFrom(stream, 10)).to.equal(0)
  })

  it('that is destroyed early is an error, not an end', async () => {
    const stream = new PassThrough()
    stream.write('abc')
    using list = new BufferList()
    const taking = list.spliceFrom(stream, 10)
    await new Promise(setImmediate)
    stream.destroy()
    expect(await failure(taking)).to.include({ side: 'source', code: 'ECONNABORTED' })
    expect(list.toString()).to.equal('abc')
  })

  it('keeps what was not taken of it, in order', async () => {
    const stream = new PassThrough()
    stream.write(bytes(10, 10_000))
    using list = new BufferList()
    await list.spliceFrom(stream, 3_333)
    stream.end()
    expectSameBytes(list.toBuffer(), bytes(10, 3_333))
    expectSameBytes(await new Collector(stream).rest(), bytes(10, 10_000).subarray(3_333))
  })

  it("with a 'data' listener is taken from it while the operation lasts, and flows again", async () => {
    const stream = new PassThrough()
    const seen: Buffer[] = []
    stream.on('data', (chunk: Buffer) => seen.push(chunk))
    using list = new BufferList()
    const taking = list.spliceFrom(stream, 9)
    for (const text of ['abc', 'def', 'ghi', 'jkl']) {
      stream.write(text)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    expect(await taking).to.equal(9)
    expect(list.toString()).to.equal('abcdefghi')
    stream.end('mno')
    await once(stream, 'end')
    expect(Buffer.concat(seen).toString()).to.equal('jklmno')
  })

  it('of both directions carries both at once', async () => {
    const there = new PassThrough()
    const back = new PassThrough()
    const both = Duplex.from({ readable: back, writable: there })
    const peer = attach(both as unknown as Socket)
    const pulling = peer.pull(5)
    await peer.push(new BufferList('there'))
    back.write('-back')
    using list = await pulling
    expect(list.toString()).to.equal('-back')
    expect((await new Collector(there).take(5)).toString()).to.equal('there')
    await peer.detach()
    both.on('error', () => undefined)
    both.destroy()
  })

  it('of an HTTP answer takes a file, and a request gives its body', async () => {
    const content = bytes(11, 700_000)
    const { handle } = await fileOf(content)
    const server = createHttpServer((_request, response) => {
      response.writeHead(200, { 'content-length': content.length })
      void transfer({ file: handle, offset: 0 }, response).then(() => response.end())
    }).listen(0, '127.0.0.1')
    afterwards(() => void server.close())
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const [answer] = (await once(get({ port, host: '127.0.0.1', agent: false }), 'response')) as [
      PassThrough,
    ]
    using list = new BufferList()
    expect(await list.spliceFrom(answer, 1_000_000)).to.equal(content.length)
    expectSameBytes(list.toBuffer(), content)
    server.closeAllConnections()
  })

  it('of a socket pair in the middle of a conversation is not needed: sockets go by reference', async function () {
    needsPages(this)
    const { client, server } = await tcpPair()
    client.write(bytes(12, 100_000))
    using list = new BufferList()
    const { account } = await accounted(() =>
      list.spliceFrom(server, 100_000, { mode: 'reference' }),
    )
    expect(account.moved).to.equal(100_000)
  })
})

/**
 * A conversation: pull, peek, unpull and push, many at once, in the order they were asked for.
 */
import { expect } from 'chai'
import { attach, BufferList, InvalidArgumentError, TransferError } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { hasAddon, needsAddon, needsPages } from '../support/needs.js'
import { tcpPair, unixPair } from '../support/socket-pairs.js'
import { script } from '../native/door.js'
import { accounted } from '../transfer/account.js'
import { Collector } from '../transfer/collector.js'
import { fifoToRead } from '../transfer/fifos.js'
import { failure, refusal, within } from '../transfer/outcomes.js'
import { fileOf } from '../transfer/places.js'
import { reset } from '../transfer/reset.js'

describe('An attached endpoint', () => {
  for (const [kind, pair] of Object.entries({ tcp: tcpPair, unix: unixPair })) {
    it(`serves many queued pulls in order (${kind})`, async () => {
      const { client, server } = await pair()
      const lengths = [1, 0, 20_000, 5, 300_000, 16_384, 16_383, 1, 1_048_576, 7]
      const total = lengths.reduce((sum, length) => sum + length, 0)
      const sent = bytes(1, total)
      await using peer = attach(server)
      const pulls = lengths.map((length) => peer.pull(length))
      client.write(sent)
      let at = 0
      for (const [i, pull] of pulls.entries()) {
        using list = await pull
        expect(list.length).to.equal(lengths[i])
        expectSameBytes(list.toBuffer(), sent.subarray(at, at + list.length), `pull ${i}`)
        at += list.length
      }
    })

    it(`sends many queued pushes in order (${kind})`, async () => {
      const { client, server } = await pair()
      const collector = new Collector(server)
      await using peer = attach(client)
      const parts = [1, 0, 20_000, 5, 300_000, 3_000_000, 7].map((length, i) => bytes(i, length))
      const pushes = parts.map((part) => peer.push(new BufferList(part)))
      const whole = Buffer.concat(parts)
      expectSameBytes(await collector.take(whole.length), whole)
      expect(await Promise.all(pushes)).to.deep.equal(parts.map(({ length }) => length))
    })

    it(`pulls and pushes at the same time (${kind})`, async () => {
      const { client, server } = await pair()
      await using peer = attach(server)
      const there = bytes(2, 5_000_000)
      const back = bytes(3, 4_000_000)
      const collector = new Collector(client)
      client.write(there)
      const pulling = peer.pull(there.length)
      const pushing = peer.push(new BufferList(back))
      using list = await pulling
      expectSameBytes(list.toBuffer(), there)
      expectSameBytes(await collector.take(back.length), back)
      expect(await pushing).to.equal(back.length)
    })

    it(`takes a peer that drips one byte at a time (${kind})`, async () => {
      const { client, server } = await pair()
      await using peer = attach(server)
      const sent = bytes(4, 300)
      const pulling = peer.pull(300)
      for (const byte of sent) {
        client.write(Buffer.of(byte))
        await new Promise(setImmediate)
      }
      using list = await pulling
      expectSameBytes(list.toBuffer(), sent)
    })

    it(`takes a large payload in tiny fragments, and pins no pages for them (${kind})`, async () => {
      const { client, server } = await pair()
      await using peer = attach(server)
      if (kind === 'tcp') client.setNoDelay(true)
      const sent = bytes(5, 100_000)
      const pulling = peer.pull(100_000)
      for (let at = 0; at < sent.length; at += 100) {
        client.write(sent.subarray(at, at + 100))
        if (at % 2_000 === 0) await new Promise(setImmediate)
      }
      using list = await pulling
      expectSameBytes(list.toBuffer(), sent)
    })
  }

  it('reads tiny fragments out of pipes that they fill, counted', async function () {
    needsPages(this)
    const { client, server } = await unixPair()
    await using peer = attach(server)
    const sent = bytes(6, 40_000)
    const aborter = new AbortController()
    const pulling = peer.pull(1 << 20, { atLeast: 40_000, signal: aborter.signal })
    const { account } = await accounted(async () => {
      for (let at = 0; at < sent.length; at += 40) client.write(sent.subarray(at, at + 40))
      using list = await pulling
      expectSameBytes(list.toBuffer(), sent)
      const sparse = list.explain().filter(({ kind }) => kind === 'pipe')
      const pinned = sparse.reduce((sum, { length }) => sum + length, 0)
      expect(pinned, 'bytes that pin a page each').to.be.below(256 * 2048)
    })
    expect(account.copied['sparse-pages'] ?? 0).to.be.greaterThan(0)
  })

  it('keeps them all where a pipe of its own fails while it is read', async function () {
    needsPages(this)
    const { client, server } = await unixPair()
    const sent = bytes(6, 40_000)
    for (let at = 0; at < sent.length; at += 40) client.write(sent.subarray(at, at + 40))
    using list = new BufferList()
    script({ call: 'read', maxBytes: 100 }, { call: 'read', errno: 5, times: 2 })
    const error = await failure(list.spliceFrom(server, sent.length))
    expect(error).to.include({ side: 'pipe', code: 'EIO', syscall: 'read' })
    script()
    await list.spliceFrom(server, sent.length - list.length)
    expectSameBytes(list.toBuffer(), sent)
  })

  it('shows with peek what comes next, as often as asked, and consumes nothing', async () => {
    const { client, server } = await tcpPair()
    await using peer = attach(server)
    client.write(bytes(7, 100_000))
    for (const length of [1, 10, 100_000, 50_000, 4]) {
      using list = await peer.peek(length)
      expectSameBytes(list.toBuffer(), bytes(7, 100_000).subarray(0, length), `${length}`)
    }
    using list = await peer.pull(100_000)
    expectSameBytes(list.toBuffer(), bytes(7, 100_000))
  })

  it('peeks at what is there with atLeast, and at the end with fewer', async () => {
    const { client, server } = await tcpPair()
    await using peer = attach(server)
    client.write('abc')
    using some = await peer.peek(100, { atLeast: 1 })
    expect('abc'.startsWith(some.toString()) && some.length > 0).to.equal(true)
    client.end('def')
    using all = await peer.peek(100)
    expect(all.toString()).to.equal('abcdef')
    using pulled = await peer.pull(100)
    expect(pulled.toString()).to.equal('abcdef')
    using nothing = await peer.peek(1)
    expect(nothing.length).to.equal(0)
  })

  it('lets a pull that waits behind a peek find the same bytes', async () => {
    const { client, server } = await tcpPair()
    await using peer = attach(server)
    const peeking = peer.peek(30_000)
    const pulling = peer.pull(30_000)
    client.write(bytes(8, 30_000))
    using peeked = await peeking
    using pulled = await pulling
    expectSameBytes(peeked.toBuffer(), bytes(8, 30_000))
    expectSameBytes(pulled.toBuffer(), bytes(8, 30_000))
  })

  it('gives what was unpulled first, the latest before all, and empties the list', async () => {
    const { client, server } = await tcpPair()
    await using peer = attach(server)
    client.write('three')
    using one = new BufferList('one ')
    using two = new BufferList('two ')
    peer.unpull(two)
    peer.unpull(one)
    expect([one.length, two.length]).to.deep.equal([0, 0])
    using list = await peer.pull(13)
    expect(list.toString()).to.equal('one two three')
  })

  it('can be unpulled to before it is connected or opened', async () => {
    const { path } = await fileOf(Buffer.from('rest'))
    const peer = attach({ file: path })
    using early = new BufferList('early ')
    peer.unpull(early)
    using list = await peer.pull(100)
    expect(list.toString()).to.equal('early rest')
    await peer.detach()
  })

  it("copies unpulled pages that others can change, when a pull asks for 'stable'", async function () {
    needsPages(this)
    const { client, server } = await unixPair()
    const sent = bytes(9, 200_000)
    client.write(sent)
    await using peer = attach(server)
    using held = await peer.pull(100_000)
    expect(held.explain().map(({ kind }) => kind)).to.include('pipe')
    peer.unpull(held)
    const { result, account } = await accounted(() => peer.pull(200_000, { mode: 'stable' }))
    using list = result
    expect(list.explain().map(({ pages }) => pages)).to.not.include('foreign')
    expect(account.copied).to.deep.equal({ 'stable-mode': 200_000 })
    expectSameBytes(list.toBuffer(), sent)
  })

  it('gives pages back to Node as a counted copy', async function () {
    needsPages(this)
    const { client, server } = await tcpPair()
    const sent = bytes(9, 200_000)
    client.end(sent)
    const peer = attach(server)
    using held = await peer.pull(100_000)
    expect(held.explain().map(({ kind }) => kind)).to.include('pipe')
    peer.unpull(held)
    const { account } = await accounted(() => peer.detach())
    expect(account.copied).to.deep.equal({ 'give-back': 100_000 })
    expectSameBytes(await new Collector(server).rest(), sent)
  })

  it('gives the bytes of an aborted pull to the pull that waits behind it', async () => {
    const { client, server } = await tcpPair()
    await using peer = attach(server)
    const aborter = new AbortController()
    client.write(bytes(10, 40_000))
    const first = failure(peer.pull(200_000, { signal: aborter.signal }))
    const second = peer.pull(100_000)
    const third = peer.pull(5)
    // It holds what had come, and waits for the rest.
    await new Promise((resolve) => setTimeout(resolve, 10))
    aborter.abort()
    expect(await first).to.include({ code: 'ABORT_ERR', bytesMoved: 40_000 })
    client.write(bytes(10, 100_005).subarray(40_000))
    using list = await second
    using rest = await third
    expectSameBytes(list.toBuffer(), bytes(10, 100_005).subarray(0, 100_000))
    expectSameBytes(rest.toBuffer(), bytes(10, 100_005).subarray(100_000))
  })

  it('hands out what had arrived of a pull that failed', async () => {
    const { client, server } = await tcpPair()
    const peer = attach(server)
    client.write(bytes(11, 40_000))
    const pulling = failure(peer.pull(200_000))
    await new Promise((resolve) => setTimeout(resolve, 10))
    reset(client)
    const error = await pulling
    expect(error).to.be.instanceOf(TransferError)
    expect(error).to.include({ side: 'source', code: 'ECONNRESET', bytesMoved: 40_000 })
    using residual = (error as TransferError).takeResidual() as BufferList
    expectSameBytes(residual.toBuffer(), bytes(11, 40_000))
    expect((error as TransferError).takeResidual()).to.equal(undefined)
    await peer.detach()
  })

  it("keeps Node's own writes and pushes in the order they were made", async () => {
    const { client, server } = await tcpPair()
    const collector = new Collector(server)
    await using peer = attach(client)
    const large = bytes(12, 6_000_000)
    client.write('1')
    const first = peer.push(new BufferList('2', large))
    await new Promise((resolve) => setTimeout(resolve, 10))
    client.write('3')
    client.cork()
    client.write('4')
    client.write(Buffer.from('5'))
    client.uncork()
    const second = peer.push(new BufferList('6'))
    const expected = Buffer.concat([Buffer.from('12'), large, Buffer.from('3456')])
    expectSameBytes(await collector.take(expected.length), expected)
    expect(await Promise.all([first, second])).to.deep.equal([6_000_001, 1])
  })

  it('takes its place in the write order at the call, not some ticks later', async () => {
    const { client, server } = await tcpPair()
    const collector = new Collector(server)
    await using peer = attach(client)
    client.write('1')
    const pushing = peer.push(new BufferList('2'))
    client.write('3')
    await pushing
    expect((await collector.take(3)).toString()).to.equal('123')
  })

  it('is sent whole when the socket is ended right after the push was asked for', async () => {
    const { client, server } = await tcpPair()
    const collector = new Collector(server)
    const peer = attach(client)
    const pushing = peer.push(new BufferList(bytes(13, 3_000_000)))
    client.end()
    expect(await pushing).to.equal(3_000_000)
    expectSameBytes(await collector.rest(), bytes(13, 3_000_000))
    await peer.detach()
  })

  it('is sent whole when the socket is ended while the push is under way', async () => {
    const { client, server } = await tcpPair()
    const peer = attach(client)
    const sent = bytes(14, 20 << 20)
    const pushing = peer.push(new BufferList(sent))
    await new Promise((resolve) => setTimeout(resolve, 10))
    client.end('the end')
    const collector = new Collector(server)
    expect(await pushing).to.equal(sent.length)
    const rest = await collector.rest()
    expectSameBytes(rest.subarray(0, sent.length), sent)
    expect(rest.toString('utf8', sent.length)).to.equal('the end')
    await peer.detach()
  })

  it('refuses a push on a socket that was ended before', async () => {
    const { client } = await tcpPair()
    client.end()
    await using peer = attach(client)
    const error = await failure(peer.push(new BufferList('late')))
    expect(error).to.be.instanceOf(TransferError)
    expect(error).to.include({ side: 'sink', code: 'EPIPE', bytesMoved: 0 })
  })

  it('waits behind what Node has still to write, however much', async () => {
    const { client, server } = await tcpPair()
    const much = bytes(15, 8_000_000)
    client.write(much)
    const peer = attach(client)
    const pushing = peer.push(new BufferList('last'))
    expect(await within(20, pushing)).to.equal('pending')
    const arrived = await new Collector(server).take(much.length + 4)
    expectSameBytes(arrived.subarray(0, much.length), much)
    expect(arrived.toString('utf8', much.length)).to.equal('last')
    await pushing
    await peer.detach()
  })

  it("frees the next write after 'more', which only delays", async () => {
    const { client, server } = await tcpPair()
    const collector = new Collector(server)
    await using peer = attach(client)
    await peer.push(new BufferList('head'), { more: true })
    await peer.push(new BufferList('body'))
    expect((await collector.take(8)).toString()).to.equal('headbody')
  })

  it('gives a file back what was unpulled before the rest, also to a list', async () => {
    const { handle } = await fileOf(bytes(21, 100_000))
    await using file = attach({ file: handle, offset: 0 })
    using head = await file.pull(30_000)
    file.unpull(head)
    using list = new BufferList()
    await list.spliceFrom(file, 50_000)
    await list.load()
    expectSameBytes(list.toBuffer(), bytes(21, 50_000))
  })

  it('works on a file: pulls go on, pushes go on', async () => {
    const { handle } = await fileOf(bytes(16, 100_000))
    await using file = attach({ file: handle, offset: 1_000 })
    using one = await file.pull(40_000)
    using two = await file.pull(20_000)
    expectSameBytes(one.toBuffer(), bytes(16, 100_000).subarray(1_000, 41_000))
    expectSameBytes(two.toBuffer(), bytes(16, 100_000).subarray(41_000, 61_000))
  })

  it("gives a file's own position back over what was unpulled", async function () {
    needsAddon(this)
    const { handle } = await fileOf(bytes(17, 100_000))
    const file = attach(handle)
    using list = await file.pull(60_000)
    using back = list.splice(40_000, 20_000)
    file.unpull(back)
    await file.detach()
    const { buffer } = await handle.read(Buffer.alloc(10), 0, 10)
    expectSameBytes(buffer, bytes(17, 100_000).subarray(40_000, 40_010))
  })

  it('goes on where it is: refuses an offset, also on a file', async () => {
    const { handle } = await fileOf(bytes(18, 100_000))
    await using file = attach(handle)
    using list = new BufferList('x')
    for (const use of [
      () => file.pull(100, { offset: 70_000 }),
      () => file.peek(100, { offset: 70_000 }),
      () => file.push(list, { offset: 70_000 }),
      () => list.spliceFrom(file, 100, { offset: 70_000 }),
      () => list.spliceTo(file, { offset: 70_000 }),
    ]) {
      expect(await refusal(use)).to.be.instanceOf(InvalidArgumentError)
    }
  })

  it('works on a pipe by number, which takes nothing back', async function () {
    needsAddon(this)
    const { fd, writer } = fifoToRead()
    const pipe = attach(fd)
    writer.write(bytes(19, 50_000))
    using list = await pipe.pull(50_000)
    expectSameBytes(list.toBuffer(), bytes(19, 50_000))
    using back = list.splice(0, 10)
    pipe.unpull(back)
    expect(await refusal(() => pipe.detach())).to.have.property(
      'code',
      'ERR_SPLICELIST_UNSUPPORTED_ENDPOINT',
    )
    using again = await pipe.pull(10)
    expect(again.length).to.equal(10)
    await pipe.detach()
  })

  it('counts what a conversation moves', async () => {
    const { client, server } = await tcpPair()
    await using peer = attach(server)
    client.write(bytes(20, 1_000_100))
    const { account } = await accounted(async () => {
      using head = await peer.pull(100)
      using body = await peer.pull(1_000_000)
      expect(head.length + body.length).to.equal(1_000_100)
    })
    const copied = hasAddon && account.moved > 0 ? 100 : 1_000_100
    expect(Object.values(account.copied).reduce((sum, n) => sum + n, 0)).to.equal(copied)
  })
})

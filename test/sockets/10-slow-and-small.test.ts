/**
 * Peers that are slow or write little at a time, over TCP (both versions) and unix sockets: the bytes
 * are whole, and counts add up.
 */
import type { Socket } from 'node:net'
import { expect } from 'chai'
import { attach, BufferList, transfer } from 'splicelist'
import { adopted, door } from '../native/door.js'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsAddon, needsPages } from '../support/needs.js'
import { handlesOf } from '../support/sends.js'
import { hasIpv6, tcp6Pair, tcpPair, unixPair, type SocketPair } from '../support/socket-pairs.js'
import { watch } from '../support/watch.js'
import { Collector } from '../transfer/collector.js'
import { until } from '../transfer/outcomes.js'
import { freshPath } from '../transfer/places.js'

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20))

for (const kind of ['tcp', 'tcp over IPv6', 'unix'] as const) {
  describe(`A ${kind} peer that`, () => {
    let pair: () => Promise<SocketPair>
    before(async function () {
      if (kind === 'tcp over IPv6' && !(await hasIpv6())) this.skip()
      pair = { tcp: tcpPair, 'tcp over IPv6': tcp6Pair, unix: unixPair }[kind]
    })

    it('writes one byte at a time: messages of odd lengths', async () => {
      const { client, server } = await pair()
      client.setNoDelay(true)
      const sent = bytes(1, 600)
      await using peer = attach(server)
      const writing = (async () => {
        for (const byte of sent) {
          client.write(Buffer.of(byte))
          await new Promise(setImmediate)
        }
      })()
      let at = 0
      for (const length of [1, 2, 3, 50, 7, 300, 237]) {
        using list = await peer.pull(length, { atLeast: length })
        expectSameBytes(list.toBuffer(), sent.subarray(at, at + length))
        at += length
      }
      expect(at).to.equal(sent.length)
      await writing
    })

    it('writes one byte at a time into a large pull, by reference or not', async () => {
      const { client, server } = await pair()
      client.setNoDelay(true)
      const sent = bytes(2, 20_000)
      await using peer = attach(server)
      const pulling = peer.pull(20_000)
      for (let i = 0; i < 500; i++) {
        client.write(sent.subarray(i, i + 1))
        if (i % 10 === 0) await new Promise(setImmediate)
      }
      client.write(sent.subarray(500))
      using list = await pulling
      expectSameBytes(list.toBuffer(), sent)
    })

    it('drips through a transfer: each byte goes on at once', async () => {
      const from = await pair()
      const to = await pair()
      const collector = new Collector(to.server)
      const moving = transfer(from.server, to.client)
      const sent = bytes(3, 50)
      for (let i = 0; i < sent.length; i++) {
        from.client.write(sent.subarray(i, i + 1))
        await until(() => collector.length === i + 1)
      }
      from.client.end()
      expect(await moving).to.include({ bytesMoved: 50, eof: true })
      expectSameBytes(await collector.take(50), sent)
    })

    it('reads slowly: a push waits, and another conversation does not', async () => {
      const slow = await pair()
      const quick = await pair()
      const sent = bytes(4, 8 << 20)
      await using to = attach(slow.client)
      await using other = attach(quick.client)
      const pushing = to.push(new BufferList(sent))
      for (let round = 0; round < 20; round++) {
        quick.server.write('ping')
        using ping = await other.pull(4)
        expect(await other.push(ping)).to.equal(4)
      }
      const collector = new Collector(slow.server)
      const parts: Buffer[] = []
      for (let got = 0; got < sent.length;) {
        parts.push(await collector.take(1 << 20))
        got += (parts.at(-1) as Buffer).length
        slow.server.pause()
        await new Promise(setImmediate)
        slow.server.resume()
      }
      expect(await pushing).to.equal(sent.length)
      expectSameBytes(Buffer.concat(parts), sent)
      expect((await new Collector(quick.server).take(80)).toString()).to.equal('ping'.repeat(20))
    })

    it('ends its side: pushes go on, and the end is seen by both', async () => {
      const { client, server } = await pair()
      const collector = new Collector(client)
      await using peer = attach(server)
      client.end('question')
      using question = await peer.pull(100)
      expect(question.toString()).to.equal('question')
      using nothing = await peer.pull(1)
      expect(nothing.length).to.equal(0)
      await peer.push(new BufferList(bytes(5, 3_000_000)))
      expect(server.destroyed).to.equal(false)
      server.end('bye')
      const arrived = await collector.rest()
      expectSameBytes(arrived.subarray(0, 3_000_000), bytes(5, 3_000_000))
      expect(arrived.toString('latin1', 3_000_000)).to.equal('bye')
    })
  })
}

describe('A low-water mark', () => {
  /** A socket to pull from, the marks that it is given, and how often somebody waits for it. */
  async function marked(kind: 'tcp' | 'unix') {
    const { client, server } = await (kind === 'tcp' ? tcpPair() : unixPair())
    const handles = handlesOf(server)
    const marks: number[] = []
    const waits = { count: 0 }
    watch('lowWater', ([socket, mark], result) => {
      if (!handles.has(socket)) return
      expect(result).to.equal(0)
      marks.push(mark)
    })
    watch('wait', ([socket]) => {
      if (handles.has(socket)) waits.count += 1
    })
    return { client, server, marks, waits }
  }
  /** Sends bytes and resolves when they can be read. */
  async function arrived(client: Socket, server: Socket, content: Buffer): Promise<void> {
    const { fd } = (server as unknown as { readonly _handle: { readonly fd: number } })._handle
    const socket = adopted(fd)
    client.write(content)
    await until(() => door().pending(socket) === content.length)
  }

  for (const [missing, mark] of [
    [65_535, undefined],
    [65_536, 65_536],
    [300_000, 300_000],
    [1 << 20, 1 << 20],
    [2 << 20, 1 << 20],
  ] as const) {
    it(`of a pull that misses ${missing} bytes is ${mark ?? 'none'}, and 1 when it is over`, async function () {
      needsAddon(this)
      const { client, server, marks, waits } = await marked('tcp')
      await arrived(client, server, bytes(9, 20_000))
      using list = new BufferList()
      const pulling = list.spliceFrom(server, 20_000 + missing)
      await until(() => waits.count > 0)
      expect(marks).to.deep.equal(mark === undefined ? [] : [mark])
      client.write(bytes(10, missing))
      expect(await pulling).to.equal(20_000 + missing)
      expect(marks.slice(1).every((each) => each <= (mark ?? 1))).to.equal(true)
      expect(marks.at(-1)).to.equal(mark === undefined ? undefined : 1)
    })
  }

  it('of an endpoint is that of its last wait, and 1 when Node has its socket back', async function () {
    needsAddon(this)
    const { client, server, marks, waits } = await marked('tcp')
    const peer = attach(server)
    for (const [length, expected] of [
      [200_000, [200_000]],
      [10, [200_000, 1]],
      [70_000, [200_000, 1, 70_000]],
    ] as const) {
      waits.count = 0
      const pulling = peer.pull(length)
      await until(() => waits.count > 0)
      expect(marks).to.deep.equal(expected)
      client.write(bytes(11, length))
      ;(await pulling).release()
    }
    await peer.detach()
    expect(marks).to.deep.equal([200_000, 1, 70_000, 1])
  })

  it('of a unix socket is left alone: no wait heeds it', async function () {
    needsAddon(this)
    const { client, server, marks, waits } = await marked('unix')
    using list = new BufferList()
    const pulling = list.spliceFrom(server, 300_000)
    await until(() => waits.count > 0)
    client.write(bytes(12, 300_000))
    expect(await pulling).to.equal(300_000)
    expect(marks).to.deep.equal([])
  })

  for (const [length, gathered] of [
    [65_535, 1],
    [65_536, 65_536],
    [300_000, 300_000],
    [3 << 20, 1 << 20],
    [undefined, 1],
  ] as const) {
    it(`of a transfer of ${length ?? 'all'} bytes into a file is ${gathered} at first`, async function () {
      needsPages(this)
      const { client, server } = await tcpPair()
      const asked: number[] = []
      watch('carry', (args) => asked.push(args[7]))
      const content = bytes(13, length ?? 300_000)
      const moving = transfer(
        server,
        { file: await freshPath() },
        length === undefined ? {} : { length },
      )
      client.end(content)
      expect(await moving).to.include({ bytesMoved: content.length })
      expect(asked.at(0)).to.equal(gathered)
    })
  }

  it('of a large pull that was aborted or came short holds back nobody after it', async () => {
    const { client, server } = await tcpPair()
    const peer = attach(server)
    const aborter = new AbortController()
    const pulling = peer.pull(1 << 20, { signal: aborter.signal }).catch((error: unknown) => error)
    await settled()
    aborter.abort()
    expect(await pulling).to.be.instanceOf(Error)
    for (const length of [1, 100_000, 2]) {
      const next = peer.pull(length)
      await settled()
      client.write(bytes(7, length))
      using list = await next
      expectSameBytes(list.toBuffer(), bytes(7, length))
    }
    const large = peer.pull(1 << 20)
    await settled()
    client.write(bytes(8, 1 << 20))
    ;(await large).release()
    await peer.detach()
    const seen = new Collector(server)
    for (const byte of 'abc') {
      client.write(byte)
      expect((await seen.take(1)).toString()).to.equal(byte)
    }
  })
})

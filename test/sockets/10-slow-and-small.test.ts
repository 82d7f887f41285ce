/**
 * Peers that are slow or write little at a time, over TCP (both versions) and unix sockets: the bytes
 * are whole, and counts add up.
 */
import { expect } from 'chai'
import { attach, BufferList, transfer } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { hasIpv6, tcp6Pair, tcpPair, unixPair, type SocketPair } from '../support/socket-pairs.js'
import { Collector } from '../transfer/collector.js'
import { until } from '../transfer/outcomes.js'

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

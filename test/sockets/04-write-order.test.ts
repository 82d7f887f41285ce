/**
 * The write order of a socket: pushes, `write()` and `end()` go in the order they were made, by whomever,
 * whether bytes leave by the descriptor or through Node (TLS, no addon).
 */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { expect } from 'chai'
import { attach, BufferList, TransferError } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { tcpPair, unixPair, type SocketPair } from '../support/socket-pairs.js'
import { hasTls, tlsPair } from '../support/tls-pairs.js'
import { Collector } from '../transfer/collector.js'
import { failure, within } from '../transfer/outcomes.js'

/** More than a socket and its peer buffer. */
const MUCH = 12 << 20

const own = (socket: Socket): string[] =>
  ['_write', '_writev', '_final', '_read', 'pause', 'emit'].filter((name) =>
    Object.hasOwn(socket, name),
  )

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20))

for (const kind of ['tcp', 'unix', 'tls'] as const) {
  describe(`The write order of a ${kind} socket`, () => {
    let pair: () => Promise<SocketPair>
    before(async function () {
      if (kind === 'tls' && !(await hasTls())) this.skip()
      pair = { tcp: tcpPair, unix: unixPair, tls: tlsPair }[kind]
    })

    it('has what is written during a push behind it, whole', async () => {
      const { client, server } = await pair()
      const large = bytes(1, MUCH)
      const peer = attach(client)
      const pushing = peer.push(new BufferList('1', large))
      await settled()
      const written: string[] = []
      client.write('2', () => written.push('2'))
      client.write(Buffer.from('3'), () => written.push('3'))
      await settled()
      expect(written).to.deep.equal([])
      expect(client.writableLength).to.equal(2)
      const collector = new Collector(server)
      const expected = Buffer.concat([Buffer.from('1'), large, Buffer.from('23')])
      expectSameBytes(await collector.take(expected.length), expected)
      expect(await pushing).to.equal(MUCH + 1)
      await settled()
      expect(written).to.deep.equal(['2', '3'])
      await peer.detach()
      expect(own(client)).to.deep.equal([])
    })

    it('keeps the place of every queued push, also when end() follows at once', async () => {
      const { client, server } = await pair()
      const events: string[] = []
      client.on('finish', () => events.push('finish'))
      const peer = attach(client)
      client.write('1')
      const parts = [bytes(2, MUCH), bytes(3, 10), bytes(4, 100_000)]
      const pushes = parts.map((part) => peer.push(new BufferList(part)))
      client.write('2')
      const last = peer.push(new BufferList('3'))
      client.end('4')
      expect(await failure(peer.push(new BufferList('late')))).to.include({ code: 'EPIPE' })
      await settled()
      expect(events).to.deep.equal([])
      const arrived = await new Collector(server).rest()
      expectSameBytes(
        arrived,
        Buffer.concat([Buffer.from('1'), ...parts, Buffer.from('2'), Buffer.from('34')]),
      )
      expect(await Promise.all(pushes)).to.deep.equal(parts.map(({ length }) => length))
      expect(await last).to.equal(1)
      await peer.detach()
      if (events.length === 0) await once(client, 'finish')
      expect(events).to.deep.equal(['finish'])
    })

    it('sends nothing of an end() that follows a push before it', async () => {
      const { client, server } = await pair()
      const peer = attach(client)
      const pushing = peer.push(new BufferList(bytes(5, MUCH)))
      client.end()
      expectSameBytes(await new Collector(server).rest(), bytes(5, MUCH))
      expect(await pushing).to.equal(MUCH)
      await peer.detach()
    })

    it('holds for a corked socket: a push waits for uncork() like any write', async () => {
      const { client, server } = await pair()
      const collector = new Collector(server)
      const peer = attach(client)
      client.cork()
      client.write('1')
      const first = peer.push(new BufferList('2'))
      client.write('3')
      client.write('4')
      const second = peer.push(new BufferList('5', bytes(6, 2_000_000)))
      client.write('6')
      expect(await within(20, first)).to.equal('pending')
      expect(collector.length).to.equal(0)
      client.uncork()
      const expected = Buffer.concat([Buffer.from('12345'), bytes(6, 2_000_000), Buffer.from('6')])
      expectSameBytes(await collector.take(expected.length), expected)
      expect(await Promise.all([first, second])).to.deep.equal([1, 2_000_001])
      await peer.detach()
    })

    it("has 'drain' come when what waited behind the push is on its way", async () => {
      const { client, server } = await pair()
      const peer = attach(client)
      const pushing = peer.push(new BufferList(bytes(7, MUCH)))
      expect(client.write(bytes(8, 1_000_000))).to.equal(false)
      const drained = once(client, 'drain')
      expect(await within(20, drained)).to.equal('pending')
      const collector = new Collector(server)
      await collector.take(MUCH + 1_000_000)
      await drained
      await pushing
      await peer.detach()
    })

    it('ends the turn of a push that is aborted: what follows is sent, the rest handed back', async () => {
      const { client, server } = await pair()
      const sent = bytes(9, MUCH)
      using list = new BufferList()
      for (let at = 0; at < sent.length; at += 1 << 16) {
        list.append(sent.subarray(at, at + (1 << 16)))
      }
      const peer = attach(client)
      const aborter = new AbortController()
      const pushing = peer.push(list, { consume: true, signal: aborter.signal })
      const behind = peer.push(new BufferList('behind'))
      client.write('and written')
      await settled()
      aborter.abort()
      const error = (await failure(pushing)) as Error & { bytesMoved: number }
      expect(error).to.have.property('code', 'ABORT_ERR')
      expect(list.length).to.be.greaterThan(0)
      expect(error.bytesMoved + list.length).to.equal(MUCH)
      expectSameBytes(list.toBuffer(), sent.subarray(error.bytesMoved))
      const collector = new Collector(server)
      expectSameBytes(await collector.take(error.bytesMoved), sent.subarray(0, error.bytesMoved))
      expect((await collector.take(17)).toString()).to.equal('behindand written')
      await behind
      await peer.detach()
    })

    it('lets an endpoint go that has aborted what was stalled, and is whole afterwards', async () => {
      const { client, server } = await pair()
      const peer = attach(client)
      const aborter = new AbortController()
      const { signal } = aborter
      using list = new BufferList(bytes(10, MUCH))
      using other = new BufferList('waits behind')
      const pushing = failure(peer.push(list, { consume: true, signal }))
      const waiting = failure(peer.push(other, { consume: true, signal }))
      await settled()
      aborter.abort()
      const { bytesMoved } = (await pushing) as Error & { bytesMoved: number }
      await waiting
      expect(other.toString()).to.equal('waits behind')
      expect(await within(3_000, peer.detach())).to.equal(undefined)
      client.write('plain')
      const again = attach(client)
      const pushed = again.push(new BufferList('again'))
      const collector = new Collector(server)
      expectSameBytes(await collector.take(bytesMoved), bytes(10, MUCH).subarray(0, bytesMoved))
      expect((await collector.take(10)).toString()).to.equal('plainagain')
      await pushed
      await again.detach()
      expect(own(client)).to.deep.equal([])
    })

    it("lets an endpoint go that has aborted a push behind Node's own writes", async () => {
      const { client, server } = await pair()
      client.write(bytes(11, MUCH))
      const peer = attach(client)
      using list = new BufferList('gone')
      const aborter = new AbortController()
      const pushing = failure(peer.push(list, { consume: true, signal: aborter.signal }))
      await settled()
      aborter.abort()
      expect(await pushing).to.have.property('code', 'ABORT_ERR')
      expect(list.toString()).to.equal('gone')
      expect(await within(3_000, peer.detach())).to.equal(undefined)
      client.end('end')
      const arrived = await new Collector(server).rest()
      expectSameBytes(arrived.subarray(0, MUCH), bytes(11, MUCH))
      expect(arrived.toString('latin1', MUCH)).to.equal('end')
      expect(own(client)).to.deep.equal([])
    })

    it('fails what waits behind a push when the socket is destroyed, each once', async () => {
      const { client } = await pair()
      const events: string[] = []
      client.on('close', () => events.push('close'))
      client.on('error', () => events.push('error'))
      const peer = attach(client)
      using list = new BufferList(bytes(12, MUCH))
      const pushing = failure(peer.push(list, { consume: true }))
      const queued = failure(peer.push(new BufferList('queued')))
      const written: unknown[] = []
      client.write('written', (error) => written.push(error))
      await settled()
      client.destroy()
      const error = await pushing
      expect(error).to.be.instanceOf(TransferError)
      expect(error).to.include({ side: 'sink', code: 'ECONNABORTED' })
      expect((error as TransferError).bytesMoved + list.length).to.equal(MUCH)
      expect(await queued).to.include({ side: 'sink', bytesMoved: 0 })
      await settled()
      expect(written.length).to.equal(1)
      expect(written[0]).to.be.instanceOf(Error)
      expect(events).to.deep.equal(['close'])
      await peer.detach()
    })
  })
}

/**
 * Node's idle timer on an attached socket: it counts our bytes, fires while nothing moves, and what
 * happens then is its owner's to say.
 */
import type { Socket } from 'node:net'
import { expect } from 'chai'
import { attach, BufferList, transfer, type TransferError } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { refreshes } from '../support/idle-timers.js'
import { tcpPair } from '../support/socket-pairs.js'
import { Collector } from '../transfer/collector.js'
import { failure, within } from '../transfer/outcomes.js'

const MUCH = 12 << 20

const fired = (socket: Socket): Promise<void> =>
  new Promise((resolve) => socket.once('timeout', () => resolve()))

describe("An attached socket's idle timer", () => {
  it('fires while a pull waits, and leaves it waiting', async () => {
    const { client, server } = await tcpPair()
    await using peer = attach(server)
    server.setTimeout(30)
    const pulling = peer.pull(5)
    await fired(server)
    expect(await within(1, pulling)).to.equal('pending')
    client.write('hello')
    using list = await pulling
    expect(list.toString()).to.equal('hello')
    // Told of the bytes, it runs again.
    await fired(server)
    server.setTimeout(0)
  })

  it('fires while a push is stalled; a destroyed socket rejects it with what was accepted', async () => {
    const { client, server } = await tcpPair()
    const peer = attach(client)
    client.setTimeout(30)
    client.once('timeout', () => client.destroy())
    using list = new BufferList(bytes(1, MUCH))
    const error = (await failure(peer.push(list, { consume: true }))) as TransferError
    expect(error).to.include({ side: 'sink', code: 'ECONNABORTED' })
    expect(error.bytesMoved + list.length).to.equal(MUCH)
    const arrived = await new Collector(server).rest()
    expectSameBytes(arrived, bytes(1, MUCH).subarray(0, arrived.length))
    await peer.detach()
  })

  it('is told of every arrival of a long pull, not only of its end', async () => {
    const { client, server } = await tcpPair()
    await using peer = attach(server)
    const count = refreshes(server)
    const pulling = peer.pull(5)
    for (const byte of 'hell') {
      const before = count()
      client.write(byte)
      while (count() === before) await new Promise(setImmediate)
    }
    expect(await within(1, pulling)).to.equal('pending')
    client.write('o')
    using list = await pulling
    expect(list.toString()).to.equal('hello')
  })

  it('is told of every step of a long push and of a transfer', async () => {
    const { client, server } = await tcpPair()
    await using peer = attach(client)
    const count = refreshes(client)
    const collector = new Collector(server)
    const pushing = peer.push(new BufferList(bytes(2, MUCH)))
    await collector.take(MUCH)
    await pushing
    expect(count()).to.be.greaterThan(2)
    const before = count()
    const sending = transfer(new BufferList(bytes(3, MUCH)), peer)
    await collector.take(MUCH)
    await sending
    expect(count()).to.be.greaterThan(before + 2)
  })

  it('is told of the steps of a transfer from socket to socket, at both', async () => {
    const left = await tcpPair()
    const right = await tcpPair()
    const counts = [refreshes(left.server), refreshes(right.client)]
    const arriving = new Collector(right.server).take(MUCH)
    left.client.write(bytes(4, MUCH))
    await transfer(left.server, right.client, { length: MUCH })
    await arriving
    // A turn of ours, and what a disk thread has carried from there.
    for (const count of counts) expect(count()).to.be.greaterThan(1)
  })
})

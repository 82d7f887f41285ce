import { closeSync, openSync } from 'node:fs'
import type { Socket } from 'node:net'
import { setImmediate as round } from 'node:timers/promises'
import { expect } from 'chai'
import { READABLE, WRITABLE } from '#lib/native.js'
import { Watch } from '#lib/reactor.js'
import { afterwards } from '../support/cleanup.js'
import { needsAddon } from '../support/needs.js'
import { destroyed, fdOf, tcpPair, unixPair } from '../support/socket-pairs.js'
import { adopted, door, E, fileOf } from './door.js'

function watched(socket: Socket): Watch {
  const watch = new Watch(adopted(fdOf(socket)))
  afterwards(() => watch.close())
  return watch
}

/** Whether a promise is settled, after some rounds of the loop. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const settled = promise.then(() => true)
  const later = async (): Promise<boolean> => {
    for (let i = 0; i < 20; i++) await round()
    return false
  }
  return Promise.race([settled, later()])
}

describe('The door to the addon: waiting', () => {
  beforeEach(function () {
    needsAddon(this)
  })

  for (const [name, pair] of [
    ['TCP', tcpPair],
    ['a unix socket', unixPair],
  ] as const) {
    it(`wakes when bytes can be read from ${name}, and not before`, async () => {
      const { client, server } = await pair()
      const ready = watched(server).readable()
      expect(await isSettled(ready)).to.equal(false)
      expect(door().live().waits).to.equal(1)
      client.write('x')
      await ready
      expect(door().live().waits).to.equal(0)
      const got = new Uint8Array(2)
      expect(door().read(adopted(fdOf(server)), got, 0, 2)).to.equal(1)
    })

    it(`wakes at the end, and at a reset, of ${name}`, async () => {
      const { client, server } = await pair()
      const atEnd = watched(server).readable()
      client.end()
      await atEnd
      const other = await pair()
      const atReset = watched(other.server).readable()
      if (name === 'TCP') other.client.resetAndDestroy()
      else other.client.destroy()
      await atReset
    })
  }

  it('wakes at once when a socket takes bytes', async () => {
    const { client } = await unixPair()
    await watched(client).writable()
  })

  it('wakes a waiting writer when the peer has read', async () => {
    const { client, server } = await unixPair()
    const [to, from] = [adopted(fdOf(client)), adopted(fdOf(server))]
    const chunk = Buffer.alloc(65_536)
    while (door().writev(to, [chunk], 0, false) > 0);
    const ready = watched(client).writable()
    expect(await isSettled(ready)).to.equal(false)
    while (door().read(from, chunk, 0, chunk.length) > 0);
    await ready
  })

  it('waits for reading and writing at the same time', async () => {
    const { client, server } = await tcpPair()
    const watch = watched(server)
    const readable = watch.readable()
    await watch.writable()
    expect(await isSettled(readable)).to.equal(false)
    client.write('x')
    await readable
  })

  it('can be woken by hand', async () => {
    const { client } = await tcpPair()
    const watch = watched(client)
    const ready = watch.readable()
    watch.wakeReader()
    await ready
    expect(door().live().waits).to.equal(0)
  })

  it('ends its waits when it is closed', async () => {
    const { client } = await tcpPair()
    const watch = watched(client)
    const ready = watch.readable()
    watch.close()
    watch.close()
    await ready
    expect(door().live().waits).to.equal(0)
  })

  it('does not wake for a socket whose number was used again', async () => {
    const first = await tcpPair()
    const watch = watched(first.server)
    let woken = 0
    void watch.readable().then(() => woken++)
    await destroyed(first.server)
    const second = await tcpPair()
    second.client.write('for another')
    const other = watched(second.server)
    await other.readable()
    await round()
    expect(woken).to.equal(0)
    watch.close()
    await round()
    expect(woken).to.equal(1)
  })

  it('wakes each of very many that become ready together', async () => {
    const pairs = await Promise.all(Array.from({ length: 300 }, () => unixPair()))
    const watches = pairs.map(({ server }) => watched(server))
    const ready = Promise.all(watches.map((watch) => watch.readable()))
    expect(door().live().waits).to.equal(300)
    for (const { client } of pairs) client.write('x')
    await ready
    expect(door().live().waits).to.equal(0)
  })

  it('replaces a wait that is armed again, and forgets one that is taken back', async () => {
    const { client, server } = await tcpPair()
    const descriptor = adopted(fdOf(server))
    expect(door().wait(descriptor, READABLE, 2 ** 45)).to.equal(0)
    expect(door().wait(descriptor, READABLE | WRITABLE, 2 ** 45 + 1)).to.equal(0)
    expect(door().live().waits).to.equal(1)
    door().unwait(descriptor)
    door().unwait(descriptor)
    expect(door().live().waits).to.equal(0)
    client.write('x')
    await round()
    expect(door().wait(descriptor, READABLE, 2 ** 45 + 2)).to.equal(0)
    await watched(server).readable()
    door().drop(descriptor)
    expect(door().live().waits).to.equal(0)
  })

  it('says EPERM for what is always ready: a file', async () => {
    expect(door().wait(adopted(await fileOf('x')), READABLE, 2 ** 45)).to.equal(E.EPERM)
    const fd = openSync('/dev/null', 'r')
    const watch = new Watch(adopted(fd))
    // Nothing to wait for: it resolves at once.
    await watch.readable()
    watch.close()
    closeSync(fd)
  })

  it('says EBADF for a number that its owner has closed', () => {
    const fd = openSync('/dev/zero', 'r')
    const descriptor = adopted(fd)
    closeSync(fd)
    expect(door().wait(descriptor, READABLE, 2 ** 45)).to.equal(E.EBADF)
    expect(door().live().waits).to.equal(0)
  })
})

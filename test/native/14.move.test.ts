import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Socket } from 'node:net'
import { expect } from 'chai'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { tempFolder } from '../support/folders.js'
import { needsAddon } from '../support/needs.js'
import { tcpPair, unixPair } from '../support/socket-pairs.js'
import { adopted, contentOf, door, E, fileOf, filled, openedFile, pipe, script } from './door.js'

const fdOf = (socket: Socket): number =>
  (socket as unknown as { _handle: { fd: number } })._handle.fd

describe('The door to the addon: moving bytes', () => {
  const content = bytes(1, 300_000)

  beforeEach(function () {
    needsAddon(this)
  })

  it('moves from an offset of a file into a pipe, and leaves the position alone', async () => {
    const file = adopted(await fileOf(content))
    const to = pipe(256)
    expect(door().move(file, 4097, to, -1, 100_000, false)).to.equal(100_000)
    expectSameBytes(contentOf(to), content.subarray(4097, 104_097))
    expect(door().seek(file, 0, 1)).to.equal(0)
  })

  it("moves from a file's own position, which advances", async () => {
    const file = adopted(await fileOf(content))
    const to = pipe(256)
    expect(door().seek(file, 1000, 0)).to.equal(1000)
    expect(door().move(file, -1, to, -1, 500, false)).to.equal(500)
    expect(door().seek(file, 0, 1)).to.equal(1500)
    expectSameBytes(contentOf(to), content.subarray(1000, 1500))
    expect(door().seek(file, 0, 2)).to.equal(300_000)
    expect(door().seek(file, -1, 0)).to.equal(E.EINVAL)
  })

  it('says 0 at the end of a file, and for no bytes', async () => {
    const file = adopted(await fileOf(content))
    const to = pipe(16)
    expect(door().move(file, 300_000, to, -1, 1, false)).to.equal(0)
    expect(door().move(file, 299_990, to, -1, 4096, false)).to.equal(10)
    expect(door().move(file, 0, to, -1, 0, false)).to.equal(0)
  })

  it('moves from a pipe into a file, at an offset or at its position', async () => {
    const path = join(await tempFolder(), 'file')
    writeFileSync(path, Buffer.alloc(20))
    const file = adopted(openedFile(path, 'r+'))
    expect(door().move(filled(Buffer.from('abc')), -1, file, 5, 100, false)).to.equal(3)
    expect(door().move(filled(Buffer.from('xyz')), -1, file, -1, 100, false)).to.equal(3)
    expect(readFileSync(path, 'latin1').replaceAll('\0', '.')).to.equal('xyz..abc............')
    const append = adopted(openedFile(path, 'a'))
    expect(door().move(filled(Buffer.from('no')), -1, append, -1, 2, false)).to.equal(E.EINVAL)
  })

  it('copies from file to file inside the kernel', async () => {
    const path = join(await tempFolder(), 'file')
    const from = adopted(await fileOf(content))
    const to = adopted(openedFile(path, 'w+'))
    expect(door().move(from, 10, to, 20, 1000, false)).to.equal(1000)
    expectSameBytes(readFileSync(path).subarray(20), content.subarray(10, 1010))
  })

  it('sends a file, and a pipe, to a socket', async () => {
    const { client, server } = await unixPair()
    const to = adopted(fdOf(client))
    const file = adopted(await fileOf(content))
    expect(door().move(file, 7, to, -1, 10_000, false)).to.equal(10_000)
    expect(door().move(filled(Buffer.from('end')), -1, to, -1, 3, true)).to.equal(3)
    const from = adopted(fdOf(server))
    const got = Buffer.alloc(20_000)
    let n = 0
    while (n < 10_003) n += door().read(from, got, n, 20_000 - n)
    expectSameBytes(
      got.subarray(0, n),
      Buffer.concat([content.subarray(7, 10_007), Buffer.from('end')]),
    )
    expect(door().read(from, got, 0, 1)).to.equal(E.EAGAIN)
    expect(door().move(file, 0, to, 5, 1, false)).to.equal(E.ESPIPE)
  })

  it('receives from a socket into a pipe, without waiting', async () => {
    const { client, server } = await tcpPair()
    const from = adopted(fdOf(server))
    const to = pipe(256)
    expect(door().move(from, -1, to, -1, 1000, false)).to.equal(E.EAGAIN)
    client.write(content.subarray(0, 5000))
    let n = 0
    while (n < 5000) {
      const moved = door().move(from, -1, to, -1, 5000 - n, false)
      if (moved === E.EAGAIN) await new Promise((resolve) => setImmediate(resolve))
      else n += moved
    }
    expectSameBytes(contentOf(to), content.subarray(0, 5000))
    client.end()
    for (;;) {
      const moved = door().move(from, -1, to, -1, 1, false)
      if (moved === 0) break
      expect(moved).to.equal(E.EAGAIN)
      await new Promise((resolve) => setImmediate(resolve))
    }
  })

  it('refuses sockets without a pipe between them', async () => {
    const { client, server } = await unixPair()
    const [a, b] = [adopted(fdOf(client)), adopted(fdOf(server))]
    expect(door().move(a, -1, b, -1, 1, false)).to.equal(E.EINVAL)
  })

  it('gathers parts to a socket, and raises no signal when the peer is gone', async () => {
    const { client, server } = await unixPair()
    const to = adopted(fdOf(client))
    expect(door().writev(to, [Buffer.from('ab'), Buffer.from('cd')], 1, true)).to.equal(3)
    const got = Buffer.alloc(5)
    expect(door().read(adopted(fdOf(server)), got, 1, 4)).to.equal(3)
    expect(got.toString('latin1')).to.equal('\0bcd\0')
    server.destroy()
    await new Promise((resolve) => setImmediate(resolve))
    expect(door().writev(to, [Buffer.from('x')], 0, false)).to.equal(E.EPIPE)
  })

  it('sets how much a socket waits for', async () => {
    const { client } = await tcpPair()
    const socket = adopted(fdOf(client))
    expect(door().lowWater(socket, 65_536)).to.equal(0)
    expect(door().lowWater(socket, 1)).to.equal(0)
    expect(door().lowWater(adopted(await fileOf('x')), 1)).to.equal(E.ENOTSOCK)
  })

  it('tells how much can be read', async () => {
    const { client, server } = await unixPair()
    door().writev(adopted(fdOf(client)), [bytes(2, 777)], 0, false)
    expect(door().pending(adopted(fdOf(server)))).to.equal(777)
    expect(door().pending(filled(bytes(2, 12_345)))).to.equal(12_345)
  })

  it('says whether a range of a file is in the page cache', async () => {
    const file = adopted(await fileOf(bytes(9, 20_000)))
    expect(door().isCached(file, 1, 19_999)).to.equal(true)
    expect(door().isCached(file, 4096, 1)).to.equal(true)
    expect(door().isCached(file, 0, 0)).to.equal(true)
    // Behind its end there is nothing to be in it.
    expect(door().isCached(file, 1, 20_480)).to.equal(false)
    // The third page is not there.
    script({ call: 'preadv2', errno: 11, skip: 2 })
    expect(door().isCached(file, 4095, 4098)).to.equal(false)
    expect(door().isCached(file, 4095, 4098)).to.equal(true)
    expect(door().scriptedCalls()['preadv2']).to.equal(6)
  })
})

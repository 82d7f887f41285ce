/**
 * What `/proc/self/io` counts on this kernel, call by call: the tests after this one rely on it.
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { socketFd } from '#lib/endpoints/node-socket.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { tempFolder } from '../support/folders.js'
import { needsAddon } from '../support/needs.js'
import { tcpPair } from '../support/socket-pairs.js'
import { adopted, door, filled, fileOf, pipe } from '../native/door.js'
import { hasProcessIo, ioOf, type ProcessIo } from './process-io.js'

const LENGTH = 60_000
/** The runtime's own: a wake-up is 8 bytes. */
const NOISE_BYTES = 512

async function emptyFile(): Promise<number> {
  const fd = openSync(join(await tempFolder(), 'empty'), 'w+')
  afterwards(() => closeSync(fd))
  return fd
}

function expectIo({ rchar, wchar }: ProcessIo, read: number, written: number): void {
  expect(rchar, 'rchar').to.be.within(read, read + NOISE_BYTES)
  expect(wchar, 'wchar').to.be.within(written, written + NOISE_BYTES)
}

describe("The kernel's account of a process, /proc/self/io", () => {
  const content = bytes(1, LENGTH)
  const all = (n: number): void => {
    expect(n).to.equal(LENGTH)
  }

  beforeEach(function () {
    needsAddon(this)
    if (!hasProcessIo()) this.skip()
  })

  it('counts what read() and write() copy', async () => {
    const [from, to] = [await fileOf(content), await emptyFile()]
    const memory = Buffer.alloc(LENGTH)
    expectIo(await ioOf(() => all(readSync(from, memory, 0, LENGTH, 0))), LENGTH, 0)
    expectIo(await ioOf(() => all(writeSync(to, memory))), 0, LENGTH)
  })

  it('counts nothing of splice, from a file to a pipe and from there to a socket or a file', async () => {
    const from = adopted(await fileOf(content))
    const to = adopted(await emptyFile())
    const { client } = await tcpPair()
    const socket = adopted(socketFd(client) ?? -1)
    for (const sink of [socket, to]) {
      const held = pipe(32)
      expectIo(await ioOf(() => all(door().move(from, 0, held, -1, LENGTH, false))), 0, 0)
      expectIo(await ioOf(() => all(door().move(held, -1, sink, -1, LENGTH, false))), 0, 0)
    }
  })

  it('counts nothing of tee', async () => {
    const [from, to] = [filled(content), pipe(256)]
    expectIo(await ioOf(() => all(door().tee(from, to, LENGTH))), 0, 0)
  })

  it('counts sendfile and copy_file_range as if they copied, both ways', async () => {
    const from = adopted(await fileOf(content))
    const to = adopted(await emptyFile())
    const { client } = await tcpPair()
    const socket = adopted(socketFd(client) ?? -1)
    for (const sink of [socket, to]) {
      expectIo(await ioOf(() => all(door().move(from, 0, sink, -1, LENGTH, false))), LENGTH, LENGTH)
    }
  })

  it('counts nothing of sendmsg and recvfrom, though they copy', async () => {
    const { client, server } = await tcpPair()
    const [sink, source] = [client, server].map((socket) => adopted(socketFd(socket) ?? -1))
    if (sink === undefined || source === undefined) throw new Error('Two sockets')
    const memory = Buffer.alloc(LENGTH)
    expectIo(await ioOf(() => all(door().writev(sink, [content], 0, false))), 0, 0)
    expectIo(await ioOf(() => expect(door().read(source, memory, 0, LENGTH)).to.be.above(0)), 0, 0)
  })
})

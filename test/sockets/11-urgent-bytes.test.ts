/**
 * TCP's urgent byte: Node's streams leave it out and go on behind it, and so does everything here. splice
 * stops in front of it, says that there is nothing, and, when the peer has ended, that this was all.
 */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { attach, BufferList, fanOut, lists, proxy, transfer, type TransferError } from 'splicelist'
import { startChild } from '../support/children.js'
import { afterwards } from '../support/cleanup.js'
import { compiled } from '../support/compiled.js'
import { expectSameBytes } from '../support/first-difference.js'
import { tempFolder } from '../support/folders.js'
import { needsPages } from '../support/needs.js'
import { tcpPair } from '../support/socket-pairs.js'
import { Collector } from '../transfer/collector.js'
import { failure, within } from '../transfer/outcomes.js'

/** What the program sends besides its urgent byte. */
function sent(lengthBytes: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: lengthBytes }, (_, i) => i & 0xff))
}

/** A connection from a program that sends so many bytes, an urgent one, and so many more. */
async function urgent(test: Mocha.Context, parts: readonly (number | '!')[]): Promise<Socket> {
  const program = await compiled(test, 'test/sockets/programs/urgent-stream.c')
  const listener = createServer({ pauseOnConnect: true, allowHalfOpen: true })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  afterwards(() => void listener.close())
  const { port } = listener.address() as AddressInfo
  startChild(program, [String(port), ...parts.map(String)], { stdio: 'ignore' })
  const [socket] = (await once(listener, 'connection')) as [Socket]
  socket.on('error', () => undefined)
  afterwards(() => void socket.destroy())
  return socket
}

/** What comes of a socket, each in its own way. */
const WAYS: Readonly<Record<string, (from: Socket, length: number) => Promise<Buffer>>> = {
  'transfer to a file': async (from) => {
    const path = join(await tempFolder(), 'file')
    await transfer(from, { file: path })
    return readFile(path)
  },
  'transfer to a socket': async (from, length) => {
    const { client, server } = await tcpPair()
    const arriving = new Collector(server)
    expect(await transfer(from, client)).to.include({ bytesMoved: length, eof: true })
    client.end()
    return arriving.rest()
  },
  'proxy to a socket': async (from, length) => {
    const { client, server } = await tcpPair({ allowHalfOpen: true })
    const arriving = new Collector(server)
    server.end()
    const { aToB } = await proxy(from, client)
    expect(aToB).to.include({ bytesMoved: length, eof: true })
    return arriving.rest()
  },
  'fan-out to two sockets': async (from) => {
    const [one, two] = [await tcpPair(), await tcpPair()]
    const arriving = [one, two].map(({ server }) => new Collector(server))
    await fanOut(from, [one.client, two.client])
    for (const { client } of [one, two]) client.end()
    const [first, second] = await Promise.all(arriving.map((each) => each.rest()))
    expectSameBytes(first as Buffer, second as Buffer)
    return first as Buffer
  },
  lists: async (from) => {
    using got = new BufferList()
    for await (using list of lists(from, { hold: 'pages' })) got.append(list)
    return got.toBuffer()
  },
  'a pull of pages': async (from, length) => {
    await using peer = attach(from)
    using list = await peer.pull(length, { hold: 'pages' })
    return list.toBuffer()
  },
}

describe('An urgent byte is left out, and what is behind it is not lost', () => {
  beforeEach(function () {
    needsPages(this)
  })

  for (const [name, way] of Object.entries(WAYS)) {
    for (const parts of [
      [4_000, '!', 10_000],
      ['!', 100_000],
      [100_000, '!'],
      [3_000_000, '!', 1_000_000],
    ] as const) {
      it(`${name}: ${parts.join(' ')}`, async function () {
        const from = await urgent(this, parts)
        const length = parts.reduce((sum: number, part) => sum + (part === '!' ? 0 : part), 0)
        const got = await within(10_000, way(from, length))
        if (got === 'pending') throw new Error('It waits for what lies behind the urgent byte')
        expectSameBytes(got, sent(length))
      })
    }
  }

  it("is an error of the socket's with mode 'reference', after what came before it", async function () {
    const from = await urgent(this, [40_000, '!', 60_000])
    const { client, server } = await tcpPair()
    const arriving = new Collector(server)
    const error = (await failure(transfer(from, client, { mode: 'reference' }))) as TransferError
    expect(error).to.include({ side: 'source', code: 'ENOTSUP', bytesMoved: 40_000 })
    expectSameBytes(await arriving.take(40_000), sent(40_000))
    expect(from.destroyed).to.equal(true)
  })
})

/**
 * A peer that resets half-way: nothing is lost, pulled = accepted + residual, and the sender goes on
 * from the peer's own count over a second connection.
 */
import { createWriteStream } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { finished } from 'node:stream/promises'
import { expect } from 'chai'
import { attach, BufferList, transfer, TransferError } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsAddon } from '../support/needs.js'
import { tcpPair, unixPair } from '../support/socket-pairs.js'
import { Collector } from './collector.js'
import { failure } from './outcomes.js'
import { fileOf, freshPath, giver } from './places.js'
import { reset } from './reset.js'

const LENGTH = 24 << 20

/** A receiver that stores `stopAfter` bytes and resets the connection. Resolves with its count. */
async function storeAndReset(socket: Socket, path: string, stopAfter: number): Promise<number> {
  const file = await open(path, 'w')
  let stored = 0
  try {
    while (stored < stopAfter) {
      const chunk = await nextChunk(socket)
      await file.write(chunk, 0, chunk.length, stored)
      stored += chunk.length
    }
  } finally {
    await file.close()
  }
  reset(socket)
  return stored
}

async function nextChunk(socket: Socket): Promise<Buffer> {
  for (;;) {
    const chunk = socket.read() as Buffer | null
    if (chunk !== null) return chunk
    await new Promise((resolve) => socket.once('readable', resolve))
  }
}

const LISTS: Readonly<Record<string, (content: Uint8Array) => Promise<BufferList>>> = {
  memory: (content) => Promise.resolve(new BufferList(content)),
  'held pages': async (content) => {
    const list = new BufferList()
    const source = await (await giver('tcp')).give(content)
    await list.spliceFrom(source, content.length, { hold: 'pages' })
    return list
  },
  'an extent': async (content) => {
    const list = new BufferList()
    const { handle } = await fileOf(content)
    await list.spliceFrom(handle, content.length, { offset: 0 })
    return list
  },
}

describe('A peer that resets half-way', () => {
  for (const [kind, make] of Object.entries(LISTS)) {
    it(`has its file whole after the sender resends from the peer's count (${kind})`, async () => {
      const content = bytes(1, LENGTH)
      const path = await freshPath()
      using list = await make(content)
      const first = await tcpPair()
      first.client.on('error', () => undefined)
      const storing = storeAndReset(first.server, path, 3_000_001)
      const error = (await failure(list.spliceTo(first.client))) as TransferError
      const stored = await storing
      expect(error).to.be.instanceOf(TransferError)
      expect(error.side).to.equal('sink')
      expect(['ECONNRESET', 'EPIPE']).to.include(error.code)
      expect(error.bytesMoved).to.be.at.least(stored)
      expect(error.takeResidual(), 'the list has it all').to.equal(undefined)
      expect(list.length).to.equal(LENGTH)

      using rest = list.substr(stored)
      const second = await tcpPair()
      const file = createWriteStream(path, { flags: 'r+', start: stored })
      second.server.pipe(file)
      expect(await rest.spliceTo(second.client)).to.equal(LENGTH - stored)
      second.client.end()
      await finished(file)
      expectSameBytes(await readFile(path), content)
    })

    it(`leaves in a consumed list exactly what was not accepted (${kind})`, async () => {
      const content = bytes(2, LENGTH)
      using list = await make(content)
      const { client, server } = await tcpPair()
      client.on('error', () => undefined)
      const storing = storeAndReset(server, await freshPath(), 1_000_000)
      const error = (await failure(list.spliceTo(client, { consume: true }))) as TransferError
      await storing
      expect(error.bytesMoved + list.length).to.equal(LENGTH)
      await list.load()
      expectSameBytes(list.toBuffer(), content.subarray(error.bytesMoved))
    })
  }

  it('leaves of a transferred list exactly what was not accepted', async () => {
    const content = bytes(3, LENGTH)
    using list = new BufferList(content)
    const { client, server } = await tcpPair()
    client.on('error', () => undefined)
    const storing = storeAndReset(server, await freshPath(), 1_000_000)
    const error = (await failure(transfer(list, client))) as TransferError
    await storing
    expect(error.bytesMoved + list.length).to.equal(LENGTH)
    expectSameBytes(list.toBuffer(), content.subarray(error.bytesMoved))
  })

  for (const mode of ['auto', 'copy'] as const) {
    it(`of a transfer between sockets: pulled = accepted + residual, to the byte (${mode})`, async () => {
      const content = bytes(4, LENGTH)
      const from = await tcpPair()
      const to = await tcpPair()
      to.client.on('error', () => undefined)
      from.client.end(content)
      const storing = storeAndReset(to.server, await freshPath(), 1_000_000)
      const source = attach(from.server)
      const error = (await failure(transfer(source, to.client, { mode }))) as TransferError
      await storing
      expect(error).to.include({ side: 'sink' })
      const parts: Buffer[] = []
      using residual = error.takeResidual()
      if (residual !== undefined) parts.push(residual.toBuffer())
      await source.detach()
      parts.push(await new Collector(from.server).rest())
      expectSameBytes(Buffer.concat(parts), content.subarray(error.bytesMoved))
    })

    it(`of a transfer from a file: what was not accepted can be sent again (${mode})`, async () => {
      const content = bytes(5, LENGTH)
      const { handle } = await fileOf(content)
      const first = await tcpPair()
      first.client.on('error', () => undefined)
      const path = await freshPath()
      const storing = storeAndReset(first.server, path, 2_000_000)
      const error = (await failure(
        transfer({ file: handle, offset: 0 }, first.client, { mode }),
      )) as TransferError
      const stored = await storing
      using residual = error.takeResidual()
      if (residual !== undefined) {
        expectSameBytes(
          residual.toBuffer(),
          content.subarray(error.bytesMoved, error.bytesMoved + residual.length),
        )
      }
      const second = await tcpPair()
      const arrived = new Collector(second.server).take(LENGTH - stored)
      await transfer({ file: handle, offset: stored }, second.client, { mode })
      expectSameBytes(
        Buffer.concat([(await readFile(path)).subarray(0, stored), await arrived]),
        content,
      )
    })
  }

  it('of an untaken residual leaves no pipe behind once the error is forgotten', async function () {
    needsAddon(this)
    const from = await tcpPair()
    const to = await tcpPair()
    to.client.on('error', () => undefined)
    from.client.on('error', () => undefined)
    from.client.write(bytes(6, LENGTH))
    const storing = storeAndReset(to.server, await freshPath(), 1_000_000)
    await failure(transfer(from.server, to.client))
    await storing
    from.server.destroy()
    // The error is garbage now; the root hook sees a pipe that stays.
    afterwards(async () => {
      for (let i = 0; i < 5; i++) {
        globalThis.gc?.()
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    })
  })

  it('over a unix socket, by closing with bytes unread', async () => {
    const content = bytes(7, LENGTH)
    using list = new BufferList(content)
    const { client, server } = await unixPair()
    client.on('error', () => undefined)
    await Promise.all([
      (async () => {
        await nextChunk(server)
        server.destroy()
      })(),
      (async () => {
        const error = (await failure(list.spliceTo(client, { consume: true }))) as TransferError
        expect(error).to.be.instanceOf(TransferError)
        expect(['EPIPE', 'ECONNRESET']).to.include(error.code)
        expect(error.bytesMoved + list.length).to.equal(LENGTH)
        expectSameBytes(list.toBuffer(), content.subarray(error.bytesMoved))
      })(),
    ])
  })

  it('as the source of a transfer: the file has what was accepted, the error the rest', async function () {
    // libuv tells a reset that comes together with bytes as an end.
    needsAddon(this)
    const content = bytes(8, 2_000_000)
    const { client, server } = await tcpPair()
    server.on('error', () => undefined)
    client.on('error', () => undefined)
    const path = await freshPath()
    client.write(content)
    const error = (await failure(
      transfer(
        server,
        { file: path },
        {
          onProgress: (moved) => {
            if (moved >= 1_000_000 && !client.destroyed) reset(client)
          },
        },
      ),
    )) as TransferError
    expect(error).to.include({ side: 'source', code: 'ECONNRESET' })
    using residual = error.takeResidual()
    expect(residual).to.equal(undefined)
    expectSameBytes(await readFile(path), content.subarray(0, error.bytesMoved))
  })
})

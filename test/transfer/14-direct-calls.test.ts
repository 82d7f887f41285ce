/** Bytes that one call of the kernel moves from place to place, with no pipe of ours between. */
import { readFileSync } from 'node:fs'
import { open, readFile, truncate, writeFile } from 'node:fs/promises'
import { expect } from 'chai'
import { BufferList, transfer, TransferError } from 'splicelist'
import { addon, type Addon, type Descriptor } from '#lib/native.js'
import { pipePool } from '#lib/raw/pipe-pool.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsPages } from '../support/needs.js'
import { tcpPair } from '../support/socket-pairs.js'
import { accounted } from './account.js'
import { Collector } from './collector.js'
import { failure } from './outcomes.js'
import { fileOf, freshPath } from './places.js'

describe('A call from place to place', () => {
  beforeEach(function () {
    needsPages(this)
    afterwards(() => addon?.script(null))
  })

  it('takes no pipe', async () => {
    const { handle } = await fileOf(bytes(1, 3_000_000))
    const { client, server } = await tcpPair()
    const arriving = new Collector(server).take(3_000_000)
    addon?.script([{ call: 'pipe2', errno: 24, times: 100 }])
    const { livePipes } = pipePool
    const { result, account } = await accounted(() => transfer({ file: handle, offset: 0 }, client))
    expect(result).to.deep.include({ bytesMoved: 3_000_000, eof: true, ways: ['sendfile'] })
    expect(account).to.deep.include({ moved: 3_000_000, copied: {}, fallbacks: {} })
    expect(pipePool.livePipes).to.equal(livePipes)
    expectSameBytes(await arriving, bytes(1, 3_000_000))
  })

  for (const [name, isPaced] of [
    ['two packets a call, where it paces them', true],
    ['all there is, where it does not', false],
  ] as const) {
    it(`gives a socket ${name}`, async () => {
      const { handle } = await fileOf(bytes(4, 3_000_000))
      const { client, server } = await tcpPair()
      const arriving = new Collector(server).take(3_000_000)
      const door = addon as Addon
      const original = { ...door }
      afterwards(() => void Object.assign(door, original))
      const bursts: [lengthBytes: number, burstBytes: number][] = []
      const packets: number[] = []
      Object.assign(door, {
        isPaced: () => isPaced,
        packetBytes: (socket: Descriptor) => {
          packets.push(original.packetBytes(socket))
          return packets.at(-1)
        },
        carry: (...given: Parameters<Addon['carry']>) => {
          bursts.push([given[5], given[6]])
          return original.carry(...given)
        },
      })
      await transfer({ file: handle, offset: 0 }, client)
      expectSameBytes(await arriving, bytes(4, 3_000_000))
      expect(bursts).to.not.have.length(0)
      const expected = bursts.map(([length], i) => {
        return Math.min(length, isPaced ? 2 * (packets[i] as number) : Infinity)
      })
      expect(bursts.map(([, burst]) => burst)).to.deep.equal(expected)
    })
  }

  it("advances both files' own positions", async () => {
    const from = await fileOf(bytes(2, 100_000))
    const to = await open(await freshPath(), 'w+')
    afterwards(() => to.close())
    await transfer(from.handle, to, { length: 30_000 })
    await transfer(from.handle, to, { length: 50_000 })
    expectSameBytes(await readFile(`/proc/self/fd/${to.fd}`), bytes(2, 100_000).subarray(0, 80_000))
    const { bytesRead } = await from.handle.read(Buffer.alloc(100_000), 0, 100_000)
    expect(bytesRead).to.equal(20_000)
  })

  it('copies within a file', async () => {
    const content = bytes(3, 50_000)
    const { handle } = await fileOf(content)
    const { ways } = await transfer(
      { file: handle, offset: 0 },
      { file: handle, offset: 50_000 },
      { length: 20_000 },
    )
    expect(ways).to.have.length(1)
    expect(ways[0]).to.be.oneOf(['splice', 'copy_file_range'])
    const expected = Buffer.concat([content, content.subarray(0, 20_000)])
    expectSameBytes(await readFile(`/proc/self/fd/${handle.fd}`), expected)
  })

  it('believes no end of a file that says it has no bytes and yet has', async () => {
    const path = await freshPath()
    const { bytesMoved } = await transfer({ file: '/proc/version' }, { file: path })
    expect(bytesMoved).to.be.greaterThan(0)
    expect(readFileSync(path, 'utf8')).to.equal(readFileSync('/proc/version', 'utf8'))
  })

  it('fails for an extent whose file became shorter, with what it still had accepted', async () => {
    const path = await freshPath()
    await writeFile(path, bytes(4, 100_000))
    using list = await BufferList.fromFile(path)
    await truncate(path, 40_000)
    const to = await freshPath()
    const error = await failure(list.spliceTo({ file: to }, { consume: true }))
    expect(error).to.be.instanceOf(TransferError)
    expect(error).to.include({ side: 'source', code: 'ENODATA', bytesMoved: 40_000 })
    expect(list.length).to.equal(60_000)
    expectSameBytes(await readFile(to), bytes(4, 40_000))
  })

  it('ends when its socket is destroyed, and holds no connection open', async () => {
    const { handle } = await fileOf(bytes(5, 30_000_000))
    const { client, server } = await tcpPair()
    const sending = failure(transfer({ file: handle, offset: 0 }, client))
    const ended = new Promise((resolve) => {
      server.on('end', resolve).on('error', resolve)
    })
    server.once('data', () => client.destroy()).resume()
    const error = await sending
    expect(error).to.be.instanceOf(TransferError)
    expect(error).to.include({ side: 'sink' })
    ;(error as TransferError).takeResidual()?.release()
    await ended
  })

  for (const where of ['in the page cache', 'on the disk'] as const) {
    it(`sends a short range that is ${where} at whatever pace its peer reads`, async () => {
      const content = bytes(7, 61_000)
      const { handle } = await fileOf(content)
      const { client, server } = await tcpPair()
      server.resume().pause()
      if (where === 'on the disk') addon?.script([{ call: 'preadv2', errno: 11, times: 1e6 }])
      const parts = Array.from({ length: 100 }, (_, i) => content.subarray(i * 7, i * 7 + 60_000))
      const arriving = new Collector(server).take(6_000_000)
      for (const { length, byteOffset } of parts) {
        const offset = byteOffset - content.byteOffset
        const { ways, bytesMoved } = await transfer({ file: handle, offset }, client, { length })
        expect({ ways, bytesMoved }).to.deep.equal({ ways: ['sendfile'], bytesMoved: 60_000 })
      }
      expectSameBytes(await arriving, Buffer.concat(parts))
    })
  }

  it('stops at an abort; the list keeps what was not accepted', async () => {
    const { handle } = await fileOf(bytes(6, 20_000_000))
    using list = await BufferList.fromFile(handle)
    const { client, server } = await tcpPair()
    const abort = new AbortController()
    const error = await failure(
      list.spliceTo(client, {
        consume: true,
        signal: abort.signal,
        onProgress: () => abort.abort(),
      }),
    )
    expect(error).to.have.property('name', 'AbortError')
    const { bytesMoved } = error as unknown as { bytesMoved: number }
    expect(list.length).to.equal(20_000_000 - bytesMoved)
    expectSameBytes(
      await new Collector(server).take(bytesMoved),
      bytes(6, 20_000_000).subarray(0, bytesMoved),
    )
  })
})

/**
 * Law 1 in corners where it was broken once: each of these lost or mixed up bytes.
 */
import { setMaxListeners } from 'node:events'
import { expect } from 'chai'
import {
  AbortError,
  attach,
  BufferList,
  InvalidArgumentError,
  transfer,
  type TransferError,
} from 'splicelist'
import { addon } from '#lib/native.js'
import { pipePool } from '#lib/raw/pipe-pool.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsAddon, needsPages } from '../support/needs.js'
import { tcpPair } from '../support/socket-pairs.js'
import { Collector } from './collector.js'
import { fifoToRead, fifoToWrite } from './fifos.js'
import { failure } from './outcomes.js'
import { fileOf, freshPath } from './places.js'

describe('Nothing is lost', () => {
  it('when a pipe is refused once, in the middle of a pull', async function () {
    needsPages(this)
    const sent = bytes(1, 40_000)
    const { client: left, server: right } = await tcpPair()
    left.write(sent)
    await using peer = attach(right)
    pipePool.drain()
    addon?.script([{ call: 'pipe2', errno: 24, times: 1 }])
    afterwards(() => addon?.script(null))
    using list = await peer.pull(sent.length)
    expectSameBytes(list.toBuffer(), sent)
  })

  it('when several operations are given one descriptor by its number: they take turns', async function () {
    needsAddon(this)
    const { fd, reader } = fifoToWrite()
    const collector = new Collector(reader)
    const lists = ['A', 'B', 'C'].map((letter) => new BufferList(Buffer.alloc(300_000, letter)))
    await Promise.all(lists.map((list) => list.spliceTo(fd)))
    const got = await collector.take(900_000)
    expect(got.toString('latin1').replace(/(.)\1*/g, '$1')).to.equal('ABC')
  })

  it('when the position of one handle is used by a transfer that is aborted', async function () {
    needsPages(this)
    const sent = bytes(2, 8 << 20)
    const { handle: from } = await fileOf(sent)
    const { client: left, server: right } = await tcpPair()
    const abort = new AbortController()
    const stalled = transfer(from, left, { signal: abort.signal })
    const ended = failure(stalled)
    const onProgress = new Promise((resolve) => setTimeout(resolve, 50))
    await onProgress
    const path = await freshPath()
    const next = transfer(from, { file: path })
    abort.abort()
    const error = (await ended) as Error & { bytesMoved: number }
    const { bytesMoved } = await next
    expect(bytesMoved).to.equal(sent.length - error.bytesMoved)
    using rest = await BufferList.fromFile(path)
    await rest.load()
    expectSameBytes(rest.toBuffer(), sent.subarray(error.bytesMoved))
    left.destroy()
    right.destroy()
  })

  it('when onProgress throws: what was pulled and not accepted is given back', async function () {
    needsPages(this)
    const sent = bytes(3, 300_000)
    const from = await tcpPair()
    const to = await tcpPair()
    from.client.end(sent)
    const collector = new Collector(to.server)
    const peer = attach(from.server)
    let moved = 0
    await failure(
      transfer(peer, to.client, {
        onProgress: (bytesMoved) => {
          moved = bytesMoved
          throw new Error('of the program')
        },
      }),
    )
    using rest = await peer.pull(sent.length)
    expect(moved + rest.length).to.equal(sent.length)
    expectSameBytes(rest.toBuffer(), sent.subarray(moved))
    expectSameBytes(await collector.take(moved), sent.subarray(0, moved))
    await peer.detach()
  })
})

describe('Nothing is lost, where nobody takes bytes back', () => {
  it('when onProgress throws: what was pulled and not accepted is in the error', async function () {
    needsPages(this)
    const sent = bytes(4, 60_000)
    const { fd, writer } = fifoToRead()
    const to = await tcpPair()
    const collector = new Collector(to.server)
    writer.write(sent)
    const thrown = new Error('of the program')
    // fifo → socket is refused; then fifo → pipe, and pipe → socket, which takes a part.
    addon?.script([
      { call: 'splice', errno: 22 },
      { call: 'splice', skip: 1, maxBytes: 1000 },
    ])
    afterwards(() => addon?.script(null))
    const trap = await failure(
      transfer(fd, to.client, {
        length: sent.length,
        onProgress: () => {
          throw thrown
        },
      }),
    )
    expect(trap).to.be.instanceOf(AbortError)
    expect(trap.cause).to.equal(thrown)
    expect(trap).to.include({ bytesMoved: 1000 })
    const { bytesMoved } = trap as AbortError
    using rest = (trap as AbortError).takeResidual()
    const cut = bytesMoved + (rest?.length ?? 0)
    expectSameBytes(rest?.toBuffer() ?? Buffer.alloc(0), sent.subarray(bytesMoved, cut))
    expect(cut).to.be.greaterThan(bytesMoved)
    expectSameBytes(await collector.take(bytesMoved), sent.subarray(0, bytesMoved))
  })

  it('when the sink refuses pages, and our own pipe fails while it is read: all is in the error', async function () {
    needsPages(this)
    const sent = bytes(5, 60_000)
    const { fd, writer } = fifoToRead()
    const to = await tcpPair()
    writer.write(sent)
    // fifo → socket is refused; then fifo → pipe, and pipe → socket again.
    addon?.script([
      { call: 'splice', errno: 22 },
      { call: 'splice', skip: 1, errno: 22 },
      { call: 'read', maxBytes: 1000 },
      { call: 'read', errno: 5, times: 2 },
    ])
    afterwards(() => addon?.script(null))
    const error = await failure(transfer(fd, to.client, { length: sent.length }))
    expect(error).to.include({ side: 'pipe', code: 'EIO', syscall: 'read', bytesMoved: 0 })
    addon?.script(null)
    using rest = (error as TransferError).takeResidual()
    expectSameBytes(rest?.toBuffer() ?? Buffer.alloc(0), sent)
  })

  it('a list is not spliced from itself', async () => {
    using list = new BufferList('abc')
    const error = await failure(list.spliceFrom(list, 2))
    expect(error).to.be.instanceOf(InvalidArgumentError)
    expect(list.toString()).to.equal('abc')
  })
})

describe('One signal for many operations', () => {
  it('has one listener, and no warning', async function () {
    needsAddon(this)
    const warnings: Error[] = []
    const onWarning = (warning: Error): void => void warnings.push(warning)
    process.on('warning', onWarning)
    afterwards(() => void process.off('warning', onWarning))
    const abort = new AbortController()
    setMaxListeners(1, abort.signal)
    const { server: right } = await tcpPair()
    const peer = attach(right)
    const pulls = Array.from({ length: 40 }, () => failure(peer.pull(10, { signal: abort.signal })))
    await new Promise((resolve) => setImmediate(resolve))
    abort.abort()
    for (const error of await Promise.all(pulls)) expect(error.name).to.equal('AbortError')
    await peer.detach()
    expect(warnings).to.deep.equal([])
  })
})

/**
 * Pulls of a few bytes, between payloads: what comes at once is read at once, and whatever else
 * happens is as for any other pull.
 */
import { expect } from 'chai'
import { attach, counters, type BufferList, type Endpoint, type TransferError } from 'splicelist'
import { addon, type ScriptRule } from '#lib/native.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { needsAddon, needsPages } from '../support/needs.js'
import { tcpPair, unixPair, type SocketPair } from '../support/socket-pairs.js'
import { callsOf } from '../support/watch.js'
import { failure } from './outcomes.js'

const EIO = 5
const EAGAIN = 11
const ECONNRESET = 104
const HEADER_BYTES = 28

/** Runs with a system call scripted. */
async function scripted<T>(rule: ScriptRule, run: () => Promise<T>): Promise<T> {
  addon?.script([rule])
  try {
    return await run()
  } finally {
    addon?.script(null)
  }
}

const text = (list: BufferList): string => {
  using mine = list
  return mine.toString('latin1')
}

for (const [name, pair] of [
  ['a TCP socket', tcpPair],
  ['a unix socket', unixPair],
] as const) {
  describe(`A header that is pulled from ${name}`, () => {
    let sockets: SocketPair
    let peer: Endpoint
    beforeEach(async function () {
      needsAddon(this)
      sockets = await pair()
      sockets.server.on('error', () => undefined)
      sockets.client.on('error', () => undefined)
      peer = attach(sockets.server)
      afterwards(() => peer.detach())
    })

    it('is what comes first, and leaves what follows', async () => {
      sockets.client.write('first|second|third')
      expect(text(await peer.pull(6))).to.equal('first|')
      expect(text(await peer.pull(7))).to.equal('second|')
      expect(text(await peer.pull(5))).to.equal('third')
    })

    it('is awaited where it is not there, or not as a whole', async () => {
      const pulling = peer.pull(HEADER_BYTES)
      const behind = peer.pull(4)
      const content = bytes(1, HEADER_BYTES + 4)
      for (const byte of content) {
        sockets.client.write(Buffer.of(byte))
        await new Promise(setImmediate)
      }
      using header = await pulling
      using next = await behind
      expect(Buffer.concat([header.toBuffer(), next.toBuffer()])).to.deep.equal(content)
    })

    it('is asked for once where less will do, and what is there is all', async () => {
      sockets.client.write('+all')
      // Then the rest has come as well.
      expect(text(await peer.pull(1))).to.equal('+')
      const reads = callsOf('read')
      expect(text(await peer.pull(8192, { atLeast: 1 }))).to.equal('all')
      expect(reads()).to.equal(1)
      sockets.client.end('more')
      expect(text(await peer.pull(8192, { atLeast: 1 }))).to.equal('more')
      expect(text(await peer.pull(8192, { atLeast: 1 }))).to.equal('')
    })

    it('is asked for until it is enough, or the place has no more', async () => {
      sockets.client.write('one')
      const pulling = peer.pull(8192, { atLeast: 6 })
      await new Promise(setImmediate)
      sockets.client.write('two')
      expect(text(await pulling)).to.equal('onetwo')
      const large = bytes(1, 20_000)
      sockets.client.write(large)
      using all = await peer.pull(20_000, { atLeast: 20_000, mode: 'copy' })
      expect(all.toBuffer()).to.deep.equal(large)
    })

    it('comes first from what was given back', async () => {
      sockets.client.write('cdef')
      using back = (await peer.pull(2)).append('|')
      peer.unpull(back)
      expect(text(await peer.pull(5))).to.equal('cd|ef')
    })

    it('stays where it is when it is peeked at', async () => {
      sockets.client.write('magic and more')
      expect(text(await peer.peek(5))).to.equal('magic')
      expect(text(await peer.pull(9))).to.equal('magic and')
    })

    it('is short at the end of the stream, and empty behind it', async () => {
      sockets.client.end('short')
      expect(text(await peer.pull(HEADER_BYTES))).to.equal('short')
      expect(text(await peer.pull(HEADER_BYTES))).to.equal('')
    })

    it('is counted as a copy by threshold, once', async function () {
      needsPages(this)
      sockets.client.write(bytes(2, HEADER_BYTES))
      const before = counters.snapshot()
      using header = await peer.pull(HEADER_BYTES)
      expect(header.length).to.equal(HEADER_BYTES)
      const after = counters.snapshot()
      expect((after.copied.threshold ?? 0) - (before.copied.threshold ?? 0)).to.equal(HEADER_BYTES)
      expect((after.copies.threshold ?? 0) - (before.copies.threshold ?? 0)).to.equal(1)
    })

    it('fails with the error of the call, and hands out nothing', async function () {
      needsPages(this)
      sockets.client.write('the rest')
      const error = await scripted({ call: 'recv', errno: EIO }, () => failure(peer.pull(8)))
      expect(error).to.include({
        name: 'TransferError',
        side: 'source',
        code: 'EIO',
        bytesMoved: 0,
      })
      expect((error as TransferError).takeResidual()).to.equal(undefined)
    })

    it('ends with the connection, for good, and Node is told', async function () {
      needsPages(this)
      sockets.client.write('lost')
      const error = await scripted({ call: 'recv', errno: ECONNRESET }, () => failure(peer.pull(4)))
      expect(error).to.include({ side: 'source', code: 'ECONNRESET' })
      expect(await failure(peer.pull(4))).to.include({ side: 'source', code: 'ECONNRESET' })
      await peer.detach()
      expect(sockets.server.destroyed).to.equal(true)
      expect(sockets.server.errored).to.include({ code: 'ECONNRESET' })
    })

    it('is looked for once more only when there may be something', async function () {
      needsPages(this)
      const pulling = scripted({ call: 'recv', errno: EAGAIN }, async () => {
        const promise = peer.pull(4)
        await new Promise(setImmediate)
        const calls = addon?.scriptedCalls()['recv']
        sockets.client.write('late')
        return { calls, header: await promise }
      })
      const { calls, header } = await pulling
      expect(text(header)).to.equal('late')
      expect(calls).to.equal(1)
    })
  })
}

/**
 * lists(): a stream as lists, one after another, at the consumer's pace.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { PassThrough } from 'node:stream'
import { expect } from 'chai'
import {
  AbortError,
  attach,
  BufferList,
  EndpointBusyError,
  InvalidArgumentError,
  lists,
  NotByReferenceError,
  TransferError,
  UnsupportedEndpointError,
  type Source,
} from 'splicelist'
import { addon } from '#lib/native.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { hasAddon, hasPages, needsAddon, needsPages } from '../support/needs.js'
import { tcpPair } from '../support/socket-pairs.js'
import { accounted, copiedBytes } from '../transfer/account.js'
import { Collector } from '../transfer/collector.js'
import { failure, within } from '../transfer/outcomes.js'
import { fileOf, freshPath, giver, isFile, KINDS } from '../transfer/places.js'
import { reset } from '../transfer/reset.js'

/** All bytes of a source, and how many lists they came in. */
async function collect(
  source: Source,
  options?: Parameters<typeof lists>[1],
): Promise<{ readonly all: Buffer; readonly sizes: number[] }> {
  const parts: Buffer[] = []
  for await (using list of lists(source, options)) {
    await list.load()
    parts.push(list.toBuffer())
  }
  return { all: Buffer.concat(parts), sizes: parts.map(({ length }) => length) }
}

/** A source of a kind that ends after these bytes. */
async function endingSource(kind: (typeof KINDS)[number], content: Buffer): Promise<Source> {
  if (kind === 'tcp') {
    const { client, server } = await tcpPair()
    client.end(content)
    return server
  }
  if (kind === 'stream') {
    const stream = new PassThrough()
    stream.end(content)
    return stream
  }
  return (await giver(kind)).give(content)
}

describe('lists()', () => {
  const content = bytes(1, 3_000_001)

  for (const kind of KINDS.filter((each) => isFile(each) || each === 'tcp' || each === 'stream')) {
    for (const mode of ['auto', 'stable', 'copy'] as const) {
      it(`gives all of a ${kind} in order, in lists of at most chunkBytes, mode ${mode}`, async () => {
        const source = await endingSource(kind, content)
        const { all, sizes } = await collect(source, { mode, chunkBytes: 500_000 })
        expectSameBytes(all, content)
        expect(Math.max(...sizes)).to.be.at.most(500_000)
      })
    }
  }

  it('gives a megabyte at a time, if not told otherwise', async () => {
    const { handle } = await fileOf(content)
    const { sizes } = await collect({ file: handle, offset: 0 })
    expect(sizes).to.deep.equal([1 << 20, 1 << 20, 3_000_001 - (2 << 20)])
  })

  it('gives extents of a file, or its pages where they are asked for', async function () {
    needsPages(this)
    const { handle } = await fileOf(content)
    for (const [hold, kind] of [
      ['extent', 'file'],
      ['pages', 'pipe'],
    ] as const) {
      for await (using list of lists(handle, { hold, offset: 4_097 })) {
        expect(new Set(list.explain().map((row) => row.kind))).to.deep.equal(new Set([kind]))
        expect(list.length).to.equal(1 << 20)
        break
      }
    }
  })

  it('consumes a list that it is given, and leaves the rest when the loop is left', async () => {
    using source = new BufferList(bytes(2, 1_000), bytes(3, 1_000))
    const seen: number[] = []
    for await (using list of lists(source, { chunkBytes: 300 })) {
      seen.push(list.length)
      if (seen.length === 4) break
    }
    expect(seen).to.deep.equal([300, 300, 300, 300])
    expect(source.length).to.equal(800)
    const { sizes } = await collect(source, { chunkBytes: 300 })
    expect(sizes).to.deep.equal([300, 300, 200])
  })

  it('gives each list what is there, and waits for no more', async () => {
    const { client, server } = await tcpPair()
    const sizes: number[] = []
    client.write('abc')
    for await (using list of lists(server)) {
      sizes.push(list.length)
      if (sizes.length === 1) client.end('defg')
    }
    expect(sizes).to.deep.equal([3, 4])
  })

  it('waits for atLeast, but at the end', async () => {
    const { client, server } = await tcpPair()
    client.write(bytes(4, 100))
    const running = collect(server, { atLeast: 1_000, chunkBytes: 1_500 })
    await new Promise(setImmediate)
    client.end(bytes(4, 3_300).subarray(100))
    const { all, sizes } = await running
    expectSameBytes(all, bytes(4, 3_300))
    for (const size of sizes.slice(0, -1)) expect(size).to.be.at.least(1_000)
  })

  it('pulls nothing before it is asked: a sender is held up by a consumer that does not go on', async () => {
    const { client, server } = await tcpPair()
    const huge = bytes(5, 24 << 20)
    client.end(huge)
    const loop = lists(server)[Symbol.asyncIterator]()
    const first = await loop.next()
    using list = first.value as BufferList
    for (let before = -1; before !== client.writableLength;) {
      before = client.writableLength
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(client.writableLength).to.be.greaterThan(0)
    const parts = [list.toBuffer()]
    for (let next = await loop.next(); next.done !== true; next = await loop.next()) {
      parts.push(next.value.toBuffer())
      next.value.release()
    }
    expectSameBytes(Buffer.concat(parts), huge)
  })

  it('keeps the socket from Node during the loop, and echoes on it', async () => {
    const { client, server } = await tcpPair()
    const echoed = new Collector(client)
    client.end(content)
    const { account } = await accounted(async () => {
      for await (using list of lists(server)) await list.spliceTo(server, { consume: true })
    })
    expectSameBytes(await echoed.take(content.length), content)
    // What Node had read before the loop is memory already.
    if (hasPages) expect(copiedBytes(account)).to.equal(0)
  })

  describe('that is left early', () => {
    for (const how of ['break', 'throw'] as const) {
      it(`gives a socket back to Node, with every byte that was not pulled (${how})`, async () => {
        const { client, server } = await tcpPair()
        client.end(content)
        let taken = 0
        try {
          for await (using list of lists(server, { chunkBytes: 65_536 })) {
            expectSameBytes(list.toBuffer(), content.subarray(taken, taken + list.length))
            taken += list.length
            if (taken < 300_000) continue
            if (how === 'break') break
            throw new Error('enough')
          }
        } catch (error) {
          expect(error).to.have.property('message', 'enough')
        }
        expectSameBytes(await new Collector(server).rest(), content.subarray(taken))
      })
    }

    it('leaves the position of a handle behind the last list', async function () {
      needsAddon(this)
      const { handle } = await fileOf(content)
      for (const hold of ['extent', 'pages'] as const) {
        for await (using list of lists(handle, { hold, chunkBytes: 70_001 })) {
          expect(list.length).to.equal(70_001)
          break
        }
      }
      const { buffer } = await handle.read(Buffer.alloc(10), 0, 10)
      expectSameBytes(buffer, content.subarray(140_002, 140_012))
    })

    it('leaves an endpoint attached, which takes back what a list has left', async () => {
      const { client, server } = await tcpPair()
      client.end(bytes(6, 50_000))
      await using peer = attach(server)
      for await (using list of lists(peer, { atLeast: 50_000, chunkBytes: 50_000 })) {
        list.consume(20_000)
        peer.unpull(list)
        break
      }
      using rest = await peer.pull(30_000)
      expectSameBytes(rest.toBuffer(), bytes(6, 50_000).subarray(20_000))
    })

    it('leaves a stream to its listeners', async () => {
      const stream = new PassThrough()
      stream.end(bytes(7, 30_000))
      let taken = 0
      for await (using list of lists(stream, { chunkBytes: 1_000 })) {
        taken += list.length
        break
      }
      const rest = await new Collector(stream).rest()
      expectSameBytes(rest, bytes(7, 30_000).subarray(taken))
    })

    it('ends the wait for the next list, and whoever asked for it is told the end', async () => {
      const { client, server } = await tcpPair()
      client.write('abc')
      const loop = lists(server, { atLeast: 10, chunkBytes: 10 })[Symbol.asyncIterator]()
      const pending = loop.next()
      await new Promise((resolve) => setTimeout(resolve, 20))
      expect(await within<unknown>(5_000, Promise.resolve(loop.return?.()))).to.include({
        done: true,
      })
      expect(await within(5_000, pending)).to.include({ done: true })
      client.end('def')
      expect((await new Collector(server).rest()).toString()).to.equal('abcdef')
    })

    it('before it began touches nothing', async () => {
      const { client, server } = await tcpPair()
      const loop = lists(server)[Symbol.asyncIterator]()
      await loop.return?.()
      expect(await loop.next()).to.include({ done: true })
      client.end('abc')
      expect((await new Collector(server).rest()).toString()).to.equal('abc')
    })
  })

  it('gives lists in order to whoever asks for several at once', async () => {
    const { handle } = await fileOf(bytes(8, 4_000))
    const loop = lists({ file: handle, offset: 0 }, { chunkBytes: 1_500 })[Symbol.asyncIterator]()
    const all = await Promise.all([loop.next(), loop.next(), loop.next(), loop.next()])
    expect(all.map(({ done }) => done)).to.deep.equal([false, false, false, true])
    const sizes = all.map(({ value }) => (value as BufferList | undefined)?.length)
    expect(sizes).to.deep.equal([1_500, 1_500, 1_000, undefined])
    for (const { value } of all) (value as BufferList | undefined)?.release()
  })

  it('begins anew with each loop', async () => {
    const path = await freshPath()
    await writeFile(path, bytes(9, 10_000))
    const loops = lists({ file: path })
    for (let i = 0; i < 2; i++) {
      let length = 0
      for await (using list of loops) length += list.length
      expect(length).to.equal(10_000)
    }
  })

  it('gives others a turn each megabyte, where bytes are always there', async () => {
    const { path } = await fileOf(bytes(7, 8 << 20))
    let turns = 0
    let isOver = false
    const turn = (): void => {
      turns += 1
      if (!isOver) setImmediate(turn)
    }
    for (const source of [{ file: path }, new BufferList(bytes(7, 8 << 20))]) {
      isOver = false
      turns = 0
      setImmediate(turn)
      for await (using list of lists(source, { chunkBytes: 65_536 })) {
        expect(list.length).to.equal(65_536)
      }
      isOver = true
      expect(turns).to.be.at.least(7)
    }
  })

  it('reports progress over all lists', async () => {
    for (const hold of ['extent', 'pages'] as const) {
      const { handle } = await fileOf(bytes(10, 250_000))
      const seen: number[] = []
      const onProgress = (n: number): void => void seen.push(n)
      await collect({ file: handle, offset: 0 }, { hold, chunkBytes: 100_000, onProgress })
      expect(seen.at(-1)).to.equal(250_000)
      expect(seen).to.deep.equal([...seen].sort((a, b) => a - b))
    }
  })

  it('is stopped by a callback that throws, which loses nothing', async () => {
    const { handle } = await fileOf(bytes(11, 250_000))
    const boom = new Error('boom')
    const onProgress = (n: number): void => {
      if (n > 100_000) throw boom
    }
    for (const hold of ['extent', 'pages'] as const) {
      const error = await failure(
        collect(hasAddon ? handle : { file: handle, offset: 0 }, {
          hold,
          chunkBytes: 100_000,
          onProgress,
        }),
      )
      if (!hasAddon) continue
      expect(error).to.equal(boom)
    }
    if (hasAddon) {
      const { buffer } = await handle.read(Buffer.alloc(4), 0, 4)
      expectSameBytes(buffer, bytes(11, 250_000).subarray(200_000, 200_004))
    }
  })

  describe('that is aborted', () => {
    const reason = new Error('changed my mind')

    it('before it began rejects, and touches nothing', async () => {
      const { server } = await tcpPair()
      const error = await failure(collect(server, { signal: AbortSignal.abort(reason) }))
      expect(error).to.be.instanceOf(AbortError)
      expect(error).to.have.property('cause', reason)
    })

    for (const mode of ['auto', 'copy'] as const) {
      it(`while it waits gives the source back what had come (${mode})`, async () => {
        const { client, server } = await tcpPair()
        const aborter = new AbortController()
        client.write(bytes(12, 100_000))
        const running = collect(server, {
          mode,
          signal: aborter.signal,
          atLeast: 200_000,
          chunkBytes: 200_000,
          onProgress: (n) => {
            if (n >= 100_000) setImmediate(() => aborter.abort(reason))
          },
        })
        const error = (await failure(running)) as AbortError
        expect(error).to.be.instanceOf(AbortError)
        expect(error.takeResidual()).to.equal(undefined)
        client.end()
        expectSameBytes(await new Collector(server).rest(), bytes(12, 100_000))
      })
    }

    for (const [what, take] of Object.entries({
      'the extents of a file': async (content: Buffer) => (await fileOf(content)).handle,
      'a list': (content: Buffer) => new BufferList(content),
    })) {
      it(`between two lists of ${what} ends the loop there, although the next is at hand`, async () => {
        const content = bytes(10, 1000)
        const source = await take(content)
        const aborter = new AbortController()
        let got = 0
        const looping = (async () => {
          for await (using list of lists(source, { chunkBytes: 100, signal: aborter.signal })) {
            got += list.length
            if (got === 300) aborter.abort(reason)
          }
        })()
        const error = await failure(looping)
        expect(error).to.be.instanceOf(AbortError)
        expect(error).to.have.property('cause', reason)
        expect(got).to.equal(300)
        using rest = new BufferList()
        await rest.spliceFrom(source, 1000)
        await rest.load()
        expectSameBytes(rest.toBuffer(), content.subarray(300))
      })
    }

    it('while it waits for its turn takes none', async () => {
      const { client, server } = await tcpPair()
      await using peer = attach(server)
      const pulling = peer.pull(10)
      const aborter = new AbortController()
      const running = collect(peer, { signal: aborter.signal })
      setImmediate(() => aborter.abort(reason))
      expect(await failure(running)).to.be.instanceOf(AbortError)
      client.end('0123456789')
      using ten = await pulling
      expect(ten.length).to.equal(10)
    })
  })

  describe('whose source fails', () => {
    it('throws what the source said, and hands out what had come for the next list', async () => {
      const { client, server } = await tcpPair()
      client.on('error', () => undefined)
      server.on('error', () => undefined)
      client.write(bytes(13, 100_000))
      let seen = 0
      const running = (async () => {
        for await (using list of lists(server, {
          atLeast: 60_000,
          chunkBytes: 60_000,
          onProgress: (n) => {
            if (n === 100_000) reset(client)
          },
        })) {
          seen += list.length
        }
      })()
      const error = (await failure(running)) as TransferError
      expect(error).to.be.instanceOf(TransferError)
      expect(error).to.include({ side: 'source', code: 'ECONNRESET' })
      expect(seen).to.equal(60_000)
      using residual = error.takeResidual()
      expectSameBytes(residual?.toBuffer() ?? Buffer.alloc(0), bytes(13, 100_000).subarray(60_000))
    })

    for (const [call, mode] of [
      ['splice', 'auto'],
      ['recv', 'copy'],
    ] as const) {
      for (const skip of [0, 1, 2]) {
        it(`by EIO from ${call} after ${skip}: the lists, the residual and the source are all there is`, async function () {
          needsPages(this)
          afterwards(() => addon?.script(null))
          const { client, server } = await tcpPair()
          client.end(bytes(14, 400_000))
          const parts: Buffer[] = []
          await using peer = attach(server)
          const options = { mode, chunkBytes: 100_000 } as const
          addon?.script([{ call, errno: 5, skip, times: 1 }])
          const error = await failure(
            (async () => {
              for await (using list of lists(peer, options)) parts.push(list.toBuffer())
            })(),
          )
          addon?.script(null)
          expect(error).to.include({ side: 'source', code: 'EIO' })
          using residual = (error as TransferError).takeResidual()
          if (residual !== undefined) parts.push(residual.toBuffer())
          for await (using list of lists(peer, options)) parts.push(list.toBuffer())
          expectSameBytes(Buffer.concat(parts), bytes(14, 400_000))
        })
      }
    }
  })

  describe('refuses', () => {
    it('what is no source, no size, and options that are none', async () => {
      const { server } = await tcpPair()
      for (const [source, options] of [
        [server, { chunkBytes: 0 }],
        [server, { chunkBytes: -1 }],
        [server, { chunkBytes: 1.5 }],
        [server, { chunkBytes: 10, atLeast: 11 }],
        [server, { mode: 'best' }],
        [server, { hold: 'tight' }],
        [server, { offset: 5 }],
        [{}, {}],
        [null, {}],
      ] as [Source, object][]) {
        const error = await failure(collect(source, options))
        expect(error, JSON.stringify(options)).to.be.instanceOf(InvalidArgumentError)
      }
    })

    it('a stream by reference, a destroyed socket, and a socket that is attached', async () => {
      const stream = new PassThrough()
      const byReference = collect(stream, { mode: 'reference' })
      expect(await failure(byReference)).to.be.instanceOf(NotByReferenceError)
      const { client, server } = await tcpPair()
      const peer = attach(server)
      expect(await failure(collect(server))).to.be.instanceOf(EndpointBusyError)
      await peer.detach()
      client.destroy()
      expect(await failure(collect(client))).to.be.instanceOf(UnsupportedEndpointError)
    })
  })

  it('writes several sources into one sink, between pieces of memory', async () => {
    const paths = [await freshPath(), await freshPath()]
    for (const [i, path] of paths.entries()) await writeFile(path, bytes(i, 1_500_000))
    const target = await freshPath()
    const gathered = await (async () => {
      let at = 0
      for (const [i, path] of paths.entries()) {
        using head = new BufferList(`part ${i}\n`)
        at += await head.spliceTo({ file: target, offset: at })
        for await (using list of lists({ file: path })) {
          at += await list.spliceTo({ file: target, offset: at })
        }
      }
      return at
    })()
    const expected = Buffer.concat(
      paths.flatMap((_, i) => [Buffer.from(`part ${i}\n`), bytes(i, 1_500_000)]),
    )
    expect(gathered).to.equal(expected.length)
    expectSameBytes(await readFile(target), expected)
  })
})

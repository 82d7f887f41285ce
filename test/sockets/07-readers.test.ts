/**
 * Sockets that somebody reads already: piped, iterated, listened to. Attached losslessly, and given back
 * as they were; or refused with what to do.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createServer } from 'node:net'
import { expect } from 'chai'
import { attach, BufferList, UnsupportedEndpointError } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsAddon } from '../support/needs.js'
import { destroyed, tcpPair, unixPair } from '../support/socket-pairs.js'
import { Collector } from '../transfer/collector.js'
import { refusal, until, within } from '../transfer/outcomes.js'

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20))

for (const [kind, pair] of Object.entries({ tcp: tcpPair, unix: unixPair })) {
  describe(`A ${kind} socket that is`, () => {
    it('piped elsewhere: the pipe stops while it is attached, and goes on after', async () => {
      const { client, server } = await pair()
      const target = new PassThrough()
      const seen = new Collector(target)
      server.pipe(target)
      client.write('one')
      await until(() => seen.length === 3)
      const peer = attach(server)
      client.write('two|three')
      using two = await peer.pull(4)
      expect(two.toString()).to.equal('two|')
      await settled()
      expect(seen.length).to.equal(3)
      await peer.detach()
      client.end('|four')
      expect((await seen.rest()).toString()).to.equal('onethree|four')
    })

    it('piped into something slow: back-pressure before, while and after', async () => {
      const { client, server } = await pair()
      const target = new PassThrough()
      const done = pipeline(server, target)
      const sent = bytes(1, 4_000_000)
      client.end(sent)
      // Nobody reads the target: the pipe has paused the socket.
      await until(() => server.isPaused())
      const piped = server.bytesRead - server.readableLength
      const peer = attach(server)
      using middle = await peer.pull(1_000_000)
      expectSameBytes(middle.toBuffer(), sent.subarray(piped, piped + 1_000_000))
      using back = middle.splice(900_000, 100_000)
      peer.unpull(back)
      await peer.detach()
      const arrived = await new Collector(target).rest()
      await done
      expectSameBytes(arrived.subarray(0, piped), sent.subarray(0, piped))
      expectSameBytes(arrived.subarray(piped), sent.subarray(piped + 900_000))
    })

    it('iterated: the loop gets what was left over, and the rest', async () => {
      const { client, server } = await pair()
      const seen: Buffer[] = []
      const looping = (async () => {
        for await (const chunk of server) seen.push(chunk as Buffer)
      })()
      client.write('one|')
      await until(() => seen.length === 1)
      const peer = attach(server)
      client.write('two|three|')
      using list = await peer.pull(10)
      using back = list.splice(4, 6)
      expect(back.toString()).to.equal('three|')
      peer.unpull(back)
      await settled()
      expect(seen.length).to.equal(1)
      await peer.detach()
      client.end('four')
      expect(await within(3_000, looping)).to.equal(undefined)
      expect(Buffer.concat(seen).toString()).to.equal('one|three|four')
    })

    it('iterated, with the end met while attached: the loop ends', async () => {
      const { client, server } = await pair()
      const looping = (async () => {
        for await (const chunk of server) expect((chunk as Buffer).length).to.equal(-1)
      })()
      await settled()
      const peer = attach(server)
      client.end('all')
      using list = await peer.pull(100)
      expect(list.toString()).to.equal('all')
      await peer.detach()
      expect(await within(3_000, looping)).to.equal(undefined)
    })

    for (const how of ['readable', 'data'] as const) {
      it(`listened to by '${how}', told of leftovers and of what comes later`, async () => {
        const { client, server } = await pair()
        const seen: Buffer[] = []
        if (how === 'data') server.on('data', (chunk: Buffer) => seen.push(chunk)).resume()
        else {
          server.on('readable', () => {
            for (let chunk; (chunk = server.read() as Buffer | null) !== null;) seen.push(chunk)
          })
        }
        for (let round = 0; round < 3; round++) {
          const before = Buffer.concat(seen).length
          await using peer = attach(server)
          client.write('pulled|left|')
          using list = await peer.pull(12)
          using back = list.splice(7, 5)
          peer.unpull(back)
          await settled()
          expect(Buffer.concat(seen).length).to.equal(before)
          await peer.detach()
          client.write('later|')
          await until(() => Buffer.concat(seen).length === before + 11)
        }
        expect(Buffer.concat(seen).toString()).to.equal('left|later|'.repeat(3))
      })
    }

    it('attached again and again, as it was each time', async () => {
      const { client, server } = await pair()
      const sent = bytes(2, 500_000)
      client.write(sent)
      for (const flowing of [null, false, true] as const) {
        if (flowing === true) server.resume()
        else if (flowing === false) server.pause()
        const was = server.readableFlowing
        if (flowing === true) server.on('data', (chunk: Buffer) => server.unshift(chunk)).pause()
        await attach(server).detach()
        await attach(server).detach()
        if (flowing !== true) expect(server.readableFlowing).to.equal(was)
        server.removeAllListeners('data')
      }
      await using peer = attach(server)
      using list = await peer.pull(sent.length)
      expectSameBytes(list.toBuffer(), sent)
    })
  })
}

describe('What the owner says while it is attached holds afterwards:', () => {
  for (const [said, was] of [
    ['pause', 'resume'],
    ['resume', 'pause'],
  ] as const) {
    it(`${said}(), of a socket that was told to ${was}()`, async () => {
      const { client, server } = await tcpPair()
      let seen = 0
      server.on('data', (chunk: Buffer) => (seen += chunk.length))[was]()
      const peer = attach(server)
      server[said]()
      client.write('left')
      using list = await peer.pull(4)
      peer.unpull(list)
      await peer.detach()
      if (said === 'pause') {
        await settled()
        expect(seen).to.equal(0)
        expect(server.isPaused()).to.equal(true)
        server.resume()
      }
      await until(() => seen === 4)
    })
  }
})

describe('A socket is refused', () => {
  it("that Node reads into a buffer of its owner's, with what to do", async function () {
    needsAddon(this)
    const listener = createServer((socket) => socket.on('error', () => undefined))
    listener.listen(0, '127.0.0.1')
    afterwards(() => void listener.close())
    await once(listener, 'listening')
    const accepted = once(listener, 'connection') as Promise<[Socket]>
    const { port } = listener.address() as { port: number }
    const onread = { buffer: Buffer.alloc(100), callback: (): boolean => true }
    const socket = connect({ port, host: '127.0.0.1', onread })
    await once(socket, 'connect')
    const [other] = await accepted
    afterwards(() => destroyed(other))
    afterwards(() => destroyed(socket))
    const error = await refusal(() => attach(socket))
    expect(error).to.be.instanceOf(UnsupportedEndpointError)
    expect((error as UnsupportedEndpointError).remedy).to.include('onread')
    // It can be sent to all the same.
    expect(await new BufferList('out').spliceTo(socket)).to.equal(3)
    expect((await new Collector(other).take(3)).toString()).to.equal('out')
  })

  it('to be let go where bytes would go back to a stream that has ended: pull them', async () => {
    const { client, server } = await tcpPair()
    client.end()
    server.resume()
    await once(server, 'end')
    const peer = attach(server)
    using list = new BufferList('made up')
    peer.unpull(list)
    const error = await refusal(() => peer.detach())
    expect(error).to.be.instanceOf(UnsupportedEndpointError)
    using back = await peer.pull(7)
    expect(back.toString()).to.equal('made up')
    await peer.detach()
    expect(server.errored).to.equal(null)
  })
})

describe('An endpoint is let go', () => {
  it('by await using, after what is queued, in the middle of a block that throws', async () => {
    const { client, server } = await tcpPair()
    const pulls: Promise<BufferList>[] = []
    const left = (async () => {
      await using peer = attach(server)
      pulls.push(peer.pull(3), peer.pull(3), peer.peek(3))
      throw new Error('the program goes on elsewhere')
    })()
    client.write('onetwothree')
    const error = await left.catch((caught: unknown) => caught)
    expect((error as Error).message).to.equal('the program goes on elsewhere')
    const texts = await Promise.all(
      pulls.map(async (pull) => {
        using list = await pull
        return list.toString()
      }),
    )
    expect(texts).to.deep.equal(['one', 'two', 'thr'])
    expect((await new Collector(server).take(5)).toString()).to.equal('three')
  })
})

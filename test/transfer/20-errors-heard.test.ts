/**
 * Places that fail by themselves, whenever that is: the operation hears it from its call to its end,
 * rejects with the place's own error, and leaves nothing of its own behind. Node ends the program for
 * an 'error' that nobody hears; mocha fails the test that runs then.
 */
import { once, type EventEmitter } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { PassThrough, Readable, type Writable } from 'node:stream'
import { expect } from 'chai'
import {
  attach,
  BufferList,
  fanOut,
  lists,
  proxy,
  ProxyError,
  transfer,
  TransferError,
  type Sink,
  type Source,
} from 'splicelist'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { tempFolder } from '../support/folders.js'
import { tcpPair } from '../support/socket-pairs.js'
import { failure, until, within } from './outcomes.js'
import { fileOf, freshPath } from './places.js'
import { reset } from './reset.js'

/** A port of this machine on which nobody listens. */
async function deadPort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as { port: number }
  listener.close()
  await once(listener, 'close')
  return port
}

/** A place that will fail, with what its error says. */
interface Failing<T> {
  readonly make: () => T
  readonly code: string
  readonly syscall: string
}

type FailingStream = Socket | Readable | Writable

async function refused(): Promise<Failing<Socket>> {
  const port = await deadPort()
  return { make: () => connect(port, '127.0.0.1'), code: 'ECONNREFUSED', syscall: 'connect' }
}
async function noSuchFile<T>(open: (path: string) => T): Promise<Failing<T>> {
  const path = join(await tempFolder(), 'nowhere', 'file')
  return { make: () => open(path), code: 'ENOENT', syscall: 'open' }
}

const SINKS: Readonly<Record<string, () => Promise<Failing<Socket | Writable>>>> = {
  'a refused connection': refused,
  'a write stream that cannot be opened': () => noSuchFile((path) => createWriteStream(path)),
}
const SOURCES: Readonly<Record<string, () => Promise<Failing<Socket | Readable>>>> = {
  'a refused connection': refused,
  'a read stream that cannot be opened': () => noSuchFile((path) => createReadStream(path)),
}

/** What is sent to sinks: of a path, which takes time to open, of what is there, and of what is not yet. */
const GIVERS: Readonly<Record<string, () => Promise<Source>>> = {
  'a path': async () => ({ file: (await fileOf(bytes(1, 100_000))).path }),
  'a list': () => Promise.resolve(new BufferList('0123456789')),
  'a stream': () => Promise.resolve(Readable.from([bytes(2, 10)], { objectMode: false })),
  'a connecting socket': () => connecting('0123456789'),
}
/** Where sources go. */
const TAKERS: Readonly<Record<string, () => Promise<Sink>>> = {
  'a path': async () => ({ file: await freshPath() }),
  'a stream': () => Promise.resolve(new PassThrough()),
  'a connecting socket': () => connecting(''),
}

/** A socket that will connect, and whose peer sends something and ends. */
async function connecting(words: string): Promise<Socket> {
  const listener = createServer((socket) => {
    socket.on('error', () => undefined).resume()
    socket.end(words)
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const socket = connect((listener.address() as { port: number }).port, '127.0.0.1')
  afterwards(async () => {
    socket.destroy()
    listener.close()
    await once(listener, 'close')
  })
  return socket
}

const list = (): BufferList => new BufferList('0123456789')
const nothing = (): undefined => undefined

const LAST_EVENTS = ['error', 'close', 'ready', 'connect', 'open'] as const

function countsOf(stream: EventEmitter): readonly number[] {
  return LAST_EVENTS.map((name) => stream.listenerCount(name))
}

/**
 * Runs an operation on a stream that fails: once with nobody listening, once with its owner, who hears
 * the error once. Either way no listener of ours is left when the stream has closed. What takes time
 * to prepare is there before the stream.
 */
async function expectHeard<T extends FailingStream, Other>(
  { make, code, syscall }: Failing<T>,
  side: 'source' | 'sink',
  prepare: () => Other | Promise<Other>,
  operation: (stream: T, other: Other) => Promise<unknown>,
): Promise<void> {
  for (const isListening of [false, true]) {
    const other = await prepare()
    const stream = make()
    const heard: Error[] = []
    if (isListening) stream.on('error', (error: Error) => heard.push(error))
    const before = countsOf(stream)
    const error = await failure(operation(stream, other))
    expect(error).to.be.instanceOf(TransferError)
    ;(error as TransferError).takeResidual()?.release()
    expect(error).to.include({ side, code, syscall, bytesMoved: 0 })
    await until(() => stream.closed)
    expect(causesOf(error)).to.include(stream.errored)
    expect(heard, 'what its owner heard').to.deep.equal(isListening ? [stream.errored] : [])
    expect(countsOf(stream), 'listeners').to.deep.equal(before)
  }
}

/** What is behind an error, from the last thing told to the first that went wrong. */
function causesOf(error: Error): readonly unknown[] {
  const causes: unknown[] = []
  for (let cause = error.cause; cause != null; cause = (cause as Error).cause) causes.push(cause)
  return causes
}

describe('A sink that fails before its first byte', () => {
  for (const [what, failing] of Object.entries(SINKS)) {
    for (const [from, giver] of Object.entries(GIVERS)) {
      it(`${what}: a transfer from ${from}`, async () => {
        await expectHeard(await failing(), 'sink', giver, (sink, source) => transfer(source, sink))
      })
      it(`${what}: a fan-out from ${from}, with no other sink`, async () => {
        await expectHeard(await failing(), 'sink', giver, (sink, source) => fanOut(source, [sink]))
      })
      for (const isFirst of [true, false]) {
        const order = isFirst ? 'before' : 'behind'
        it(`${what}: a fan-out from ${from}, ${order} a sink that lives`, async () => {
          const both = async () => [await giver(), { file: await freshPath() }] as const
          await expectHeard(await failing(), 'sink', both, async (sink, [source, good]) => {
            const sinks = isFirst ? [sink, good] : [good, sink]
            const { sinks: told } = await fanOut(source, sinks)
            const [bad, lives] = isFirst ? told : told.toReversed()
            expect(lives).to.not.have.property('error')
            expect(lives?.bytesMoved).to.be.greaterThan(0)
            throw bad?.error ?? new Error('The record has no error')
          })
        })
      }
    }
    it(`${what}: spliceTo`, async () => {
      await expectHeard(await failing(), 'sink', list, (sink, sent) => sent.spliceTo(sink))
    })
    it(`${what}: spliceTo of a file's extent`, async () => {
      const { path } = await fileOf(bytes(3, 100_000))
      const extent = () => BufferList.fromFile(path)
      await expectHeard(await failing(), 'sink', extent, async (sink, sent) => {
        using list = sent
        return await list.spliceTo(sink)
      })
    })
  }

  it('a refused connection: push', async () => {
    await expectHeard(await refused(), 'sink', list, async (socket, sent) => {
      await using peer = attach(socket)
      return await peer.push(sent)
    })
  })
  for (const [from, giver] of Object.entries(GIVERS)) {
    it(`a refused connection that was attached: a transfer from ${from}`, async () => {
      await expectHeard(await refused(), 'sink', giver, async (socket, source) => {
        await using peer = attach(socket)
        return await transfer(source, peer)
      })
    })
  }
})

describe('A source that fails before its first byte', () => {
  for (const [what, failing] of Object.entries(SOURCES)) {
    for (const [to, taker] of Object.entries(TAKERS)) {
      it(`${what}: a transfer to ${to}`, async () => {
        await expectHeard(await failing(), 'source', taker, transfer)
      })
      it(`${what}: a fan-out to ${to}`, async () => {
        await expectHeard(await failing(), 'source', taker, (source, sink) =>
          fanOut(source, [sink]),
        )
      })
    }
    it(`${what}: lists`, async () => {
      await expectHeard(await failing(), 'source', nothing, async (source) => {
        for await (using list of lists(source)) expect(list.length).to.equal(0)
      })
    })
    it(`${what}: spliceFrom`, async () => {
      await expectHeard(await failing(), 'source', nothing, (source) =>
        new BufferList().spliceFrom(source, 10),
      )
    })
  }

  it('a refused connection: pull', async () => {
    await expectHeard(await refused(), 'source', nothing, async (socket) => {
      await using peer = attach(socket)
      return await peer.pull(10)
    })
  })
  it('a refused connection that was attached, and is never used', async () => {
    const socket = (await refused()).make()
    const before = countsOf(socket)
    const peer = attach(socket)
    await until(() => socket.closed)
    await peer.detach()
    expect(countsOf(socket)).to.deep.equal(before)
  })

  it('a reset while the path of the sink is being opened', async () => {
    const { client, server } = await tcpPair()
    const before = countsOf(server)
    server.resume()
    server.pause()
    const file = await freshPath()
    const running = failure(transfer(server, { file }))
    reset(client)
    expect(await running).to.include({ side: 'source', code: 'ECONNRESET', bytesMoved: 0 })
    await until(() => server.closed)
    expect(countsOf(server)).to.deep.equal(before)
  })
  it('an error it is destroyed with while the path of the sink is being opened', async () => {
    const boom = new Error('boom')
    for (const source of [(await tcpPair()).server, new PassThrough()]) {
      const file = await freshPath()
      const before = countsOf(source)
      const running = failure(transfer(source, { file }))
      source.destroy(boom)
      const error = await running
      expect(error).to.include({ side: 'source', bytesMoved: 0, cause: boom })
      await until(() => source.closed)
      expect(countsOf(source)).to.deep.equal(before)
    }
  })
})

describe('Two places that fail before the first byte', () => {
  for (const [what, failing] of Object.entries(SOURCES)) {
    for (const [which, other] of Object.entries(SINKS)) {
      it(`${what} and ${which}: a transfer tells one, and hears both`, async () => {
        const [giving, taking] = [await failing(), await other()]
        const [source, sink] = [giving.make(), taking.make()]
        const before = [countsOf(source), countsOf(sink)]
        const error = await failure(transfer(source, sink))
        const { side } = error as TransferError
        expect(error).to.have.property('code', side === 'source' ? giving.code : taking.code)
        await until(() => source.closed && sink.closed)
        expect([countsOf(source), countsOf(sink)]).to.deep.equal(before)
      })
    }
  }
  it('a path that is not there, with a sink whose error comes when the transfer has ended', async () => {
    for (const failing of Object.values(SINKS)) {
      const file = join(await tempFolder(), 'none')
      const sink = (await failing()).make()
      const before = countsOf(sink)
      const error = await failure(transfer({ file }, sink))
      expect(error).to.have.property('code', 'ENOENT')
      await until(() => sink.closed)
      expect(countsOf(sink)).to.deep.equal(before)
    }
  })
  it('a connection that succeeds after the transfer has failed is its owner’s again', async () => {
    const file = join(await tempFolder(), 'none')
    const sink = await connecting('')
    const before = countsOf(sink)
    await failure(transfer({ file }, sink))
    await until(() => !sink.connecting)
    expect(countsOf(sink)).to.deep.equal(before)
  })
})

describe('proxy() with a socket that fails before the first byte', () => {
  const OTHERS: Readonly<Record<string, () => Promise<Socket>>> = {
    'a connected socket': async () => (await tcpPair()).server,
    'a connecting socket': () => connecting(''),
  }
  for (const [what, other] of Object.entries(OTHERS)) {
    for (const direction of ['aToB', 'bToA'] as const) {
      it(`as the source of ${direction}, beside ${what}`, async () => {
        await expectHeard(await refused(), 'source', other, async (socket, beside) => {
          const before = countsOf(beside)
          const both =
            direction === 'aToB' ? ([socket, beside] as const) : ([beside, socket] as const)
          const error = await failure(proxy(...both))
          expect(error).to.be.instanceOf(ProxyError).and.include({ direction })
          expect(beside.destroyed).to.equal(false)
          await until(() => !beside.connecting)
          expect(countsOf(beside)).to.deep.equal(before)
          throw error
        })
      })
    }
  }

  it('beside another that fails: both are heard', async () => {
    const { make } = await refused()
    await expectHeard(await refused(), 'source', nothing, async (socket) => {
      const beside = make()
      const before = countsOf(beside)
      const error = await failure(proxy(socket, beside))
      expect(error).to.be.instanceOf(ProxyError).and.include({ direction: 'aToB' })
      await until(() => beside.closed)
      expect(countsOf(beside)).to.deep.equal(before)
      throw error
    })
  })
})

describe('A sink that fails while the source has nothing', () => {
  const boom = new Error('boom')
  const DEATHS: Readonly<Record<string, (sink: Socket | Writable) => void>> = {
    'with an error': (sink) => void sink.destroy(boom),
    'without one': (sink) => void sink.destroy(),
  }
  for (const [how, end] of Object.entries(DEATHS)) {
    for (const kind of ['socket', 'stream', 'endpoint'] as const) {
      it(`${how}: a transfer to a ${kind} ends`, async () => {
        const place = kind === 'stream' ? new PassThrough() : (await tcpPair()).client
        const before = countsOf(place)
        const peer = kind === 'endpoint' ? attach(place as Socket) : undefined
        const running = failure(transfer((await tcpPair()).server, peer ?? place))
        await new Promise(setImmediate)
        end(place)
        const error = await within(5_000, running)
        expect(error).to.include({ side: 'sink', bytesMoved: 0 })
        expect(error).to.have.property('cause', how === 'with an error' ? boom : undefined)
        await peer?.detach()
        await until(() => place.closed)
        expect(countsOf(place)).to.deep.equal(before)
      })
    }
  }
})

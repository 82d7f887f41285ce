/**
 * What a stream failed with: a `TransferError` keeps it as its cause, and tells it in Node's words.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Duplex } from 'node:stream'
import { PassThrough, Readable, Writable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { expect } from 'chai'
import {
  attach,
  BufferList,
  fanOut,
  lists,
  proxy,
  transfer,
  TransferError,
  type Source,
} from 'splicelist'
import { bytes } from '../support/bytes.js'
import { tcpPair } from '../support/socket-pairs.js'
import { failure, within } from './outcomes.js'

/** What a stream may be destroyed with, and what is told: without a code, what the place stands in with. */
interface Own {
  readonly what: string
  readonly properties: object
  readonly code?: string
  readonly errno?: number
}
const OWN: readonly Own[] = [
  { what: 'no code', properties: {} },
  { what: 'a number alone', properties: { errno: -3 } },
  { what: "the system's code and number", properties: { code: 'EIO', errno: -5 }, errno: -5 },
  { what: "the system's code alone", properties: { code: 'ECONNRESET' }, errno: -104 },
  {
    what: 'the code of what is waited out',
    properties: { code: 'EAGAIN', errno: -11 },
    errno: -11,
  },
  { what: "a code of Node's", properties: { code: 'ERR_STREAM_PREMATURE_CLOSE' } },
  { what: "zlib's code and number", properties: { code: 'Z_DATA_ERROR', errno: -3 }, errno: -3 },
]
const STAND_INS = {
  stream: { code: 'EPIPE', errno: -32 },
  socket: { code: 'ECONNABORTED', errno: -103 },
}

interface Told {
  readonly error: unknown
  /** Errors that have the failure of a place as their cause. */
  readonly isOfMany?: boolean
}

/** More than any loopback socket takes while nobody reads. */
const MUCH = bytes(1, 24 << 20)
const much = (): BufferList => new BufferList(MUCH)

const FROM: Readonly<Record<string, (source: Socket & Readable) => Promise<Told>>> = {
  transfer: async (source) => ({ error: await failure(transfer(source, { file: '/dev/null' })) }),
  spliceFrom: async (source) => ({ error: await failure(new BufferList().spliceFrom(source, 10)) }),
  lists: async (source) => {
    const all = async (): Promise<void> => {
      for await (using list of lists(source)) expect(list.length).to.equal(0)
    }
    return { error: await failure(all()) }
  },
  fanOut: async (source) => ({
    error: await failure(fanOut(source, [{ file: '/dev/null' }])),
    isOfMany: true,
  }),
}
/** Its other side is there before: nobody else hears a socket that fails until the proxy is called. */
const BETWEEN = {
  proxy: async (source: Socket, other: Socket): Promise<Told> => ({
    error: await failure(proxy(source, other)),
    isOfMany: true,
  }),
}
const TO: Readonly<Record<string, (sink: Socket & Writable) => Promise<Told>>> = {
  transfer: async (sink) => ({ error: await failure(transfer(much(), sink)) }),
  spliceTo: async (sink) => ({ error: await failure(much().spliceTo(sink)) }),
  'the record of fanOut': async (sink) => {
    const { sinks } = await fanOut(much(), [sink, { file: '/dev/null' }])
    return { error: sinks[0]?.error }
  },
  'fanOut to it alone': async (sink) => ({
    error: await failure(fanOut(much(), [sink])),
    isOfMany: true,
  }),
}
const OF_SOCKETS: typeof FROM & typeof TO = {
  pull: async (socket) => {
    await using peer = attach(socket)
    return { error: await failure(peer.pull(10)) }
  },
  'pull of pages': async (socket) => {
    await using peer = attach(socket)
    return { error: await failure(peer.pull(1 << 20)) }
  },
}
const TO_SOCKETS: typeof TO = {
  push: async (socket) => {
    await using peer = attach(socket)
    return { error: await failure(peer.push(much())) }
  },
}

/** Destroys a place while an operation is at it; nobody listens for its errors but that. */
async function destroyedWith(
  place: Duplex,
  operation: (place: Socket, other: Socket) => Promise<Told>,
  cause: Error,
): Promise<Told> {
  const { server: other } = await tcpPair()
  const running = operation(place as Socket, other)
  await delay(10)
  place.destroy(cause)
  const told = await within(5_000, running)
  if (told === 'pending') throw new Error('It did not end')
  return told
}

function expectOwn(
  { error, isOfMany = false }: Told,
  side: 'source' | 'sink',
  place: 'stream' | 'socket',
  { code, errno, cause }: { code?: string; errno?: number; cause: Error },
): void {
  expect(error).to.be.instanceOf(TransferError)
  const told = error as TransferError
  told.takeResidual()?.release()
  const standIn = STAND_INS[place]
  expect(told).to.include({ side, code: code ?? standIn.code, errno: errno ?? standIn.errno })
  expect(isOfMany ? (told.cause as Error).cause : told.cause).to.equal(cause)
  if (code === undefined || !/^E[A-Z]+$/.test(code)) expect(told.message).to.include(cause.message)
}

describe('What a place is destroyed with is the cause of the error', () => {
  for (const place of ['stream', 'socket'] as const) {
    const froms = Object.entries({ ...FROM, ...BETWEEN, ...(place === 'socket' ? OF_SOCKETS : {}) })
    const tos = Object.entries({ ...TO, ...(place === 'socket' ? TO_SOCKETS : {}) })
    for (const { what, properties, errno } of OWN) {
      const { code } = properties as { code?: string }
      const expected = {
        ...(code === undefined ? {} : { code }),
        ...(errno === undefined ? {} : { errno }),
      }
      const make = async (): Promise<Duplex> =>
        place === 'stream' ? new PassThrough() : (await tcpPair()).server
      for (const [name, operation] of froms) {
        it(`a ${place} as a source, with ${what}: ${name}`, async () => {
          const cause = Object.assign(new Error('its own words'), properties)
          const told = await destroyedWith(await make(), operation, cause)
          expectOwn(told, 'source', place, { ...expected, cause })
        })
      }
      for (const [name, operation] of tos) {
        it(`a ${place} as a sink, with ${what}: ${name}`, async () => {
          const cause = Object.assign(new Error('its own words'), properties)
          const told = await destroyedWith(await make(), operation, cause)
          expectOwn(told, 'sink', place, { ...expected, cause })
        })
      }
    }
  }
})

/** When a stream says that it has failed: at once, in the same turn of the loop, or later. */
const WHENS: Readonly<Record<string, (fail: () => void) => void>> = {
  'at once': (fail) => fail(),
  'in a microtask': (fail) => void Promise.resolve().then(fail),
  'in a tick': (fail) => process.nextTick(fail),
  later: (fail) => void setTimeout(fail, 5),
}

describe('A stream that fails by itself is heard, and told once', () => {
  for (const [when, then] of Object.entries(WHENS)) {
    for (const isListening of [true, false]) {
      const listening = isListening ? 'with its owner listening' : 'with nobody listening'
      const cause = new Error('boom')
      const expectTold = async (
        stream: Readable | Writable,
        side: 'source' | 'sink',
        run: () => Promise<Told>,
      ): Promise<void> => {
        const heard: unknown[] = []
        const onError = (error: Error): void => void heard.push(error)
        if (isListening) stream.on('error', onError)
        const before = stream.listenerCount('error')
        expectOwn(await run(), side, 'stream', { cause })
        await delay(10)
        expect(heard).to.deep.equal(isListening ? [cause] : [])
        expect(stream.listenerCount('error')).to.equal(before)
      }

      for (const [name, operation] of Object.entries(FROM)) {
        it(`inside read(), ${when}, ${listening}: ${name}`, async () => {
          const source = new Readable({
            read() {
              then(() => this.destroy(cause))
            },
          })
          await expectTold(source, 'source', () => operation(source as Socket))
        })
      }
      for (const [name, operation] of Object.entries(TO)) {
        it(`by the callback of a write, ${when}, ${listening}: ${name}`, async () => {
          const sink = new Writable({
            write: (_chunk, _encoding, done) => then(() => done(cause)),
          })
          await expectTold(sink, 'sink', () => operation(sink as Socket))
        })
      }
      it(`by the callback of the only write, ${when}, ${listening}: the record of fanOut`, async () => {
        const sink = new Writable({
          write: (_chunk, _encoding, done) => then(() => done(cause)),
        })
        await expectTold(sink, 'sink', async () => {
          const { sinks } = await fanOut(new BufferList('x'), [sink, new PassThrough()])
          return { error: sinks[0]?.error }
        })
      })
    }
  }
})

describe("Errors of Node's own streams", () => {
  it('a sink that has failed, and has not said so when the fan-out without it is over', async () => {
    const { client } = await tcpPair()
    const cause = new Error('boom')
    const sink = new PassThrough()
    sink.destroy(cause)
    const { sinks } = await fanOut(new BufferList('x'), [sink, client])
    expectOwn({ error: sinks[0]?.error }, 'sink', 'stream', { cause })
    await new Promise((resolve) => sink.once('close', resolve))
    expect(sink.listenerCount('error')).to.equal(0)
  })

  it('a request that was aborted: ECONNRESET, with what Node says of it', async () => {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const client = connect((server.address() as { port: number }).port, '127.0.0.1')
      client.on('error', () => undefined)
      client.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\nand no more')
      const [request] = (await once(server, 'request')) as [Readable & Source]
      const running = failure(transfer(request, { file: '/dev/null' }))
      client.destroy()
      const error = await running
      expect(error).to.include({ side: 'source', code: 'ECONNRESET', errno: -104 })
      expect(error.cause).to.include({ code: 'ECONNRESET', message: 'aborted' })
    } finally {
      server.close()
      await once(server, 'close')
    }
  })

  it('data that zlib refuses: its code and words, and no error of the system', async () => {
    for (const operation of Object.values(FROM)) {
      const gunzip = createGunzip()
      const running = operation(gunzip as unknown as Socket)
      gunzip.end('not gzip')
      const { error } = await running
      expect(error).to.include({ side: 'source', code: 'Z_DATA_ERROR', errno: -3 })
      expect((error as Error).message).to.include('Z_DATA_ERROR: incorrect header check')
    }
  })

  it('a generator that throws', async () => {
    const cause = new Error('boom')
    const source = Readable.from(
      (function* () {
        yield bytes(2, 10)
        throw cause
      })(),
      { objectMode: false },
    )
    const error = await failure(transfer(source, new PassThrough()))
    expectOwn({ error }, 'source', 'stream', { cause })
    expect(error).to.have.property('bytesMoved', 10)
  })

  it('a socket that is used once more after it has failed', async () => {
    const { server } = await tcpPair()
    server.on('error', () => undefined)
    const cause = Object.assign(new Error('no route'), { code: 'EHOSTUNREACH', errno: -113 })
    server.destroy(cause)
    for (const use of [
      () => new BufferList('x').spliceTo(server),
      () => transfer(new BufferList('x'), server),
    ]) {
      expectOwn({ error: await failure(use()) }, 'sink', 'socket', {
        code: 'EHOSTUNREACH',
        errno: -113,
        cause,
      })
    }
  })
})

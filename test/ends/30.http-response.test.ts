import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import {
  Agent,
  createServer,
  get,
  request,
  type IncomingMessage,
  type RequestOptions,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setImmediate as nextRound, setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import {
  BufferList,
  fanOut,
  InvalidArgumentError,
  NotByReferenceError,
  transfer,
  TransferError,
  type TransferResult,
} from 'splicelist'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { hasPages, needsAddon, needsPages } from '../support/needs.js'
import { tcpPair } from '../support/socket-pairs.js'
import { accounted, copiedBytes } from '../transfer/account.js'
import { Collector } from '../transfer/collector.js'
import { failure, refusal, until, within } from '../transfer/outcomes.js'
import { fileOf } from '../transfer/places.js'

const MIB = 1 << 20

type Handler = (response: ServerResponse, request: IncomingMessage) => unknown

/** A server whose handler's failure fails the test that asks. */
class Served {
  readonly port: number
  /** What the handler came to, one for each request. */
  readonly outcomes: Promise<unknown>[] = []

  private constructor(port: number) {
    this.port = port
  }
  static async by(handler: Handler, options: ServerOptions = {}): Promise<Served> {
    const server = createServer(options)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const served = new Served((server.address() as AddressInfo).port)
    server.on('request', (message, response) => {
      const outcome = new Promise((resolve) => resolve(handler(response, message)))
      outcome.catch(() => response.destroy())
      served.outcomes.push(outcome)
    })
    afterwards(async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    })
    return served
  }
  async ask(options: RequestOptions = {}): Promise<{ message: IncomingMessage; body: Buffer }> {
    const asked = request({ port: this.port, host: '127.0.0.1', agent: false, ...options })
    asked.end()
    const [message] = (await once(asked, 'response')) as [IncomingMessage]
    return { message, body: await buffer(message) }
  }
  async connect(): Promise<{ socket: Socket; collector: Collector }> {
    const socket = connect(this.port, '127.0.0.1')
    socket.on('error', () => undefined)
    afterwards(async () => {
      if (socket.closed) return
      socket.destroy()
      await once(socket, 'close')
    })
    await once(socket, 'connect')
    return { socket, collector: new Collector(socket) }
  }
}

/** A file by way of a stream, whose end nobody asks for. */
async function transferStream(path: string, to: ServerResponse): Promise<void> {
  const stream = createReadStream(path)
  await transfer(stream, to)
  stream.destroy()
  await once(stream, 'close')
}

/** The headers that come next. */
async function headOf(collector: Collector): Promise<string> {
  let head = ''
  while (!head.endsWith('\r\n\r\n')) {
    const next = await collector.take(1)
    if (next.length === 0) throw new Error(`The headers end with ${head}`)
    head += next.toString('latin1')
  }
  return head
}

describe('A response whose Content-Length was set', () => {
  it('takes a file by reference, and the client gets headers and body', async () => {
    const content = bytes(1, 3 * MIB + 1)
    const { path } = await fileOf(content)
    let result: TransferResult | undefined
    const served = await Served.by(async (response) => {
      response.setHeader('Content-Length', content.length)
      response.setHeader('X-Word', 'yes')
      result = await transfer({ file: path }, response)
      response.end()
    })
    const { result: answer, account } = await accounted(async () => {
      const answered = await served.ask()
      await served.outcomes[0]
      return answered
    })
    expectSameBytes(answer.body, content)
    expect(answer.message.headers).to.include({ 'x-word': 'yes' })
    expect(result).to.include({ bytesMoved: content.length })
    if (!hasPages) return
    expect(result?.ways).to.not.include('write')
    expect(copiedBytes(account)).to.equal(0)
  })

  for (const [how, begin] of [
    ['by setHeader', (r: ServerResponse, n: number) => void r.setHeader('content-length', `${n}`)],
    [
      'by writeHead',
      (r: ServerResponse, n: number) => void r.writeHead(200, { 'Content-Length': n }),
    ],
    [
      'and the headers were sent before',
      (r: ServerResponse, n: number) => {
        r.writeHead(201, { 'Content-Length': String(n) })
        r.flushHeaders()
      },
    ],
  ] as const) {
    it(`takes a list ${how}`, async () => {
      const content = bytes(2, 200_001)
      const { path } = await fileOf(content)
      const served = await Served.by(async (response) => {
        begin(response, content.length)
        using list = await BufferList.fromFile(path)
        const mode = hasPages ? 'reference' : 'auto'
        expect(await list.spliceTo(response, { mode })).to.equal(content.length)
        response.end()
      })
      const { body } = await served.ask()
      await served.outcomes[0]
      expectSameBytes(body, content)
    })
  }

  it('keeps its place between what is written before and after, in several parts', async () => {
    const content = bytes(3, 300_000)
    const served = await Served.by(async (response) => {
      response.setHeader('Content-Length', content.length)
      response.write(content.subarray(0, 10))
      await new BufferList(content.subarray(10, 100_000)).spliceTo(response)
      response.write(content.subarray(100_000, 100_010))
      const { path } = await fileOf(content)
      await transfer({ file: path, offset: 100_010 }, response, { length: 99_990 })
      response.end(content.subarray(200_000))
    })
    const { body } = await served.ask()
    await served.outcomes[0]
    expectSameBytes(body, content)
  })

  it('is finished once, after the body, also when it is ended without waiting for it', async function () {
    needsAddon(this)
    const content = bytes(4, 24 * MIB)
    const { path } = await fileOf(content)
    const order: string[] = []
    const served = await Served.by(async (response) => {
      response.setHeader('Content-Length', content.length)
      response.on('finish', () => order.push('finish'))
      const moving = transfer({ file: path }, response).then(() => order.push('moved'))
      // Its turn has come when the headers are with the kernel.
      while (!response.headersSent) await new Promise(setImmediate)
      response.end(() => order.push('end'))
      await moving
    })
    const { body } = await served.ask()
    await served.outcomes[0]
    expectSameBytes(body, content)
    await until(() => order.includes('finish') && order.includes('end'))
    expect(order.toSorted()).to.deep.equal(['end', 'finish', 'moved'])
  })

  it('does not finish while the client takes nothing', async function () {
    needsAddon(this)
    const content = bytes(4, 24 * MIB)
    const { path } = await fileOf(content)
    let isFinished = false
    const served = await Served.by(async (response) => {
      response.setHeader('Content-Length', content.length)
      response.on('finish', () => (isFinished = true))
      const moving = transfer({ file: path }, response)
      while (!response.headersSent) await new Promise(setImmediate)
      response.end()
      await moving
    })
    const asked = get({ port: served.port, host: '127.0.0.1', agent: false })
    const [message] = (await once(asked, 'response')) as [IncomingMessage]
    await within(100, served.outcomes[0] as Promise<unknown>)
    expect(isFinished).to.equal(false)
    expectSameBytes(await buffer(message), content)
    await served.outcomes[0]
    await until(() => isFinished)
  })

  it('leaves the connection fit for the next request, many times', async () => {
    const content = bytes(5, 100_003)
    const { path } = await fileOf(content)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    afterwards(() => agent.destroy())
    const ports = new Set<number>()
    const served = await Served.by(async (response, { socket }) => {
      ports.add(socket.remotePort ?? 0)
      response.setHeader('Content-Length', content.length)
      await transfer({ file: path }, response)
      response.end()
    })
    for (let i = 0; i < 20; i++) {
      const { body } = await served.ask({ agent })
      expectSameBytes(body, content)
    }
    expect(ports.size).to.equal(1)
    agent.destroy()
  })

  it('closes the connection where that was said', async () => {
    const served = await Served.by(async (response) => {
      response.writeHead(200, { 'Content-Length': 100_000, Connection: 'close' })
      await new BufferList(bytes(6, 100_000)).spliceTo(response)
      response.end()
    })
    const { socket, collector } = await served.connect()
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    const [all] = await Promise.all([collector.take(200_000), once(socket, 'end')])
    expectSameBytes(all.subarray(-100_000), bytes(6, 100_000))
  })

  it('serves an HTTP/1.0 client', async () => {
    const served = await Served.by(async (response) => {
      response.setHeader('Content-Length', 50_000)
      await new BufferList(bytes(6, 50_000)).spliceTo(response)
      response.end()
    })
    const { socket, collector } = await served.connect()
    socket.write('GET / HTTP/1.0\r\n\r\n')
    const all = await collector.take(100_000)
    expectSameBytes(all.subarray(-50_000), bytes(6, 50_000))
  })

  it('answers pipelined requests in order, the waiting ones by copy', async () => {
    const content = bytes(7, 300_000)
    const { path } = await fileOf(content)
    const served = await Served.by(async (response, { url = '' }) => {
      const n = Number(url.slice(1))
      response.writeHead(200, { 'Content-Length': n })
      await transfer({ file: path }, response, { length: n })
      response.end()
    })
    const { socket, collector } = await served.connect()
    const lengths = [300_000, 5, 200_000, 0, 1]
    socket.write(lengths.map((n) => `GET /${n} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''))
    for (const n of lengths) {
      expect(await headOf(collector)).to.match(new RegExp(`Content-Length: ${n}\r\n`))
      expectSameBytes(await collector.take(n), content.subarray(0, n))
    }
    await Promise.all(served.outcomes)
  })

  it("keeps Node's own account, where Node was told to check it", async () => {
    const content = bytes(8, 100_000)
    const served = await Served.by(async (response) => {
      response.strictContentLength = true
      response.setHeader('Content-Length', content.length)
      response.write(content.subarray(0, 10))
      await new BufferList(content.subarray(10, 99_990)).spliceTo(response)
      response.end(content.subarray(99_990))
    })
    expectSameBytes((await served.ask()).body, content)
    await served.outcomes[0]

    const short = await Served.by(async (response) => {
      response.strictContentLength = true
      response.setHeader('Content-Length', content.length)
      await new BufferList(content.subarray(0, 50_000)).spliceTo(response)
      response.end()
    })
    const asked = get({ port: short.port, host: '127.0.0.1', agent: false })
    asked.on('error', () => undefined)
    asked.on('response', (message) => message.on('error', () => undefined).resume())
    await once(asked, 'close')
    expect(await failure(short.outcomes[0] as Promise<unknown>)).to.have.property(
      'code',
      'ERR_HTTP_CONTENT_LENGTH_MISMATCH',
    )
  })

  it('refuses more bytes than that before any moves, where that can be known', async () => {
    const { path } = await fileOf(bytes(9, 20_001))
    const errors: Error[] = []
    const served = await Served.by(async (response) => {
      response.setHeader('Content-Length', 20_000)
      for (const use of [
        () => new BufferList(bytes(9, 20_001)).spliceTo(response),
        () => transfer(new BufferList(bytes(9, 20_001)), response),
        () => transfer({ file: path }, response),
        () => fanOut({ file: path }, [response]),
        () => fanOut(new BufferList(bytes(9, 20_001)), [response]),
        () => transfer(Readable.from([], { objectMode: false }), response, { length: 20_001 }),
      ]) {
        errors.push(await refusal(use))
      }
      expect(response.headersSent).to.equal(false)
      await new BufferList(bytes(9, 15_000)).spliceTo(response)
      errors.push(await refusal(() => new BufferList(bytes(9, 5001)).spliceTo(response)))
      response.end(bytes(9, 20_000).subarray(15_000))
    })
    const { body } = await served.ask()
    await served.outcomes[0]
    expectSameBytes(body, bytes(9, 20_000))
    for (const error of errors) {
      expect(error).to.be.instanceOf(InvalidArgumentError)
      expect(error.message).to.match(/Content-Length/)
    }
  })

  for (const [name, send] of Object.entries({
    transfer: async (source: Readable, response: ServerResponse) =>
      (await transfer(source, response)).bytesMoved,
    fanOut: async (source: Readable, response: ServerResponse) =>
      (await fanOut(source, [response])).bytesPulled,
  })) {
    it(`takes of a stream of unknown length what was promised, and leaves it the rest (${name})`, async () => {
      const source = new Readable({ read: () => undefined })
      source.push(bytes(10, 30_000))
      let sent: number | undefined
      const served = await Served.by(async (response) => {
        response.setHeader('Content-Length', 20_000)
        sent = await send(source, response)
        response.end()
      })
      expectSameBytes((await served.ask()).body, bytes(10, 20_000))
      await served.outcomes[0]
      expect(sent).to.equal(20_000)
      expectSameBytes(source.read() as Buffer, bytes(10, 30_000).subarray(20_000))
      source.destroy()
    })
  }

  it('is waited for in one order with others, whichever way they are named', async () => {
    const responses: ServerResponse[] = []
    const served = await Served.by((response) => void responses.push(response))
    const asked = [served.ask(), served.ask()]
    await until(() => responses.length === 2)
    const [one, other] = responses as [ServerResponse, ServerResponse]
    one.setHeader('Content-Length', 20)
    other.setHeader('Content-Length', 30)
    const { client, server } = await tcpPair()
    const some = (seed: number) => new BufferList(bytes(seed, 10))
    const first = fanOut(server, [other], { length: 10 })
    await nextRound()
    // Both wait for `other`, and would for each other: that has no turn yet, this has that of `one`.
    const second = fanOut(some(2), [other, one])
    await nextRound()
    const third = fanOut(some(3), [one, other])
    await nextRound()
    client.end(bytes(1, 10))
    await within(5_000, Promise.all([first, second, third]))
    for (const response of responses) response.end()
    const bodies = (await Promise.all(asked)).map(({ body }) => body.length)
    expect(bodies.toSorted((a, b) => a - b)).to.deep.equal([20, 30])
  })

  it('refuses bytes once it was ended', async () => {
    const served = await Served.by(async (response) => {
      response.setHeader('Content-Length', 5)
      response.end('hello')
      const error = await refusal(() => new BufferList('more').spliceTo(response))
      expect(error).to.be.instanceOf(Error)
      expect((error as { code?: string }).code).to.match(/EPIPE|ERR_SPLICELIST/)
    })
    expect((await served.ask()).body.toString()).to.equal('hello')
    await served.outcomes[0]
  })

  it('says that the sink failed when the client goes away, and how much it had taken', async () => {
    const content = bytes(11, 64 * MIB)
    const { path } = await fileOf(content)
    const served = await Served.by(async (response) => {
      response.setHeader('Content-Length', content.length)
      await transfer({ file: path }, response)
    })
    const asked = get({ port: served.port, host: '127.0.0.1', agent: false })
    asked.on('error', () => undefined)
    const [message] = (await once(asked, 'response')) as [IncomingMessage]
    message.on('error', () => undefined)
    message.destroy()
    const error = await failure(served.outcomes[0] as Promise<unknown>)
    expect(error).to.be.instanceOf(TransferError)
    expect(error).to.include({ side: 'sink' })
    const { bytesMoved } = error as TransferError
    expect(bytesMoved).to.be.lessThan(content.length)
    ;(error as TransferError).takeResidual()?.release()
  })

  for (const [how, send] of [
    ['transfer', transfer],
    ['fanOut', async (from: Socket, to: ServerResponse) => fanOut(from, [to])],
  ] as const) {
    for (const before of [0, 1_000]) {
      it(`${how} hears that the client has gone while its source is silent, after ${before} bytes`, async () => {
        const { client, server } = await tcpPair()
        if (before > 0) client.write(bytes(13, before))
        const closed: Promise<unknown>[] = []
        const served = await Served.by(async (response) => {
          response.setHeader('Content-Length', MIB)
          response.flushHeaders()
          closed.push(once(response, 'close'))
          await send(server, response)
        })
        const { socket, collector } = await served.connect()
        socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n')
        await headOf(collector)
        expectSameBytes(await collector.take(before), bytes(13, before))
        socket.destroy()
        const error = await failure(served.outcomes[0] as Promise<unknown>)
        expect(error).to.be.instanceOf(TransferError)
        expect(error).to.include({ side: 'sink', code: 'EPIPE' })
        // Node's own end of the connection had waited for it.
        await closed[0]
        // And the source is free.
        client.write('more')
        const [more] = (await once(server.resume(), 'data')) as [Buffer]
        expect(more.toString()).to.equal('more')
      })
    }
  }

  it('waits for its source where Node lets a client end its side', async () => {
    const { client, server } = await tcpPair()
    const content = bytes(14, 100_000)
    const served = await Served.by(async (response) => {
      const { server: ofHttp } = response.socket as Socket & { server?: object }
      Object.assign(ofHttp ?? {}, { httpAllowHalfOpen: true })
      response.setHeader('Content-Length', content.length)
      response.flushHeaders()
      await transfer(server, response, { length: content.length })
      response.end()
    })
    const { socket, collector } = await served.connect()
    socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n')
    await headOf(collector)
    socket.end()
    await once(socket, 'finish')
    client.write(content)
    expectSameBytes(await collector.take(content.length), content)
    await served.outcomes[0]
  })

  for (const [what, send] of [
    ['a file', (path: string, to: ServerResponse) => transfer({ file: path }, to)],
    ['a stream', transferStream],
    ['a fan-out', (path: string, to: ServerResponse) => fanOut({ file: path }, [to])],
  ] as const) {
    it(`goes on to a client that has only ended its side, while bytes come: ${what}`, async function () {
      // Without it bodies go through Node, which takes no more then.
      needsAddon(this)
      const content = bytes(15, 64 * MIB)
      const { path } = await fileOf(content)
      const gone: Promise<unknown>[] = []
      const served = await Served.by(async (response) => {
        response.setHeader('Content-Length', content.length)
        gone.push(once(response.socket as Socket, 'end'))
        await send(path, response)
        response.end()
      })
      const { socket, collector } = await served.connect()
      socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n')
      await headOf(collector)
      // The body waits for it while it ends its side.
      socket.pause()
      socket.end()
      await gone[0]
      // Longer than one may be silent, which this one is not.
      await delay(1_200)
      socket.resume()
      expectSameBytes(await collector.take(content.length), content)
      await served.outcomes[0]
    })
  }

  it('is left as it was when the send is aborted, and can be destroyed', async () => {
    const content = bytes(11, 64 * MIB)
    const { path } = await fileOf(content)
    const aborting = new AbortController()
    const served = await Served.by(async (response) => {
      response.setHeader('Content-Length', content.length)
      const error = await failure(transfer({ file: path }, response, { signal: aborting.signal }))
      response.destroy()
      throw error
    })
    const asked = get({ port: served.port, host: '127.0.0.1', agent: false })
    asked.on('error', () => undefined)
    const [message] = (await once(asked, 'response')) as [IncomingMessage]
    message.on('error', () => undefined)
    aborting.abort()
    expect(await failure(served.outcomes[0] as Promise<unknown>)).to.have.property(
      'code',
      'ABORT_ERR',
    )
    message.destroy()
  })

  it('is answered with what the client sent: a message to a response', async () => {
    const content = bytes(12, MIB + 3)
    const served = await Served.by(async (response, message) => {
      response.setHeader('Content-Length', content.length)
      await transfer(message, response)
      response.end()
    })
    const asked = request({
      port: served.port,
      host: '127.0.0.1',
      agent: false,
      method: 'PUT',
      headers: { 'Content-Length': content.length },
    })
    asked.end(content)
    const [message] = (await once(asked, 'response')) as [IncomingMessage]
    expectSameBytes(await buffer(message), content)
    await served.outcomes[0]
  })
})

describe('A response that Node frames or drops', () => {
  const content = bytes(13, 100_000)

  for (const [name, begin, body] of [
    ['chunked', () => undefined, content],
    [
      'chunked although a length was set',
      (r: ServerResponse) => {
        r.setHeader('Content-Length', content.length)
        r.setHeader('Transfer-Encoding', 'chunked')
      },
      undefined,
    ],
    ['of 204', (r: ServerResponse) => void (r.statusCode = 204), Buffer.alloc(0)],
    [
      'of 304',
      (r: ServerResponse) => void r.writeHead(304, { 'Content-Length': content.length }),
      Buffer.alloc(0),
    ],
  ] as const) {
    it(`is sent through Node by counted copy: ${name}`, async () => {
      let result: TransferResult | undefined
      const served = await Served.by(async (response) => {
        begin(response)
        using list = new BufferList(content)
        result = await transfer(list, response)
        response.end()
      })
      if (body === undefined) {
        // Both headers at once are no HTTP, and a client may refuse them.
        const { socket, collector } = await served.connect()
        socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
        await collector.take(content.length + 10)
        await served.outcomes[0]
      } else expectSameBytes((await served.ask()).body, body)
      await served.outcomes[0]
      if (hasPages) expect(result?.ways).to.not.include('splice')
    })
  }

  it('has no body for HEAD, and the connection goes on', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    afterwards(() => agent.destroy())
    const served = await Served.by(async (response) => {
      response.setHeader('Content-Length', content.length)
      await new BufferList(content).spliceTo(response)
      response.end()
    })
    const { body, message } = await served.ask({ method: 'HEAD', agent })
    expect(body.length).to.equal(0)
    expect(message.headers).to.include({ 'content-length': '100000' })
    expectSameBytes((await served.ask({ agent })).body, content)
    agent.destroy()
  })

  it("is refused by mode 'reference' before any byte moves, with the reason", async function () {
    needsPages(this)
    const errors: Error[] = []
    const served = await Served.by(async (response) => {
      errors.push(
        await refusal(() => new BufferList(content).spliceTo(response, { mode: 'reference' })),
      )
      expect(response.headersSent).to.equal(false)
      response.end('done')
    })
    expect((await served.ask()).body.toString()).to.equal('done')
    expect(errors[0]).to.be.instanceOf(NotByReferenceError)
    expect((errors[0] as NotByReferenceError).remedy).to.match(/Content-Length/)
  })

  it('goes through whoever has replaced write, as compression does', async () => {
    const turned = (bytes: Uint8Array): Buffer => Buffer.from(bytes.map((byte) => byte ^ 0xff))
    const served = await Served.by(async (response) => {
      const write = response.write.bind(response)
      const replaced = (chunk: Uint8Array, done: () => void): boolean => write(turned(chunk), done)
      Object.assign(response, { write: replaced })
      response.setHeader('Content-Length', content.length)
      await new BufferList(content).spliceTo(response)
      response.end()
    })
    const { body } = await served.ask()
    await served.outcomes[0]
    expectSameBytes(body, turned(content))
  })
})

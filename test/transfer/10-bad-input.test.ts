/**
 * Bad input: a typed error that says what to do, before any byte moves; and nothing leaks.
 */
import { openSync, closeSync } from 'node:fs'
import { open, readFile, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer, request } from 'node:http'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { PassThrough, Readable, Transform, Writable } from 'node:stream'
import { expect } from 'chai'
import {
  attach,
  BufferList,
  EndpointBusyError,
  InvalidArgumentError,
  ReleasedError,
  SplicelistError,
  transfer,
  TransferError,
  UnsupportedEndpointError,
  type Sink,
  type Source,
} from 'splicelist'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { runScript, startChild } from '../support/children.js'
import { expectSameBytes } from '../support/first-difference.js'
import { tempFolder } from '../support/folders.js'
import { needsAddon } from '../support/needs.js'
import { destroyed, tcpPair } from '../support/socket-pairs.js'
import { Collector } from './collector.js'
import { refusal } from './outcomes.js'
import { fileOf, freshPath } from './places.js'

/** Every operation that takes a source, and every one that takes a sink. */
const uses = (place: unknown): readonly (() => Promise<unknown>)[] => [
  ...asSource(place),
  ...asSink(place),
]
const asSource = (place: unknown): readonly (() => Promise<unknown>)[] => [
  async () => {
    using list = new BufferList()
    await list.spliceFrom(place as Source, 10)
  },
  async () => transfer(place as Source, { file: await freshPath() }, { length: 10 }),
]
const asSink = (place: unknown): readonly (() => Promise<unknown>)[] => [
  () => new BufferList('0123456789').spliceTo(place as Sink),
  () => transfer(new BufferList('0123456789'), place as Sink),
  async () => {
    const { path } = await fileOf(Buffer.from('0123456789'))
    await transfer({ file: path }, place as Sink)
  },
]
const asAttached =
  (place: unknown): (() => Promise<unknown>) =>
  async () => {
    const end = attach(place as Socket)
    try {
      using list = await end.pull(10)
      return list.length
    } finally {
      await end.detach()
    }
  }

function expectTyped(error: Error, what: RegExp): void {
  expect(error, error.stack).to.be.instanceOf(SplicelistError)
  expect(error.message).to.match(what)
}

describe('Bad input is refused before any byte moves:', () => {
  for (const [what, length] of Object.entries({
    negative: -1,
    fractional: 1.5,
    NaN: Number.NaN,
    infinite: Infinity,
    'beyond 2^53': 2 ** 53,
    'a string': '10',
    missing: undefined,
    'a bigint': 10n,
  })) {
    it(`a length, offset or atLeast that is ${what}`, async () => {
      const { client, server } = await tcpPair()
      client.write('abc')
      const { handle } = await fileOf(bytes(1, 100))
      const n = length as number
      await using peer = attach(server)
      using list = new BufferList('0123456789')
      const calls: (() => Promise<unknown>)[] = [
        () => list.spliceFrom(handle, n),
        () => peer.pull(n),
        () => peer.peek(n),
        () => BufferList.fromFile(handle, { offset: length === undefined ? -1 : n }),
      ]
      if (length !== undefined) {
        calls.push(
          () => list.spliceFrom(handle, 10, { offset: n }),
          () => list.spliceFrom({ file: handle, offset: n }, 10),
          () => list.spliceFrom(handle, 10, { atLeast: n }),
          () => list.spliceTo(handle, { offset: n }),
          () => list.spliceTo({ file: handle, offset: n }),
          () => peer.pull(10, { atLeast: n }),
        )
        if (length !== Infinity) {
          calls.push(() => transfer({ file: handle, offset: 0 }, client, { length: n }))
        }
      }
      for (const call of calls) {
        expect(await refusal(call), String(call)).to.be.instanceOf(InvalidArgumentError)
      }
      expect(list.length).to.equal(10)
      using abc = await peer.pull(3)
      expect(abc.toString()).to.equal('abc')
    })
  }

  it('an atLeast above the length, an unknown mode, hold, signal, cache or flush', async () => {
    const { handle } = await fileOf(bytes(1, 100))
    using list = new BufferList()
    const calls = [
      () => list.spliceFrom(handle, 10, { atLeast: 11 }),
      () => list.spliceFrom(handle, 10, { mode: 'fast' as 'auto' }),
      () => list.spliceFrom(handle, 10, { hold: 'on' as 'pages' }),
      () => list.spliceFrom(handle, 10, { signal: {} as AbortSignal }),
      () => list.spliceTo(handle, { mode: '' as 'auto' }),
      () => transfer(handle, handle, { mode: null as unknown as 'auto' }),
      () => list.spliceTo({ file: handle, flush: 'later' as 'none' }),
      () => list.spliceTo({ file: handle, cache: 'some' as 'drop' }),
      () => list.spliceTo({ file: handle, flags: 'r+' }),
      () => list.spliceTo({ file: '/dev/null', flags: 2 as unknown as 'r+' }),
    ]
    for (const call of calls) {
      expect(await refusal(call), String(call)).to.be.instanceOf(InvalidArgumentError)
    }
  })

  it('what is no place at all', async () => {
    for (const place of [
      undefined,
      null,
      '/tmp/file',
      {},
      [],
      true,
      Symbol('x'),
      () => 1,
      { file: 7 },
      { file: undefined },
      Buffer.from('x'),
      -1,
      1.5,
      Number.NaN,
    ]) {
      for (const use of [...uses(place), asAttached(place)]) {
        const error = await refusal(use)
        expectTyped(error, /./)
        expect(error.message.length).to.be.greaterThan(20)
      }
    }
  })

  it('a path that does not exist, a path through a file, and a folder that is not there', async () => {
    const { path } = await fileOf(Buffer.from('x'))
    for (const file of [`${path}.missing`, `${path}/below`]) {
      for (const use of [...asSource({ file }), asAttached({ file })]) {
        const error = await refusal(use)
        expect(['ENOENT', 'ENOTDIR']).to.include((error as NodeJS.ErrnoException).code)
        expect(error.message).to.include(file)
      }
    }
    for (const use of asSink({ file: `${path}/below` })) {
      expect(await refusal(use)).to.have.property('code', 'ENOTDIR')
    }
  })

  it('a directory, by path, handle or number', async () => {
    const folder = await tempFolder()
    const handle = await open(folder, 'r')
    const fd = openSync(folder, 'r')
    try {
      for (const place of [{ file: folder, flags: 'r' }, handle, fd, { file: handle }]) {
        for (const use of [...uses(place), asAttached(place)]) {
          expectTyped(await refusal(use), /directory/)
        }
      }
    } finally {
      await handle.close()
      closeSync(fd)
    }
  })

  it('a destroyed socket, a socket that was never connected, a destroyed stream', async () => {
    const { client } = await tcpPair()
    await destroyed(client)
    const { Socket } = await import('node:net')
    const stream = new PassThrough()
    stream.destroy()
    for (const place of [client, new Socket(), stream]) {
      for (const use of [...uses(place), asAttached(place)]) {
        expectTyped(await refusal(use), /open|connected|closed/)
      }
    }
  })

  it("a socket that Node's HTTP parser reads, as a source and for attach", async () => {
    const server = createHttpServer().listen(0, '127.0.0.1')
    afterwards(() => void server.close())
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const asked = request({ port, host: '127.0.0.1', method: 'POST' })
    afterwards(() => void asked.destroy())
    asked.on('error', () => undefined)
    asked.write('body')
    const [message, answer] = (await once(server, 'request')) as [
      Readable & { socket: Socket },
      Writable,
    ]
    for (const use of [...asSource(message.socket), asAttached(message.socket)]) {
      const error = await refusal(use)
      expect(error).to.be.instanceOf(UnsupportedEndpointError)
      expect(error.message).to.match(/HTTP parser.*request/)
    }
    // The message itself is a stream, and a source.
    using list = new BufferList()
    expect(await list.spliceFrom(message, 4)).to.equal(4)
    expect(list.toString()).to.equal('body')
    answer.end()
    asked.end()
    server.closeAllConnections()
  })

  it('a blocking socket by number, with what to do instead', async function () {
    needsAddon(this)
    // A child's standard input is one end of a blocking pair of sockets.
    const { code, stdout } = await runScript(`
      import { attach, BufferList, transfer, UnsupportedEndpointError } from '#lib/index.js'
      const uses = [
        () => new BufferList().spliceFrom(0, 10),
        () => new BufferList('x').spliceTo(0),
        () => transfer(0, { file: '/dev/null' }),
        () => attach(0),
      ]
      for (const use of uses) {
        const error = await new Promise((resolve) => resolve(use())).catch((error) => error)
        console.log(error instanceof UnsupportedEndpointError, error.message)
      }
    `)
    expect(code).to.equal(0)
    expect(stdout).to.match(/^(true .*blocking.*O_NONBLOCK.*\n){4}$/)
  })

  it('a number that is no open descriptor, or one that is no file, pipe or stream', async function () {
    needsAddon(this)
    const { createSocket } = await import('node:dgram')
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const { fd } = (socket as unknown as Record<symbol, { handle: { fd: number } }>)[
      Object.getOwnPropertySymbols(socket).find(
        ({ description }) => description === 'state symbol',
      ) as symbol
    ]?.handle ?? { fd: -1 }
    try {
      for (const place of [99_999, fd]) {
        for (const use of [...uses(place), asAttached(place)]) expectTyped(await refusal(use), /./)
      }
    } finally {
      socket.close()
      await once(socket, 'close')
    }
  })

  it('a FileHandle that was closed', async () => {
    const path = await freshPath()
    await writeFile(path, '0123456789')
    const handle = await open(path, 'r+')
    await handle.close()
    for (const place of [handle, { file: handle, offset: 0 }]) {
      for (const use of [...uses(place), asAttached(place)]) {
        expectTyped(await refusal(use), /closed.*open/)
      }
    }
    expect(await readFile(path, 'utf8')).to.equal('0123456789')
  })

  it('a file that is open for the other direction only', async () => {
    const { path } = await fileOf(Buffer.from('0123456789'))
    const readOnly = await open(path, 'r')
    const writeOnly = await open(path, 'r+').then(async (both) => {
      await both.close()
      return open(path, 'a')
    })
    try {
      const unwritable = await refusal(() => new BufferList('x').spliceTo(readOnly))
      expect(unwritable).to.be.instanceOf(TransferError)
      expect(unwritable).to.include({ side: 'sink', code: 'EBADF', bytesMoved: 0 })
      const unreadable = await refusal(() =>
        new BufferList().spliceFrom(writeOnly, 5, { hold: 'pages', offset: 0 }),
      )
      expect(unreadable).to.be.instanceOf(TransferError)
      expect(unreadable).to.include({ side: 'source', code: 'EBADF', bytesMoved: 0 })
    } finally {
      await readOnly.close()
      await writeOnly.close()
    }
    expect(await readFile(path, 'utf8')).to.equal('0123456789')
  })

  it('a released list, whatever it is used for', async () => {
    const { client, server } = await tcpPair()
    const list = new BufferList('0123456789')
    list.release()
    const peer = attach(client)
    for (const use of [
      () => list.spliceFrom(server, 1),
      () => list.spliceTo({ file: '/dev/null' }),
      () => peer.push(list),
      () => peer.unpull(list),
      () => transfer(list, { file: '/dev/null' }),
      () => new BufferList().spliceFrom(list, 5),
    ]) {
      const error = await refusal(use)
      expect(error, String(use)).to.be.instanceOf(ReleasedError)
      expect(error.message).to.match(/substr/)
    }
    await peer.detach()
  })

  it('what is no list, where a list is wanted', async () => {
    const { client } = await tcpPair()
    const peer = attach(client)
    for (const value of [undefined, 'text', Buffer.from('x'), {}, 7]) {
      for (const use of [
        () => peer.push(value as unknown as BufferList),
        () => peer.unpull(value as unknown as BufferList),
      ]) {
        expect(await refusal(use)).to.be.instanceOf(InvalidArgumentError)
      }
    }
    await peer.detach()
  })

  it('a list as a sink, and a list for attach', async () => {
    using list = new BufferList('x')
    using other = new BufferList('y')
    expect(await refusal(() => list.spliceTo(other as unknown as Sink))).to.be.instanceOf(
      InvalidArgumentError,
    )
    expect(await refusal(() => attach(other as unknown as Socket))).to.be.instanceOf(
      InvalidArgumentError,
    )
    expect([list.length, other.length]).to.deep.equal([1, 1])
  })

  it('a detached, shared or resizable ArrayBuffer, with the copying way out', async () => {
    const gone = bytes(1, 100)
    structuredClone(gone, { transfer: [gone.buffer] })
    const shared = new Uint8Array(new SharedArrayBuffer(10))
    const resizable = new Uint8Array(new ArrayBuffer(10, { maxByteLength: 20 }))
    using list = new BufferList('x')
    for (const part of [gone, shared, resizable]) {
      for (const use of [
        () => new BufferList(part),
        () => list.append(part),
        () => list.prepend(part),
        () => BufferList.from(part),
      ]) {
        expect(await refusal(use)).to.be.instanceOf(InvalidArgumentError)
      }
    }
    expect(list.appendCopy(shared).appendCopy(resizable).length).to.equal(21)
  })

  it('memory that is detached while it is in a list: the send says so, and moves nothing', async () => {
    const { client, server } = await tcpPair()
    const memory = bytes(2, 1_000)
    using list = new BufferList(memory)
    structuredClone(memory, { transfer: [memory.buffer] })
    const error = await refusal(() => list.spliceTo(client))
    expect(error).to.be.instanceOf(InvalidArgumentError)
    expect(error.message).to.match(/detached.*appendCopy/)
    // The socket is still of use.
    const collector = new Collector(server)
    await new BufferList('next').spliceTo(client)
    expect((await collector.take(4)).toString()).to.equal('next')
  })

  it('a stream of objects or strings as a source, of objects as a sink', async () => {
    const objects = Readable.from([{ a: 1 }])
    const strings = new PassThrough().setEncoding('utf8')
    for (const source of [objects, strings]) {
      for (const use of asSource(source)) {
        const error = await refusal(use)
        expect(error).to.be.instanceOf(UnsupportedEndpointError)
        expect(error.message).to.match(/binary/)
      }
    }
    const sink = new Writable({ objectMode: true, write: () => undefined })
    for (const use of asSink(sink)) expectTyped(await refusal(use), /binary/)
    objects.destroy()
    strings.destroy()
    sink.destroy()
  })

  it('a stream the wrong way round', async () => {
    const readable = Readable.from([Buffer.from('x')], { objectMode: false })
    const writable = new Writable({ write: () => undefined })
    for (const use of asSink(readable)) expectTyped(await refusal(use), /read from/)
    for (const use of asSource(writable)) expectTyped(await refusal(use), /written to/)
    readable.destroy()
    writable.destroy()
  })

  it('a socket that decodes its bytes into strings, as a source only', async () => {
    const { client, server } = await tcpPair()
    client.setEncoding('utf8')
    for (const use of [...asSource(client), asAttached(client)]) {
      expectTyped(await refusal(use), /setEncoding/)
    }
    const collector = new Collector(server)
    expect(await new BufferList('bytes').spliceTo(client)).to.equal(5)
    expect((await collector.take(5)).toString()).to.equal('bytes')
  })

  it('not a transform whose other side has objects: it takes bytes', async () => {
    const seen: number[] = []
    const transform = new Transform({
      readableObjectMode: true,
      transform(chunk: Buffer, _encoding, done) {
        done(null, { length: chunk.length })
      },
    })
    transform.on('data', ({ length }: { length: number }) => seen.push(length))
    expect(await new BufferList(bytes(3, 1_000)).spliceTo(transform)).to.equal(1_000)
    transform.end()
    await once(transform, 'end')
    expect(seen).to.deep.equal([1_000])
  })

  it('not the standard streams: a child may use its own', async () => {
    const child = startChild('cat', [], { stdio: ['pipe', 'pipe', 'ignore'] })
    const { stdin, stdout } = child
    if (stdin === null || stdout === null) throw new Error('A child with pipes has streams')
    using list = new BufferList(bytes(4, 300_000))
    using back = new BufferList()
    const receiving = back.spliceFrom(stdout, 300_000)
    expect(await list.spliceTo(stdin)).to.equal(300_000)
    stdin.end()
    expect(await receiving).to.equal(300_000)
    expectSameBytes(back.toBuffer(), bytes(4, 300_000))
    await once(child, 'close')
  })

  it('an endpoint that was detached, in every operation', async () => {
    const { client } = await tcpPair()
    const peer = attach(client)
    await peer.detach()
    using list = new BufferList('x')
    for (const use of [
      () => list.spliceTo(peer),
      () => list.spliceFrom(peer, 1),
      () => transfer(list, peer),
      () => peer.pull(1),
    ]) {
      expect(await refusal(use)).to.be.instanceOf(EndpointBusyError)
    }
    expect(list.length).to.equal(1)
  })

  it('a socket whose peer is not there', async () => {
    const { createServer } = await import('node:net')
    const listener = createServer().listen(0, '127.0.0.1')
    await once(listener, 'listening')
    const { port } = listener.address() as { port: number }
    listener.close()
    await once(listener, 'close')
    for (const use of [
      (socket: Socket) => new BufferList().spliceFrom(socket, 10),
      (socket: Socket) => new BufferList('x').spliceTo(socket),
      (socket: Socket) => transfer(new BufferList('x'), socket),
      (socket: Socket) => transfer(socket, { file: '/dev/null' }),
      (socket: Socket) => attach(socket).pull(10),
    ]) {
      const error = await refusal(() => use(connect(port, '127.0.0.1')))
      expect(error, String(use)).to.have.property('code', 'ECONNREFUSED')
    }
  })
})

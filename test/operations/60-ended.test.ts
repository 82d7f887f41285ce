/**
 * What ends in the middle of a loop over lists, a fan-out, a proxy, a gift or a loan: the thread that
 * runs it, or the process at its other end.
 */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { expect } from 'chai'
import { BufferList, fanOut, lists, proxy, ProxyError, type TransferError } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { startChild } from '../support/children.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsAddon } from '../support/needs.js'
import { destroyed, tcpPair } from '../support/socket-pairs.js'
import { filledPages } from '../memory/producers.js'
import { Collector } from '../transfer/collector.js'
import { failure } from '../transfer/outcomes.js'
import { fileOf, freshPath } from '../transfer/places.js'

/** More than any loopback socket takes while nobody reads. */
const LENGTH = 24 << 20
const CONTENT = bytes(1, LENGTH)

/** A server on loopback that hands its sockets out, and its port. */
async function serve(onSocket: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined)
    afterwards(() => destroyed(socket))
    onSocket(socket)
  }).listen(0, '127.0.0.1')
  afterwards(() => void server.close())
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Sockets that read so many bytes and then no more, so that who sends to them is in the middle. */
class Stalls {
  readonly #limit: number
  readonly #got = new Map<Socket, Buffer[]>()
  readonly #reached: () => void
  /** Resolves when the first has got its bytes. */
  readonly reached: Promise<void>

  constructor(limit: number) {
    this.#limit = limit
    let onReached = (): void => undefined
    this.reached = new Promise((resolve) => (onReached = resolve))
    this.#reached = onReached
  }
  add(socket: Socket): void {
    const got: Buffer[] = []
    this.#got.set(socket, got)
    let length = 0
    socket.on('data', (chunk: Buffer) => {
      got.push(chunk)
      length += chunk.length
      if (length < this.#limit) return
      this.#reached()
      socket.pause()
    })
  }
  /** All that each of them got, to its end. */
  async all(): Promise<Buffer[]> {
    const ends = [...this.#got].map(async ([socket, got]) => {
      const closed = new Promise<void>((resolve) => {
        for (const event of ['end', 'close']) socket.once(event, () => resolve())
      })
      socket.removeAllListeners('data').on('data', (chunk: Buffer) => got.push(chunk))
      socket.resume()
      if (!socket.closed && !socket.readableEnded) await closed
      return Buffer.concat(got)
    })
    return Promise.all(ends)
  }
}

/** What a thread does: `from()` and `to()` connect it to this one. */
const OPERATIONS: Readonly<Record<string, string>> = {
  'a loop over lists': `
    const sink = await to()
    for await (const list of lists(await from())) {
      await list.spliceTo(sink, { consume: true })
      list.release()
    }`,
  'a fan-out': 'await fanOut(await from(), [await to(), await to(), { file: target }])',
  'a proxy': 'await proxy(await from(), await to())',
  'a gift': `
    const list = filled().gift()
    await list.spliceTo(await to())`,
  'a loan': `
    const { list } = filled().loan()
    await list.spliceTo(await to())`,
}

describe('A thread that is terminated in the middle of', function () {
  this.timeout(60_000)

  for (const [what, operation] of Object.entries(OPERATIONS)) {
    it(`${what} leaves nothing open, and what it has sent is there`, async () => {
      const { path } = await fileOf(CONTENT, 'tmpfs')
      for (const limit of [1, 500_000, 3_000_000]) {
        const target = await freshPath('tmpfs')
        const stalls = new Stalls(limit)
        const toPort = await serve((socket) => stalls.add(socket))
        const fromPort = await serve((socket) => socket.end(CONTENT))
        const source = `
          import { once } from 'node:events'
          import { readFileSync } from 'node:fs'
          import { connect } from 'node:net'
          import { workerData } from 'node:worker_threads'
          import { allocPages, fanOut, lists, proxy } from ${JSON.stringify(import.meta.resolve('splicelist'))}
          const { fromPort, toPort, path, target } = workerData
          const dial = async (port) => {
            const socket = connect(port, '127.0.0.1')
            await once(socket, 'connect')
            return socket
          }
          const from = () => dial(fromPort)
          const to = () => dial(toPort)
          const filled = () => {
            const content = readFileSync(path)
            const pages = allocPages(content.length)
            pages.bytes.set(content)
            return pages
          }
          ${operation}
        `
        const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`)
        const workerData = { fromPort, toPort, path, target }
        const worker = new Worker(url, { workerData, execArgv: [] })
        const failed = once(worker, 'error').then(([error]) => {
          throw error
        })
        await Promise.race([stalls.reached, failed])
        await worker.terminate()
        failed.catch(() => undefined)
        for (const got of await stalls.all()) {
          expect(got.length).to.be.lessThan(LENGTH)
          expectSameBytes(got, CONTENT.subarray(0, got.length))
        }
        if (what === 'a fan-out') {
          const stored = await readFile(target)
          expectSameBytes(stored, CONTENT.subarray(0, stored.length))
        }
      }
    })
  }
})

describe('A child that is killed in the middle of', () => {
  it('a loop over what it says ends the loop: what came is there', async () => {
    const talker = startChild('sh', ['-c', 'head -c 3000000 /dev/zero; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    using got = new BufferList()
    for await (using list of lists(talker.stdout as Socket)) {
      got.claimAppend(list)
      if (got.length === 3_000_000) talker.kill('SIGKILL')
    }
    expect(got.length).to.equal(3_000_000)
    expect(got.isZero()).to.equal(true)
  })

  it('a fan-out to it is one sink fewer: the others get all', async function () {
    // As a stream, its input takes whatever it is given.
    needsAddon(this)
    const { path } = await fileOf(CONTENT, 'tmpfs')
    const target = await freshPath('tmpfs')
    const { client, server } = await tcpPair()
    const arrived = new Collector(server).take(LENGTH)
    const sleeper = startChild('sleep', ['60'], { stdio: ['pipe', 'ignore', 'inherit'] })
    sleeper.stdin?.on('error', () => undefined)
    // It reads nothing, so that all wait for it.
    const { sinks } = await fanOut(
      { file: path },
      [client, sleeper.stdin as Socket, { file: target }],
      { onProgress: () => void sleeper.kill('SIGKILL') },
    )
    expectSameBytes(await arrived, CONTENT)
    expectSameBytes(await readFile(target), CONTENT)
    const [toSocket, toChild, toFile] = sinks
    expect([toSocket, toFile]).to.deep.equal([{ bytesMoved: LENGTH }, { bytesMoved: LENGTH }])
    expect(toChild?.bytesMoved).to.be.within(1, LENGTH - 1)
    expect((toChild?.error as TransferError).side).to.equal('sink')
    expect(toChild?.error).to.have.property('code').that.is.oneOf(['EPIPE', 'ECONNRESET'])
  })

  it('a proxy ends both directions, with every byte accounted for', async function () {
    // As streams, sockets have taken what they were given.
    needsAddon(this)
    const { path } = await fileOf(CONTENT, 'tmpfs')
    let onAccepted = (_socket: Socket): void => undefined
    const accepted = new Promise<Socket>((resolve) => (onAccepted = resolve))
    const port = await serve((socket) => onAccepted(socket))
    const source = `
      import { createReadStream } from 'node:fs'
      import { connect } from 'node:net'
      const socket = connect(${port}, '127.0.0.1')
      createReadStream(${JSON.stringify(path)}).pipe(socket)
      socket.pause()
    `
    const child = startChild(process.execPath, ['--input-type=module', '--eval', source])
    const a = await accepted
    const { client: b, server: right } = await tcpPair()
    const stalls = new Stalls(1_000_000)
    stalls.add(right)
    right.resume()
    const back = bytes(2, LENGTH)
    right.end(back)
    const running = failure(proxy(a, b))
    await stalls.reached
    child.kill('SIGKILL')
    // It had not read what was sent to it: its kernel says so.
    const error = (await running) as ProxyError
    expect(error).to.be.instanceOf(ProxyError)
    expect(error.code).to.be.oneOf(['ECONNRESET', 'EPIPE'])
    expect(a.destroyed).to.equal(true)
    expect(b.destroyed).to.equal(false)
    using forward = error.takeResidual('aToB') ?? new BufferList()
    using backward = error.takeResidual('bToA') ?? new BufferList()
    const rest = await new Collector(b).rest()
    b.end()
    const [got] = (await stalls.all()) as [Buffer]
    expect(got.length).to.equal(error.aToB.bytesMoved)
    const pulled = Buffer.concat([got, forward.toBuffer()])
    expectSameBytes(pulled, CONTENT.subarray(0, pulled.length))
    expectSameBytes(
      Buffer.concat([backward.toBuffer(), rest]),
      back.subarray(error.bToA.bytesMoved),
    )
  })

  for (const verb of ['gift', 'loan'] as const) {
    it(`a ${verb} to it leaves exactly what it has not accepted`, async function () {
      needsAddon(this)
      const sleeper = startChild('sleep', ['60'], { stdio: ['pipe', 'ignore', 'inherit'] })
      sleeper.stdin?.on('error', () => undefined)
      const pages = filledPages(1, LENGTH)
      const lent = verb === 'loan' ? pages.loan() : undefined
      using list = lent?.list ?? pages.gift()
      const sending = list.spliceTo(sleeper.stdin as Socket, {
        consume: true,
        onProgress: () => void sleeper.kill('SIGKILL'),
      })
      const error = (await failure(sending)) as TransferError
      expect(error.side).to.equal('sink')
      expect(error.code).to.be.oneOf(['EPIPE', 'ECONNRESET'])
      expect(error.bytesMoved).to.be.within(1, LENGTH - 1)
      expectSameBytes(list.toBuffer(), CONTENT.subarray(error.bytesMoved))
      list.release()
      await lent?.returned
    })
  }
})

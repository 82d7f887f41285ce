/** What ends in the middle: a child that is killed, a thread that is terminated. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { expect } from 'chai'
import { BufferList, transfer, TransferError } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsAddon } from '../support/needs.js'
import { tcpPair } from '../support/socket-pairs.js'
import { Collector } from '../transfer/collector.js'
import { fileOf, freshPath } from '../transfer/places.js'

const CONTENT = bytes(1, 8_000_000)

/** A child whose standard input and output are ours. Killed after the test. */
function child(
  command: string,
  ...args: string[]
): ChildProcess & { stdin: Socket; stdout: Socket } {
  const started = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  started.stdin.on('error', () => undefined)
  afterwards(async () => {
    if (started.exitCode !== null || started.signalCode !== null) return
    const exited = once(started, 'exit')
    started.kill('SIGKILL')
    await exited
  })
  return started as unknown as ChildProcess & { stdin: Socket; stdout: Socket }
}

describe('A child that is killed', () => {
  it('while it is sent a list leaves exactly what it has not accepted', async function () {
    // As a stream, the child's input tells of no progress before it has taken a whole part.
    needsAddon(this)
    const { path } = await fileOf(CONTENT)
    using list = new BufferList()
    await list.spliceFrom({ file: path }, CONTENT.length, { hold: 'pages' })
    // It reads nothing, so that the send stalls before it is killed.
    const sleeper = child('sleep', '60')
    const sending = list.spliceTo(sleeper.stdin, {
      consume: true,
      onProgress: () => setImmediate(() => sleeper.kill('SIGKILL')),
    })
    const error: unknown = await sending.catch((thrown: unknown) => thrown)
    expect(error).to.be.instanceOf(TransferError)
    const { bytesMoved, side, code } = error as TransferError
    expect(side).to.equal('sink')
    expect(code).to.be.oneOf(['EPIPE', 'ECONNRESET', 'ECONNABORTED'])
    expect(bytesMoved).to.be.within(1, CONTENT.length - 1)
    expect(list.length).to.equal(CONTENT.length - bytesMoved)
    // Another child takes the rest.
    const cat = child('cat')
    const arrived = new Collector(cat.stdout).take(list.length)
    await list.spliceTo(cat.stdin)
    cat.stdin.end()
    expectSameBytes(await arrived, CONTENT.subarray(bytesMoved))
  })

  it('while it is read from ends the stream: what came is there', async () => {
    const talker = child('sh', '-c', 'head -c 300000 /dev/zero; exec sleep 60')
    using list = new BufferList()
    const pulling = list.spliceFrom(talker.stdout, 1_000_000, {
      onProgress: (moved) => {
        if (moved >= 300_000) talker.kill('SIGKILL')
      },
    })
    expect(await pulling).to.equal(300_000)
    expect(list.isZero()).to.equal(true)
  })

  it('between two others ends a chain, with every byte accounted for', async () => {
    const first = child('sh', '-c', 'cat; exec sleep 60')
    const { path } = await fileOf(CONTENT)
    const target = await freshPath()
    const stored = transfer(
      first.stdout,
      { file: target },
      {
        onProgress: (moved) => {
          if (moved === CONTENT.length) first.kill('SIGKILL')
        },
      },
    )
    const sent = await transfer({ file: path }, first.stdin)
    expect(sent.bytesMoved).to.equal(CONTENT.length)
    const { bytesMoved, eof } = await stored
    expect({ bytesMoved, eof }).to.deep.equal({ bytesMoved: CONTENT.length, eof: true })
    expectSameBytes(await readFile(target), CONTENT)
  })
})

describe('A thread that is terminated at any moment', function () {
  this.timeout(60_000)

  it('leaves nothing open, whatever it was doing', async () => {
    const { path } = await fileOf(CONTENT)
    const target = await freshPath('tmpfs')
    const source = `
      import { open } from 'node:fs/promises'
      import { parentPort, workerData } from 'node:worker_threads'
      import net from 'node:net'
      import { once } from 'node:events'
      import { attach, BufferList, transfer } from ${JSON.stringify(import.meta.resolve('splicelist'))}
      const kept = []
      // What Node itself has begun to open when the thread ends, it forgets: here everything is open.
      const file = await open(workerData.path)
      const targets = await Promise.all([0, 1, 2, 3].map((i) => open(workerData.target + i, 'w')))
      const server = net.createServer(async (socket) => {
        const peer = attach(socket)
        for (;;) {
          const list = await peer.pull(300_000)
          kept.push(list)
          await peer.push(list).catch(() => undefined)
        }
      }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const forever = async (step) => { for (;;) await step().catch(() => undefined) }
      for (let i = 0; i < 4; i++) {
        const socket = net.connect(server.address().port, '127.0.0.1')
        socket.on('error', () => undefined)
        await once(socket, 'connect')
        socket.resume()
        void forever(() => transfer({ file, offset: 0 }, socket))
        void forever(() => transfer({ file, offset: 0 }, { file: targets[i], offset: 0 }))
        void forever(async () => {
          const list = new BufferList()
          await list.spliceFrom({ file, offset: 5 }, 1_000_000, { hold: 'pages' })
          list.crc32c()
          if (kept.push(list) > 40) for (const each of kept.splice(0)) each.release()
        })
      }
      parentPort.postMessage('going')
    `
    const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`)
    for (let round = 0; round < 10; round++) {
      const worker = new Worker(url, { workerData: { path, target }, execArgv: [] })
      await once(worker, 'message')
      // From the beginning to the middle of everything.
      await new Promise((resolve) => setTimeout(resolve, round * 15))
      await worker.terminate()
    }
    // The main thread works on; the root hook looks for what the threads have left.
    const { client, server } = await tcpPair()
    const arrived = new Collector(server).take(CONTENT.length)
    await transfer({ file: path }, client)
    expectSameBytes(await arrived, CONTENT)
  })
})

/**
 * Processes and threads: a child ends by itself when nothing is under way, lives while something is,
 * and a thread that is terminated in the middle takes nothing with it.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect } from 'chai'
import { BufferList, transfer } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { runScript } from '../support/children.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsAddon, needsPages } from '../support/needs.js'
import { destroyed, tcpPair } from '../support/socket-pairs.js'
import { Collector } from './collector.js'
import { fileOf, freshPath } from './places.js'

/** Runs a script that connects to a server of ours, to its end. */
async function runClient(script: string, onSocket: (socket: Socket) => void) {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    afterwards(() => destroyed(socket))
    onSocket(socket)
  }).listen(0, '127.0.0.1')
  afterwards(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  return runScript(`
    import net from 'node:net'
    import { once } from 'node:events'
    import { attach, BufferList, transfer, counters } from 'splicelist'
    const socket = net.connect(${port}, '127.0.0.1')
    await once(socket, 'connect')
    ${script}
  `)
}

const okay = { code: 0, signal: null, stderr: '' }

describe('A process', () => {
  it('ends by itself with a socket that is attached and idle', async function () {
    // As a stream, it is read by Node, which waits for more.
    needsAddon(this)
    const result = await runClient(
      `const peer = attach(socket)
       const list = await peer.pull(5)
       console.log(list.toString())`,
      (socket) => socket.write('hello'),
    )
    expect(result).to.deep.equal({ ...okay, stdout: 'hello\n' })
  })

  it('lives as long as a pull is waiting', async () => {
    const result = await runClient(
      `const peer = attach(socket)
       peer.pull(5).then((list) => {
         console.log(list.toString())
         socket.destroy()
       })`,
      (socket) => setTimeout(() => socket.write('hello'), 100),
    )
    expect(result).to.deep.equal({ ...okay, stdout: 'hello\n' })
  })

  it('lives until a list is sent, and ends then', async () => {
    let got = 0
    const result = await runClient(
      `new BufferList(Buffer.alloc(20 << 20)).spliceTo(socket).then((n) => {
         console.log(n)
         socket.destroySoon()
       })`,
      (socket) => {
        setTimeout(() => socket.on('data', (chunk: Buffer) => (got += chunk.length)), 100)
      },
    )
    expect(result).to.deep.equal({ ...okay, stdout: `${20 << 20}\n` })
    expect(got).to.be.greaterThan(0)
  })

  it('ends by itself after work on files', async () => {
    const { path } = await fileOf(bytes(1, 5_000_000))
    const target = await freshPath()
    const result = await runScript(`
      import { BufferList, transfer } from 'splicelist'
      const { bytesMoved } = await transfer({ file: ${JSON.stringify(path)} }, { file: ${JSON.stringify(target)} })
      console.log(bytesMoved)
    `)
    expect(result).to.deep.equal({ ...okay, stdout: '5000000\n' })
    expectSameBytes(await readFile(target), bytes(1, 5_000_000))
  })

  it('that exits in the middle of everything exits', async () => {
    const result = await runClient(
      `const peer = attach(socket)
       peer.pull(100)
       peer.push(new BufferList(Buffer.alloc(20 << 20)))
       transfer({ file: '/dev/zero' }, { file: '/dev/null' }, { length: 1 << 30 })
       setTimeout(() => process.exit(7), 50)`,
      () => undefined,
    )
    expect(result).to.deep.equal({ ...okay, code: 7, stdout: '' })
  })

  it('is told of pages that were never released, once', async function () {
    needsPages(this)
    const result = await runClient(
      `await (async () => {
         const list = new BufferList()
         await list.spliceFrom(socket, 100_000)
       })()
       for (let i = 0; i < 20 && counters.snapshot().leaks === 0; i++) {
         gc()
         await new Promise((resolve) => setTimeout(resolve, 10))
       }
       console.log(counters.snapshot().leaks)
       socket.destroy()`,
      (socket) => socket.write(bytes(2, 100_000)),
    )
    expect(result.stdout).to.equal('1\n')
    expect(result.stderr).to.match(/SplicelistLeakWarning/)
  })
})

describe('A worker thread', () => {
  const start = (script: string, workerData: unknown): Worker => {
    const source = `
      import { parentPort, workerData } from 'node:worker_threads'
      import net from 'node:net'
      import { once } from 'node:events'
      import { open } from 'node:fs/promises'
      import { attach, BufferList, transfer } from ${JSON.stringify(import.meta.resolve('splicelist'))}
      ${script}
    `
    const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`)
    const worker = new Worker(url, { workerData, execArgv: [] })
    afterwards(async () => {
      await worker.terminate()
    })
    return worker
  }

  it('transfers on its own', async () => {
    const content = bytes(3, 3_000_000)
    const { path } = await fileOf(content)
    const target = await freshPath()
    const worker = start(
      `const { bytesMoved } = await transfer({ file: workerData.path }, { file: workerData.target })
       parentPort.postMessage(bytesMoved)`,
      { path, target },
    )
    const [message] = (await once(worker, 'message')) as [number]
    expect(message).to.equal(content.length)
    await once(worker, 'exit')
    expectSameBytes(await readFile(target), content)
  })

  it('works beside others and beside the main thread', async () => {
    const content = bytes(4, 3_000_000)
    const { path } = await fileOf(content)
    const targets = await Promise.all([freshPath(), freshPath(), freshPath()])
    const workers = targets.map((target) =>
      start(
        `await transfer({ file: workerData.path }, { file: workerData.target })
         parentPort.postMessage('done')`,
        { path, target },
      ),
    )
    const { client, server } = await tcpPair()
    const arrived = new Collector(server).take(content.length)
    const main = transfer({ file: path }, client)
    await Promise.all([...workers.map((worker) => once(worker, 'exit')), main])
    expectSameBytes(await arrived, content)
    for (const target of targets) expectSameBytes(await readFile(target), content)
  })

  for (const [what, script] of Object.entries({
    'waiting for bytes': `
      const socket = net.connect(workerData.port, '127.0.0.1')
      await once(socket, 'connect')
      const peer = attach(socket)
      peer.pull(1_000_000).catch(() => undefined)
      parentPort.postMessage('ready')`,
    'stalled, holding pages': `
      const socket = net.connect(workerData.port, '127.0.0.1')
      await once(socket, 'connect')
      const list = new BufferList()
      await list.spliceFrom({ file: workerData.path }, 24 << 20, { hold: 'pages' })
      list.spliceTo(socket).catch(() => undefined)
      parentPort.postMessage('ready')`,
    // On files that are open: a thread that ends while open() is under way loses what it opens, in
    // Node itself, with or without us.
    'in the middle of work on files': `
      const source = { file: await open(workerData.path), offset: 0 }
      const sink = { file: await open(workerData.target, 'w'), offset: 0 }
      const going = () => transfer(source, sink).then(going, () => undefined)
      for (let i = 0; i < 4; i++) going()
      parentPort.postMessage('ready')`,
  })) {
    it(`that is terminated ${what} leaves nothing, and disturbs nobody`, async () => {
      const path = await freshPath('tmpfs')
      await writeFile(path, bytes(5, 24 << 20))
      const target = await freshPath('tmpfs')
      const sockets: Socket[] = []
      const server = createServer((socket) => {
        socket.on('error', () => undefined)
        socket.pause()
        sockets.push(socket)
        afterwards(() => destroyed(socket))
      }).listen(0, '127.0.0.1')
      afterwards(() => void server.close())
      await once(server, 'listening')
      const { port } = server.address() as { port: number }
      const worker = start(script, { port, path, target })
      const [message] = (await once(worker, 'message')) as [string]
      expect(message).to.equal('ready')
      sockets[0]?.write('some bytes')
      await new Promise((resolve) => setTimeout(resolve, 20))
      await worker.terminate()
      // The main thread works on.
      const { client, server: peer } = await tcpPair()
      using list = new BufferList(bytes(6, 1_000_000))
      const arrived = new Collector(peer).take(1_000_000)
      await list.spliceTo(client)
      expectSameBytes(await arrived, bytes(6, 1_000_000))
    })
  }
})

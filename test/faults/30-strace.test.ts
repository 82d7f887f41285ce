/**
 * What the kernel sees: while payload moves by reference, the process that moves it makes no system
 * call that would carry payload through its memory.
 */
import { execFileSync } from 'node:child_process'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { runChild } from '../support/children.js'
import { tempFolder } from '../support/folders.js'
import { needsPages } from '../support/needs.js'

/** What moves, in bytes. */
const TOTAL_BYTES = (process.env['SPLICELIST_LONG'] === '1' ? 256 : 64) << 20
/** What a mover may read and write by itself: wake-ups of its threads, lines on its output. */
const OWN_BYTES_MAX = 65_536
/** Every call that carries bytes through the memory of the process. */
const CALLS =
  'read,write,readv,writev,pread64,pwrite64,preadv,preadv2,pwritev,recvfrom,sendto,recvmsg,sendmsg'

/**
 * The mover runs alone in a process; its peers are another's, so that their calls are not seen. It
 * starts the tracer on itself when everything is connected, and ends it before it says how it went.
 */
const PEER = `
  import net from 'node:net'
  const total = Number(process.argv[1])
  const chunk = Buffer.alloc(1 << 20, 7)
  let left = total
  const from = net.createServer((socket) => {
    socket.on('error', () => undefined)
    const more = () => {
      while (left > 0) {
        const n = Math.min(left, chunk.length)
        left -= n
        if (!socket.write(chunk.subarray(0, n))) return socket.once('drain', more)
      }
      socket.end()
    }
    more()
  })
  const to = net.createServer((socket) => {
    let got = 0
    socket.on('data', (data) => (got += data.length))
    socket.on('error', () => undefined)
    socket.on('end', () => process.stdout.write('got ' + got + '\\n'))
  })
  from.listen(0, '127.0.0.1', () => to.listen(0, '127.0.0.1', () => {
    process.stdout.write('ports ' + from.address().port + ' ' + to.address().port + '\\n')
  }))
  process.stdin.on('end', () => process.exit()).resume()
`
const MOVER = `
  import net from 'node:net'
  import { once } from 'node:events'
  import { spawn } from 'node:child_process'
  import { open, writeFile } from 'node:fs/promises'
  import { attach, fanOut, proxy, transfer } from 'splicelist'
  const [way, folder, total, peerSource, calls] = process.argv.slice(1)
  const peer = spawn(process.execPath, ['--input-type=module', '--eval', peerSource, total],
    { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = []
  let wake = () => undefined
  peer.stdout.on('data', (data) => { lines.push(...String(data).trim().split('\\n')); wake() })
  const line = async () => {
    while (lines.length === 0) await new Promise((resolve) => (wake = resolve))
    return lines.shift()
  }
  const [, from, to] = (await line()).split(' ').map(Number)
  const dial = async (port) => {
    const socket = net.connect({ port, host: '127.0.0.1' })
    // What Node reads before the mover has the socket would be payload of Node's.
    await once(socket, 'connect')
    socket.pause()
    return socket
  }
  const sinks = []
  if (way.endsWith('-to-file')) sinks.push(await open(folder + '/sink', 'w'))
  else for (let i = 0; i < (way === 'fan-out' ? 3 : 1); i++) sinks.push(await dial(to))
  const [sink] = sinks
  await writeFile(folder + '/warm', 'x')
  const tracer = spawn('strace', ['-f', '-qq', '-e', 'trace=' + calls, '-o', folder + '/trace',
    '-p', String(process.pid)], { stdio: ['ignore', 'ignore', 'pipe'] })
  let isOver = false
  tracer.once('exit', () => (isOver = true))
  // It attaches when the trace shows a call that is made for it to see.
  const { stat } = await import('node:fs/promises')
  for (let size = 0; size === 0 && !isOver; ) {
    await writeFile(folder + '/warm', 'y')
    size = await stat(folder + '/trace').then((it) => it.size, () => 0)
    if (size === 0) await new Promise((resolve) => setTimeout(resolve, 10))
  }
  if (isOver) { console.log('no tracer'); peer.kill(); process.exit() }
  const source = way.startsWith('file-') ? await open(folder + '/source') : await dial(from)
  let moved = 0
  if (way === 'list-to-tcp') {
    // Between two operations on the bare socket Node would read a chunk of its own.
    const endpoint = attach(source)
    while (moved < total) {
      const list = await endpoint.pull(Math.min(8 << 20, total - moved), { mode: 'reference' })
      moved += await list.spliceTo(sink, { mode: 'reference', consume: true })
      list.release()
    }
    await endpoint.detach()
  } else if (way === 'fan-out') {
    const result = await fanOut(source, sinks, { length: Number(total), mode: 'reference' })
    moved = Math.min(...result.sinks.map(({ bytesMoved }) => bytesMoved))
  } else if (way === 'proxy') {
    const { aToB } = await proxy(source, sink, { mode: 'reference' })
    moved = aToB.bytesMoved
  } else {
    const result = await transfer(source, sink, { length: Number(total), mode: 'reference' })
    moved = result.bytesMoved
  }
  tracer.kill('SIGTERM')
  if (!isOver) await once(tracer, 'exit')
  if (way.endsWith('-to-file')) await sink.close()
  else for (const each of sinks) { each.end(); console.log(await line()) }
  console.log('moved ' + moved)
  peer.stdin.end()
  if (way.startsWith('file-')) await source.close()
  process.exit()
`

/** Bytes that the calls of a trace carried, by call. */
function carried(trace: string): Record<string, number> {
  const bytes: Record<string, number> = {}
  for (const line of trace.split('\n')) {
    // A call that others interrupt is told in two lines; the second has its name and its result.
    const told = /(?:^\d+\s+|<\.\.\. )(\w+)(?:\(| resumed).* = (\d+)$/.exec(line)
    const [, call, result] = told ?? []
    if (call !== undefined) bytes[call] = (bytes[call] ?? 0) + Number(result)
  }
  return bytes
}

describe('A mover of much by reference', () => {
  before(function () {
    needsPages(this)
    try {
      execFileSync('strace', ['-qq', '-e', 'trace=none', 'true'], { stdio: 'ignore' })
    } catch {
      // There is no strace here, or no ptrace is allowed.
      this.skip()
    }
  })

  /** How often the payload comes out, in a socket's peer. */
  const WAYS = {
    'tcp-to-tcp': 1,
    'tcp-to-file': 0,
    'list-to-tcp': 1,
    'file-to-tcp': 1,
    'file-to-file': 0,
    'fan-out': 3,
    proxy: 1,
  }
  for (const [way, peers] of Object.entries(WAYS)) {
    it(`makes no call that carries payload: ${way}`, async function () {
      this.timeout(120_000)
      const folder = await tempFolder('tmpfs')
      if (way.startsWith('file-')) {
        await writeFile(join(folder, 'source'), Buffer.alloc(TOTAL_BYTES, 7))
      }
      const root = new URL('../../..', import.meta.url)
      const args = ['--input-type=module', '--eval', MOVER, way, folder, String(TOTAL_BYTES)]
      const child = await runChild(process.execPath, [...args, PEER, CALLS], { cwd: root })
      if (child.stdout.includes('no tracer')) this.skip()
      expect(child.stdout, child.stderr).to.include(`moved ${TOTAL_BYTES}`)
      expect(child.stdout.split(`got ${TOTAL_BYTES}\n`)).to.have.length(peers + 1)
      if (peers === 0) expect((await stat(join(folder, 'sink'))).size).to.equal(TOTAL_BYTES)
      const seen = carried(await readFile(join(folder, 'trace'), 'utf8'))
      const sum = Object.values(seen).reduce((total, each) => total + each, 0)
      // It was traced: its loop is woken by reading.
      expect(sum, 'what was traced').to.be.greaterThan(0)
      expect(sum, JSON.stringify(seen)).to.be.at.most(OWN_BYTES_MAX)
    })
  }
})

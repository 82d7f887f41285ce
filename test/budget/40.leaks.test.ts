import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { bytes } from '../support/bytes.js'
import { runScript, type ChildResult } from '../support/children.js'
import { tempFolder } from '../support/folders.js'
import { needsAddon, needsPages } from '../support/needs.js'

interface Told {
  /** Descriptors more than before, idle pipes and what the library opens once aside. */
  readonly kept: number
  readonly leaks: number
  readonly warnings: readonly { name: string; code: string; message: string }[]
  readonly result?: unknown
}

/**
 * Runs `makeAndForget`, the body of an async function, and lets the collector run until as many leaks
 * as expected were found, and a little longer.
 */
async function forget(
  body: string,
  leaks: number,
  env: NodeJS.ProcessEnv = {},
): Promise<ChildResult & { told: Told }> {
  const folder = await tempFolder()
  const path = join(folder, 'file')
  await writeFile(path, bytes(1, 1_000_000))
  const result = await runScript(
    `
    import net from 'node:net'
    import { once } from 'node:events'
    import { open } from 'node:fs/promises'
    import { closeSync, openSync, readdirSync } from 'node:fs'
    import { setTimeout as delay } from 'node:timers/promises'
    import { attach, BufferList, counters, transfer } from 'splicelist'
    import { addon } from '#lib/native.js'
    import { pipePool } from '#lib/raw/pipe-pool.js'

    const path = ${JSON.stringify(path)}
    const socketPath = ${JSON.stringify(join(folder, 'socket'))}
    const accepted = []
    const server = net.createServer((socket) => {
      accepted.push(socket)
      socket.on('error', () => undefined)
      socket.write(Buffer.alloc(200_000, 'a'))
    }).listen(socketPath)
    await once(server, 'listening')
    async function connected() {
      const socket = net.connect(socketPath)
      await once(socket, 'connect')
      return socket
    }
    let result
    async function makeAndForget() { ${body} }
    const warnings = []
    process.on('warning', ({ name, code, message }) => warnings.push({ name, code, message }))
    const descriptors = () => {
      pipePool.drain()
      return readdirSync('/proc/self/fd').length - 2 * pipePool.idlePipes
    }
    // What is opened once, and kept: /dev/null, epoll, the disk threads' own.
    {
      const list = new BufferList()
      await list.spliceFrom({ file: path }, 100_000, { hold: 'pages' })
      list.cursor(50_000).readUInt8()
      list.release()
      const socket = await connected()
      const peer = attach(socket)
      ;(await peer.pull(50_000)).release()
      await peer.detach()
      socket.destroy()
    }
    while (accepted.length > 0) accepted.pop().destroy()
    await delay(20)
    for (let i = 0; i < 5; i++) gc()
    const leaksBefore = counters.snapshot().leaks
    const before = descriptors()
    await makeAndForget()
    while (accepted.length > 0) accepted.pop().destroy()
    for (let i = 0; i < 200 && counters.snapshot().leaks - leaksBefore < ${leaks}; i++) {
      gc()
      await delay(5)
    }
    for (let i = 0; i < 5; i++) {
      gc()
      await delay(5)
    }
    console.log(JSON.stringify({
      kept: descriptors() - before,
      leaks: counters.snapshot().leaks - leaksBefore,
      warnings,
      result,
    }))
    server.close()
    process.exit(0)
  `,
    { env: { SPLICELIST_LEAKS: '', ...env } },
  )
  if (result.code !== 0) throw new Error(result.stderr)
  return { ...result, told: JSON.parse(result.stdout) as Told }
}

/** What is made and forgotten: how many owners of descriptors that is, and what the warning says. */
const FORGOTTEN: Readonly<Record<string, readonly [body: string, leaks: number, says: RegExp]>> = {
  'a list in pipes': [
    `const list = new BufferList()
     await list.spliceFrom({ file: path }, 100_000, { hold: 'pages' })`,
    1,
    /^A pipe segment was collected without release\(\).*using/,
  ],
  'a list in pipes, from a socket': [
    `const socket = await connected()
     const list = new BufferList()
     await list.spliceFrom(socket, 100_000)
     socket.destroy()`,
    1,
    /^A pipe segment was collected/,
  ],
  'windows of a list in pipes, and lists that share it, of which some were released': [
    `const list = new BufferList()
     await list.spliceFrom({ file: path }, 100_000, { hold: 'pages' })
     const lists = [list, list.substr(5, 10), new BufferList(list), list.substr(100)]
     lists[3].append(lists[1]).append(lists[2])
     list.release()
     lists[1].release()`,
    1,
    /^A pipe segment was collected/,
  ],
  'lists in lists: each segment once': [
    `const all = []
     for (let i = 0; i < 5; i++) {
       const list = new BufferList()
       await list.spliceFrom({ file: path, offset: i }, 100_000, { hold: 'pages' })
       all.push(list)
     }
     const joined = new BufferList(...all)
     joined.append(joined)`,
    5,
    /^A pipe segment was collected/,
  ],
  'an extent of a file': [
    `await BufferList.fromFile(path)`,
    1,
    /^A file segment was collected without release\(\)/,
  ],
  'extents of one open file': [
    `const file = await open(path)
     for (let i = 0; i < 3; i++) await BufferList.fromFile(file, { offset: i * 10, length: 10 })
     await file.close()`,
    3,
    /^A file segment was collected/,
  ],
  'the residual of an error': [
    `const socket = await connected()
     const list = new BufferList()
     await list.spliceFrom({ file: path }, 1_000_000, { hold: 'pages' })
     socket.destroy()
     result = await list.spliceTo(socket, { consume: true }).catch(({ code }) => code)`,
    1,
    /^A pipe segment was collected/,
  ],
  'an endpoint of a descriptor': [
    `const fd = openSync(path)
     attach(fd)
     closeSync(fd)`,
    1,
    /^An endpoint was collected without detach\(\).*await using/,
  ],
  'an endpoint of a path': [
    `const peer = attach({ file: path })
     ;(await peer.pull(10)).release()`,
    1,
    /^An endpoint was collected without detach\(\)/,
  ],
  'an endpoint with bytes that were given back': [
    `const socket = await connected()
     const peer = attach(socket)
     peer.unpull(await peer.pull(100_000))
     globalThis.socket = socket
     setTimeout(() => socket.destroy(), 200).unref()`,
    1,
    /^An endpoint was collected without detach\(\)/,
  ],
}

/** Those whose place is hard to know: made behind a wait, by another function, by an error. */
const TRACED: ReadonlySet<string> = new Set([
  'a list in pipes, from a socket',
  'lists in lists: each segment once',
  'extents of one open file',
  'the residual of an error',
  'an endpoint of a path',
])

describe('What is collected without release() or detach()', function () {
  this.timeout(30_000)
  beforeEach(function () {
    needsAddon(this)
    needsPages(this)
  })

  for (const [what, [body, leaks, says]] of Object.entries(FORGOTTEN)) {
    it(`is closed, counted, and reported once: ${what}`, async () => {
      const { told } = await forget(body, leaks)
      expect(told.leaks).to.equal(leaks)
      // The socket of an endpoint is Node's own.
      expect(told.kept).to.be.at.most(body.includes('globalThis.socket') ? 1 : 0)
      expect(told.warnings).to.have.length(1)
      expect(told.warnings[0]).to.include({
        name: 'SplicelistLeakWarning',
        code: 'SPLICELIST_LEAK',
      })
      expect(told.warnings[0]?.message)
        .to.match(says)
        .and.match(/Set SPLICELIST_LEAKS=trace/)
    })

    if (!TRACED.has(what)) continue
    it(`is reported each time, with the place, when asked to: ${what}`, async () => {
      const { told } = await forget(body, leaks, { SPLICELIST_LEAKS: 'trace' })
      expect(told.warnings).to.have.length(leaks)
      for (const { message } of told.warnings) {
        expect(message).to.match(/ Made\n +at .*makeAndForget/)
        // The program's frames, not the library's.
        expect(message).not.to.match(/\/dist\//)
      }
    })
  }

  it('gives the socket of a forgotten endpoint back to Node, with what was not consumed', async () => {
    const { told } = await forget(
      `const socket = await connected()
       const got = []
       await (async () => {
         const peer = attach(socket)
         ;(await peer.pull(1000)).release()
         peer.unpull(await peer.pull(50_000))
       })()
       socket.on('data', (chunk) => got.push(chunk))
       for (let i = 0; i < 100 && Buffer.concat(got).length < 199_000; i++) {
         gc()
         await delay(5)
       }
       result = Buffer.concat(got).length
       socket.destroy()`,
      1,
    )
    expect(told.result).to.equal(199_000)
    expect(told.leaks).to.equal(1)
  })

  for (const [what, body] of Object.entries({
    'what was released': `using_(await BufferList.fromFile(path))
       function using_(list) { list.release() }`,
    'an endpoint that was detached': `const peer = attach({ file: path })
       ;(await peer.pull(100_000, { hold: 'pages' })).release()
       await peer.detach()`,
    'an endpoint whose socket was destroyed': `const socket = await connected()
       const peer = attach(socket)
       ;(await peer.pull(100_000)).release()
       socket.destroy()
       await once(socket, 'close')`,
    'a list in memory': `new BufferList(Buffer.alloc(100_000)).substr(5)`,
    'a transfer': `await transfer({ file: path }, { file: '/dev/null' })`,
  })) {
    it(`is no leak: ${what}`, async () => {
      const { told } = await forget(body, 0)
      expect(told).to.deep.equal({ kept: 0, leaks: 0, warnings: [] })
    })
  }
})

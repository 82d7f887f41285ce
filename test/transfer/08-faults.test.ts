/**
 * Faults of the kernel, scripted: at every system call on the way, early and late. Whatever fails,
 * the right side is named with the right counts, and sending what is left gives identical bytes.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { attach, BufferList, transfer, TransferError, type Mode } from 'splicelist'
import { addon, type ScriptRule } from '#lib/native.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsAddon, needsPages } from '../support/needs.js'
import { tcpPair } from '../support/socket-pairs.js'
import { accounted } from './account.js'
import { Collector } from './collector.js'
import { failure } from './outcomes.js'
import { fileOf, freshPath } from './places.js'

const ERRNO = {
  EPERM: 1,
  EINTR: 4,
  EIO: 5,
  EAGAIN: 11,
  EINVAL: 22,
  ENOSPC: 28,
  EPIPE: 32,
  ENOSYS: 38,
  EOPNOTSUPP: 95,
} as const

/** More than one turn, no multiple of a page. */
const LENGTH = 2_500_001

/** One way of moving `LENGTH` bytes, and how what is left of it is sent after a failure. */
interface Way {
  readonly name: string
  /** The calls that bytes pass through, with the side that a failure of each names. */
  readonly calls: Readonly<Record<string, 'source' | 'sink'>>
  readonly run: (content: Buffer, fault: Fault) => Promise<Outcome>
}
type Fault = (rules: readonly ScriptRule[]) => void
interface Outcome {
  /** What arrived in the end, after sending what was left. */
  readonly arrived: Buffer
  readonly error: unknown
  /** Accepted before the failure, as the sink tells it; undefined where it cannot. */
  readonly accepted: number | undefined
}

function script(rules: readonly ScriptRule[] | null): void {
  addon?.script(rules)
}

async function caught(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
    return undefined
  } catch (error) {
    return error
  } finally {
    script(null)
  }
}

/** From a socket into a list: by pages, or by reading. */
function pullFromSocket(mode: Mode): Way['run'] {
  return async (content, fault) => {
    const { client, server } = await tcpPair()
    server.on('error', () => undefined)
    client.write(content)
    await using peer = attach(server)
    using list = new BufferList()
    fault([])
    const error = await caught(list.spliceFrom(peer, content.length, { mode }))
    const accepted = list.length
    if (error !== undefined) await list.spliceFrom(peer, content.length - accepted, { mode })
    return { arrived: list.toBuffer(), error, accepted }
  }
}

function sendToSocket(make: (content: Buffer) => Promise<BufferList>, mode: Mode): Way['run'] {
  return async (content, fault) => {
    using list = await make(content)
    const first = await tcpPair()
    first.client.on('error', () => undefined)
    const collector = new Collector(first.server)
    fault([])
    const error = await caught(list.spliceTo(first.client, { mode, consume: true }))
    if (error === undefined) {
      return { arrived: await collector.take(content.length), error, accepted: content.length }
    }
    first.client.destroy()
    const part = await collector.rest()
    const second = await tcpPair()
    const rest = new Collector(second.server).take(content.length - part.length)
    await list.spliceTo(second.client, { mode, consume: true })
    return { arrived: Buffer.concat([part, await rest]), error, accepted: part.length }
  }
}

function sendToFile(make: (content: Buffer) => Promise<BufferList>, mode: Mode): Way['run'] {
  return async (content, fault) => {
    using list = await make(content)
    const path = await freshPath()
    fault([])
    const error = await caught(list.spliceTo({ file: path }, { mode, consume: true }))
    const accepted = (await stat(path)).size
    if (error !== undefined) await list.spliceTo({ file: path, offset: accepted }, { mode })
    return { arrived: await readFile(path), error, accepted }
  }
}

function fileToSocket(mode: Mode): Way['run'] {
  return async (content, fault) => {
    const { handle } = await fileOf(content)
    const first = await tcpPair()
    first.client.on('error', () => undefined)
    const collector = new Collector(first.server)
    fault([])
    const error = await caught(transfer({ file: handle, offset: 0 }, first.client, { mode }))
    if (error === undefined) {
      return { arrived: await collector.take(content.length), error, accepted: content.length }
    }
    first.client.destroy()
    const part = await collector.rest()
    const second = await tcpPair()
    const rest = new Collector(second.server).take(content.length - part.length)
    using residual = (error as TransferError).takeResidual()
    const sent = (await residual?.spliceTo(second.client)) ?? 0
    const offset = (error as TransferError).bytesMoved + sent
    await transfer({ file: handle, offset }, second.client)
    return { arrived: Buffer.concat([part, await rest]), error, accepted: part.length }
  }
}

function socketToFile(mode: Mode): Way['run'] {
  return async (content, fault) => {
    const { client, server } = await tcpPair()
    server.on('error', () => undefined)
    client.end(content)
    const path = await freshPath()
    await using peer = attach(server)
    fault([])
    const error = await caught(transfer(peer, { file: path }, { mode }))
    const accepted = (await stat(path)).size
    if (error !== undefined) {
      using residual = (error as TransferError).takeResidual()
      const stored = (await residual?.spliceTo({ file: path, offset: accepted })) ?? 0
      await transfer(peer, { file: path, offset: accepted + stored }, { mode })
    }
    return { arrived: await readFile(path), error, accepted }
  }
}

const memory = (content: Buffer): Promise<BufferList> => Promise.resolve(new BufferList(content))
const pages = async (content: Buffer): Promise<BufferList> => {
  const { client, server } = await tcpPair()
  client.write(content)
  const list = new BufferList()
  await list.spliceFrom(server, content.length)
  return list
}
const extent = async (content: Buffer): Promise<BufferList> => {
  const { handle } = await fileOf(content)
  const list = new BufferList()
  await list.spliceFrom(handle, content.length, { offset: 0 })
  return list
}

const WAYS: readonly Way[] = [
  { name: 'socket to list', calls: { splice: 'source' }, run: pullFromSocket('auto') },
  { name: 'socket to list by copy', calls: { recv: 'source' }, run: pullFromSocket('copy') },
  { name: 'pages to socket', calls: { splice: 'sink' }, run: sendToSocket(pages, 'auto') },
  { name: 'memory to socket', calls: { sendmsg: 'sink' }, run: sendToSocket(memory, 'auto') },
  {
    name: 'extent to socket by copy',
    calls: { sendmsg: 'sink' },
    run: sendToSocket(extent, 'copy'),
  },
  { name: 'pages to file', calls: { splice: 'sink' }, run: sendToFile(pages, 'auto') },
  { name: 'memory to file', calls: { pwrite: 'sink' }, run: sendToFile(memory, 'auto') },
  {
    name: 'file to socket by copy',
    calls: { pread: 'source', sendmsg: 'sink' },
    run: fileToSocket('copy'),
  },
  {
    name: 'socket to file by copy',
    calls: { recv: 'source', pwrite: 'sink' },
    run: socketToFile('copy'),
  },
]
/** Here one call serves both sides, so no side is expected. */
const BOTH: readonly Way[] = [
  {
    name: 'extent to socket',
    calls: { splice: 'sink', sendfile: 'sink' },
    run: sendToSocket(extent, 'auto'),
  },
  {
    name: 'extent to file',
    calls: { splice: 'sink', copy_file_range: 'sink' },
    run: sendToFile(extent, 'auto'),
  },
  {
    name: 'file to socket',
    calls: { splice: 'sink', sendfile: 'sink' },
    run: fileToSocket('auto'),
  },
  { name: 'socket to file', calls: { splice: 'sink' }, run: socketToFile('auto') },
]

/** Refuses the calls that need no pipe of ours, so that bytes go through one. */
const THROUGH_PIPES: readonly ScriptRule[] = ['sendfile', 'copy_file_range'].map((call) => ({
  call,
  errno: ERRNO.EINVAL,
  times: 1e6,
}))

/** Hides which file system it is, so that extents might be shared. */
const MAYBE_SHARED: ScriptRule = { call: 'fstatfs', errno: ERRNO.ENOSYS, times: 1e6 }

/** Puts a rule in force, for a call that is really made. */
function scriptCall(rule: ScriptRule): void {
  const others = { splice: THROUGH_PIPES, copy_file_range: [MAYBE_SHARED] }[rule.call] ?? []
  script([...others, rule])
}

const content = bytes(1, LENGTH)

describe('A system call that', () => {
  beforeEach(function () {
    needsPages(this)
    afterwards(() => script(null))
  })

  for (const { name, calls, run } of [...WAYS, ...BOTH]) {
    for (const call of Object.keys(calls)) {
      for (const [what, rule] of Object.entries({
        'is interrupted': { call, errno: ERRNO.EINTR, times: 5, skip: 1 },
        'is interrupted at once': { call, errno: ERRNO.EINTR, times: 3 },
        'says not now': { call, errno: ERRNO.EAGAIN, times: 4, skip: 2 },
        'says not now at once': { call, errno: ERRNO.EAGAIN, times: 2 },
        'does little at a time': { call, maxBytes: 4_000, times: 200 },
        'does one byte at a time': { call, maxBytes: 1, times: 70, skip: 1 },
      })) {
        it(`${what}: ${call}, ${name}: costs nothing but time`, async () => {
          const { arrived, error } = await run(content, () => scriptCall(rule))
          expect(error).to.equal(undefined)
          expectSameBytes(arrived, content)
        })
      }
      for (const skip of [0, 1, 3]) {
        for (const code of ['EIO', 'ENOSPC', 'EPIPE'] as const) {
          it(`fails with ${code} after ${skip}: ${call}, ${name}: the rest can be sent`, async () => {
            const rule = { call, errno: ERRNO[code], skip, times: 1 }
            const { arrived, error, accepted } = await run(content, () => scriptCall(rule))
            expectSameBytes(arrived, content)
            // A call that was never made again cannot fail; where one from place to place does not
            // say at which side it failed, the bytes go the next way.
            const isDirect = call === 'sendfile' || call === 'copy_file_range'
            if (error === undefined) expect(skip > 0 || (isDirect && code === 'EIO')).to.equal(true)
            else {
              expect(error).to.be.instanceOf(TransferError)
              expect(error).to.include({ code, errno: -ERRNO[code] })
              if (name.includes('to file')) {
                expect((error as TransferError).bytesMoved, 'accepted').to.equal(accepted)
              }
            }
          })
        }
      }
    }
  }

  for (const { name, calls, run } of WAYS) {
    for (const [call, side] of Object.entries(calls)) {
      it(`fails is named with its side: ${call}, ${name}`, async () => {
        const rule = { call, errno: ERRNO.EIO, times: 1 }
        const { error } = await run(content, () => scriptCall(rule))
        expect(error).to.include({ side, code: 'EIO', bytesMoved: 0 })
      })
    }
  }

  for (const code of ['EINVAL', 'EPERM', 'ENOSYS', 'EOPNOTSUPP'] as const) {
    for (const { name, run } of [...WAYS, ...BOTH].filter(({ calls }) => 'splice' in calls)) {
      for (const skip of [0, 2]) {
        it(`refuses pages with ${code} after ${skip}, ${name}: the rest is copied, counted`, async () => {
          const rule = { call: 'splice', errno: ERRNO[code], skip, times: 1 }
          const { result, account } = await accounted(() => run(content, () => scriptCall(rule)))
          expect(result.error).to.equal(undefined)
          expectSameBytes(result.arrived, content)
          if (skip === 0) {
            const refused = Object.keys(account.fallbacks).filter((it) => it.startsWith('splice:'))
            expect(refused).to.have.length(1)
            expect(refused[0]).to.match(
              new RegExp(`:${code === 'EOPNOTSUPP' ? 'E(OPNOT|NOT)SUP' : code}`),
            )
            const cause = `fallback:${code === 'EOPNOTSUPP' ? 'ENOTSUP' : code}`
            expect(account.copied[cause] ?? 0).to.be.greaterThan(0)
          }
        })
      }
    }
  }

  it("refuses pages where mode 'reference' was asked for: is an error, and the bytes are whole", async () => {
    const { client } = await tcpPair()
    client.on('error', () => undefined)
    using list = await pages(content)
    script([{ call: 'splice', errno: ERRNO.EINVAL }])
    const error = await caught(list.spliceTo(client, { mode: 'reference', consume: true }))
    expect(error).to.include({ side: 'sink', code: 'EINVAL', bytesMoved: 0 })
    expectSameBytes(list.toBuffer(), content)
  })

  it('makes no pipe: the bytes are read, counted', async () => {
    for (const rule of [
      { call: 'pipe2', errno: 24, times: 100 },
      { call: 'pipe2', errno: 12, times: 100 },
    ]) {
      const { client, server } = await tcpPair()
      client.write(content)
      using list = new BufferList()
      // Use up the idle ones first.
      const busy = await Promise.all(Array.from({ length: 20 }, () => pages(bytes(2, 20_000))))
      script([rule])
      await list.spliceFrom(server, content.length)
      script(null)
      expectSameBytes(list.toBuffer(), content)
      for (const each of busy) each.release()
    }
  })
})

describe('A file system that is full', () => {
  let mount: string | undefined
  before(function () {
    needsAddon(this)
    const folder = mkdtempSync(join(tmpdir(), 'splicelist-full-'))
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' })
      mount = folder
    } catch {
      rmdirSync(folder)
      // Not root, or not allowed to mount.
      this.skip()
    }
  })
  after(() => {
    if (mount === undefined) return
    execFileSync('umount', [mount])
    rmdirSync(mount)
  })

  for (const mode of ['auto', 'copy'] as const) {
    it(`takes what fits; the rest is in the error, in the list or in the source (${mode})`, async () => {
      const path = join(mount ?? '', mode)
      using list = await pages(content)
      const error = (await failure(
        list.spliceTo({ file: path }, { mode, consume: true }),
      )) as TransferError
      expect(error).to.include({ side: 'sink', code: 'ENOSPC' })
      const stored = await readFile(path)
      expect(stored.length).to.equal(error.bytesMoved)
      expectSameBytes(Buffer.concat([stored, list.toBuffer()]), content)
      execFileSync('rm', [path])

      const { client, server } = await tcpPair()
      client.end(content)
      await using peer = attach(server)
      const second = (await failure(transfer(peer, { file: path }, { mode }))) as TransferError
      expect(second).to.include({ side: 'sink', code: 'ENOSPC' })
      using residual = second.takeResidual() as BufferList
      using rest = await peer.pull(LENGTH)
      const parts = [await readFile(path), residual.toBuffer(), rest.toBuffer()]
      expect(parts[0]?.length).to.equal(second.bytesMoved)
      expectSameBytes(Buffer.concat(parts), content)
      execFileSync('rm', [path])
    })
  }
})

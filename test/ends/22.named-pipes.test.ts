import { execFileSync } from 'node:child_process'
import { createReadStream, createWriteStream, closeSync, constants, openSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  attach,
  BufferList,
  fanOut,
  InvalidArgumentError,
  transfer,
  UnsupportedEndpointError,
} from 'splicelist'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { startChild } from '../support/children.js'
import { expectSameBytes } from '../support/first-difference.js'
import { tempFolder } from '../support/folders.js'
import { hasPages, needsAddon } from '../support/needs.js'
import { tcpPair } from '../support/socket-pairs.js'
import { Collector } from '../transfer/collector.js'
import { failure, refusal, within } from '../transfer/outcomes.js'
import { fileOf, freshPath } from '../transfer/places.js'
import { reset } from '../transfer/reset.js'

const MIB = 1 << 20
const { O_NONBLOCK } = constants

async function fifo(): Promise<string> {
  const path = join(await tempFolder(), 'fifo')
  execFileSync('mkfifo', [path])
  return path
}

describe('A named pipe by its path', () => {
  it('is read to the end of its writer, by reference', async () => {
    const path = await fifo()
    const to = await freshPath()
    const moving = transfer({ file: path }, { file: to })
    createWriteStream(path).end(bytes(1, 3 * MIB + 1))
    const result = await moving
    expect(result).to.include({ bytesMoved: 3 * MIB + 1, eof: true })
    if (hasPages) expect(result.ways).to.deep.equal(['splice'])
    expectSameBytes(await readFile(to), bytes(1, 3 * MIB + 1))
  })

  it('waits for a writer that has not come yet, and does not take that for the end', async () => {
    const path = await fifo()
    using list = new BufferList()
    const pulling = list.spliceFrom({ file: path }, 5)
    expect(await within(50, pulling)).to.equal('pending')
    const writer = createWriteStream(path)
    writer.end('hello')
    expect(await pulling).to.equal(5)
    expect(list.toString()).to.equal('hello')
  })

  it('waits for a writer that is there and silent', async () => {
    const path = await fifo()
    using list = new BufferList()
    const pulling = list.spliceFrom({ file: path }, 5)
    const writer = await open(path, 'w')
    expect(await within(50, pulling)).to.equal('pending')
    await writer.write('hello')
    expect(await pulling).to.equal(5)
    await writer.close()
  })

  it('ends when its writer came and went without a word', async function () {
    needsAddon(this)
    const path = await fifo()
    using list = new BufferList()
    const pulling = list.spliceFrom({ file: path }, 5)
    await (await open(path, 'w')).close()
    expect(await pulling).to.equal(0)
  })

  it('that nobody writes to is given up at once on an abort', async () => {
    const path = await fifo()
    const { signal, abort } = aborting()
    using list = new BufferList()
    const pulling = failure(list.spliceFrom({ file: path }, 5, { signal }))
    await within(20, pulling)
    abort()
    expect(await pulling).to.have.property('code', 'ABORT_ERR')
  })

  it('that nobody writes to is no end for a small pull, nor for one behind an abort', async function () {
    needsAddon(this)
    const path = await fifo()
    await using end = attach({ file: path })
    const { signal, abort } = aborting()
    const aborted = failure(end.pull(5, { signal }))
    expect(await within(20, aborted)).to.equal('pending')
    abort()
    expect(await aborted).to.have.property('code', 'ABORT_ERR')
    const pulling = end.pull(5)
    expect(await within(20, pulling)).to.equal('pending')
    const writer = await open(path, 'w')
    await writer.write('hello')
    using list = await pulling
    expect(list.toString()).to.equal('hello')
    await writer.close()
    using rest = await end.pull(5)
    expect(rest.length).to.equal(0)
  })

  it('that nobody writes to is no end for a sink that is lost', async function () {
    needsAddon(this)
    const { client, server } = await tcpPair()
    client.on('error', () => undefined)
    const moving = failure(transfer({ file: await fifo() }, client))
    expect(await within(20, moving)).to.equal('pending')
    reset(server)
    expect(await moving).to.include({ side: 'sink', bytesMoved: 0 })
  })

  it('ends for who came after its last writer had gone, in small pieces too', async function () {
    needsAddon(this)
    const path = await fifo()
    const holder = openSync(path, constants.O_RDONLY | O_NONBLOCK)
    const writer = await open(path, 'w')
    await writer.write('left over')
    await writer.close()
    const fd = openSync(path, constants.O_RDONLY | O_NONBLOCK)
    afterwards(() => {
      closeSync(fd)
      closeSync(holder)
    })
    const to = await freshPath()
    // The kernel does not tell this reader of the end, but when it reads.
    const result = await fanOut(fd, [{ file: to }], { windowBytes: 16_384 })
    expect(result).to.include({ bytesPulled: 9, eof: true })
    expect(await readFile(to, 'latin1')).to.equal('left over')
  })

  it('is written to when somebody reads from it', async () => {
    const path = await fifo()
    const reader = createReadStream(path)
    afterwards(() => void reader.destroy())
    const collector = new Collector(reader)
    const { path: from } = await fileOf(bytes(2, 2 * MIB))
    // The reader is there once its open has returned, which waits for a writer.
    const holder = openSync(path, 'r+')
    try {
      const result = await transfer({ file: from }, { file: path })
      expect(result.bytesMoved).to.equal(2 * MIB)
      if (hasPages) expect(result.ways).to.deep.equal(['splice'])
    } finally {
      closeSync(holder)
    }
    expectSameBytes(await collector.take(2 * MIB), bytes(2, 2 * MIB))
  })

  it('is refused while nobody reads from it, with what to do instead', async () => {
    const path = await fifo()
    for (const use of [
      () => new BufferList('x').spliceTo({ file: path }),
      async () => transfer({ file: (await fileOf(bytes(1, 10))).path }, { file: path }),
    ]) {
      const error = await refusal(use)
      expect(error).to.be.instanceOf(UnsupportedEndpointError)
      expect((error as UnsupportedEndpointError).remedy).to.match(/reader/)
    }
  })

  it('has no offsets', async () => {
    const path = await fifo()
    const error = await refusal(() => new BufferList().spliceFrom({ file: path, offset: 0 }, 10))
    expect(error).to.be.instanceOf(InvalidArgumentError)
  })

  it('can be attached for a conversation', async function () {
    needsAddon(this)
    const path = await fifo()
    await using end = attach({ file: path })
    const pulling = end.pull(5)
    const writer = await open(path, 'w')
    await writer.write('helloworld')
    using first = await pulling
    using second = await end.pull(5)
    expect(`${first.toString()} ${second.toString()}`).to.equal('hello world')
    await writer.close()
  })
})

describe('A pipe that is blocking', () => {
  it('is read by its number without blocking, and its flags stay as they are', async function () {
    needsAddon(this)
    const path = await fifo()
    // Opened for both, so that opening does not wait.
    const fd = openSync(path, 'r+')
    afterwards(() => closeSync(fd))
    using list = new BufferList()
    const pulling = list.spliceFrom(fd, 100_000)
    expect(await within(20, pulling)).to.equal('pending')
    createWriteStream(path).end(bytes(1, 100_000))
    expect(await pulling).to.equal(100_000)
    expectSameBytes(list.toBuffer(), bytes(1, 100_000))
    expect((await flagsOf(fd)) & O_NONBLOCK).to.equal(0)
  })

  it('is written to by its handle, and waits for its reader without a thread', async function () {
    needsAddon(this)
    const path = await fifo()
    const handle = await open(path, 'r+')
    afterwards(() => handle.close())
    const sending = new BufferList(bytes(2, MIB)).spliceTo(handle)
    expect(await within(20, sending)).to.equal('pending')
    const reader = createReadStream(path)
    afterwards(() => void reader.destroy())
    expectSameBytes(await new Collector(reader).take(MIB), bytes(2, MIB))
    expect(await sending).to.equal(MIB)
    expect((await flagsOf(handle.fd)) & O_NONBLOCK).to.equal(0)
  })

  it('ends for its reader when its writer has gone', async function () {
    needsAddon(this)
    const path = await fifo()
    const child = startChild('sh', ['-c', `printf hello > '${path}'`], { stdio: 'ignore' })
    // Either open waits for the other.
    const handle = await open(path, 'r')
    using list = new BufferList()
    expect(await list.spliceFrom(handle.fd, 100)).to.equal(5)
    await handle.close()
    child.kill()
  })
})

async function flagsOf(fd: number): Promise<number> {
  const info = await readFile(`/proc/self/fdinfo/${fd}`, 'utf8')
  return Number.parseInt(/flags:\s+([0-7]+)/.exec(info)?.[1] ?? '', 8)
}

function aborting(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort() }
}

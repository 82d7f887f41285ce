/**
 * transfer() of whole streams: no file is its own sink, and none keeps others waiting.
 */
import { link, readFile, symlink } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import {
  attach,
  BufferList,
  InvalidArgumentError,
  transfer,
  type Sink,
  type Source,
} from 'splicelist'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsAddon } from '../support/needs.js'
import { tcpPair } from '../support/socket-pairs.js'
import { Collector } from '../transfer/collector.js'
import { failure } from '../transfer/outcomes.js'
import { fileOf, freshPath, opened } from '../transfer/places.js'

describe('transfer() from a file to itself', () => {
  const content = bytes(1, 100_000)

  it('is refused by whatever name, and the file is what it was', async () => {
    const { path, handle } = await fileOf(content)
    const [hard, soft] = [`${path}.hard`, `${path}.soft`]
    await link(path, hard)
    await symlink(path, soft)
    const second = await opened(path, 'r+')
    await using endpoint = attach({ file: path, flags: 'r' })
    const cases: [Source, Sink][] = [
      [{ file: path }, { file: path }],
      [{ file: path }, { file: pathToFileURL(path) }],
      [{ file: path }, { file: hard }],
      [{ file: path }, { file: soft, offset: 5 }],
      [{ file: soft }, { file: hard, flags: 'r+' }],
      [{ file: path }, { file: path, flags: 'a' }],
      [handle, { file: hard }],
      [handle.fd, { file: path }],
      [endpoint, { file: path }],
      [{ file: handle, offset: 0 }, second],
      [
        { file: handle, offset: 50 },
        { file: second, offset: 60 },
      ],
      [
        { file: handle, offset: 60 },
        { file: handle, offset: 50 },
      ],
      // To the end of the file, which the sink would move on.
      [
        { file: handle, offset: 0 },
        { file: handle, offset: 100_000 },
      ],
    ]
    for (const [i, [source, sink]] of cases.entries()) {
      const error = await failure(transfer(source, sink))
      expect(error, `case ${i}`).to.be.instanceOf(InvalidArgumentError)
      expect(String(error), `case ${i}`).to.match(/same file/)
      expectSameBytes(await readFile(path), content, `after case ${i}`)
    }
  })

  it('is done where the ranges cannot overlap', async () => {
    const { path, handle } = await fileOf(content)
    const copied = await transfer(
      { file: handle, offset: 10 },
      { file: path, offset: 50_010 },
      { length: 50_000 },
    )
    expect(copied.bytesMoved).to.equal(50_000)
    const expected = Buffer.from(content)
    expected.copy(expected, 50_010, 10, 50_010)
    expectSameBytes((await readFile(path)).subarray(0, 100_000), expected.subarray(0, 100_000))
    // To its end, where the sink lies before it.
    await transfer({ file: handle, offset: 90_000 }, { file: path, offset: 0 })
    expectSameBytes((await readFile(path)).subarray(0, 10_000), expected.subarray(90_000, 100_000))
    await transfer({ file: path }, { file: path, flags: 'a' }, { length: 5 })
    expect((await readFile(path)).length).to.equal(100_015)
  })

  it('refuses a length that reaches into the sink by one byte, and not one less', async () => {
    const { handle } = await fileOf(content)
    const move = (length: number): Promise<unknown> =>
      transfer({ file: handle, offset: 0 }, { file: handle, offset: 1_000 }, { length })
    expect(await failure(move(1_001))).to.be.instanceOf(InvalidArgumentError)
    await move(1_000)
  })

  it('is not confused with another file, nor with a device', async () => {
    const { handle } = await fileOf(content)
    const path = await freshPath()
    expect((await transfer({ file: handle, offset: 0 }, { file: path })).bytesMoved).to.equal(
      100_000,
    )
    const device = await opened('/dev/null', 'r+')
    expect((await transfer(device, { file: '/dev/null' })).bytesMoved).to.equal(0)
  })
})

describe('transfer() of whole streams', () => {
  it('lets two in one process go on side by side', async function () {
    needsAddon(this)
    const length = 32 << 20
    const { handle } = await fileOf(bytes(2, length), 'tmpfs')
    const order: number[] = []
    await Promise.all(
      [0, 1].map((which) =>
        transfer(
          { file: handle, offset: 0 },
          { file: '/dev/null' },
          { onProgress: () => order.push(which) },
        ),
      ),
    )
    expect(order.lastIndexOf(0)).to.be.greaterThan(order.indexOf(1))
    expect(order.lastIndexOf(1)).to.be.greaterThan(order.indexOf(0))
  })

  it('lets timers run while sockets that are always ready move 64 MiB', async () => {
    const [from, to] = [await tcpPair(), await tcpPair()]
    const length = 64 << 20
    from.client.end(bytes(3, length))
    const collector = new Collector(to.server)
    let turns = 0
    const count = (): void => {
      turns += 1
      if (!isDone) setImmediate(count)
    }
    let isDone = false
    setImmediate(count)
    const { bytesMoved } = await transfer(from.server, to.client)
    isDone = true
    expect(bytesMoved).to.equal(length)
    // A turn is a megabyte: the loop comes round at least as often.
    expect(turns).to.be.at.least(32)
    expectSameBytes(await collector.take(length), bytes(3, length))
  })

  it('refuses a list as the sink, with what to do instead', async () => {
    const { server } = await tcpPair()
    const error = await failure(transfer(server, new BufferList() as unknown as Sink))
    expect(error).to.be.instanceOf(InvalidArgumentError)
    expect(String(error)).to.match(/spliceFrom/)
  })

  it('tells a list of nothing from a file of nothing by nothing', async () => {
    const { handle } = await fileOf(Buffer.alloc(0))
    for (const source of [new BufferList(), { file: handle, offset: 0 }]) {
      const { bytesMoved, eof } = await transfer(source, { file: '/dev/null' })
      expect({ bytesMoved, eof }).to.deep.equal({ bytesMoved: 0, eof: true })
    }
  })
})

import { readFile } from 'node:fs/promises'
import { PassThrough } from 'node:stream'
import { expect } from 'chai'
import { BufferList, NoPagesError, transfer, type LentPages } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { hasAddon, hasPages, needsAddon, needsPages } from '../support/needs.js'
import { destroyed, tcpPair } from '../support/socket-pairs.js'
import { script } from '../native/door.js'
import { accounted } from '../transfer/account.js'
import { Collector } from '../transfer/collector.js'
import { fileOf, KINDS, opened, taker } from '../transfer/places.js'
import { filledPages } from './producers.js'

const LENGTHS = [1, 4095, 4097, 20_000, 1_048_577, 2_500_001]

/** Whether a promise is settled by now, all that follows from what was done before included. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending')
  await new Promise((resolve) => setImmediate(resolve))
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending
}

describe('A loan', () => {
  it('shares the bytes, which stay readable, and says that the producer may change them', async () => {
    const pages = filledPages(1, 10_000)
    const { list, returned } = pages.loan()
    expect(list.explain()).to.deep.equal([
      { kind: 'pages', length: 10_000, pages: 'loan', refs: 1, looked: 0 },
    ])
    expectSameBytes(pages.bytes, bytes(1, 10_000))
    expectSameBytes(list.cStr(), bytes(1, 10_000))
    expect(list.isAligned(4096)).to.equal(hasAddon)
    list.release()
    expect(await returned).to.equal('released')
  })

  it('of nothing comes back at once', async () => {
    const { list, returned } = filledPages(1, 0).loan()
    expect(list.length).to.equal(0)
    expect(await returned).to.equal('released')
  })

  it('comes back when no window and no list holds a part of it any more, and not before', async () => {
    const { list, returned } = filledPages(2, 10_000).loan()
    const part = list.substr(5000, 10)
    const joined = new BufferList('head').append(list)
    list.release()
    joined.consume(100)
    expect(await isSettled(returned)).to.equal(false)
    joined.release()
    expect(await isSettled(returned)).to.equal(false)
    expectSameBytes(part.toBuffer(), bytes(2, 10_000).subarray(5000, 5010))
    part.release()
    expect(await returned).to.equal('released')
  })

  it('can be made again when it has come back, of other bytes, and then given away', async () => {
    const pages = filledPages(3, 50_000)
    for (let round = 0; round < 5; round++) {
      pages.bytes.set(bytes(round, 50_000))
      const { list, returned } = pages.loan()
      expectSameBytes(list.toBuffer(), bytes(round, 50_000))
      list.release()
      await returned
    }
    using gift = pages.gift()
    expectSameBytes(gift.toBuffer(), bytes(4, 50_000))
  })

  it('keeps no checksum, because the bytes change with the next one', async () => {
    const pages = filledPages(4, 5000)
    const first = pages.loan()
    const crc = first.list.crc32c()
    first.list.release()
    await first.returned
    pages.bytes[77] = ~(pages.bytes[77] ?? 0)
    using list = pages.loan().list
    expect(list.crc32c()).not.to.equal(crc)
  })

  it('that is given back while it is lent goes when it comes back', async () => {
    const pages = filledPages(5, 5000)
    const { list, returned } = pages.loan()
    pages.release()
    expectSameBytes(list.toBuffer(), bytes(5, 5000))
    list.release()
    await returned
    expect(pages.bytes.length).to.equal(0)
  })

  it('comes back when its list was forgotten and collected', async function () {
    if (global.gc === undefined) this.skip()
    const { returned } = filledPages(6, 5000).loan()
    for (let i = 0; i < 50 && !(await isSettled(returned)); i++) {
      global.gc()
      await new Promise((resolve) => setTimeout(resolve, i))
    }
    expect(await isSettled(returned)).to.equal(true)
  })

  for (const kind of KINDS) {
    it(`of many lengths arrives at a ${kind}, and is rewritten only afterwards`, async function () {
      if (kind === 'pipe') needsAddon(this)
      const place = await taker(kind)
      for (const length of LENGTHS) {
        const pages = filledPages(length, length)
        const { list, returned } = pages.loan()
        const back = returned.then((how) => {
          pages.bytes.fill(0xee)
          return how
        })
        const sending = place.open().then((sink) => list.spliceTo(sink, { consume: true }))
        if (kind.endsWith('file')) await sending
        const [taken] = await Promise.all([place.taken(length), sending])
        list.release()
        // Nothing came too late for what the other end holds.
        const how = await back
        expectSameBytes(taken, bytes(length, length), `${length} bytes`)
        expect(how).to.equal(kind.endsWith('file') && hasPages ? 'released' : 'copied')
      }
    })
  }

  it('that goes to a file is written from where it lies: one copy, into the page cache', async function () {
    needsPages(this)
    const { handle, path } = await fileOf(new Uint8Array(0), 'tmpfs')
    const { list, returned } = filledPages(7, 700_000).loan()
    const { account } = await accounted(async () => {
      await list.spliceTo({ file: handle, offset: 0 })
      await list.spliceTo({ file: handle, offset: 700_000 })
      list.release()
    })
    expect(account).to.deep.include({
      copied: {},
      kernelCopied: { 'page-cache-write': 1_400_000 },
    })
    expect(await returned).to.equal('released')
    const content = await readFile(path)
    expectSameBytes(content.subarray(700_000), bytes(7, 700_000))
  })

  it('is appended to a file in place, and dropped in /dev/null', async function () {
    needsPages(this)
    const { path } = await fileOf(Buffer.from('abc'))
    const appending = await opened(path, 'a')
    const dropping = await opened('/dev/null', 'w')
    for (const sink of [appending, dropping]) {
      const { list, returned } = filledPages(8, 100_000).loan()
      const { account } = await accounted(() => list.spliceTo(sink, { consume: true }))
      expect(account.copied).to.deep.equal({})
      expect(await returned).to.equal('released')
    }
    expectSameBytes((await readFile(path)).subarray(3), bytes(8, 100_000))
  })

  it('of which a file takes a part says what is left, and is lent until that is gone', async function () {
    needsAddon(this)
    const { handle, path } = await fileOf(new Uint8Array(0))
    const pages = filledPages(9, 300_000)
    const { list, returned } = pages.loan()
    script({ call: 'pwrite', maxBytes: 10_001 }, { call: 'pwrite', errno: 28, times: 2 })
    const error: unknown = await list
      .spliceTo({ file: handle, offset: 0 }, { consume: true })
      .catch((thrown: unknown) => thrown)
    expect(error).to.include({ code: 'ENOSPC', side: 'sink', bytesMoved: 10_001 })
    expect(list.length).to.equal(289_999)
    expect(await isSettled(returned)).to.equal(false)
    await list.spliceTo({ file: handle, offset: 10_001 }, { consume: true })
    await returned
    expectSameBytes(await readFile(path), bytes(9, 300_000))
  })

  it('is copied into a stream, which may keep what it is given', async () => {
    const stream = new PassThrough({ highWaterMark: 1 << 20 })
    const pages = filledPages(10, 60_000)
    const { list, returned } = pages.loan()
    await list.spliceTo(stream, { consume: true })
    expect(await returned).to.equal('copied')
    pages.bytes.fill(0)
    expectSameBytes(await new Collector(stream).take(60_000), bytes(10, 60_000))
  })

  it('in parts, with headers between, is lent and copied as each goes', async () => {
    const content = bytes(11, 200_000)
    const { list, returned } = filledPages(11, 200_000).loan()
    using message = new BufferList('one')
    message.claimAppend(list.take(150_000)).append('two').claimAppend(list)
    const place = await taker('tcp')
    const sink = await place.open()
    const [taken] = await Promise.all([place.taken(200_006), message.spliceTo(sink)])
    message.release()
    await returned
    expectSameBytes(
      taken,
      Buffer.concat([
        Buffer.from('one'),
        content.subarray(0, 150_000),
        Buffer.from('two'),
        content.subarray(150_000),
      ]),
    )
  })

  it("in mode 'stable' and 'copy' arrives all the same, copied", async () => {
    for (const mode of ['stable', 'copy'] as const) {
      const place = await taker('tcp')
      const { list, returned } = filledPages(12, 100_000).loan()
      const sink = await place.open()
      const [taken, { ways }] = await Promise.all([
        place.taken(100_000),
        transfer(list, sink, { mode }),
      ])
      expectSameBytes(taken, bytes(12, 100_000))
      expect(await returned).to.equal('copied')
      // Over loopback the kernel would have copied what was lent as well.
      expect(ways).not.to.include('lend')
    }
  })
})

describe('A loan to TCP', () => {
  beforeEach(function () {
    needsPages(this)
  })

  it('is sent from where it lies; on loopback the kernel says that it copied, and is asked no more', async () => {
    const { client, server } = await tcpPair()
    const collector = new Collector(server)
    const rounds = []
    for (let round = 0; round < 3; round++) {
      const { list, returned } = filledPages(round, 500_000).loan()
      const { account } = await accounted(async () => {
        const [taken] = await Promise.all([
          collector.take(500_000),
          list.spliceTo(client, { consume: true }),
        ])
        expectSameBytes(taken, bytes(round, 500_000))
        expect(await returned).to.equal('copied')
      })
      expect(account.copied).to.deep.equal({})
      rounds.push(account.kernelCopied)
    }
    const all = { 'socket-write': 500_000 }
    expect(rounds).to.deep.equal([all, all, all])
  })

  it('is copied where the socket refuses to lend, or as much is lent as it may, counted', async () => {
    for (const [call, errno, name] of [
      ['setsockopt', 92, 'setsockopt:ENOPROTOOPT'],
      ['sendmsg', 105, 'sendmsg:ENOBUFS'],
      ['sendmsg', 95, 'sendmsg:ENOTSUP'],
    ] as const) {
      const { client, server } = await tcpPair()
      const collector = new Collector(server)
      const { list, returned } = filledPages(14, 100_000).loan()
      script({ call, errno })
      const { account } = await accounted(async () => {
        const sending = list.spliceTo(client, { consume: true })
        const [taken] = await Promise.all([collector.take(100_000), sending])
        expectSameBytes(taken, bytes(14, 100_000))
      })
      expect(account.fallbacks).to.deep.equal({ [name]: 1 })
      expect(await returned).to.equal('copied')
      await destroyed(client)
    }
  })

  it('whose notices cannot be waited for comes back with the next send', async () => {
    const { client, server } = await tcpPair()
    const collector = new Collector(server)
    const loans = [filledPages(18, 100_000).loan(), filledPages(19, 100_000).loan()] as const
    script({ call: 'recvmsg', errno: 11 }, { call: 'epoll_ctl', errno: 12 })
    const send = ({ list }: LentPages): Promise<unknown> =>
      Promise.all([collector.take(100_000), list.spliceTo(client, { consume: true })])
    const { account } = await accounted(() => send(loans[0]))
    expect(account.fallbacks).to.deep.equal({ 'epoll_ctl:ENOMEM': 1 })
    expect(await isSettled(loans[0].returned)).to.equal(false)
    await send(loans[1])
    expect(await loans[0].returned).to.equal('copied')
    expect(await loans[1].returned).to.equal('copied')
  })

  it('that is reset in the middle comes back, in pages that the kernel does not hold', async () => {
    const { client, server } = await tcpPair()
    client.on('error', () => undefined)
    const pages = filledPages(15, 8_000_000)
    const { list, returned } = pages.loan()
    const sending = list.spliceTo(client).catch((thrown: unknown) => thrown)
    setTimeout(() => server.resetAndDestroy(), 5)
    expect(await sending).to.have.property('side', 'sink')
    await destroyed(client)
    list.release()
    expect(await returned).to.equal('copied')
    expectSameBytes(pages.bytes, bytes(15, 8_000_000))
    pages.bytes.fill(1)
  })

  it('whose notices never come is replaced by a copy of itself: nobody writes to pages of the kernel', async () => {
    const { client, server } = await tcpPair()
    const pages = filledPages(16, 300_000)
    const { list, returned } = pages.loan()
    script({ call: 'recvmsg', errno: 11, times: 1e6 })
    const collector = new Collector(server)
    await Promise.all([collector.take(300_000), list.spliceTo(client, { consume: true })])
    expect(await isSettled(returned)).to.equal(false)
    const { account } = await accounted(async () => {
      await destroyed(client)
      expect(await returned).to.equal('copied')
    })
    expect(account.copied).to.deep.equal({ 'retired-pages': 300_000 })
    expect(account.unknown).to.equal(300_000)
    expectSameBytes(pages.bytes, bytes(16, 300_000))
    pages.bytes.fill(2)
    pages.gift().release()
  })

  it('is gone when its pages cannot be replaced, and says so', async () => {
    const { client, server } = await tcpPair()
    const pages = filledPages(17, 300_000)
    const { list, returned } = pages.loan()
    script({ call: 'recvmsg', errno: 11, times: 1e6 }, { call: 'mremap', errno: 12, times: 1 })
    const collector = new Collector(server)
    await Promise.all([collector.take(300_000), list.spliceTo(client, { consume: true })])
    await destroyed(client)
    const error: unknown = await returned.catch((thrown: unknown) => thrown)
    expect(error).to.be.instanceOf(NoPagesError)
    expect(pages.bytes.length).to.equal(0)
  })
})

import { expect } from 'chai'
import { BufferList } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { hasPages, needsAddon, needsPages } from '../support/needs.js'
import { script } from '../native/door.js'
import { withBudget } from '../raw/pipes.js'
import { accounted } from '../transfer/account.js'
import { KINDS, taker } from '../transfer/places.js'
import { filledPages, scribble } from './producers.js'

/** Borders of a page, and of a pipe; several pipes, the last page of them not full. */
const LENGTHS = [1, 4095, 4096, 4097, 65_536, 1_048_577, 3 * 1_048_576 + 4097]

describe('A gift', () => {
  it('of nothing is an empty list', () => {
    const list = filledPages(1, 0).gift()
    expect(list.length).to.equal(0)
    expect(list.explain()).to.deep.equal([])
  })

  for (const length of LENGTHS) {
    it(`of ${length} bytes lies in pipes, owned, and nobody has copied it`, async function () {
      needsPages(this)
      const pages = filledPages(length, length)
      const { result: list, account } = await accounted(() => pages.gift())
      expect(list.explain()).to.deep.equal([
        { kind: 'pipe', length, pages: 'owned', refs: 1, looked: 0 },
      ])
      expect(account).to.deep.include({ moved: length, copied: {}, kernelCopied: {} })
      list.release()
    })
  }

  for (const kind of KINDS) {
    it(`keeps its bytes, whatever the producer does, on the way to a ${kind}`, async function () {
      if (kind === 'pipe') needsAddon(this)
      const place = await taker(kind)
      for (const length of LENGTHS) {
        const pages = filledPages(length, length)
        const { bytes: view } = pages
        using list = pages.gift()
        // A view that has nothing behind it any more: nobody writes.
        view[0] = ~(view[0] ?? 0)
        expect(view.length).to.equal(0)
        scribble()
        const sending = place.open().then((sink) => list.spliceTo(sink))
        const [taken, sent] = await Promise.all([
          kind.endsWith('file') ? sending.then(() => place.taken(length)) : place.taken(length),
          sending,
        ])
        expect(sent).to.equal(length)
        expectSameBytes(taken, bytes(length, length), `${length} bytes`)
      }
    })
  }

  it('is sent as often as asked, in parts, to several places, and looked at in between', async () => {
    const length = 1_500_000
    const content = bytes(4, length)
    using list = filledPages(4, length).gift()
    scribble()
    const places = await Promise.all((['tcp', 'unix', 'tmpfs file'] as const).map(taker))
    for (const [from, n] of [
      [0, length],
      [4095, 700_000],
      [1_048_575, 5],
    ] as const) {
      using part = list.substr(from, n)
      expectSameBytes(part.toBuffer(), content.subarray(from, from + n))
      for (const place of places) {
        const sink = await place.open()
        const [taken] = await Promise.all([
          'file' in (sink as object)
            ? part.spliceTo(sink).then(() => place.taken(n))
            : place.taken(n),
          'file' in (sink as object) ? undefined : part.spliceTo(sink),
        ])
        expectSameBytes(taken, content.subarray(from, from + n))
      }
    }
    expectSameBytes(list.toBuffer(), content)
  })

  it('is joined with headers, cut and checked like any list', () => {
    const content = bytes(5, 100_000)
    using payload = filledPages(5, 100_000).gift()
    using list = new BufferList('head', payload, 'tail')
    expectSameBytes(list.toBuffer(4, 100_000), content)
    expect(list.crc32c()).to.equal(new BufferList('head', content, 'tail').crc32c())
    // The pages are nobody else's, so a checksum of them is kept.
    const looked = payload.explain()[0]?.looked
    payload.crc32c()
    expect(payload.explain()[0]?.looked).to.equal(looked)
  })

  it('that the budget has no pipes for stays in memory, where the list keeps it', async function () {
    needsAddon(this)
    withBudget(0)
    const content = bytes(6, 300_000)
    const pages = filledPages(6, 300_000)
    const { bytes: view } = pages
    const { result: list, account } = await accounted(() => pages.gift())
    expect(account.fallbacks).to.deep.equal(
      hasPages ? { 'vmsplice:budget': 1 } : { 'vmsplice:copy-mode': 1 },
    )
    expect(account.copied).to.deep.equal({})
    expect(list.explain()).to.deep.equal([
      { kind: 'pages', length: 300_000, pages: 'owned', refs: 1, looked: 0 },
    ])
    expect(view.length).to.equal(0)
    scribble()
    expect(list.isAligned(4096)).to.equal(true)
    for (const kind of ['tcp', 'stream', 'disk file'] as const) {
      const place = await taker(kind)
      const sending = place.open().then((sink) => list.spliceTo(sink))
      if (kind === 'disk file') await sending
      const [taken] = await Promise.all([place.taken(300_000), sending])
      expectSameBytes(taken, content, kind)
    }
    list.release()
  })

  it('lies in pipes as far as they go, and in memory behind them', async function () {
    needsPages(this)
    withBudget(256)
    const content = bytes(7, 1_500_000)
    using list = filledPages(7, 1_500_000).gift()
    expect(list.explain().map(({ kind, length }) => ({ kind, length }))).to.deep.equal([
      { kind: 'pipe', length: 1_048_576 },
      { kind: 'pages', length: 451_424 },
    ])
    scribble()
    const place = await taker('unix')
    const [taken] = await Promise.all([place.taken(1_500_000), list.spliceTo(await place.open())])
    expectSameBytes(taken, content)
  })

  for (const [errno, code] of [
    [1, 'EPERM'],
    [22, 'EINVAL'],
    [38, 'ENOSYS'],
    [12, 'ENOMEM'],
  ] as const) {
    it(`that vmsplice refuses with ${code} stays in memory, counted`, async function () {
      needsPages(this)
      const pages = filledPages(8, 100_000)
      script({ call: 'vmsplice', errno })
      const { result: list, account } = await accounted(() => pages.gift())
      expect(account).to.deep.include({
        moved: 0,
        copied: {},
        fallbacks: { [`vmsplice:${code}`]: 1 },
      })
      expect(list.explain()[0]).to.include({ kind: 'pages', pages: 'owned' })
      expectSameBytes(list.toBuffer(), bytes(8, 100_000))
      list.release()
    })
  }

  it('that vmsplice refuses half-way loses nothing', async function () {
    needsPages(this)
    const pages = filledPages(9, 2_500_000)
    script({ call: 'vmsplice', skip: 1, errno: 1 })
    const { result: list, account } = await accounted(() => pages.gift())
    expect(account).to.deep.include({ copied: {}, fallbacks: { 'vmsplice:EPERM': 1 } })
    expect(list.explain().map(({ kind }) => kind)).to.deep.equal(['pipe', 'pages'])
    scribble()
    expectSameBytes(list.toBuffer(), bytes(9, 2_500_000))
    list.release()
  })

  it('that vmsplice takes in small pieces is whole', function () {
    needsPages(this)
    const pages = filledPages(10, 600_000)
    script({ call: 'vmsplice', maxBytes: 5000, times: 1000 })
    using list = pages.gift()
    scribble()
    expect(list.length).to.equal(600_000)
    expectSameBytes(list.toBuffer(), bytes(10, 600_000))
  })

  it('goes into the small pipes that the system gives, when it gives no others', async function () {
    needsPages(this)
    withBudget(4096)
    const pages = filledPages(11, 200_000)
    script({ call: 'fcntl', errno: 1, times: 100 })
    const { result: list } = await accounted(() => pages.gift())
    expect(list.explain().map(({ kind, length }) => ({ kind, length }))).to.deep.equal([
      { kind: 'pipe', length: 200_000 },
    ])
    expectSameBytes(list.toBuffer(), bytes(11, 200_000))
    list.release()
  })

  it('consumed while it is sent gives its own pages up', async () => {
    const place = await taker('tcp')
    using list = filledPages(12, 2_000_000).gift()
    const sink = await place.open()
    const [taken] = await Promise.all([
      place.taken(2_000_000),
      list.spliceTo(sink, { consume: true }),
    ])
    expect(list.length).to.equal(0)
    expectSameBytes(taken, bytes(12, 2_000_000))
  })
})

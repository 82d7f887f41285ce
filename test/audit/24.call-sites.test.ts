import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { attach, audit, BufferList, transfer, type CopyRow } from 'splicelist'
import { afterwards } from '../support/cleanup.js'
import { bytes } from '../support/bytes.js'
import { needsAddon } from '../support/needs.js'
import { pipeList } from '../raw/pipes.js'
import { tcpPair } from '../support/socket-pairs.js'
import { fileOf, giver, taker } from '../transfer/places.js'

const list = (): BufferList => new BufferList(bytes(1, 60), bytes(2, 40))

async function rowsOf(fn: () => unknown): Promise<readonly CopyRow[]> {
  const { report } = await audit(fn)
  return report.copies
}

/** The places of all copies, each once. */
async function sitesOf(fn: () => unknown): Promise<(string | undefined)[]> {
  return [...new Set((await rowsOf(fn)).map(({ site }) => site))]
}

/** A place in one of these functions. */
function inFunction(name: string): RegExp {
  return new RegExp(`^(?:Object\\.)?${name} \\(.*24\\.call-sites\\.test\\.[jt]s:\\d+:\\d+\\)$`)
}

describe("A copy's place", () => {
  it('is the function of the application that asked for it, not one of ours', async () => {
    function readsHeader(): void {
      list().cStr()
    }
    const sites = await sitesOf(readsHeader)
    expect(sites).to.have.length(1)
    expect(sites[0]).to.match(inFunction('readsHeader'))
  })

  it('is the nearest one, and each place has a row of its own', async () => {
    function first(): void {
      list().cStr()
    }
    function second(): void {
      list().cStr()
      first()
    }
    const rows = await rowsOf(() => {
      first()
      second()
    })
    expect(rows.map(({ bytes: n, count }) => [n, count])).to.deep.equal([
      [200, 4],
      [100, 2],
    ])
    expect(rows[0]?.site).to.match(inFunction('first'))
    expect(rows[1]?.site).to.match(inFunction('second'))
  })

  it('is known for every kind of copy', async () => {
    const kinds: Record<string, () => unknown> = {
      rebuild: () => list().rebuild(),
      toBuffer: () => list().toBuffer(),
      copyOut: () => list().copyOut(0, new Uint8Array(5)),
      appendCopy: () => list().appendCopy(bytes(1, 5)),
      string: () => list().append('text'),
      toString: () => list().toString(),
      equals: () => list().equals('text'),
    }
    for (const [name, act] of Object.entries(kinds)) {
      const named = { [name]: () => act() }[name] as () => unknown
      const sites = await sitesOf(named)
      expect(sites, name).to.have.length(1)
      expect(sites[0], name).to.match(/24\.call-sites\.test/)
    }
  })

  it('is known for looks at pages: cursor, iteration, checksum', async function () {
    needsAddon(this)
    using held = pipeList(bytes(1, 100_000))
    function looks(): void {
      held.cursor().readUInt32LE()
      for (const part of held) expect(part.length).to.be.greaterThan(0)
      held.crc32c()
    }
    for (const site of await sitesOf(looks)) expect(site).to.match(inFunction('looks'))
  })

  describe('made while an operation runs is where that was called:', () => {
    it('of a socket, in an async function', async () => {
      const { client, server } = await tcpPair()
      const end = attach(server)
      afterwards(() => end.detach())
      async function pullsHeader(): Promise<void> {
        using header = await end.pull(10)
        expect(header.length).to.equal(10)
      }
      const running = sitesOf(pullsHeader)
      await delay(5)
      client.write(bytes(1, 10))
      const sites = await running
      expect(sites).to.have.length(1)
      expect(sites[0]).to.match(inFunction('pullsHeader'))
    })

    it('when nobody awaits it there, and many run at once', async () => {
      const { handle } = await fileOf(bytes(2, 50_000))
      const lists = [new BufferList(), new BufferList()]
      function startsBoth(): Promise<number>[] {
        return lists.map((it) => it.spliceFrom({ file: handle, offset: 0 }, 500, { mode: 'copy' }))
      }
      function startsOne(): Promise<unknown> {
        return new BufferList().spliceFrom({ file: handle, offset: 0 }, 70, { mode: 'copy' })
      }
      const rows = await rowsOf(async () => {
        await Promise.all([...startsBoth(), startsOne().finally(() => undefined)])
      })
      const both = rows.find(({ bytes: n }) => n === 1000)
      const one = rows.find(({ bytes: n }) => n === 70)
      expect(both?.site).to.match(/24\.call-sites/)
      expect(one?.site).to.match(inFunction('startsOne'))
    })

    for (const to of ['disk file', 'tcp', 'stream'] as const) {
      it(`of a transfer from a stream to ${to}`, async () => {
        const source = await (await giver('stream')).give(bytes(3, 100_000))
        const target = await taker(to)
        const sink = await target.open()
        async function forwards(): Promise<void> {
          await transfer(source, sink, { length: 100_000 })
        }
        const sites = await sitesOf(forwards)
        expect(sites).to.have.length(1)
        expect(sites[0]).to.match(inFunction('forwards'))
      })
    }
  })

  it('is not that of the operation, where a callback of the program copies', async () => {
    const source = await (await giver('stream')).give(bytes(3, 1000))
    const sink = await (await taker('stream')).open()
    function onProgress(): void {
      list().cStr()
    }
    const rows = await rowsOf(() =>
      transfer(source, sink, { length: 1000, mode: 'copy', onProgress }),
    )
    const joined = rows.filter(({ cause }) => cause === 'cross-segment')
    expect(joined).to.have.length(1)
    expect(joined[0]?.site).to.match(inFunction('onProgress'))
  })

  it('is taken down for the first of many small copies, then for some, and for every large one', async () => {
    const small = list()
    const large = new BufferList(bytes(1, 1), bytes(2, 65_536))
    const rows = await rowsOf(() => {
      for (let i = 0; i < 1000; i++) small.toBuffer(0, 5)
      for (let i = 0; i < 3; i++) large.toBuffer(1)
    })
    const named = rows.filter(({ site }) => site !== undefined && site.length > 0)
    const others = rows.filter(({ site }) => site === undefined)
    expect(rows.reduce((sum, { bytes: n }) => sum + n, 0)).to.equal(5000 + 3 * 65_536)
    expect(others).to.have.length(1)
    expect(others[0]).to.not.have.property('site')
    const smallNamed = named.filter(({ bytes: n }) => n < 65_536)
    expect(smallNamed.reduce((sum, { count }) => sum + count, 0)).to.equal(64 + 15)
    const largeNamed = named.find(({ bytes: n }) => n >= 65_536)
    expect(largeNamed).to.include({ bytes: 3 * 65_536, count: 3 })
  })

  it('costs nothing while nobody wants it: no stack is taken', async () => {
    let taken = 0
    const own = Object.getOwnPropertyDescriptor(Error, 'captureStackTrace') as PropertyDescriptor
    Error.captureStackTrace = (...args) => {
      taken += 1
      ;(own.value as (...args: unknown[]) => void)(...args)
    }
    try {
      const copies = (): unknown => [list().cStr(), list().toBuffer(), list().append('text')]
      copies()
      expect(taken).to.equal(0)
      await audit(copies)
      expect(taken).to.be.greaterThan(0)
      const before = taken
      copies()
      expect(taken, 'the audit is over').to.equal(before)
    } finally {
      Object.defineProperty(Error, 'captureStackTrace', own)
    }
  })

  it('is nothing worse than missing where the program formats stacks itself', async () => {
    const formatted = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace')
    const { stackTraceLimit } = Error
    const restore = (): void => {
      if (formatted === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace')
      else Object.defineProperty(Error, 'prepareStackTrace', formatted)
    }
    try {
      Error.prepareStackTrace = (_error, sites) => sites
      expect(await sitesOf(() => list().cStr())).to.deep.equal([undefined])
      restore()
      Error.stackTraceLimit = 0
      expect((await sitesOf(() => list().cStr()))[0]).to.match(/24\.call-sites/)
      expect(Error.stackTraceLimit).to.equal(0)
    } finally {
      restore()
      Error.stackTraceLimit = stackTraceLimit
    }
  })
})

import { AsyncLocalStorage } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { attach, audit, BufferList, transfer, type CopyReport } from 'splicelist'
import { afterwards } from '../support/cleanup.js'
import { bytes } from '../support/bytes.js'
import { hasAddon, hasPages } from '../support/needs.js'
import { tcpPair, unixPair } from '../support/socket-pairs.js'
import { failure } from '../transfer/outcomes.js'
import { fileOf, freshPath, giver, KINDS, taker } from '../transfer/places.js'

/** Copies so many bytes by accident, now. */
function copyByAccident(length: number): void {
  new BufferList(bytes(1, 1), bytes(2, length - 1)).cStr()
}

/** A door that opens when somebody says so. */
function door(): { readonly opened: Promise<void>; open(): void } {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}

/** How a pull of a small message is copied here. */
const copiedBy = hasPages ? 'threshold' : hasAddon ? 'copy-mode' : 'no-addon'

function bytesBy({ copies }: CopyReport, cause: string): number {
  return copies.filter((row) => row.cause === cause).reduce((sum, row) => sum + row.bytes, 0)
}

describe('What an audited function starts', () => {
  const ways: Record<string, () => Promise<void>> = {
    'behind an await': async () => {
      await Promise.resolve()
      copyByAccident(100)
    },
    'behind a then': () => Promise.resolve().then(() => copyByAccident(100)),
    'in a timer': () =>
      new Promise((resolve) => {
        setTimeout(() => {
          copyByAccident(100)
          resolve()
        }, 1)
      }),
    'in an immediate, and a tick of that': () =>
      new Promise((resolve) => {
        setImmediate(() => {
          process.nextTick(() => {
            copyByAccident(100)
            resolve()
          })
        })
      }),
    'in one of many at once': async () => {
      await Promise.all([delay(1), delay(1).then(() => copyByAccident(60)), delay(2)])
      copyByAccident(40)
    },
    'in an event that it emits': () => {
      const emitter = new EventEmitter().on('it', () => copyByAccident(100))
      emitter.emit('it')
      return Promise.resolve()
    },
  }
  for (const [name, way] of Object.entries(ways)) {
    it(`is its own: ${name}`, async () => {
      expect((await audit(way)).report.accidental).to.equal(100)
    })
  }

  it('is nobody’s once the function has settled', async () => {
    const late = door()
    let lateCopy: Promise<void> | undefined
    const { report } = await audit(() => {
      lateCopy = late.opened.then(() => copyByAccident(100))
      copyByAccident(10)
    })
    const next = await audit(async () => {
      late.open()
      await lateCopy
      copyByAccident(20)
    })
    expect([report.accidental, next.report.accidental]).to.deep.equal([10, 20])
  })

  it('was not started by it when it began before', async () => {
    const start = door()
    const before = start.opened.then(() => copyByAccident(100))
    const { report } = await audit(async () => {
      start.open()
      await before
      copyByAccident(10)
    })
    expect(report.accidental).to.equal(10)
  })
})

describe('Audits beside each other', () => {
  it('each see their own, however they take turns', async () => {
    const run = (length: number) => async (): Promise<void> => {
      for (let i = 0; i < 5; i++) {
        copyByAccident(length)
        await delay(i % 2)
      }
    }
    const reports = await Promise.all([100, 200, 300].map((length) => audit(run(length))))
    expect(reports.map(({ report }) => report.accidental)).to.deep.equal([500, 1000, 1500])
  })

  it('do not see what runs beside them in no audit', async () => {
    const [{ report }] = await Promise.all([
      audit(async () => {
        await delay(2)
        copyByAccident(10)
      }),
      delay(1).then(() => copyByAccident(100)),
    ])
    expect(report.accidental).to.equal(10)
  })

  it('fail one by one', async () => {
    const [bad, good] = await Promise.all([
      failure(audit(() => delay(1).then(() => copyByAccident(10)), { accidentalBytes: 9 })),
      audit(() => delay(2).then(() => copyByAccident(10)), { accidentalBytes: 10 }),
    ])
    expect(bad).to.include({ code: 'ERR_SPLICELIST_COPY_BUDGET' })
    expect(good.report.accidental).to.equal(10)
  })
})

describe('An audit inside another', () => {
  it('counts for both; what is around it is not its own', async () => {
    let inner: CopyReport | undefined
    const outer = await audit(async () => {
      copyByAccident(10)
      inner = (await audit(() => delay(1).then(() => copyByAccident(100)))).report
      copyByAccident(20)
    })
    expect([inner?.accidental, outer.report.accidental]).to.deep.equal([100, 130])
  })

  it('does not see its neighbour', async () => {
    const reports: number[] = []
    const part = async (length: number): Promise<void> => {
      const { report } = await audit(() => delay(1).then(() => copyByAccident(length)))
      reports.push(report.accidental)
    }
    const outer = await audit(() => Promise.all([part(100), part(200)]))
    expect(reports).to.have.members([100, 200])
    expect(outer.report.accidental).to.equal(300)
  })

  it('leaves to the outer one what it started and did not wait for', async () => {
    const late = door()
    let lateCopy: Promise<void> | undefined
    const outer = await audit(async () => {
      await audit(() => {
        lateCopy = late.opened.then(() => copyByAccident(100))
      })
      late.open()
      await lateCopy
    })
    expect(outer.report.accidental).to.equal(100)
  })

  it('may fail, and the outer one goes on', async () => {
    const outer = await audit(async () => {
      await failure(audit(() => copyByAccident(10), { accidentalBytes: 0 }))
      copyByAccident(5)
    })
    expect(outer.report.accidental).to.equal(15)
  })
})

describe('An operation counts in the audit that started it', () => {
  it('when it waits for a socket, whoever else does', async () => {
    const pairs = [await tcpPair(), await unixPair(), await tcpPair()]
    const ends = pairs.map(({ server }) => attach(server))
    afterwards(() => Promise.all(ends.map((end) => end.detach())).then(() => undefined))
    const lengths = [1000, 2000, 3000]
    const audits = ends.map((end, i) =>
      audit(async () => {
        using list = await end.pull(lengths[i] as number)
        return list.length
      }),
    )
    // The events come from outside every audit, and in another order.
    await delay(5)
    for (const i of [2, 0, 1]) pairs[i]?.client.write(bytes(i, lengths[i] as number))
    const found = await Promise.all(audits)
    expect(found.map(({ report }) => bytesBy(report, copiedBy))).to.deep.equal(lengths)
    expect(found.map(({ report }) => report.accidental + report.intended)).to.deep.equal(lengths)
  })

  it('when it waits for its turn behind another one’s', async () => {
    const { client, server } = await tcpPair()
    const end = attach(server)
    afterwards(() => end.detach())
    const pull = (length: number): ReturnType<typeof audit> =>
      audit(async () => {
        using list = await end.pull(length)
        return list.length
      })
    const found = [pull(500), pull(700), pull(900)]
    await delay(5)
    client.write(bytes(1, 2100))
    const copied = (await Promise.all(found)).map(({ report }) => bytesBy(report, copiedBy))
    expect(copied).to.deep.equal([500, 700, 900])
  })

  it('when disk threads do the work, several at a time', async () => {
    const content = bytes(1, 300_000)
    const { handle } = await fileOf(content)
    const read = (length: number) => async (): Promise<void> => {
      using list = new BufferList()
      await list.spliceFrom({ file: handle, offset: 5 }, length, { mode: 'copy' })
    }
    const write = (length: number) => async (): Promise<void> => {
      using list = new BufferList(content.subarray(0, length))
      await list.spliceTo({ file: await freshPath() })
    }
    const [a, b, c, d] = await Promise.all(
      [read(100_000), read(200_000), write(50_000), write(60_000)].map((work) => audit(work)),
    )
    expect([a, b].map((it) => bytesBy(it?.report as CopyReport, 'copy-mode'))).to.deep.equal([
      100_000, 200_000,
    ])
    const staged = [c, d].map((it) => bytesBy(it?.report as CopyReport, 'staging'))
    expect(staged).to.deep.equal(hasAddon ? [50_000, 60_000] : [0, 0])
    const kernel = [c, d].map((it) => it?.report.kernelCopied)
    expect(kernel).to.deep.equal([50_000, 60_000])
  })

  it('when a stream calls back', async () => {
    const streams = [new PassThrough(), new PassThrough()]
    const audits = streams.map((stream, i) =>
      audit(async () => {
        using list = new BufferList()
        await list.spliceFrom(stream, 1000 * (i + 1))
      }),
    )
    await delay(2)
    streams[1]?.write(bytes(1, 2000))
    streams[0]?.write(bytes(1, 1000))
    const found = await Promise.all(audits)
    expect(found.map(({ report }) => bytesOfAll(report))).to.deep.equal([1000, 2000])
  })

  for (const from of KINDS) {
    it(`from ${from} to each other place, beside one that is not audited`, async function () {
      if (from === 'pipe' && !hasAddon) this.skip()
      for (const to of KINDS) {
        if (to === 'pipe' && !hasAddon) continue
        const length = 40_000
        const work = async (audited: boolean): Promise<CopyReport | undefined> => {
          const source = await (await giver(from)).give(bytes(3, length))
          const target = await taker(to)
          const sink = await target.open()
          const run = async (): Promise<void> => {
            await transfer(source, sink, { length })
          }
          if (!audited) return run().then(() => undefined)
          const { report } = await audit(run)
          return report
        }
        const [report] = await Promise.all([work(true), work(false)])
        const { moved, accidental, intended } = report as CopyReport
        // Once by reference, or once by a copy; what is copied may be staged as well.
        const staged = bytesBy(report as CopyReport, 'staging')
        expect(moved + accidental + intended - staged, `${from} to ${to}`).to.equal(length)
      }
    })
  }

  it("also what the program does in the operation's own callback", async () => {
    const { handle } = await fileOf(bytes(4, 1000))
    const { report } = await audit(() =>
      transfer({ file: handle, offset: 0 }, new PassThrough().resume(), {
        length: 1000,
        mode: 'copy',
        onProgress: () => copyByAccident(33),
      }),
    )
    expect(bytesBy(report, 'cross-segment')).to.equal(33)
  })
})

describe('What an audit costs others', () => {
  it('ends with the last one: no context is carried any more', async () => {
    const { prototype } = AsyncLocalStorage
    const disable = Object.getOwnPropertyDescriptor(prototype, 'disable')
    const storages: unknown[] = []
    prototype.disable = function (this: unknown) {
      storages.push(this)
      ;(disable?.value as () => void).call(this)
    }
    try {
      const [first, second] = [door(), door()]
      const audits = [audit(() => first.opened), audit(() => second.opened)]
      first.open()
      await audits[0]
      expect(storages, 'one still runs').to.have.length(0)
      second.open()
      await audits[1]
      expect(storages).to.have.length(1)
      await failure(audit(() => Promise.reject(new Error('fails'))))
      expect(storages).to.have.length(2)
      expect((storages[0] as AsyncLocalStorage<unknown>).getStore()).to.equal(undefined)
    } finally {
      Object.defineProperty(prototype, 'disable', disable as PropertyDescriptor)
    }
    expect((await audit(() => copyByAccident(5))).report.accidental).to.equal(5)
  })
})

function bytesOfAll({ accidental, intended }: CopyReport): number {
  return accidental + intended
}

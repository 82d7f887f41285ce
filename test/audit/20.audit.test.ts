import { expect } from 'chai'
import {
  audit,
  BufferList,
  CopyBudgetError,
  COPY_CAUSES,
  counters,
  InvalidArgumentError,
  KERNEL_CAUSES,
  SplicelistError,
  type CopyReport,
} from 'splicelist'
import { ledger } from '#lib/audit/ledger.js'
import { bytes } from '../support/bytes.js'
import { needsAddon, needsPages } from '../support/needs.js'
import { pipeList, pipeRaw } from '../raw/pipes.js'
import { failure } from '../transfer/outcomes.js'
import { giver, taker } from '../transfer/places.js'

const KIB = 1024
const NOTHING: CopyReport = {
  moved: 0,
  moves: 0,
  teed: 0,
  discarded: 0,
  inspected: 0,
  inspections: 0,
  accidental: 0,
  intended: 0,
  kernelCopied: 0,
  unknown: 0,
  retries: 0,
  shortTransfers: 0,
  degradedPipes: 0,
  copies: [],
  kernelCopies: [],
}

/** A report's copies by cause, wherever they were asked for. */
function byCause({ copies }: CopyReport): Record<string, { bytes: number; count: number }> {
  const sums: Record<string, { bytes: number; count: number; intended: boolean }> = {}
  for (const { cause, bytes: n, count, intended } of copies) {
    const sum = (sums[cause] ??= { bytes: 0, count: 0, intended })
    sum.bytes += n
    sum.count += count
  }
  return sums
}

describe('An audit', () => {
  const two = (): BufferList => new BufferList(bytes(1, 600), bytes(2, 400))

  it('of nothing reports nothing, whatever was counted before', async () => {
    two().cStr()
    const { result, report } = await audit(() => 5)
    expect(result).to.equal(5)
    expect(report).to.deep.equal(NOTHING)
  })

  it('gives the result of a function that answers now, and of one that answers later', async () => {
    expect((await audit(() => 'now')).result).to.equal('now')
    expect((await audit(() => Promise.resolve('later'))).result).to.equal('later')
    expect((await audit(() => undefined)).result).to.equal(undefined)
  })

  it('reports each cause, with bytes and how many copies, and the two sums apart', async () => {
    const { report } = await audit(() => {
      two().cStr()
      two().cStr(590, 20)
      two().toBuffer()
      new BufferList('größer').appendCopy(bytes(3, 10))
    })
    expect(byCause(report)).to.deep.equal({
      'cross-segment': { bytes: 1020, count: 4, intended: false },
      'to-buffer': { bytes: 1000, count: 2, intended: true },
      'append-copy': { bytes: 10, count: 1, intended: true },
      encode: { bytes: 8, count: 1, intended: true },
    })
    expect(report.accidental).to.equal(1020)
    expect(report.intended).to.equal(1018)
  })

  it('counts what the process counts, and the process counts on', async () => {
    const before = counters.snapshot()
    const { report } = await audit(() => two().cStr())
    const after = counters.snapshot()
    expect(after.accidental - before.accidental).to.equal(1000)
    expect(report.accidental).to.equal(1000)
    two().cStr()
    expect(report.accidental, 'a report is a moment').to.equal(1000)
    expect(counters.snapshot().accidental - after.accidental).to.equal(1000)
  })

  describe('of pages', () => {
    beforeEach(function () {
      needsAddon(this)
    })

    it('reports what was made readable, teed and dropped', async () => {
      const { report } = await audit(() => {
        using list = pipeList(bytes(4, 200 * KIB))
        list.cStr(70_000, 10)
      })
      expect(report).to.include({ inspected: 64 * KIB, inspections: 1, accidental: 64 * KIB })
      expect(report.teed).to.be.at.least(64 * KIB)
      const raw = pipeRaw(bytes(5, 100 * KIB))
      const { report: sent } = await audit(() => raw.parcel(4096, 1000).close())
      raw.release()
      expect(sent).to.deep.equal({ ...NOTHING, teed: 5096, discarded: 4096 })
    })

    it('reports what moved, what the kernel copied, and what nobody knows', async function () {
      needsPages(this)
      const from = await giver('tcp')
      const to = await taker('tmpfs file')
      const length = 100 * KIB
      const source = await from.give(bytes(6, length))
      const { report } = await audit(async () => {
        using list = new BufferList()
        await list.spliceFrom(source, length)
        await list.spliceTo(await to.open())
      })
      expect(report).to.include({
        moved: 2 * length,
        unknown: length,
        kernelCopied: length,
        accidental: 0,
        intended: 0,
      })
      expect(report.moves).to.be.at.least(2)
      expect(report.kernelCopies.map(({ cause, bytes: n }) => [cause, n])).to.deep.equal([
        ['page-cache-write', length],
      ])
    })
  })

  it('of retries, short transfers and degraded pipes counts them', async () => {
    const before = counters.snapshot()
    const { report } = await audit(() => {
      ledger.countRetry()
      ledger.countShortTransfer()
      ledger.countShortTransfer()
      ledger.countDegradedPipe(256, 2)
      ledger.countKernelCopied('socket-write', 10)
      ledger.countUnknown(5)
    })
    const after = counters.snapshot()
    expect(report).to.include({
      retries: 1,
      shortTransfers: 2,
      degradedPipes: 1,
      kernelCopied: 10,
      unknown: 5,
    })
    expect(after.retries - before.retries).to.equal(1)
    expect(after.shortTransfers - before.shortTransfers).to.equal(2)
    expect(after.degradedPipes - before.degradedPipes).to.equal(1)
  })

  describe('with limits', () => {
    it('passes at a limit, and fails one byte past it, with report and result', async () => {
      const { report } = await audit(() => two().cStr(), { accidentalBytes: 1000 })
      expect(report.accidental).to.equal(1000)
      const error = await failure(audit(() => two().cStr().length, { accidentalBytes: 999 }))
      expect(error).to.be.instanceOf(CopyBudgetError).and.instanceOf(SplicelistError)
      expect(error).to.include({ code: 'ERR_SPLICELIST_COPY_BUDGET', result: 1000 })
      expect((error as CopyBudgetError).report.accidental).to.equal(1000)
    })

    it('names causes, their meaning and their places in its message', async () => {
      const error = await failure(audit(() => two().cStr(), { accidentalBytes: 0 }))
      expect(error.message).to.match(/^1000 bytes were copied by accident, 0 were allowed:\n/)
      expect(error.message).to.include(`cross-segment (${COPY_CAUSES['cross-segment']})`)
      expect(error.message).to.match(/\n +at .*20\.audit\.test/)
    })

    it('lets intended copies pass', async () => {
      await audit(() => two().toBuffer(), { accidentalBytes: 0, inspectedBytes: 0 })
    })

    it('has one for bytes that were made readable', async function () {
      needsAddon(this)
      using list = pipeList(bytes(7, 200 * KIB))
      const look = (): Buffer => list.cStr(0, 10, { intended: true })
      await audit(look, { accidentalBytes: 0, inspectedBytes: 64 * KIB })
      const error = await failure(audit(look, { inspectedBytes: 64 * KIB - 1 }))
      expect(error).to.be.instanceOf(CopyBudgetError)
      expect(error.message).to.match(/65536 bytes were made readable, 65535 were allowed/)
      expect(error.message).to.include('cStr, intended')
    })

    it('waits for the function before it fails', async () => {
      let settled = false
      const error = await failure(
        audit(
          async () => {
            two().cStr()
            await new Promise((resolve) => setTimeout(resolve, 5))
            settled = true
          },
          { accidentalBytes: 0 },
        ),
      )
      expect(error).to.be.instanceOf(CopyBudgetError)
      expect(settled).to.equal(true)
    })

    it("rejects with the function's own error before any other", async () => {
      const own = new Error('own')
      const fails = (): never => {
        two().cStr()
        throw own
      }
      expect(await failure(audit(fails, { accidentalBytes: 0 }))).to.equal(own)
      const later = (): Promise<never> => Promise.reject(own)
      expect(await failure(audit(later))).to.equal(own)
    })

    for (const wrong of [-1, 1.5, NaN, '5', null] as unknown[]) {
      it(`refuses ${String(wrong)} before it runs anything`, async () => {
        let ran = false
        const run = (): void => {
          ran = true
        }
        for (const name of ['accidentalBytes', 'inspectedBytes']) {
          const error = await failure(audit(run, { [name]: wrong }))
          expect(error).to.be.instanceOf(InvalidArgumentError)
          expect(error.message).to.include(name)
        }
        expect(ran).to.equal(false)
      })
    }
    it('refuses what is no function', async () => {
      const error = await failure(audit('fn' as never))
      expect(error).to.be.instanceOf(InvalidArgumentError)
    })
  })

  it('has a sentence for every cause, and one for each refusal of pages', () => {
    const codes = Object.keys(COPY_CAUSES).filter((cause) => cause.startsWith('fallback:'))
    expect(codes).to.deep.equal([
      'fallback:EPERM',
      'fallback:EINVAL',
      'fallback:ENOSYS',
      'fallback:ENOTSUP',
    ])
    for (const meaning of Object.values({ ...COPY_CAUSES, ...KERNEL_CAUSES })) {
      expect(meaning).to.match(/^\S.* .*[^.]$/)
    }
  })
})

import * as chai from 'chai'
import { audit, BufferList, counters } from 'splicelist'
import { splicelistChai } from 'splicelist/chai'
import { bytes } from '../support/bytes.js'
import { needsAddon, needsPages } from '../support/needs.js'
import { pipeList } from '../raw/pipes.js'
import { extentList } from '../list/kinds.js'
import { failure } from '../transfer/outcomes.js'
import { fileOf, freshPath } from '../transfer/places.js'

chai.use(splicelistChai)
const { expect } = chai

const two = (): BufferList => new BufferList(bytes(1, 600), bytes(2, 400))

/** What an assertion says when it does not hold. */
async function messageOf(assertion: () => unknown): Promise<string> {
  const error = await failure(Promise.resolve().then(assertion))
  expect(error).to.be.instanceOf(chai.AssertionError)
  return error.message
}

describe('expect(fn).to.copyNothing()', () => {
  it('holds for what shares, and for what is intended; resolves with result and report', async () => {
    const { result, report } = await expect(() => two().substr(5, 500).toBuffer()).to.copyNothing()
    expect(result).to.have.length(500)
    expect(report.intended).to.equal(500)
    await expect(() => Promise.resolve(two().append('text'))).to.copyNothing()
  })

  it('fails for an accident, and names bytes, causes and places', async () => {
    async function readsHeader(): Promise<void> {
      await Promise.resolve()
      two().cStr()
    }
    const message = await messageOf(() => expect(readsHeader).to.copyNothing())
    expect(message).to.match(/to copy nothing, but 1000 bytes were copied by accident/)
    expect(message).to.match(/1000 bytes in 2 copies: cross-segment \(several segments/)
    expect(message).to.match(/at readsHeader .*50\.chai\.test/)
  })

  it('can be negated', async () => {
    await expect(() => two().cStr()).not.to.copyNothing()
    const message = await messageOf(() => expect(() => two()).not.to.copyNothing())
    expect(message).to.match(/expected the function not to copy nothing/)
  })

  it("rejects with the function's own error, and refuses what is no function", async () => {
    const own = new Error('own')
    const failing = (): never => {
      throw own
    }
    expect(await failure(expect(failing).to.copyNothing())).to.equal(own)
    expect(await failure(expect('fn').to.copyNothing())).to.be.instanceOf(TypeError)
  })
})

describe('expect(fn).to.copyAtMost(n)', () => {
  it('holds at n, and fails at one less', async () => {
    await expect(() => two().cStr()).to.copyAtMost(1000)
    const message = await messageOf(() => expect(() => two().cStr()).to.copyAtMost(999))
    expect(message).to.match(/to copy at most 999 bytes, but 1000 bytes were copied/)
    await expect(() => two().cStr()).not.to.copyAtMost(999)
  })

  it('refuses what is no number of bytes', () => {
    for (const wrong of [-1, NaN, undefined] as number[]) {
      expect(() => expect(two).to.copyAtMost(wrong)).to.throw(TypeError, /number of bytes/)
    }
  })
})

describe('expect(list).to.be.byReference', () => {
  it('holds for extents and zeros', async () => {
    using list = (await extentList(bytes(1, 500))).appendZero(50)
    expect(list).to.be.byReference
    expect(() => expect(list).not.to.be.byReference).to.throw(chai.AssertionError)
  })

  it('holds for pages in pipes, also after a look', function () {
    needsAddon(this)
    using list = pipeList(bytes(1, 100_000))
    list.cursor().readUInt8()
    expect(list).to.be.byReference
  })

  it('fails for bytes in the heap, and says which segments', async () => {
    using list = (await extentList(bytes(1, 500))).prepend('head')
    expect(list).not.to.be.byReference
    const message = await messageOf(() => expect(list).to.be.byReference)
    expect(message).to.match(/lie in the heap:\n +segment 0 of 2: 4 bytes/)
  })

  it('refuses what is no list', () => {
    expect(() => expect([]).to.be.byReference).to.throw(TypeError, /BufferList/)
  })
})

describe('expect(report).to.have.moved(n)', () => {
  it('holds for what moved by reference, and shows both numbers where it does not', async function () {
    needsPages(this)
    const { handle } = await fileOf(bytes(1, 100_000))
    const { report } = await audit(async () => {
      using list = new BufferList()
      await list.spliceFrom({ file: handle, offset: 0 }, 100_000, {
        hold: 'pages',
        mode: 'reference',
      })
      await list.spliceTo({ file: await freshPath() }, { mode: 'reference' })
    })
    expect(report).to.have.moved(200_000)
    expect(report).not.to.have.moved(100_000)
    const message = await messageOf(() => expect(report).to.have.moved(1))
    expect(message).to.match(/expected 1 bytes to have moved by reference, but 200000 have/)
  })

  it('says what was copied instead', async () => {
    const { report } = await audit(() => two().cStr())
    const message = await messageOf(() => expect(report).to.have.moved(1000))
    expect(message).to.match(/but 0 have; copied were\n +1000 bytes in 2 copies: cross-segment/)
  })

  it('takes a snapshot of the counters, and nothing else', () => {
    const snapshot = counters.snapshot()
    expect(snapshot).to.have.moved(snapshot.moved)
    expect(() => expect({}).to.have.moved(0)).to.throw(TypeError, /report/)
    expect(() => expect(undefined).to.have.moved(0)).to.throw(TypeError, /report/)
  })
})

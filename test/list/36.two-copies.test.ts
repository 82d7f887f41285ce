import { expect } from 'chai'
import type * as errors from '#lib/errors.js'
import type * as lists from '#lib/list/buffer-list.js'
import * as own from 'splicelist'
import { AbortError, BufferList, ReleasedError, SplicelistError, TransferError } from 'splicelist'

/** Modules with a query are other modules to Node: what two copies of the package are. */
const otherErrors = (await import(import.meta.resolve('#lib/errors.js') + '?copy')) as typeof errors
const otherList = (await import(
  import.meta.resolve('#lib/list/buffer-list.js') + '?copy'
)) as typeof lists

const failure = { side: 'sink', errno: -32, syscall: 'splice', bytesMoved: 5 } as const

describe('Two copies of the package in one process', () => {
  before(function () {
    // Bun takes a module with a query for the module itself: no second copy can be had so.
    if (process.versions['bun'] !== undefined) this.skip()
  })

  it('know the errors of each other', () => {
    expect(otherErrors.ReleasedError).not.to.equal(ReleasedError)
    expect(new otherErrors.ReleasedError()).to.be.instanceOf(ReleasedError)
    expect(new otherErrors.ReleasedError()).to.be.instanceOf(SplicelistError)
    expect(new otherErrors.TransferError(failure)).to.be.instanceOf(TransferError)
  })

  it('tell the errors of each other apart', () => {
    expect(new otherErrors.ReleasedError()).not.to.be.instanceOf(own.EndOfBufferError)
    expect(new otherErrors.ReleasedError()).not.to.be.instanceOf(TransferError)
    expect(new Error('none')).not.to.be.instanceOf(SplicelistError)
    for (const wrong of [null, undefined, 5, 'ReleasedError'] as unknown[]) {
      expect(wrong instanceof SplicelistError).to.equal(false)
    }
  })

  it("keep a transfer's errors apart from the library's own", () => {
    expect(new TransferError(failure)).not.to.be.instanceOf(SplicelistError)
    expect(new otherErrors.TransferError(failure)).not.to.be.instanceOf(SplicelistError)
    expect(new AbortError(0, undefined)).not.to.be.instanceOf(SplicelistError)
  })

  it('know the lists of each other', () => {
    const other = new otherList.BufferList('ab', 'cd')
    expect(BufferList.isBufferList(other)).to.equal(true)
    for (const none of [null, undefined, 5, {}, [], Buffer.from('a')]) {
      expect(BufferList.isBufferList(none)).to.equal(false)
    }
  })

  it('take the lists of each other as parts', () => {
    const other = new otherList.BufferList('ab', 'cd')
    const list = new BufferList('<', other, '>')
    expect(list.toString()).to.equal('<abcd>')
    expect(list.substr(1, 4).equals(other)).to.equal(true)
    list.claimAppend(other)
    expect(list.toString()).to.equal('<abcd>abcd')
    expect(other.length).to.equal(0)
  })
})

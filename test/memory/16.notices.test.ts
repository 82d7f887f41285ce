import { expect } from 'chai'
import { LEND_BYTES_MIN, Sends, type LendingCalls } from '#lib/endpoints/lending.js'
import { Loan, LoanParcel, type LoanEnd } from '#lib/raw/loan.js'
import type { Descriptor } from '#lib/native.js'
import { bytes } from '../support/bytes.js'
import { accounted } from '../transfer/account.js'

const ENOBUFS = -105
const SOCKET = {} as Descriptor

/** A socket whose kernel says what the test tells it to; loopback's would only ever say 'copied'. */
class Kernel implements LendingCalls {
  readonly notes: number[] = []
  lends: (number | 'all')[] = []
  isAllowing = 0
  asked = 0

  allowLending(): number {
    this.asked += 1
    return this.isAllowing
  }
  lend(_socket: Descriptor, parts: readonly Uint8Array[], skipBytes: number): number {
    const n = this.lends.shift() ?? 'all'
    return n === 'all' ? (parts[0]?.length ?? 0) - skipBytes : n
  }
  notices(): readonly number[] {
    return this.notes.splice(0)
  }
}

/** One loan that was sent, and how it ended. */
interface Lent {
  readonly loan: Loan
  readonly parcel: LoanParcel
  end: LoanEnd | undefined
}

function lent(length = 20_000): Lent {
  const memory = bytes(1, length)
  const loan = new Loan(memory, true, (end) => {
    lending.end = end
  })
  const lending: Lent = { loan, parcel: new LoanParcel(memory, loan), end: undefined }
  return lending
}

/** Sends all of a loan in one go, and lets go of it. */
function send(sends: Sends, length?: number): Lent {
  const lending = lent(length)
  const n = sends.attempt(lending.parcel, false)
  if (n === undefined || n <= 0) throw new Error(`It was not lent: ${n}`)
  lending.loan.close()
  return lending
}

describe('Notices of sends from lent memory', () => {
  it('bring each loan back by its number, one by one or as a range', async () => {
    const kernel = new Kernel()
    const sends = new Sends(kernel, SOCKET)
    const loans = Array.from({ length: 5 }, () => send(sends))
    const { account } = await accounted(() => {
      kernel.notes.push(1, 1, 0)
      sends.takeNotices()
      expect(loans.map(({ end }) => end)).to.deep.equal([
        undefined,
        'released',
        undefined,
        undefined,
        undefined,
      ])
      kernel.notes.push(0, 0, 0, 2, 4, 0)
      sends.takeNotices()
    })
    expect(loans.map(({ end }) => end)).to.deep.equal(Array(5).fill('released'))
    expect(sends.waiting).to.equal(0)
    expect(account).to.deep.include({ moved: 100_000, kernelCopied: {}, unknown: 0 })
  })

  it('of which one says that the kernel copied are the last: what follows is copied at once', async () => {
    const kernel = new Kernel()
    const sends = new Sends(kernel, SOCKET)
    const loans = [send(sends), send(sends)]
    const { account } = await accounted(() => {
      kernel.notes.push(0, 0, 1)
      sends.takeNotices()
      kernel.notes.push(1, 1, 0)
      sends.takeNotices()
    })
    expect(loans.map(({ end }) => end)).to.deep.equal(['copied', 'released'])
    expect(account).to.deep.include({ moved: 20_000, kernelCopied: { 'socket-write': 20_000 } })
    expect(sends.attempt(lent().parcel, false)).to.equal(undefined)
  })

  it('that never come leave the loan lost, and nothing else', async () => {
    const kernel = new Kernel()
    const sends = new Sends(kernel, SOCKET)
    const loans = [send(sends), send(sends), send(sends)]
    kernel.notes.push(1, 1, 0)
    sends.takeNotices()
    const { account } = await accounted(() => sends.lose())
    expect(loans.map(({ end }) => end)).to.deep.equal(['lost', 'released', 'lost'])
    expect(account).to.deep.include({ unknown: 40_000, moved: 0 })
  })

  it('of one loan in several sends bring it back with the last, lost if one of them is', () => {
    for (const isLost of [false, true]) {
      const kernel = new Kernel()
      const sends = new Sends(kernel, SOCKET)
      const lending = lent(60_000)
      kernel.lends = [15_000, 20_000, 'all']
      for (let i = 0; i < 3; i++) {
        const n = sends.attempt(lending.parcel, true)
        if (n === undefined) throw new Error('It was not lent')
        lending.parcel.accept(n)
      }
      expect(lending.parcel.remaining).to.equal(0)
      kernel.notes.push(0, 1, 0)
      sends.takeNotices()
      lending.loan.close()
      expect(lending.end).to.equal(undefined)
      if (isLost) sends.lose()
      else kernel.notes.push(2, 2, 0)
      sends.takeNotices()
      expect(lending.end).to.equal(isLost ? 'lost' : 'released')
    }
  })

  it('come before or after the lists let go: both must have', () => {
    const kernel = new Kernel()
    const sends = new Sends(kernel, SOCKET)
    const lending = lent()
    sends.attempt(lending.parcel, false)
    kernel.notes.push(0, 0, 0)
    sends.takeNotices()
    expect(lending.end).to.equal(undefined)
    lending.loan.close()
    expect(lending.end).to.equal('released')
  })

  it('count only sends that took bytes', () => {
    const kernel = new Kernel()
    const sends = new Sends(kernel, SOCKET)
    kernel.lends = [-11, -104, ENOBUFS, 'all']
    const { parcel } = lent()
    expect(sends.attempt(parcel, false)).to.equal(-11)
    expect(sends.attempt(parcel, false)).to.equal(-104)
    // Another time there may be room again.
    expect(sends.attempt(parcel, false)).to.equal(undefined)
    const first = send(sends)
    kernel.notes.push(0, 0, 0)
    sends.takeNotices()
    expect(first.end).to.equal('released')
  })

  it('go round at 2^32', () => {
    const kernel = new Kernel()
    const sends = new Sends(kernel, SOCKET, 2 ** 32 - 2)
    const loans = Array.from({ length: 4 }, () => send(sends))
    kernel.notes.push(2 ** 32 - 2, 0, 0)
    sends.takeNotices()
    expect(loans.map(({ end }) => end)).to.deep.equal([
      'released',
      'released',
      'released',
      undefined,
    ])
    kernel.notes.push(1, 1, 1)
    sends.takeNotices()
    expect(loans[3]?.end).to.equal('copied')
  })

  it('are not asked for where the memory is small, or the socket refuses, which is asked once', () => {
    const kernel = new Kernel()
    const sends = new Sends(kernel, SOCKET)
    expect(sends.attempt(lent(LEND_BYTES_MIN - 1).parcel, false)).to.equal(undefined)
    expect(kernel.asked).to.equal(0)
    expect(sends.attempt(lent(LEND_BYTES_MIN).parcel, false)).to.equal(LEND_BYTES_MIN)
    kernel.isAllowing = -95
    const refusing = new Sends(kernel, SOCKET)
    for (let i = 0; i < 3; i++) {
      expect(refusing.attempt(lent().parcel, false)).to.equal(undefined)
    }
    expect(kernel.asked).to.equal(2)
  })

  it('about sends that nobody made change nothing', () => {
    const kernel = new Kernel()
    const sends = new Sends(kernel, SOCKET)
    const lending = send(sends)
    kernel.notes.push(7, 9, 0)
    sends.takeNotices()
    expect(lending.end).to.equal(undefined)
    kernel.notes.push(0, 0, 0)
    sends.takeNotices()
    expect(lending.end).to.equal('released')
  })
})

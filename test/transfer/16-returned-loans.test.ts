/**
 * When a real kernel says that lent memory is free, it is: whoever reads afterwards gets the bytes
 * that were sent, whatever became of the memory since.
 *
 * Between two ends of one machine, over loopback or a veth pair, Linux copies such bytes when it
 * delivers them, and says so: 'copied'. Only a network card sends them from where they lie.
 */
import { expect } from 'chai'
import { attach } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { filledPages } from '../memory/producers.js'
import { needsPages } from '../support/needs.js'
import { tcpPair } from '../support/socket-pairs.js'
import { accounted } from './account.js'
import { Collector } from './collector.js'
import { within } from './outcomes.js'

/** From the least that is lent (LEND_BYTES_MIN) to what fits a receiver's first window. */
const LENGTHS = [10_240, 32_768]
/** More than that: the rest waits at the sender, in the memory that was lent. */
const BEYOND_WINDOW = 200_000

describe('A loan that is pushed to a TCP peer', () => {
  beforeEach(function () {
    needsPages(this)
  })

  for (const length of LENGTHS) {
    it(`of ${length} bytes comes back before the peer reads, who gets what was sent`, async () => {
      const { client, server } = await tcpPair()
      await using peer = attach(client)
      const pages = filledPages(1, length)
      const { list, returned } = pages.loan()
      const { account } = await accounted(async () => {
        expect(await peer.push(list, { consume: true })).to.equal(length)
        expect(await returned).to.equal('copied')
      })
      // Lent all the same: the copy is the kernel's.
      expect(account.copied).to.deep.equal({})
      expect(account.kernelCopied).to.deep.equal({ 'socket-write': length })
      pages.bytes.fill(0xee)
      expectSameBytes(await new Collector(server).take(length), bytes(1, length))
    })
  }

  it('stays lent while some of it waits for the peer to read', async () => {
    const { client, server } = await tcpPair()
    await using peer = attach(client)
    const pages = filledPages(2, BEYOND_WINDOW)
    const { list, returned } = pages.loan()
    expect(await peer.push(list, { consume: true })).to.equal(BEYOND_WINDOW)
    expect(await within(50, returned)).to.equal('pending')
    const collector = new Collector(server)
    // As soon as it may be: most of it has not been read then.
    const rewritten = returned.then((how) => {
      pages.bytes.fill(0xee)
      return how
    })
    expectSameBytes(await collector.take(BEYOND_WINDOW), bytes(2, BEYOND_WINDOW))
    expect(await rewritten).to.equal('copied')
  })
})

/**
 * What is counted besides bytes: that an operation had to wait, and that a sink took only some.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { attach, audit, BufferList, counters } from 'splicelist'
import { afterwards } from '../support/cleanup.js'
import { bytes } from '../support/bytes.js'
import { needsAddon } from '../support/needs.js'
import { tcpPair, unixPair } from '../support/socket-pairs.js'
import { Collector } from '../transfer/collector.js'

/** More than a unix socket's buffer holds, in one piece. */
const MUCH_BYTES = 16 << 20

describe('An operation that goes through at once', () => {
  it('counts neither a retry nor a short transfer', async function () {
    needsAddon(this)
    const { client } = await tcpPair()
    using list = new BufferList(bytes(1, 1000))
    const { report } = await audit(() => list.spliceTo(client))
    expect(report).to.include({ retries: 0, shortTransfers: 0 })
  })
})

describe('An operation that has to wait', () => {
  beforeEach(function () {
    needsAddon(this)
  })

  it('counts a retry for a source that has nothing yet', async () => {
    const { client, server } = await tcpPair()
    const end = attach(server)
    afterwards(() => end.detach())
    const before = counters.snapshot()
    const { report } = await audit(async () => {
      const pulled = end.pull(1000)
      await delay(1)
      client.write(bytes(1, 1000))
      using list = await pulled
      expect(list.length).to.equal(1000)
    })
    expect(report.retries).to.be.at.least(1)
    expect(report.shortTransfers).to.equal(0)
    expect(counters.snapshot().retries - before.retries).to.equal(report.retries)
  })

  it('counts a short transfer and a retry for a sink that is full', async () => {
    const { client, server } = await unixPair()
    using list = new BufferList(Buffer.alloc(MUCH_BYTES, 'much'))
    const before = counters.snapshot()
    const { report } = await audit(async () => {
      const sent = list.spliceTo(client)
      await delay(1)
      await new Collector(server).take(MUCH_BYTES)
      expect(await sent).to.equal(MUCH_BYTES)
    })
    expect(report.shortTransfers).to.be.at.least(1)
    expect(report.retries).to.be.at.least(1)
    const after = counters.snapshot()
    expect(after.shortTransfers - before.shortTransfers).to.equal(report.shortTransfers)
    expect(after.retries - before.retries).to.equal(report.retries)
  })
})

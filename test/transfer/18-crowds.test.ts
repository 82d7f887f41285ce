/** Threads of their own for streams that are busy, as long as these are few. */
import { expect } from 'chai'
import { transfer } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsPages } from '../support/needs.js'
import { unixPair } from '../support/socket-pairs.js'
import { callsOf } from '../support/watch.js'
import { Collector } from './collector.js'

const LENGTH = 12 << 20

/** Sends so many bytes from a socket to another, and sees that they arrive. */
async function stream(seed: number): Promise<void> {
  const content = bytes(seed, LENGTH)
  const from = await unixPair()
  const to = await unixPair()
  const arriving = new Collector(to.server).take(LENGTH)
  from.client.write(content)
  await transfer(from.server, to.client, { length: LENGTH })
  expectSameBytes(await arriving, content)
}

describe('A busy stream', () => {
  beforeEach(function () {
    needsPages(this)
  })

  it('is carried by a thread of its own', async () => {
    const times = callsOf('carry')
    await stream(1)
    expect(times()).to.be.greaterThan(0)
  })

  it('is not, where a crowd of others is as busy', async () => {
    const times = callsOf('carry')
    await Promise.all(Array.from({ length: 12 }, (_, i) => stream(i)))
    // Who is the last may be alone. Without a look at the others nearly all were.
    expect(times()).to.be.at.most(3)
  })
})

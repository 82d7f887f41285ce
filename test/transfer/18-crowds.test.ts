/** Threads of their own for streams that are busy, as long as these are few. */
import { expect } from 'chai'
import { transfer } from 'splicelist'
import { addon } from '#lib/native.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsPages } from '../support/needs.js'
import { unixPair } from '../support/socket-pairs.js'
import { Collector } from './collector.js'

const LENGTH = 12 << 20

/** How often a stream was handed to a thread, from now on. */
function carries(): () => number {
  const door = addon as { carry: (...given: unknown[]) => number }
  const { carry } = door
  let times = 0
  door.carry = (...given) => {
    times += 1
    return carry(...given)
  }
  afterwards(() => void (door.carry = carry))
  return () => times
}

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
    const times = carries()
    await stream(1)
    expect(times()).to.be.greaterThan(0)
  })

  it('is not, where a crowd of others is as busy', async () => {
    const times = carries()
    await Promise.all(Array.from({ length: 12 }, (_, i) => stream(i)))
    // Who is the last may be alone. Without a look at the others nearly all were.
    expect(times()).to.be.at.most(3)
  })
})

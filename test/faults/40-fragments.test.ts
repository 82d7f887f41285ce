/**
 * TCP in its smallest pieces: every byte a packet, and so a page, of its own.
 */
import { setImmediate as nextRound } from 'node:timers/promises'
import { expect } from 'chai'
import { attach, BufferList, counters, transfer } from 'splicelist'
import { pipePool } from '#lib/raw/pipe-pool.js'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsPages } from '../support/needs.js'
import { tcpPair, type SocketPair } from '../support/socket-pairs.js'
import { accounted } from '../transfer/account.js'
import { Collector } from '../transfer/collector.js'
import { fileOf } from '../transfer/places.js'

const FRAGMENTS = [1, 2, 15, 16, 17, 255, 256, 257, 3000]
/** Enough to be worth pages, and too little to be waited for with a low-water mark. */
const WANTED_BYTES = 60_000
/** Slots that may be reserved for it: a pipe to look with, one to pull into, and one for small things. */
const SLOTS_MAX = 3 * 256

/** Writes bytes one at a time, each a packet; with a pause now and then, it drips. */
async function drip({ client }: SocketPair, content: Buffer, perTurn: number): Promise<void> {
  client.setNoDelay(true)
  for (let i = 0; i < content.length; i++) {
    client.write(content.subarray(i, i + 1))
    if (i % perTurn === perTurn - 1) await nextRound()
  }
}

describe('A peer that sends one byte at a time', () => {
  beforeEach(function () {
    needsPages(this)
  })

  for (const count of FRAGMENTS) {
    for (const perTurn of [1, 100]) {
      it(`is pulled whole: ${count} fragments, ${perTurn} a turn`, async () => {
        const content = bytes(count, count)
        const pair = await tcpPair()
        using list = new BufferList()
        const before = pipePool.slotsReserved
        const dripping = drip(pair, content, perTurn).then(() => pair.client.end())
        const { account } = await accounted(() => list.spliceFrom(pair.server, WANTED_BYTES))
        await dripping
        expectSameBytes(list.toBuffer(), content)
        // Pages that hold a byte each are read when a pipe is full of them: one pipe is pinned.
        expect(pipePool.slotsReserved - before).to.be.at.most(SLOTS_MAX)
        const sparse = account.copied['sparse-pages'] ?? 0
        if (count >= 3000 && perTurn === 1) {
          expect(sparse).to.be.greaterThan(0)
          const pinned = list.explain().filter(({ kind }) => kind === 'pipe')
          expect(pinned.length).to.be.at.most(2)
        }
        expect(account.moved).to.be.at.least(sparse)
      })
    }
  }

  it('is transferred whole, to a socket, to a file and by way of a list that is sent on', async () => {
    const content = bytes(7, 3000)
    const { path, handle } = await fileOf(Buffer.alloc(0))
    for (const to of ['socket', 'file', 'list'] as const) {
      const pair = await tcpPair()
      const dripping = drip(pair, content, 3)
      const { length } = content
      if (to === 'file') {
        await transfer(pair.server, { file: handle, offset: 0 }, { length })
        using stored = await BufferList.fromFile(path)
        await stored.load()
        expectSameBytes(stored.toBuffer(), content)
      } else {
        const { client, server } = await tcpPair()
        const arriving = new Collector(server).take(length)
        if (to === 'socket') await transfer(pair.server, client, { length })
        else {
          using list = new BufferList()
          await list.spliceFrom(pair.server, length, { hold: 'pages' })
          await list.spliceTo(client, { consume: true })
        }
        expectSameBytes(await arriving, content)
      }
      await dripping
    }
  })

  it('may stop and go on at every byte of a conversation', async () => {
    const content = bytes(8, 300)
    const pair = await tcpPair()
    await using peer = attach(pair.server)
    const dripping = drip(pair, content, 1)
    const parts: Buffer[] = []
    for (let at = 0; at < content.length; at += 30) {
      using seen = await peer.peek(7)
      using part = await peer.pull(30, { hold: 'pages' })
      expectSameBytes(seen.toBuffer(), content.subarray(at, at + 7))
      parts.push(part.toBuffer())
    }
    await dripping
    expectSameBytes(Buffer.concat(parts), content)
    expect(counters.snapshot().live['pipes']).to.be.a('number')
  })
})

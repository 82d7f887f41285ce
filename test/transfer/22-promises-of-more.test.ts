/**
 * A socket is told that more follows (`SPLICE_F_MORE`, `MSG_MORE`) only where it does: what it holds back
 * for the rest of a packet its peer gets 200 ms late, if nothing follows.
 */
import type { Socket } from 'node:net'
import { expect } from 'chai'
import { BufferList, fanOut, transfer, type Mode, type Source } from 'splicelist'
import { pagesOf as producedPages } from '../memory/producers.js'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsPages } from '../support/needs.js'
import { sendsTo, type Send } from '../support/sends.js'
import { tcpPair } from '../support/socket-pairs.js'
import { Collector } from './collector.js'
import { fileOf } from './places.js'

/** Pages of a file in several pipes, each of which is sent by a call of its own, or by several. */
async function pagesOf(content: Buffer): Promise<BufferList> {
  const { handle } = await fileOf(content)
  const list = new BufferList()
  for (let at = 0; at < content.length; at += 150_000) {
    const length = Math.min(150_000, content.length - at)
    await list.spliceFrom({ file: handle, offset: at }, length, { hold: 'pages' })
  }
  return list
}

/** Memory in more parts than one call takes. */
function partsOf(content: Buffer): BufferList {
  const list = new BufferList()
  for (let at = 0; at < content.length; at += 2000) list.append(content.subarray(at, at + 2000))
  return list
}

/** Memory that a socket sends from where it lies. */
function lentOf(content: Buffer): BufferList {
  const list = new BufferList()
  for (let at = 0; at < content.length; at += 150_000) {
    list.claimAppend(producedPages(content.subarray(at, at + 150_000)).loan().list)
  }
  return list
}

/** A socket whose peer has sent this, and its end. */
async function endedSocket(content: Buffer): Promise<Socket> {
  const { client, server } = await tcpPair()
  client.end(content)
  return server
}

/** What a socket is sent, call by call, and what of all these bytes was still to come after each. */
async function sendsOf(
  content: Buffer,
  send: (socket: Socket) => Promise<unknown>,
): Promise<{ readonly sends: readonly Send[]; readonly isFollowed: readonly boolean[] }> {
  const { client, server } = await tcpPair()
  const arriving = new Collector(server).take(content.length)
  const sends = sendsTo(client)
  await send(client)
  expectSameBytes(await arriving, content)
  let done = 0
  const isFollowed = sends.map(({ askedBytes, takenBytes }) => {
    const isMore = done + askedBytes < content.length
    done += takenBytes
    return isMore
  })
  expect(done, 'what was seen to be sent').to.equal(content.length)
  return { sends, isFollowed }
}

/** Nothing is promised that may not come. */
function expectHonest(sends: readonly Send[], isFollowed: readonly boolean[]): void {
  const wrong = sends.filter(({ more }, i) => more && isFollowed[i] === false)
  expect(wrong).to.deep.equal([])
}

const promises = (sends: readonly Send[]): boolean[] => sends.map(({ more }) => more)

describe('A socket is told that more follows', () => {
  const content = bytes(1, 500_001)
  beforeEach(function () {
    needsPages(this)
  })

  const lists: Readonly<Record<string, () => Promise<BufferList> | BufferList>> = {
    'pages in pipes': () => pagesOf(content),
    memory: () => partsOf(content),
    'memory that is lent': () => lentOf(content),
    'memory before pages': async () =>
      partsOf(content.subarray(0, 250_000)).claimAppend(await pagesOf(content.subarray(250_000))),
    'pages before memory': async () =>
      (await pagesOf(content.subarray(0, 250_000))).claimAppend(partsOf(content.subarray(250_000))),
  }
  for (const [what, make] of Object.entries(lists)) {
    for (const consume of [false, true]) {
      it(`by each call for a list of ${what} but the last (consume: ${consume})`, async () => {
        using list = await make()
        const { sends, isFollowed } = await sendsOf(content, (to) => list.spliceTo(to, { consume }))
        expect(promises(sends)).to.deep.equal(isFollowed)
        expect(sends.at(0)).to.have.property('more', true)
        expect(sends.at(-1)).to.have.property('more', false)
      })
    }

    it(`by the last call, too, where the caller says so, of a list of ${what}`, async () => {
      using list = await make()
      const { sends } = await sendsOf(content, async (to) => {
        await list.spliceTo(to, { more: true })
        to.write('')
      })
      expect(promises(sends)).to.deep.equal(sends.map(() => true))
    })
  }

  // What one call of the kernel moves from place to place is promised nothing at all.
  const transfers: readonly (readonly [string, Mode, () => Promise<Source> | Source])[] = [
    ['a list of pages', 'auto', () => pagesOf(content)],
    ['a list of pages', 'copy', () => pagesOf(content)],
    ['a list of memory', 'auto', () => partsOf(content)],
    ['a file', 'copy', async () => (await fileOf(content)).handle],
    [
      'a file by parcels',
      'auto',
      async () => ({ file: (await fileOf(content)).path, cache: 'drop' }),
    ],
    ['a socket', 'copy', () => endedSocket(content)],
  ]
  for (const [what, mode, make] of transfers) {
    it(`by no call of a transfer from ${what} that may be its last (mode ${mode})`, async () => {
      const source = await make()
      const { sends, isFollowed } = await sendsOf(content, (to) => transfer(source, to, { mode }))
      expectHonest(sends, isFollowed)
      expect(sends.at(-1)).to.have.property('more', false)
    })
  }

  it('by no call of a fan-out of memory that may be its last', async () => {
    // In more parts than one call takes, and in one.
    for (const source of [partsOf(content), new BufferList(content)]) {
      const { sends, isFollowed } = await sendsOf(content, (to) => fanOut(source, [to]))
      expectHonest(sends, isFollowed)
    }
  })
})

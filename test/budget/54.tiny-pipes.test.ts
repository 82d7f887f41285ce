/** Pipes of two slots, which is what the kernel gives a user past the soft limit, and none that grows. */
import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { BufferList, counters, transfer } from 'splicelist'
import { opened as door } from '#lib/reactor.js'
import { pipePool } from '#lib/raw/pipe-pool.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsAddon, needsPages } from '../support/needs.js'
import { tcpPair, unixPair } from '../support/socket-pairs.js'
import { script } from '../native/door.js'
import { Collector } from '../transfer/collector.js'
import { fileOf, freshPath } from '../transfer/places.js'
import '../raw/pipes.js'

const EPERM = 1
const CONTENT = bytes(1, 1_500_000)

/** Makes every new pipe one of `slots` for the rest of the test. */
function onlyPipesOf(slots: number): void {
  pipePool.drain()
  script(
    { call: 'pipe2', maxBytes: slots * 4096, times: 1e6 },
    { call: 'fcntl', errno: EPERM, times: 1e6 },
  )
  afterwards(() => pipePool.drain())
}

/** Everything that is done with pipes; each returns what arrived. */
const MOVES: Readonly<Record<string, () => Promise<Uint8Array>>> = {
  'pages of a file, held and read': async () => {
    const { path } = await fileOf(CONTENT)
    using list = new BufferList()
    await list.spliceFrom({ file: path }, CONTENT.length, { hold: 'pages' })
    return list.toBuffer()
  },
  'pages of a file, held and sent twice': async () => {
    const { path } = await fileOf(CONTENT)
    using list = new BufferList()
    await list.spliceFrom({ file: path }, CONTENT.length, { hold: 'pages' })
    const target = await freshPath()
    await list.spliceTo({ file: target })
    expectSameBytes(await readFile(target), CONTENT)
    await list.spliceTo({ file: target }, { consume: true })
    return await readFile(target)
  },
  'an extent to a socket': async () => {
    const { path } = await fileOf(CONTENT)
    const { client, server } = await tcpPair()
    const arrived = new Collector(server).take(CONTENT.length)
    using list = await BufferList.fromFile(path)
    await list.spliceTo(client)
    return await arrived
  },
  'a socket to a list': async () => {
    const { client, server } = await tcpPair()
    client.write(CONTENT)
    using list = new BufferList()
    await list.spliceFrom(server, CONTENT.length)
    return list.toBuffer()
  },
  'a socket to a socket': async () => {
    const from = await unixPair()
    const to = await tcpPair()
    from.client.end(CONTENT)
    const arrived = new Collector(to.server).take(CONTENT.length)
    await transfer(from.server, to.client)
    return await arrived
  },
  'a socket to a file': async () => {
    const { client, server } = await unixPair()
    client.end(CONTENT)
    const target = await freshPath()
    await transfer(server, { file: target })
    return readFile(target)
  },
}

describe('Pipes that are tiny, and may not grow', function () {
  this.timeout(60_000)
  beforeEach(function () {
    needsAddon(this)
    needsPages(this)
    pipePool.setBudget()
  })

  for (const slots of [1, 2]) {
    for (const [what, move] of Object.entries(MOVES)) {
      it(`of ${slots} slots move ${what}, and are counted`, async () => {
        onlyPipesOf(slots)
        const before = counters.snapshot().degradedPipes
        expectSameBytes(await move(), CONTENT)
        door().script(null)
        expect(pipePool.budget.inUse).to.include({ pipeBytes: 0, pinnedBytes: 0 })
        // A way that needs no pipe is as good.
        if (!what.startsWith('an extent')) {
          expect(counters.snapshot().degradedPipes).to.be.above(before)
        }
      })
    }
  }
})

/**
 * Loans: what is held by reference shows what the source holds now; what is stable does not.
 */
import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { BufferList, transfer } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsPages } from '../support/needs.js'
import { tcpPair } from '../support/socket-pairs.js'
import { pagesOf } from '../memory/producers.js'
import { accounted } from './account.js'
import { Collector } from './collector.js'
import { fileOf, freshPath } from './places.js'

const LENGTH = 300_000

for (const on of ['disk', 'tmpfs'] as const) {
  describe(`A file on ${on} that is overwritten after it was taken`, () => {
    const before = bytes(1, LENGTH)
    const after = bytes(2, LENGTH)

    it("shows the new bytes in pages that were held: a loan, as 'explain' says", async function () {
      needsPages(this)
      const { handle } = await fileOf(before, on)
      using list = new BufferList()
      await list.spliceFrom(handle, LENGTH, { offset: 0, hold: 'pages' })
      expectSameBytes(list.toBuffer(), before)
      await handle.write(after, 0, LENGTH, 0)
      expectSameBytes(list.toBuffer(), after)
      expect(list.explain().map(({ pages }) => pages)).to.deep.equal(['loan'])
    })

    it('shows the new bytes in an extent, which is read when asked', async () => {
      const { handle } = await fileOf(before, on)
      using list = new BufferList()
      await list.spliceFrom(handle, LENGTH, { offset: 0 })
      await handle.write(after, 0, LENGTH, 0)
      const path = await freshPath()
      await list.spliceTo({ file: path })
      expectSameBytes(await readFile(path), after)
    })

    for (const mode of ['stable', 'copy'] as const) {
      for (const hold of ['pages', 'extent'] as const) {
        it(`keeps the old bytes in mode ${mode}, hold ${hold}`, async () => {
          const { handle } = await fileOf(before, on)
          using list = new BufferList()
          await list.spliceFrom(handle, LENGTH, { offset: 0, hold, mode })
          await handle.write(after, 0, LENGTH, 0)
          expectSameBytes(list.toBuffer(), before)
        })
      }

      for (const hold of ['pages', 'extent'] as const) {
        it(`does not change what was sent in mode ${mode} from ${hold}, still unread`, async () => {
          const { handle } = await fileOf(before, on)
          const { client, server } = await tcpPair()
          using list = new BufferList()
          await list.spliceFrom(handle, LENGTH, { offset: 0, hold })
          await list.spliceTo(client, { mode })
          await handle.write(after, 0, LENGTH, 0)
          expectSameBytes(await new Collector(server).take(LENGTH), before)
        })
      }

      it(`does not change what was transferred in mode ${mode}, still unread`, async () => {
        const { handle } = await fileOf(before, on)
        const { client, server } = await tcpPair()
        await transfer({ file: handle, offset: 0 }, client, { mode })
        await handle.write(after, 0, LENGTH, 0)
        expectSameBytes(await new Collector(server).take(LENGTH), before)
      })
    }

    it("is all that mode 'stable' copies of a list, not pages that are ours alone", async function () {
      needsPages(this)
      // Few enough for a socket that nobody reads.
      const part = LENGTH / 4
      const { handle } = await fileOf(before, on)
      const ours = bytes(3, part)
      using list = pagesOf(ours).gift()
      await list.spliceFrom(handle, part, { offset: 0, hold: 'pages' })
      await list.spliceFrom(handle, part, { offset: part })
      using last = pagesOf(ours).gift()
      list.append(last)
      for (const consume of [false, true]) {
        const { client, server } = await tcpPair()
        const { account } = await accounted(() =>
          list.spliceTo(client, { mode: 'stable', consume }),
        )
        expect(account.moved).to.equal(2 * part)
        expect(account.copied).to.deep.equal({ 'stable-mode': 2 * part })
        await handle.write(after, 0, LENGTH, 0)
        const arrived = await new Collector(server).take(4 * part)
        expectSameBytes(arrived, Buffer.concat([ours, before.subarray(0, 2 * part), ours]))
        await handle.write(before, 0, LENGTH, 0)
      }
    })

    it('shows the new bytes at the far end of a socket that was sent loaned pages', async function () {
      needsPages(this)
      const { handle } = await fileOf(before, on)
      const { client, server } = await tcpPair()
      await transfer({ file: handle, offset: 0 }, client)
      await handle.write(after, 0, LENGTH, 0)
      // Node may have read a chunk of 64 KiB ahead; what is still with the kernel is a loan.
      const arrived = await new Collector(server).take(LENGTH)
      expectSameBytes(arrived.subarray(LENGTH / 2), after.subarray(LENGTH / 2))
    })

    it('does not change a file that was written by reference', async () => {
      const { handle } = await fileOf(before, on)
      const path = await freshPath(on)
      await transfer({ file: handle, offset: 0 }, { file: path })
      await handle.write(after, 0, LENGTH, 0)
      expectSameBytes(await readFile(path), before)
    })
  })
}

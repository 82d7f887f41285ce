/**
 * Every source, into a list, in every mode, at every size that is special to a page, a pipe or a turn.
 */
import { expect } from 'chai'
import { BufferList, type Mode } from 'splicelist'
import { addon } from '#lib/native.js'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { hasAddon, hasPages, needsAddon, needsPages } from '../support/needs.js'
import { accounted, copiedBytes, type Account } from './account.js'
import { giver, isFile, KINDS, type Kind } from './places.js'

const MODES = ['auto', 'reference', 'stable', 'copy'] as const satisfies readonly Mode[]
const SIZES = [
  0, 1, 4095, 4096, 4097, 65535, 65536, 65537, 1048575, 1048576, 1048577, 5242880,
] as const
/** Below this a pull from a socket or a pipe is cheaper read than held. */
const THRESHOLD_BYTES = 16384

/** Why bytes are expected to be copied; undefined where they are held by reference. */
function expectedCause(kind: Kind, mode: Mode, length: number): string | undefined {
  if (mode === 'copy') return 'copy-mode'
  if (!hasAddon) return 'no-addon'
  if (!hasPages) return 'copy-mode'
  if (kind === 'stream') return 'stream'
  if (mode === 'stable') return 'stable-mode'
  if (mode === 'auto' && length < THRESHOLD_BYTES) return 'threshold'
  return undefined
}

function expectTruth(account: Account, kind: Kind, mode: Mode, length: number): void {
  if (isFile(kind) && mode === 'auto') {
    // The extent itself: no byte moved at all.
    expect(account.moved, 'moved').to.equal(0)
    expect(account.copied, 'copied').to.deep.equal({})
    return
  }
  const cause = expectedCause(kind, mode, length)
  expect(account.moved, 'moved').to.equal(cause === undefined ? length : 0)
  if (kind === 'stream' && cause !== 'copy-mode') {
    expect(copiedBytes(account), 'copied').to.equal(length)
  } else {
    const copied = cause === undefined || length === 0 ? {} : { [cause]: length }
    expect(account.copied, 'copied').to.deep.equal(copied)
  }
  // Whether the kernel copied linear packets on their way into a pipe cannot be known.
  const isHidden = (kind === 'tcp' || kind === 'unix') && cause === undefined
  expect(account.unknown, 'unknown').to.equal(isHidden ? length : 0)
}

describe('A list takes from a source', () => {
  for (const kind of KINDS) {
    for (const mode of MODES) {
      it(`${kind}, mode ${mode}: the same bytes at every size, and the ledger says how`, async function () {
        if (mode === 'reference') needsPages(this)
        if (mode === 'reference' && kind === 'stream') this.skip()
        if (kind === 'pipe') needsAddon(this)
        const from = await giver(kind)
        for (const [seed, length] of SIZES.entries()) {
          const sent = bytes(seed, length)
          const source = await from.give(sent)
          using list = new BufferList()
          const { result, account } = await accounted(() =>
            list.spliceFrom(
              source,
              length,
              mode === 'reference' ? { mode, hold: 'pages' } : { mode },
            ),
          )
          expect(result).to.equal(length)
          expect(list.length).to.equal(length)
          expectTruth(account, kind, mode, length)
          await list.load()
          expectSameBytes(list.toBuffer(), sent, `${length} bytes`)
        }
      })
    }
  }

  for (const kind of ['tcp', 'unix', 'pipe', 'disk file', 'tmpfs file'] as const) {
    it(`${kind}: 64 MiB, held in pipes`, async function () {
      needsPages(this)
      // A user without privileges may hold 64 MiB in all pipes together.
      if (addon?.limits().privileged !== true) this.skip()
      const length = 64 << 20
      const sent = bytes(64, length)
      const from = await giver(kind)
      using list = new BufferList()
      const source = await from.give(sent)
      const { account } = await accounted(() => list.spliceFrom(source, length, { hold: 'pages' }))
      expect(account.moved).to.equal(length)
      expect(account.copied).to.deep.equal({})
      expect(list.explain().every((row) => row.kind === 'pipe')).to.equal(true)
      for (let at = 0; at < length; at += 8 << 20) {
        expectSameBytes(list.toBuffer(at, 8 << 20), sent.subarray(at, at + (8 << 20)))
      }
    })
  }
})

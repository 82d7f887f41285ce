/**
 * Every kind of list, into every sink, in every mode: the same bytes, and the ledger says how.
 */
import { expect } from 'chai'
import { BufferList, type Mode } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { hasAddon, hasPages, needsPages } from '../support/needs.js'
import { pagesOf } from '../memory/producers.js'
import { accounted, type Account } from './account.js'
import { giver, isFile, KINDS, taker, type Kind } from './places.js'

const MODES = ['auto', 'reference', 'stable', 'copy'] as const satisfies readonly Mode[]
const SIZES = [
  0, 1, 4095, 4096, 4097, 65535, 65536, 65537, 1048575, 1048576, 1048577, 5242880,
] as const

const LISTS = [
  'memory',
  'pages of a file',
  'pages of a socket',
  'pages of ours',
  'extent of a file',
] as const
type ListKind = (typeof LISTS)[number]

async function listOf(kind: ListKind, content: Uint8Array): Promise<BufferList> {
  const { length } = content
  if (kind === 'memory') return new BufferList(content)
  if (kind === 'pages of ours') return pagesOf(content).gift()
  const list = new BufferList()
  if (kind === 'pages of a socket') {
    await list.spliceFrom(await (await giver('tcp')).give(content), length, { hold: 'pages' })
  } else {
    const source = await (await giver('disk file')).give(content)
    await list.spliceFrom(source, length, kind === 'extent of a file' ? {} : { hold: 'pages' })
  }
  return list
}

/** Copies of memory that a sink makes, in the process and in the kernel. */
function expectMemory(account: Account, sink: Kind, cause: string | undefined, n: number): void {
  expect(account.moved, 'moved').to.equal(0)
  const copied = { ...(cause === undefined ? {} : { [cause]: n }) }
  const kernel = {
    'disk file': 'page-cache-write',
    'tmpfs file': 'page-cache-write',
    tcp: 'socket-write',
    unix: 'socket-write',
    pipe: 'pipe-write',
    stream: undefined,
  }[sink]
  expect(account.kernelCopied, 'kernelCopied').to.deep.equal(
    kernel === undefined ? {} : { [kernel]: n },
  )
  if (isFile(sink) && hasAddon) copied['staging'] = n
  expect(account.copied, 'copied').to.deep.equal(copied)
}

function expectTruth(account: Account, list: ListKind, sink: Kind, mode: Mode, n: number): void {
  if (n === 0) {
    expect(account).to.deep.equal({
      ...{ moved: 0, teed: 0, unknown: 0, copied: {}, kernelCopied: {}, fallbacks: {} },
    })
  } else if (list === 'memory' || (!hasPages && list !== 'extent of a file')) {
    expectMemory(account, sink, undefined, n)
  } else if (mode === 'copy') expectMemory(account, sink, 'copy-mode', n)
  else if (!hasAddon) expectMemory(account, sink, sink === 'stream' ? 'stream' : 'no-addon', n)
  else if (!hasPages) expectMemory(account, sink, 'copy-mode', n)
  else if (sink === 'stream') expectMemory(account, sink, 'stream', n)
  else if (mode === 'stable' && !isFile(sink) && list !== 'pages of ours')
    expectMemory(account, sink, 'stable-mode', n)
  else {
    expect(account.moved, 'moved').to.equal(n)
    expect(account.copied, 'copied').to.deep.equal({})
    // A file system that can share extents does not say whether it did.
    const isKnown = isFile(sink) && account.unknown === 0
    const kernel = isKnown ? { 'page-cache-write': n } : {}
    expect(account.kernelCopied, 'kernelCopied').to.deep.equal(kernel)
  }
}

describe('A list goes to a sink', () => {
  for (const kind of LISTS) {
    for (const sink of KINDS) {
      for (const mode of MODES) {
        it(`${kind} to ${sink}, mode ${mode}`, async function () {
          // A gift is memory where there are no pages.
          if (mode === 'reference' || kind === 'pages of ours') needsPages(this)
          if (mode === 'reference' && sink === 'stream') this.skip()
          if (sink === 'pipe' && !hasAddon) this.skip()
          const to = await taker(sink)
          for (const [seed, length] of SIZES.entries()) {
            const content = bytes(seed, length)
            using list = await listOf(kind, content)
            const target = await to.open()
            const arriving = isFile(sink) ? undefined : to.taken(length)
            const { result, account } = await accounted(() => list.spliceTo(target, { mode }))
            expect(result).to.equal(length)
            expect(list.length, 'the list keeps its bytes').to.equal(length)
            expectTruth(account, kind, sink, mode, length)
            expectSameBytes(await (arriving ?? to.taken(length)), content, `${length} bytes`)
          }
        })
      }
    }
  }

  for (const sink of KINDS) {
    it(`of mixed segments, cut anywhere, to ${sink}`, async function () {
      if (sink === 'pipe' && !hasAddon) this.skip()
      const head = bytes(1, 333)
      const pages = bytes(2, 200_000)
      const extent = bytes(3, 100_000)
      using all = new BufferList(head)
      using held = await listOf('pages of a socket', pages)
      using file = await listOf('extent of a file', extent)
      using piece = held.substr(12_345, 150_001)
      all.append(piece).append('in the middle').append(file)
      const expected = Buffer.concat([
        head,
        pages.subarray(12_345, 12_345 + 150_001),
        Buffer.from('in the middle'),
        extent,
      ])
      const to = await taker(sink)
      using window = all.substr(100, all.length - 300)
      const target = await to.open()
      const arriving = isFile(sink) ? undefined : to.taken(window.length)
      expect(await window.spliceTo(target)).to.equal(window.length)
      const arrived = await (arriving ?? to.taken(window.length))
      expectSameBytes(arrived, expected.subarray(100, expected.length - 200))
    })
  }
})

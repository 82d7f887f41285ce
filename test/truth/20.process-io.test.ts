/**
 * The ledger against `/proc/self/io` of a child: what it calls moved by reference nobody read or
 * wrote, and what it calls copied was read, and written, as many bytes.
 */
import { expect } from 'chai'
import { hasAddon } from '../support/needs.js'
import { casesFrom, isList, nameOf, SOURCES, type SourceKind } from './cases.js'
import { hasProcessIo, type ProcessIo } from './process-io.js'
import { evidenceOf, type Evidence } from './run.js'

/** Far above what the runtime reads for itself within a run: files of /proc and /sys, now and then. */
const LENGTH = 1_000_000
const NOISE_BYTES = 65_536

/** What the ledger makes one expect: at least, and at the most. */
function expected({ one, outcome }: Evidence): { least: ProcessIo; most: ProcessIo } {
  const { said, ways, isFromMemory } = outcome
  const all = Object.values(said.copied).reduce((sum, n) => sum + n, 0)
  const copied = all - (said.copied['staging'] ?? 0)
  const { 'socket-write': toSocket = 0, 'pipe-write': toPipe = 0 } = said.kernelCopied
  // These two are counted as if they copied.
  const isDirect = ways.includes('sendfile') || ways.includes('copy_file_range')
  const direct = isDirect ? said.moved : 0
  const isSocket = one.source === 'tcp' || one.source === 'unix'
  const read = isFromMemory ? 0 : copied
  // Memory to a file: what was staged, or was written where nothing is.
  const pages = said.kernelCopied['page-cache-write'] ?? 0
  const isPages = said.moved > 0
  const isToNull = one.sink === 'null device' && !isPages
  const written = toPipe + (isPages ? 0 : pages) + (isToNull ? one.length : 0)
  // recvfrom and sendmsg are not counted, and read and write on sockets are: Node's.
  return {
    least: { rchar: direct + (isSocket ? 0 : read), wchar: direct + written },
    most: { rchar: direct + read, wchar: direct + written + toSocket },
  }
}

function expectTruth(evidence: Evidence): void {
  const { least, most } = expected(evidence)
  const { rchar, wchar } = evidence.outcome
  const name = nameOf(evidence.one)
  expect(rchar, `${name}: read`).to.be.within(least.rchar, most.rchar + NOISE_BYTES)
  expect(wchar, `${name}: written`).to.be.within(least.wchar, most.wchar + NOISE_BYTES)
}

describe("The ledger against the kernel's account of the process", () => {
  /** Without the addon there are none of these. */
  const isHere = (kind: string): boolean =>
    hasAddon || !['zero device', 'fifo', 'gifted list', 'lent list'].includes(kind)
  const files = SOURCES.filter((source) => isHere(source) && !isList(source))
  const lists = SOURCES.filter((source) => isHere(source) && isList(source))

  beforeEach(function () {
    if (!hasProcessIo()) this.skip()
  })

  async function expectTruthOf(sources: readonly SourceKind[]): Promise<void> {
    const cases = sources.flatMap((source) => casesFrom(source, ['auto', 'copy'], [LENGTH]))
    const all = await evidenceOf(
      cases.filter(({ sink }) => isHere(sink)),
      { isWatched: false },
    )
    for (const evidence of all) expectTruth(evidence)
  }

  it('tells of transfers and pulls what was read and written', () => expectTruthOf(files))
  it('tells of lists what was read and written', () => expectTruthOf(lists))
})

/**
 * The ledger against the system calls of a child, as `strace` sees them: whatever was read, written,
 * spliced or teed is in the account, to the byte and under the right name, and nothing else is.
 */
import { expect } from 'chai'
import type { Mode } from 'splicelist'
import { needsAddon } from '../support/needs.js'
import { casesFrom, nameOf, SOURCES, type Said, type SourceKind } from './cases.js'
import { evidenceOf, hasStrace, type Evidence } from './run.js'
import { sumOf, type Call } from './system-calls.js'

/** Below the threshold, and above: several parcels of a copy, more than a pipe of 16 slots. */
const LENGTHS = [5000, 200_000]
const MODES: readonly Mode[] = ['auto', 'stable', 'copy']
const BY_REFERENCE = new Set(['splice', 'sendfile', 'copy_file_range'])

/** Where nothing moves by reference, whatever the places. */
const COPYING = {
  'without the addon': { SPLICELIST_NATIVE: '0' },
  'where transfers may only copy': { SPLICELIST_MODE: 'copy' },
}
/** What there is only with the addon. */
const needsKernel = (source: SourceKind): boolean =>
  source === 'gifted list' || source === 'lent list' || source === 'zero device'

/** What both tell, in bytes. */
interface Account {
  /** Came into the process's memory by a system call. */
  readonly read: number
  /** Placed in the sink by reference; or, for a list, taken into a pipe of ours. */
  readonly moved: number
  readonly teed: number
  /** Left a socket by reference: perhaps the kernel copied. */
  readonly fromSockets: number
  readonly fromDevices: number
  /** Copied by the kernel into files, sockets and pipes. */
  readonly toFiles: number
  readonly toSockets: number
  readonly toPipes: number
}

/** What the kernel was seen to do. */
function seen({ one, outcome }: Evidence, calls: readonly Call[]): Account {
  const isReference = (call: Call): boolean => BY_REFERENCE.has(call.name)
  const intoList = (call: Call): boolean => call.from !== 'own pipe' && call.to === 'own pipe'
  const intoPlace = (call: Call): boolean => call.to !== 'own pipe'
  const isPlaced = one.sink.endsWith('list') ? intoList : intoPlace
  const dropped = sumOf(calls, (call) => isReference(call) && call.to === 'null')
  const isDropped = one.sink !== 'null device'
  return {
    read: sumOf(calls, ({ from, to }) => to === 'memory' && from !== 'other' && from !== 'null'),
    moved:
      sumOf(calls, (call) => isReference(call) && isPlaced(call)) -
      (isDropped ? dropped : outcome.said.discarded),
    teed: sumOf(calls, ({ name }) => name === 'tee'),
    fromSockets: sumOf(calls, (call) => isReference(call) && call.from === 'socket'),
    fromDevices: sumOf(calls, (call) => isReference(call) && call.from === 'device'),
    toFiles: sumOf(calls, ({ to }) => to === 'file'),
    toSockets: sumOf(calls, ({ from, to }) => from === 'memory' && to === 'socket'),
    toPipes: sumOf(calls, ({ from, to }) => from === 'memory' && to === 'fifo'),
  }
}

/** What the ledger says of the same. */
function told({ outcome: { said, isFromMemory } }: Evidence, calls: readonly Call[]): Account {
  const { copied, kernelCopied } = said
  const fromSockets = Math.min(
    said.unknown,
    sumOf(calls, ({ from, to }) => from === 'socket' && to !== 'memory'),
  )
  return {
    // What is staged for a disk thread is copied without a system call; so is memory of the program.
    read: isFromMemory ? 0 : copiedBytes(said) - (copied['staging'] ?? 0),
    moved: said.moved,
    teed: said.teed,
    fromSockets,
    fromDevices: kernelCopied['device-read'] ?? 0,
    // Of a range that was copied from file to file it may be unknown how.
    toFiles: (kernelCopied['page-cache-write'] ?? 0) + said.unknown - fromSockets,
    toSockets: kernelCopied['socket-write'] ?? 0,
    toPipes: kernelCopied['pipe-write'] ?? 0,
  }
}

function copiedBytes({ copied }: Said): number {
  return Object.values(copied).reduce((sum, n) => sum + n, 0)
}

function expectTruth(evidence: Evidence): void {
  const calls = evidence.calls ?? []
  const name = nameOf(evidence.one)
  expect(evidence.outcome.bytesMoved, name).to.equal(evidence.one.length)
  expect(told(evidence, calls), `${name}: the ledger, against what was seen`).to.deep.equal(
    seen(evidence, calls),
  )
  expect(evidence.outcome.audited, `${name}: the audit`).to.deep.equal(evidence.outcome.said)
}

describe('The ledger against the system calls of the process', () => {
  beforeEach(function () {
    if (!hasStrace()) this.skip()
  })

  for (const source of SOURCES) {
    it(`tells what was done with the bytes of a ${source}`, async function () {
      // Without, there are copies alone: below.
      needsAddon(this)
      const all = await evidenceOf(casesFrom(source, MODES, LENGTHS), { isWatched: true })
      for (const evidence of all) expectTruth(evidence)
    })
  }

  for (const [name, env] of Object.entries(COPYING)) {
    it(`tells of every byte that was copied ${name}`, async () => {
      const sources = SOURCES.filter((source) => !needsKernel(source) && source !== 'fifo')
      const cases = sources.flatMap((source) => casesFrom(source, ['auto'], LENGTHS))
      const all = await evidenceOf(
        cases.filter(({ sink }) => sink !== 'fifo'),
        { isWatched: true, env },
      )
      for (const evidence of all) {
        expectTruth(evidence)
        expect(evidence.outcome.said.moved, nameOf(evidence.one)).to.equal(0)
      }
    })
  }
})

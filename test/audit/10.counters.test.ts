import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { BufferList, counters, type Snapshot } from 'splicelist'
import {
  COPY_CAUSES,
  INTENDED,
  KERNEL_CAUSES,
  type CopyCause,
  type CopyReason,
} from '#lib/audit/causes.js'
import { copy, encode, ledger } from '#lib/audit/ledger.js'
import { hasAddon, needsAddon } from '../support/needs.js'
import { bytes } from '../support/bytes.js'
import { tempFolder } from '../support/folders.js'
import { givenUp, pipeList, pipeRaw, readParcel } from '../raw/pipes.js'
import { extentList } from '../list/kinds.js'

/** What changed, without what did not. */
type Change = Partial<Record<string, number>>

function change(before: Snapshot, after: Snapshot): Change {
  const changed: Change = {}
  const note = (name: string, was: unknown, is: unknown): void => {
    const by = Number(is ?? 0) - Number(was ?? 0)
    if (by !== 0) changed[name] = by
  }
  for (const name of ['moved', 'teed', 'discarded', 'inspected', 'inspections'] as const) {
    note(name, before[name], after[name])
  }
  note('unknown', before.unknown, after.unknown)
  note('degradedPipes', before.degradedPipes, after.degradedPipes)
  note('leaks', before.leaks, after.leaks)
  for (const group of ['copied', 'kernelCopied', 'fallbacks'] as const) {
    const [was, is] = [before[group], after[group]] as Record<string, number>[]
    for (const name of Object.keys(is ?? {})) note(`${group} ${name}`, was?.[name], is?.[name])
  }
  return changed
}

/** What an action adds to the account. */
function accountOf(action: () => unknown): Change {
  const before = counters.snapshot()
  action()
  return change(before, counters.snapshot())
}

async function accountOfAsync(action: () => Promise<unknown>): Promise<Change> {
  const before = counters.snapshot()
  await action()
  return change(before, counters.snapshot())
}

const KIB = 1024
const content16 = bytes(7, 16)

describe('The ledger', () => {
  describe('for a list in memory', () => {
    const content = bytes(1, 100 * KIB)
    const one = (): BufferList => new BufferList(content)
    const two = (): BufferList => new BufferList(content.subarray(0, 10), content.subarray(10))

    const free: Record<string, (list: BufferList) => unknown> = {
      append: (list) => list.append(content).append(new BufferList(content)),
      prepend: (list) => list.prepend(content),
      claimAppend: (list) => list.claimAppend(new BufferList(content)),
      substr: (list) => list.substr(5, 500),
      'splice, take, consume, truncate': (list) => {
        list.splice(5, 50, content)
        list.take(50)
        list.consume(7)
        list.truncate(40)
      },
      'cStr inside a segment': (list) => list.cStr(11, 500),
      'toString inside a segment': (list) => list.toString('latin1', 11, 500),
      iteration: (list) => [...list],
      byteAt: (list) => list.byteAt(50),
      cursor: (list) => list.cursor(8).readBigUInt64LE(),
      crc32c: (list) => list.crc32c(),
      'equals and compare with bytes': (list) => [list.equals(content), list.compare(content)],
      'indexOf a byte': (list) => list.indexOf(7),
      explain: (list) => list.explain(),
      release: (list) => list.release(),
    }
    for (const [name, action] of Object.entries(free)) {
      it(`counts nothing for ${name}: nothing is copied`, () => {
        const list = two()
        expect(accountOf(() => action(list))).to.deep.equal({})
      })
    }

    const counted: Record<string, readonly [(list: BufferList) => unknown, Change]> = {
      'appendCopy of bytes': [
        (list) => list.appendCopy(content),
        { 'copied append-copy': 102_400 },
      ],
      'appending a string': [(list) => list.append('größer'), { 'copied encode': 8 }],
      'splicing a string in': [(list) => list.splice(0, 0, 'abc'), { 'copied encode': 3 }],
      'comparing with a string': [(list) => list.equals('abc'), { 'copied encode': 3 }],
      toBuffer: [(list) => list.toBuffer(3, 50_000), { 'copied to-buffer': 50_000 }],
      copyOut: [(list) => list.copyOut(3, Buffer.alloc(999)), { 'copied to-buffer': 999 }],
      'cStr across segments': [(list) => list.cStr(5, 600), { 'copied cross-segment': 600 }],
      'toString across segments': [
        (list) => list.toString('latin1', 5, 600),
        { 'copied cross-segment': 600 },
      ],
      rebuild: [(list) => list.rebuild(), { 'copied cross-segment': 102_400 }],
    }
    for (const [name, [action, expected]] of Object.entries(counted)) {
      it(`counts what ${name} copies, by its cause`, () => {
        const list = two()
        expect(accountOf(() => action(list))).to.deep.equal(expected)
        list.release()
      })
    }

    it('a search copies nothing, not even across a border', () => {
      const needle = Buffer.from(content.subarray(50_000, 50_020))
      expect(accountOf(() => one().indexOf(needle))).to.deep.equal({})
      expect(accountOf(() => two().indexOf(needle))).to.deep.equal({})
    })
  })

  describe('for a list in pipes', () => {
    const content = bytes(2, 200 * KIB)

    beforeEach(function () {
      needsAddon(this)
    })

    const looks: Record<string, readonly [(list: BufferList) => unknown, bytesLooked: number]> = {
      byteAt: [(list) => list.byteAt(0), 64 * KIB],
      'byteAt in the last block': [(list) => list.byteAt(200 * KIB - 1), 8 * KIB],
      'a cursor': [(list) => list.cursor().readUInt32LE(), 64 * KIB],
      'a cursor across blocks': [(list) => list.cursor(65_534).readUInt32LE(), 128 * KIB],
      crc32c: [(list) => list.crc32c(), 200 * KIB],
      iteration: [(list) => [...list], 200 * KIB],
      'indexOf a byte': [(list) => list.indexOf(content[3] as number), 64 * KIB],
      'toString of ten bytes': [(list) => list.toString('latin1', 0, 10), 64 * KIB],
    }
    for (const [name, [look, length]] of Object.entries(looks)) {
      it(`counts what ${name} makes readable, in whole blocks`, () => {
        const list = pipeList(content)
        const { teed, discarded, inspections, ...rest } = accountOf(() => look(list))
        expect(rest).to.deep.equal({ inspected: length, 'copied look': length })
        expect(inspections).to.equal(Math.ceil(length / (64 * KIB)))
        expect(teed).to.be.at.least(length)
        expect(discarded ?? 0).to.be.at.most(teed ?? 0)
      })
    }

    it('counts cStr by its own cause', () => {
      const list = pipeList(content)
      const account = accountOf(() => list.cStr(70_000, 10))
      expect(account).to.include({ inspected: 64 * KIB, 'copied cStr': 64 * KIB })
      expect(account).not.to.have.property('copied look')
    })

    it('counts toBuffer and copyOut byte by byte, as intended and as inspected', () => {
      const list = pipeList(content)
      const account = accountOf(() => list.toBuffer(100, 1000))
      expect(account).to.include({ inspected: 1000, inspections: 1, 'copied to-buffer': 1000 })
      expect(accountOf(() => list.copyOut(0, Buffer.alloc(10)))).to.include({
        inspected: 10,
        'copied to-buffer': 10,
      })
    })

    it('counts nothing for cutting, joining and explaining', () => {
      const list = pipeList(content)
      const account = accountOf(() => {
        using part = list.substr(10, 100_000)
        using joined = new BufferList(part, list)
        joined.take(50_000).release()
        joined.explain()
        list.consume(5)
      })
      expect(account).to.deep.equal({})
    })

    it('counts pages that are teed to send a window, and those dropped before it', () => {
      const raw = pipeRaw(content)
      const account = accountOf(() => raw.parcel(4096, 1000).close())
      expect(account).to.deep.equal({ teed: 5096, discarded: 4096 })
      raw.release()
    })

    it('counts nothing when the last holder gives up its own pages', () => {
      const raw = pipeRaw(content)
      expect(
        accountOf(() => {
          givenUp(raw, 0, 1000).close()
        }),
      ).to.deep.equal({})
      readParcel(givenUp(raw, 0, content.length))
      raw.release()
    })

    it('has gauges of what lives: pipes, their slots, memory for looks', () => {
      const live = (): Readonly<Record<string, number>> => counters.snapshot().live
      const before = live()
      const list = pipeList(bytes(3, 2 << 20))
      const idle = (now: Readonly<Record<string, number>>): number =>
        (now['pipes'] ?? 0) - (now['idlePipes'] ?? 0)
      expect(idle(live())).to.equal(idle(before) + 2)
      expect(live()['pipeSlots']).to.be.at.least(512)
      list.cStr(0, 10)
      expect(live()['slabs']).to.equal((before['slabs'] ?? 0) + 1)
      list.release()
      expect(idle(live())).to.equal(idle(before))
      expect(live()['slabs']).to.equal(before['slabs'])
    })
  })

  describe('for an extent of a file', () => {
    it('counts nothing for the extent, and load by its own cause, once', async () => {
      const path = join(await tempFolder(), 'file')
      await writeFile(path, bytes(4, 100_000))
      let list = new BufferList()
      expect(
        await accountOfAsync(async () => {
          list = await BufferList.fromFile(path)
        }),
      ).to.deep.equal({})
      expect(await accountOfAsync(() => list.load(10, 5000))).to.deep.equal({
        inspected: 5000,
        inspections: 1,
        'copied load': 5000,
      })
      expect(await accountOfAsync(() => list.load(10, 5000))).to.deep.equal({})
      expect(accountOf(() => list.cStr(10, 5000))).to.deep.equal({})
      using loaded = list.substr(10, 5000)
      expect(accountOf(() => loaded.crc32c())).to.deep.equal({})
      expect(accountOf(() => list.toBuffer(10, 100))).to.deep.equal({ 'copied to-buffer': 100 })
      list.release()
    })

    it('counts the joining of parts that were loaded one after the other', async () => {
      const list = await extentList(bytes(5, 2000))
      await list.load(0, 1000)
      await list.load(1000, 1000)
      expect(accountOf(() => list.cStr(500, 1000))).to.deep.equal({ 'copied cross-segment': 1000 })
    })
  })

  it('is a moment: a snapshot changes neither with time nor the ledger', () => {
    const before = counters.snapshot()
    const kept = structuredClone(before)
    new BufferList().appendCopy(bytes(6, 500))
    expect(before).to.deep.equal(kept)
    ;(before.copied as Record<string, number>)['append-copy'] = -1
    expect(counters.snapshot().copied['append-copy']).to.be.at.least(500)
  })

  it('counts no cause for nothing', () => {
    expect(
      accountOf(() => {
        copy('staging', new Uint8Array(0), new Uint8Array(0), 0)
        encode('')
        ledger.countCopied('staging', 0)
        ledger.countKernelCopied('device-read', 0)
      }),
    ).to.deep.equal({})
    expect(Object.values(counters.snapshot().copied)).not.to.include(0)
  })

  const reasons = ['append-copy', 'to-buffer', 'cStr', 'intended:cStr', 'intended:append-copy']
  for (const reason of reasons as CopyReason[]) {
    it(`counts ${reason} to the byte, copy by copy, however many there are`, () => {
      const cause = reason.replace('intended:', '') as CopyCause
      for (const length of [1, 2 ** 31 - 1, 2 ** 31, 1, 2 ** 40, 16]) {
        const before = counters.snapshot()
        ledger.countCopied(reason, length)
        const { copied, copies } = counters.snapshot()
        expect((copied[cause] ?? 0) - (before.copied[cause] ?? 0)).to.equal(length)
        expect((copies[cause] ?? 0) - (before.copies[cause] ?? 0)).to.equal(1)
      }
    })
  }

  it('is as it is at every moment, also between two copies of a few bytes', () => {
    const list = new BufferList()
    for (let i = 1; i < 5000; i++) {
      const account = accountOf(() => list.appendCopy(content16).appendUInt8(1))
      expect(account).to.deep.equal({ 'copied append-copy': 16 })
    }
  })

  it('copies and counts in one step', () => {
    const target = Buffer.alloc(6)
    expect(accountOf(() => copy('staging', Buffer.from('abcd'), target, 2))).to.deep.equal({
      'copied staging': 4,
    })
    expect(target.toString('latin1')).to.equal('\0\0abcd')
  })

  it('knows a sentence for every cause, and which copies the program asked for', () => {
    for (const meaning of Object.values({ ...COPY_CAUSES, ...KERNEL_CAUSES })) {
      expect(meaning).to.match(/\w+ \w+/)
    }
    expect([...INTENDED]).to.have.members([
      'append-copy',
      'encode',
      'compact',
      'to-buffer',
      'load',
      'copy-mode',
      'stable-mode',
    ])
  })

  it('has gauges of pipes only where there are pipes', () => {
    expect('pipes' in counters.snapshot().live).to.equal(hasAddon)
  })
})

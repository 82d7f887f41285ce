/**
 * Thousands at once: what waits holds nothing but its place in the epoll set, and what stalls holds no
 * more than the budget. 1,000 connections; 10,000 with `SPLICELIST_LONG=1`, as far as descriptors go.
 */
import { open, writeFile, type FileHandle } from 'node:fs/promises'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Socket } from 'node:net'
import { expect } from 'chai'
import { attach, BufferList, counters, limits, transfer, type Limits } from 'splicelist'
import { opened } from '#lib/reactor.js'
import { pipePool } from '#lib/raw/pipe-pool.js'
import { afterwards } from '../support/cleanup.js'
import { tempFolder } from '../support/folders.js'
import { needsAddon, needsPages } from '../support/needs.js'
import { crowd, crowdSize, isLong, ownBytes, until, wholeRun } from './crowd.js'

/** What a peer sends to a pull: above the threshold, so that it would be worth a pipe. */
const PULL_BYTES = 20_000
/** What is pushed to a peer that does not read: more than a socket's buffers take. */
const PUSH_BYTES = 300_000
/** Memory that a stalled push may keep past the budget: one small parcel, and what JavaScript needs. */
const STALLED_BYTES_MAX = 65_536 + 16_384

const descriptors = (): number => readdirSync('/proc/self/fd').length
const threads = (): number => readdirSync('/proc/self/task').length

/** Starts what every process has once: the pool's pipes, the disk threads, the pool of Node's threads. */
async function warmUp(path: string): Promise<void> {
  using list = new BufferList()
  await Promise.all(
    Array.from({ length: 16 }, () => list.spliceFrom({ file: path }, 65_536, { hold: 'pages' })),
  )
}

/** The crowd's file: every peer's bytes begin at an offset of its own. */
async function fileFor(size: number): Promise<string> {
  const path = join(await tempFolder('tmpfs'), 'run')
  await writeFile(path, wholeRun(size, PUSH_BYTES))
  return path
}

function expectWithin(inUse: Limits, max: Limits): void {
  for (const name of Object.keys(max) as (keyof Limits)[]) {
    expect(inUse[name], name).to.be.at.most(max[name])
  }
}

/** How each kind of push begins; its list is released when it has ended. */
const PUSHES: Readonly<
  Record<string, (file: FileHandle, offset: number, sink: Socket) => Promise<number>>
> = {
  'lists that are extents of a file': async (file, offset, sink) => {
    using list = await BufferList.fromFile(file, { offset, length: PUSH_BYTES })
    return await list.spliceTo(sink)
  },
  'lists that are held in pipes': async (file, offset, sink) => {
    using list = new BufferList()
    await list.spliceFrom({ file, offset }, PUSH_BYTES, { hold: 'pages' })
    return await list.spliceTo(sink)
  },
  'lists that give their pipes up': async (file, offset, sink) => {
    using list = new BufferList()
    await list.spliceFrom({ file, offset }, PUSH_BYTES, { hold: 'pages' })
    return await list.spliceTo(sink, { consume: true })
  },
  'transfers from a file': async (file, offset, sink) => {
    const { bytesMoved } = await transfer({ file, offset }, sink, { length: PUSH_BYTES })
    return bytesMoved
  },
}

/** The limits as they were before a test set its own. */
const UNASKED = { pipeSlots: undefined, pipeBytes: undefined, pinnedBytes: undefined }

describe('A crowd of connections', function () {
  this.timeout(isLong ? 300_000 : 60_000)
  let size = 0

  beforeEach(function () {
    needsAddon(this)
    size = crowdSize(isLong ? 10_000 : 1000, opened().limits().openFilesMax)
  })

  it('that waits for bytes holds no thread, no pipe and no further descriptor', async () => {
    const { sockets, order } = await crowd(size)
    await warmUp(await fileFor(1))
    const ends = sockets.map((socket) => attach(socket))
    pipePool.drain()
    const before = { descriptors: descriptors(), threads: threads(), ...pipePool.budget.inUse }
    const pulls = ends.map((end) => end.pull(PULL_BYTES))
    await until('all pulls wait', () => opened().live().waits >= size)
    pipePool.drain()
    const idle = { descriptors: descriptors(), threads: threads(), ...pipePool.budget.inUse }
    expect(idle).to.deep.equal(before)

    const sent = order({ do: 'send', lengthBytes: PULL_BYTES })
    let right = 0
    for (const [i, pull] of pulls.entries()) {
      using list = await pull
      if (list.equals(ownBytes(i, size, PULL_BYTES))) right += 1
    }
    expect(right).to.equal(size)
    expect(await sent).to.equal(size)
    await Promise.all(ends.map((end) => end.detach()))
  })

  for (const [what, push] of Object.entries(PUSHES)) {
    it(`of stalled ${what} stays inside the budget, and all arrive`, async function () {
      needsPages(this)
      const { sockets, order } = await crowd(size)
      await using file = await open(await fileFor(size))
      // Few enough for most of the crowd to find nothing left.
      limits.set({ pipeSlots: 8192, pipeBytes: 64 << 20, pinnedBytes: 16 << 20 })
      afterwards(() => void limits.set(UNASKED))
      const memory = (): number => {
        globalThis.gc?.()
        return process.memoryUsage().arrayBuffers
      }
      const before = memory()
      const copiedBefore = counters.snapshot().copied.budget ?? 0
      const pushes = sockets.map((socket, i) => push(file, i, socket))
      await until('all pushes stall', () => opened().live().waits >= size)
      expectWithin(pipePool.budget.inUse, limits.get())
      if (what.includes('pipes')) {
        expect(counters.snapshot().copied.budget ?? 0).to.be.greaterThan(copiedBefore)
      } else {
        // Nobody asked for these bytes to be held.
        expect(memory() - before).to.be.lessThan(size * STALLED_BYTES_MAX)
      }
      const right = order({ do: 'check', lengthBytes: PUSH_BYTES })
      const sent = await Promise.all(pushes)
      expect(new Set(sent)).to.deep.equal(new Set([PUSH_BYTES]))
      expect(await right).to.equal(size)
      expectWithin(pipePool.budget.inUse, limits.get())
      expect(pipePool.budget.inUse).to.include({ pipeBytes: 0, pinnedBytes: 0 })
    })
  }
})

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { BufferList, counters, InvalidArgumentError, limits, type Limits } from 'splicelist'
import { opened } from '#lib/reactor.js'
import { pipePool, type HeldPipe } from '#lib/raw/pipe-pool.js'
import type { Holding } from '#lib/raw/pipe-budget.js'
import { bytes } from '../support/bytes.js'
import { runScript } from '../support/children.js'
import { afterwards } from '../support/cleanup.js'
import { tempFolder } from '../support/folders.js'
import { needsAddon, needsPages } from '../support/needs.js'
import { script } from '../native/door.js'
import '../raw/pipes.js'

/** Sets limits for the rest of the test. */
function withLimits(asked: Partial<Limits>): void {
  pipePool.drain()
  limits.set(asked)
  afterwards(() => {
    pipePool.drain()
    limits.set(Object.fromEntries(Object.keys(asked).map((name) => [name, undefined])))
  })
}

/** Borrows until the pool refuses; what was borrowed is given back after the test. */
function borrowAll(lengthBytes: number, holding: Holding, most: number): HeldPipe[] {
  const held: HeldPipe[] = []
  afterwards(() => {
    for (const each of held) pipePool.giveBack(each)
  })
  while (held.length < most) {
    const next = pipePool.borrow(lengthBytes, 0, holding)
    if (next === undefined) break
    held.push(next)
  }
  return held
}

const MIB = 1 << 20

describe('The limits on pipes', () => {
  it('are zeros where there is no addon, and cannot be raised there', async () => {
    const { stdout } = await runScript(
      `import { limits } from 'splicelist'
       console.log(JSON.stringify([limits.get(), limits.set({ pipes: 5 })]))`,
      { env: { SPLICELIST_NATIVE: '0' } },
    )
    const none = { pipeSlots: 0, pipes: 0, pipeBytes: 0, pinnedBytes: 0 }
    expect(JSON.parse(stdout)).to.deep.equal([none, none])
  })

  it('refuse what is no limit, and what is no whole number', () => {
    for (const wrong of [{ slots: 5 }, { pipes: -1 }, { pipes: 1.5 }, { pipes: '5' }, null, 7]) {
      expect(() => limits.set(wrong as never)).to.throw(InvalidArgumentError)
    }
  })
})

describe('The limits on pipes, with the addon', () => {
  beforeEach(function () {
    needsAddon(this)
  })

  it('come from the system, and leave something to others', () => {
    const system = opened().limits()
    const { pipeSlots, pipes, pipeBytes, pinnedBytes } = limits.get()
    const bounded = !system.privileged && system.userPagesSoft > 0
    expect(pipeSlots).to.be.at.most(bounded ? system.userPagesSoft * 0.75 : 65_536)
    expect(pipes * 2).to.be.at.most(system.openFilesMax / 2)
    expect(pipeBytes).to.be.at.most(2 ** 31)
    expect(pinnedBytes).to.be.at.most(65_536 * 4096)
    for (const limit of [pipeSlots, pipes, pipeBytes, pinnedBytes]) expect(limit).to.be.above(0)
  })

  it('are lowered by a program, and raised as far as the system goes', () => {
    withLimits({ pipes: 3 })
    expect(limits.get().pipes).to.equal(3)
    const raised = limits.set({ pipes: 1e9 })
    expect(raised.pipes).to.equal(Math.floor(opened().limits().openFilesMax / 2))
  })

  it('count two descriptors a pipe: it ends at the number of pipes', () => {
    pipePool.setBudget()
    pipePool.drain()
    withLimits({ pipes: pipePool.livePipes + 5 })
    expect(borrowAll(1, 'foreign', 10)).to.have.length(5)
  })

  it("count a socket's slots at 32 KiB each, a file's at a page, teed ones at nothing", () => {
    withLimits({ pipeBytes: 8 * MIB, pinnedBytes: 8 * MIB })
    expect(borrowAll(1, 'foreign', 100)).to.have.length((8 * MIB) / (16 * 32_768))
    expect(pipePool.budget.inUse.pipeBytes).to.equal(8 * MIB)
    expect(pipePool.borrow(1, 0, 'loan')).to.equal(undefined)
    expect(borrowAll(1, 'shared', 5)).to.have.length(5)
  })

  it('allow eight times as many pages of a file', () => {
    withLimits({ pipeBytes: 8 * MIB, pinnedBytes: 8 * MIB })
    expect(borrowAll(MIB, 'loan', 100)).to.have.length(8)
    expect(pipePool.budget.inUse).to.include({ pipeBytes: 8 * MIB, pinnedBytes: 8 * MIB })
  })

  it('cap the page cache that is pinned, beside what sockets may have', () => {
    withLimits({ pipeBytes: 64 * MIB, pinnedBytes: 2 * MIB })
    expect(borrowAll(MIB, 'loan', 100)).to.have.length(2)
    expect(borrowAll(MIB, 'owned', 3)).to.have.length(3)
    expect(borrowAll(1, 'foreign', 3)).to.have.length(3)
    expect(counters.snapshot().live['pinnedBytes']).to.equal(2 * MIB)
  })

  it('that are used up make room by shrinking what is held, once', async function () {
    needsPages(this)
    const path = join(await tempFolder('tmpfs'), 'file')
    await writeFile(path, bytes(1, MIB))
    withLimits({ pipeBytes: 64 * MIB, pinnedBytes: 4 * MIB })
    const before = counters.snapshot().shrunkPipes
    using list = new BufferList()
    for (let i = 0; i < 4; i++) {
      using part = new BufferList()
      // 70,000 bytes take a large pipe, and need 18 of its slots.
      await part.spliceFrom({ file: path }, 70_000, { hold: 'pages' })
      list.append(part)
    }
    expect(pipePool.budget.inUse.pinnedBytes).to.equal(4 * MIB)
    const held = borrowAll(MIB, 'loan', 10)
    expect(held).to.have.length(3)
    expect(counters.snapshot().shrunkPipes - before).to.equal(4)
    expect(pipePool.budget.inUse.pinnedBytes).to.equal(3 * MIB + 4 * 32 * 4096)
    expect(list.length).to.equal(280_000)
    expect(list.equals(Buffer.concat(Array(4).fill(bytes(1, 70_000)) as Buffer[]))).to.equal(true)
  })

  it('take what was asked for in the environment', async () => {
    const { stdout, stderr } = await runScript(
      `import { limits } from 'splicelist'
       const before = limits.get()
       const set = limits.set({ pipes: 7 })
       const back = limits.set({ pipes: undefined })
       console.log(JSON.stringify([before.pipeSlots, before.pipes, set.pipes, back.pipes]))`,
      {
        env: { SPLICELIST_PIPE_SLOTS: '512', SPLICELIST_PIPES: '9', SPLICELIST_PIPE_BYTES: 'much' },
      },
    )
    expect(JSON.parse(stdout)).to.deep.equal([512, 9, 7, 9])
    expect(stderr).to.match(/SPLICELIST_PIPE_BYTES=much is no whole number, and is ignored/)
  })

  it('give idle pipes back when no descriptor is left for another', () => {
    pipePool.drain()
    const held = [1, 2, 3].map(() => pipePool.borrow(1) as HeldPipe)
    for (const each of held) pipePool.giveBack(each)
    const idle = pipePool.idlePipes
    // The small ones are idle; a large one is asked for, and the first attempt fails.
    script({ call: 'pipe2', errno: 24 })
    const large = pipePool.borrow(MIB)
    expect(large).not.to.equal(undefined)
    expect(pipePool.idlePipes).to.equal(idle - 3)
    if (large !== undefined) pipePool.giveBack(large)
  })

  it('read what the system has become', () => {
    expect(limits.set({})).to.deep.equal(limits.get())
  })
})

describe('Idle pipes', () => {
  it('are closed when nobody needed them for a while, and keep no process alive for it', async function () {
    needsAddon(this)
    const { stdout, code } = await runScript(`
      import { mock } from 'node:test'
      import { pipePool } from '#lib/raw/pipe-pool.js'
      const fill = (n) => {
        const held = Array.from({ length: n }, () => pipePool.borrow(100_000))
        for (const each of held) pipePool.giveBack(each)
      }
      mock.timers.enable({ apis: ['setTimeout'] })
      const counts = []
      const turn = () => {
        mock.timers.tick(5000)
        counts.push(pipePool.idlePipes)
      }
      fill(8)
      counts.push(pipePool.idlePipes)
      turn()
      fill(3)
      turn()
      turn()
      fill(1)
      turn()
      mock.timers.reset()
      fill(1)
      const resources = process.getActiveResourcesInfo()
      console.log(JSON.stringify([counts, resources.includes('Timeout')]))
    `)
    expect(code).to.equal(0)
    // One is reserved. The first turn begins with the first pipe, and ends before the others' time; in
    // the second three are used, in the third none.
    expect(JSON.parse(stdout)).to.deep.equal([[9, 8, 4, 1, 1], false])
  })
})

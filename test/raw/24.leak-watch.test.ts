import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { runScript } from '../support/children.js'
import { tempFolder } from '../support/folders.js'
import { needsAddon } from '../support/needs.js'

/** Makes `count` lists in pipes and forgets them; tells what the collector made of that. */
const forget = (count: number, release: boolean): string => `
  import { readdirSync, readlinkSync } from 'node:fs'
  import { setTimeout as delay } from 'node:timers/promises'
  import { BufferList, counters } from 'splicelist'
  import { opened } from '#lib/reactor.js'
  import { PipeRaw } from '#lib/raw/pipe.js'
  import { pipePool } from '#lib/raw/pipe-pool.js'

  /** The ends of pipes that this process has: what else is open may be the runtime's. */
  function pipeEnds() {
    return readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync('/proc/self/fd/' + fd).startsWith('pipe:')
      } catch {
        return false // The folder that was read.
      }
    }).length
  }
  function makeAndForget() {
    for (let i = 0; i < ${count}; i++) {
      const held = pipePool.borrow(100_000)
      held.bytes = opened().writev(held.pipe, [Buffer.alloc(100_000)], 0, false)
      const list = new BufferList()
      list.adoptRaw(new PipeRaw([held], 'foreign'))
      list.cursor().readUInt8()
      if (${release}) list.release()
    }
  }
  const warnings = []
  process.on('warning', (warning) => warnings.push(warning))
  opened()
  pipePool.drain()
  const before = pipeEnds()
  makeAndForget()
  for (let i = 0; i < 100 && counters.snapshot().leaks < ${release ? 1 : count}; i++) {
    gc()
    await delay(${release ? 0 : 5})
  }
  pipePool.drain()
  console.log(JSON.stringify({
    kept: pipeEnds() - before,
    pipes: pipePool.livePipes,
    leaks: counters.snapshot().leaks,
    warnings: warnings.map(({ name, code, message }) => ({ name, code, message })),
  }))
`

interface Told {
  readonly kept: number
  readonly pipes: number
  readonly leaks: number
  readonly warnings: readonly { name: string; code: string; message: string }[]
}

describe('A segment that is collected without release()', () => {
  beforeEach(function () {
    needsAddon(this)
  })

  it('has its descriptors closed, is counted, and reported once, with the remedy', async () => {
    const { stdout, code } = await runScript(forget(5, false), { env: { SPLICELIST_LEAKS: '' } })
    expect(code).to.equal(0)
    const told = JSON.parse(stdout) as Told
    expect(told.leaks).to.equal(5)
    // The two of the reserved pipe may be new.
    expect(told.kept).to.be.at.most(2)
    expect(told.pipes).to.be.at.most(1)
    expect(told.warnings).to.have.length(1)
    expect(told.warnings[0]).to.include({
      name: 'SplicelistLeakWarning',
      code: 'SPLICELIST_LEAK',
    })
    expect(told.warnings[0]?.message).to.match(
      /pipe segment.*release\(\).*using.*SPLICELIST_LEAKS/s,
    )
  })

  it('is reported each time, with the place, when SPLICELIST_LEAKS is trace', async () => {
    const env = { SPLICELIST_LEAKS: 'trace' }
    const { stdout } = await runScript(forget(3, false), { env })
    const told = JSON.parse(stdout) as Told
    expect(told.warnings).to.have.length(3)
    for (const { message } of told.warnings) expect(message).to.include('makeAndForget')
  })

  it('is reported also where the program formats its stack traces as no text', async () => {
    const env = { SPLICELIST_LEAKS: 'trace' }
    const format = 'Error.prepareStackTrace = (_, sites) => sites'
    const { stdout, stderr } = await runScript(`${format}\n${forget(1, false)}`, { env })
    expect(stderr).not.to.include('TypeError')
    const told = JSON.parse(stdout) as Told
    expect(told.warnings).to.have.length(1)
  })

  it('is none when it was released', async () => {
    const { stdout } = await runScript(forget(5, true))
    const told = JSON.parse(stdout) as Told
    expect(told).to.deep.include({ leaks: 0, warnings: [] })
    expect(told.pipes).to.be.at.most(1)
  })

  it('is closed and counted also when it is an extent of a file', async () => {
    const path = join(await tempFolder(), 'file')
    await writeFile(path, 'abc')
    const { stdout, code } = await runScript(`
      import { setTimeout as delay } from 'node:timers/promises'
      import { BufferList, counters } from 'splicelist'
      import { addon } from '#lib/native.js'
      const warnings = []
      process.on('warning', (warning) => warnings.push(warning.message))
      const before = addon.live().descriptors
      async function makeAndForget() {
        await BufferList.fromFile(${JSON.stringify(path)})
      }
      await makeAndForget()
      for (let i = 0; i < 100 && counters.snapshot().leaks < 1; i++) {
        gc()
        await delay(5)
      }
      const left = addon.live().descriptors - before
      console.log(JSON.stringify({ left, leaks: counters.snapshot().leaks, warnings }))
    `)
    expect(code).to.equal(0)
    const told = JSON.parse(stdout) as { left: number; leaks: number; warnings: string[] }
    expect(told).to.include({ left: 0, leaks: 1 })
    expect(told.warnings.join()).to.include('file segment')
  })

  it('keeps no process alive: it may be forgotten at the end', async () => {
    const { code } = await runScript(`
      import { BufferList } from 'splicelist'
      globalThis.list = await BufferList.fromFile('/proc/self/exe')
    `)
    expect(code).to.equal(0)
  })
})

import { readdirSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { expect } from 'chai'
import { addon } from '#lib/native.js'
import { pipePool } from '#lib/raw/pipe-pool.js'
import { bytes } from '../support/bytes.js'
import { runScript } from '../support/children.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsAddon } from '../support/needs.js'
import { filledPages } from './producers.js'

const openCount = (): number => readdirSync('/proc/self/fd').length

/** What a worker says of itself. */
interface Told {
  readonly live: Record<string, number>
}

/** Runs a worker until it holds all it can, and ends it. */
async function runWorker(how: 'terminate' | 'exit' | 'throw'): Promise<Record<string, number>> {
  const url = new URL('./workers/producing.js', import.meta.url)
  const worker = new Worker(url, { workerData: how, execArgv: [] })
  // Listened for from the start: under load the end comes in the same turn as the message.
  const exited = new Promise((resolve) => worker.once('exit', resolve))
  const told = new Promise<Told>((resolve) => worker.once('message', resolve))
  let error: unknown
  worker.once('error', (thrown) => (error = thrown))
  const { live } = await told
  if (how === 'terminate') await worker.terminate()
  await exited
  if (how === 'throw') expect(error).to.have.property('message', 'by intention')
  return live
}

describe('Pages of a worker', () => {
  beforeEach(async function () {
    needsAddon(this)
    // The first worker of a process opens what Node keeps.
    await runWorker('exit')
  })

  for (const how of ['terminate', 'exit', 'throw'] as const) {
    it(`end with it, whatever state they are in, when it comes to ${how}`, async () => {
      // Idle pipes are closed by a timer of their own.
      pipePool.drain()
      const own = addon?.live()
      const before = openCount()
      const pages = filledPages(1, 200_000)
      for (let i = 0; i < 3; i++) {
        const live = await runWorker(how)
        expect(live['slabs']).to.be.at.least(3)
      }
      for (let i = 0; i < 200 && openCount() > before; i++) {
        await new Promise((resolve) => setTimeout(resolve, i / 4))
      }
      expect(openCount()).to.be.at.most(before)
      expectSameBytes(pages.bytes, bytes(1, 200_000))
      pages.release()
      expect(addon?.live()).to.deep.equal(own)
    })
  }
})

describe('Pages at the end of a process', () => {
  it('keep it alive no longer than what uses them does', async () => {
    const { code, stdout, stderr } = await runScript(
      `import { allocPages, ProducerRing } from 'splicelist'
       const given = allocPages(100000).gift()
       const { list, returned } = allocPages(100000).loan()
       const ring = new ProducerRing({ bytes: 1000 })
       await ring.reserve(1000)
       void ring.reserve(1)
       returned.then(() => console.log('never'))
       console.log(given.length + list.length)`,
    )
    expect({ code, stdout, stderr }).to.deep.equal({ code: 0, stdout: '200000\n', stderr: '' })
  })
})

import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { expect } from 'chai'
import type { LiveCounts } from '#lib/native.js'
import { pipePool } from '#lib/raw/pipe-pool.js'
import { bytes } from '../support/bytes.js'
import { runScript } from '../support/children.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { tempFolder } from '../support/folders.js'
import { needsAddon } from '../support/needs.js'
import { pipeList } from '../raw/pipes.js'
import { door, script } from './door.js'

const openCount = (): number => readdirSync('/proc/self/fd').length

/** A worker that has begun what it is told to do. */
/** A worker that has said what it holds, and how it ends: with an error, or without. */
interface Waiting {
  readonly worker: Worker
  readonly live: LiveCounts
  readonly ended: Promise<Error | undefined>
}

async function worker(how: string, path = ''): Promise<Waiting> {
  const url = new URL('./workers/waiting.js', import.meta.url)
  const made = new Worker(url, { workerData: { how, path }, execArgv: [] })
  afterwards(async () => {
    await made.terminate()
  })
  // Listened for from the start: under load the end comes in the same turn as the message.
  const ended = new Promise<Error | undefined>((resolve) => {
    let failure: Error | undefined
    made.once('error', (error) => {
      failure = error
    })
    made.once('exit', () => resolve(failure))
  })
  // Not once(): under load the failure of a worker that throws comes before what it has sent.
  const message = await new Promise<{ readonly live: LiveCounts }>((resolve, reject) => {
    made.once('message', resolve)
    void ended.then((failure) => reject(failure ?? new Error('It ended without a word')))
  })
  return { worker: made, live: message.live, ended }
}

/** Waits until as few descriptors are open as before, which the thread's end may take a while for. */
async function settled(before: number): Promise<number> {
  for (let i = 0; i < 200 && openCount() > before; i++) {
    await new Promise((resolve) => setTimeout(resolve, i / 4))
  }
  return openCount()
}

describe('The door to the addon: worker threads', () => {
  beforeEach(async function () {
    needsAddon(this)
    // The first worker of a process opens what Node keeps.
    const first = await worker('end')
    await first.worker.terminate()
  })

  it('have an account and pipes of their own', async () => {
    // Idle pipes are closed by a timer of their own.
    pipePool.drain()
    const own = door().live()
    const { live } = await worker('hold')
    expect(live.pipes).to.be.greaterThan(0)
    expect(live.slabs).to.equal(1)
    expect(door().live()).to.deep.equal(own)
  })

  it('end by themselves when nothing is pending', async () => {
    const before = openCount()
    const { ended } = await worker('end')
    await ended
    expect(await settled(before)).to.be.at.most(before)
  })

  for (const how of ['hold', 'wait', 'work'] as const) {
    it(`that are terminated while they ${how} leave nothing open`, async () => {
      const path = join(await tempFolder(), 'file')
      writeFileSync(path, bytes(1, 1 << 20))
      const before = openCount()
      if (how === 'work') script({ call: 'pread', maxBytes: 64, times: 1e9 })
      for (let i = 0; i < 3; i++) {
        const { worker: ended, live } = await worker(how, path)
        expect(live.pipes).to.be.greaterThan(0)
        if (how === 'wait') expect(live.waits).to.equal(1)
        if (how === 'work') expect(live.jobs).to.be.greaterThan(0)
        await ended.terminate()
      }
      expect(await settled(before)).to.be.at.most(before)
    })
  }

  it('that throw, exit or close leave nothing open', async () => {
    const before = openCount()
    const { ended: thrown } = await worker('throw')
    expect((await thrown)?.message).to.equal('by intention')
    const { ended: gone } = await worker('exit')
    await gone
    const { ended: closed } = await worker('close')
    await closed
    expect(await settled(before)).to.be.at.most(before)
  })

  it('do not disturb the lists of others when they end', async () => {
    const content = bytes(2, 200_000)
    const list = pipeList(content)
    const view = list.cStr()
    const { worker: ended } = await worker('hold')
    await ended.terminate()
    expectSameBytes(view, content)
    expectSameBytes(list.toBuffer(), content)
  })

  it('many at a time, begun and terminated in any order', async () => {
    const before = openCount()
    const all = await Promise.all(
      ['hold', 'wait', 'hold', 'wait', 'end', 'hold'].map((how) => worker(how)),
    )
    await Promise.all(all.map(({ worker: each }) => each.terminate()))
    expect(await settled(before)).to.be.at.most(before)
  })
})

describe('The end of a process', () => {
  beforeEach(function () {
    needsAddon(this)
  })

  for (const waker of ['loop', 'thread']) {
    describe(`with the waker ${waker}`, () => {
      const env = { SPLICELIST_WAKER: waker }

      it('comes when nothing is pending', async () => {
        const { code, stderr } = await runScript(
          `import { opened } from '#lib/reactor.js'
           opened()
           opened().pipe(16)`,
          { env },
        )
        expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' })
      })

      it('waits for a disk job, and for nothing after it', async () => {
        const { code, stdout } = await runScript(
          `import { openSync } from 'node:fs'
           import { opened, runJob } from '#lib/reactor.js'
           const file = opened().adopt(openSync(process.execPath), 'duplicate')
           runJob((token) => opened().readAt(file, 0, new Uint8Array(1 << 20), 0, 1 << 20, token)).done
             .then(({ bytes }) => console.log(bytes))`,
          { env },
        )
        expect({ code, stdout }).to.deep.equal({ code: 0, stdout: '1048576\n' })
      })

      it('waits for a socket that is waited for, which then wakes it', async () => {
        const { code, stdout, stderr } = await runScript(
          `import { createServer, connect } from 'node:net'
           import { once } from 'node:events'
           import { opened, Watch } from '#lib/reactor.js'
           const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
           await once(server, 'listening')
           const client = connect(server.address().port, '127.0.0.1')
           const [[socket]] = await Promise.all([once(server, 'connection'), once(client, 'connect')])
           server.close()
           const descriptor = opened().adopt(socket._handle.fd, 'borrow')
           const watch = new Watch(descriptor)
           for (let i = 0; i < 3; i++) {
             const ready = watch.readable()
             setTimeout(() => client.write('x'), 1)
             await ready
             console.log(opened().read(descriptor, new Uint8Array(9), 0, 9))
           }
           watch.close()
           client.destroy()
           socket.destroy()`,
          { env },
        )
        expect({ code, stdout, stderr }).to.deep.equal({ code: 0, stdout: '1\n1\n1\n', stderr: '' })
      })

      it('comes by process.exit() in the middle of anything', async () => {
        const { code, stderr } = await runScript(
          `import { openSync } from 'node:fs'
           import { opened, runJob } from '#lib/reactor.js'
           const file = opened().adopt(openSync('/dev/zero'), 'duplicate')
           for (let i = 0; i < 20; i++) {
             runJob((token) => opened().readAt(file, 0, new Uint8Array(1 << 24), 0, 1 << 24, token))
           }
           setImmediate(() => process.exit(7))`,
          { env },
        )
        expect({ code, stderr }).to.deep.equal({ code: 7, stderr: '' })
      })

      it('reports an exception of a continuation as any other', async () => {
        const { code, stderr } = await runScript(
          `import { openSync } from 'node:fs'
           import { opened, runJob } from '#lib/reactor.js'
           const file = opened().adopt(openSync('/dev/zero'), 'duplicate')
           runJob((token) => opened().readAt(file, 0, new Uint8Array(10), 0, 10, token)).done
             .then(() => { throw new Error('by intention') })`,
          { env },
        )
        expect(code).to.equal(1)
        expect(stderr).to.include('by intention')
      })
    })
  }
})

describe('The program without the addon', () => {
  it('says why there is none, and works', async () => {
    const { code, stdout } = await runScript(
      `import { BufferList, crc32c } from 'splicelist'
       import { addon, whyNoAddon } from '#lib/native.js'
       console.log(addon, whyNoAddon)
       console.log(new BufferList('ab', 'cd').cStr().toString(), crc32c(Buffer.alloc(100, 1)))`,
      { env: { SPLICELIST_NATIVE: '0' } },
    )
    expect(code).to.equal(0)
    const [first, second] = stdout.split('\n')
    expect(first).to.equal('null SPLICELIST_NATIVE=0 switches the addon off')
    expect(second).to.match(/^abcd \d+$/)
  })
})

import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as round } from 'node:timers/promises'
import { expect } from 'chai'
import { runJob } from '#lib/reactor.js'
import { SIZES } from '../list/kinds.js'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { tempFolder } from '../support/folders.js'
import { needsAddon } from '../support/needs.js'
import { adopted, contentOf, door, E, fileOf, filled, openedFile, pipe, script } from './door.js'

const ECANCELED = 125

describe('The door to the addon: disk jobs', () => {
  beforeEach(function () {
    needsAddon(this)
  })

  it('read and write any number of bytes at any offset', async () => {
    const path = join(await tempFolder(), 'file')
    const file = adopted(openedFile(path, 'w+'))
    for (const size of SIZES) {
      const content = bytes(size, size)
      const cut = Math.floor(size / 3)
      const parts = [content.subarray(0, cut), content.subarray(cut)]
      const written = runJob((token) => door().writeAt(file, 777, parts, 0, token))
      expect(await written.done).to.deep.equal({ bytes: size, errno: 0 })
      const target = Buffer.alloc(size + 20, 0xee)
      const read = runJob((token) => door().readAt(file, 777, target, 10, size, token))
      expect(await read.done).to.deep.equal({ bytes: size, errno: 0 })
      expectSameBytes(target.subarray(10, 10 + size), content, `${size} bytes`)
      expect([...target.subarray(0, 10), ...target.subarray(10 + size)]).to.deep.equal(
        new Array(20).fill(0xee),
      )
    }
  })

  it("use and move a file's own position when no offset is given", async () => {
    const path = join(await tempFolder(), 'file')
    const file = adopted(openedFile(path, 'w+'))
    const write = (text: string): Promise<unknown> =>
      runJob((token) => door().writeAt(file, -1, [Buffer.from(text)], 1, token)).done
    await write('xabc')
    await write('xdef')
    expect(readFileSync(path, 'latin1')).to.equal('abcdef')
    door().seek(file, 2, 0)
    const target = Buffer.alloc(3)
    await runJob((token) => door().readAt(file, -1, target, 0, 3, token)).done
    expect(target.toString()).to.equal('cde')
    expect(door().seek(file, 0, 1)).to.equal(5)
  })

  it('end early only at the end of the file', async () => {
    const file = adopted(await fileOf('abc'))
    const target = Buffer.alloc(10)
    const read = runJob((token) => door().readAt(file, 1, target, 0, 10, token))
    expect(await read.done).to.deep.equal({ bytes: 2, errno: 0 })
    const behind = runJob((token) => door().readAt(file, 99, target, 0, 10, token))
    expect(await behind.done).to.deep.equal({ bytes: 0, errno: 0 })
  })

  it('have copied what they write before they run: it may be changed at once', async () => {
    const path = join(await tempFolder(), 'file')
    const file = adopted(openedFile(path, 'w'))
    const content = Buffer.alloc(3 << 20, 'a')
    const job = runJob((token) => door().writeAt(file, 0, [content], 0, token))
    content.fill('b')
    structuredClone(content.buffer, { transfer: [content.buffer] })
    await job.done
    expect(readFileSync(path).every((byte) => byte === 0x61)).to.equal(true)
  })

  it('pump a file into a pipe until it is full, and a pipe into a file', async () => {
    const content = bytes(1, 200_000)
    const from = adopted(await fileOf(content))
    const through = pipe(16)
    const filling = runJob((token) => door().pump(from, 5, [through], -1, [200_000], token))
    expect(await filling.done).to.deep.equal({ bytes: 65_531, errno: 11 })
    const path = join(await tempFolder(), 'file')
    const to = adopted(openedFile(path, 'w'))
    const draining = runJob((token) => door().pump([through], -1, to, 3, [65_531], token))
    expect(await draining.done).to.deep.equal({ bytes: 65_531, errno: 0 })
    expectSameBytes(readFileSync(path).subarray(3), content.subarray(5, 65_536))
  })

  it('pump a file into another', async () => {
    const content = bytes(2, 5 << 20)
    const from = adopted(await fileOf(content))
    const path = join(await tempFolder(), 'file')
    const to = adopted(openedFile(path, 'w'))
    const job = runJob((token) => door().pump(from, 0, to, 0, [10 << 20], token))
    expect(await job.done).to.deep.equal({ bytes: 5 << 20, errno: 0 })
    expectSameBytes(readFileSync(path), content)
  })

  it('bring what was written to the disk', async () => {
    const file = adopted(await fileOf('abc'))
    for (const dataOnly of [true, false]) {
      const job = runJob((token) => door().sync(file, dataOnly, token))
      expect(await job.done).to.deep.equal({ bytes: 0, errno: 0 })
    }
    const pipes = openedFile('/dev/null', 'w')
    const job = runJob((token) => door().sync(adopted(pipes), true, token))
    expect(await job.done).to.deep.equal({ bytes: 0, errno: -E.EINVAL })
  })

  it('run many at a time, each with its own result', async () => {
    const content = bytes(3, 100_000)
    const file = adopted(await fileOf(content))
    const targets = Array.from({ length: 500 }, () => Buffer.alloc(100))
    const results = await Promise.all(
      targets.map((target, i) => {
        const job = runJob((token) => door().readAt(file, i * 150, target, 0, 100, token))
        return job.done
      }),
    )
    expect(results.every(({ bytes: n, errno }) => n === 100 && errno === 0)).to.equal(true)
    targets.forEach((target, i) => {
      expectSameBytes(target, content.subarray(i * 150, i * 150 + 100), `job ${i}`)
    })
    expect(door().live().jobs).to.equal(0)
  })

  it('refuse a token that is in use', async () => {
    const file = adopted(await fileOf('abc'))
    let used = 0
    const job = runJob((token) => {
      used = token
      return door().sync(file, true, token)
    })
    expect(door().sync(file, true, used)).to.equal(E.EEXIST)
    await job.done
  })

  it('stop when they are cancelled, and still report', async () => {
    const file = adopted(await fileOf(bytes(4, 1 << 20)))
    script({ call: 'pread', maxBytes: 1, times: 1e9 })
    const target = Buffer.alloc(1 << 20)
    const job = runJob((token) => door().readAt(file, 0, target, 0, 1 << 20, token))
    job.cancel()
    const { bytes: n, errno } = await job.done
    expect(errno).to.equal(ECANCELED)
    expect(n).to.be.lessThan(1 << 20)
    expectSameBytes(target.subarray(0, n), bytes(4, n))
    job.cancel()
    door().cancel(2 ** 50)
  })

  it('that wait for a thread are cancelled before they run', async () => {
    const file = adopted(await fileOf(bytes(5, 1 << 20)))
    script({ call: 'pread', maxBytes: 1, times: 1e9 })
    const jobs = Array.from({ length: 200 }, () => {
      const target = Buffer.alloc(1 << 20)
      return runJob((token) => door().readAt(file, 0, target, 0, 1 << 20, token))
    })
    for (const job of jobs.toReversed()) job.cancel()
    const results = await Promise.all(jobs.map((job) => job.done))
    expect(results.every(({ errno }) => errno === ECANCELED)).to.equal(true)
    expect(results.at(-1)?.bytes).to.equal(0)
    expect(door().live().jobs).to.equal(0)
  })

  it('keep what they use until they return, and are counted as orphans', async () => {
    const path = join(await tempFolder(), 'file')
    const fd = openSync(path, 'w+')
    const file = adopted(fd, 'duplicate')
    closeSync(fd)
    const through = filled(bytes(6, 50_000))
    script({ call: 'splice', maxBytes: 10, times: 1e9 })
    const job = runJob((token) => door().pump([through], -1, file, 0, [50_000], token))
    door().drop(file)
    door().drop(through)
    const { jobs, orphans } = door().live()
    expect(orphans).to.be.at.most(jobs)
    const { bytes: n } = await job.done
    expectSameBytes(readFileSync(path), bytes(6, n))
    await round()
    expect(door().live()).to.include({ jobs: 0, orphans: 0 })
  })

  it('keep the memory that they read into, whoever forgets it', async () => {
    const file = adopted(await fileOf(bytes(7, 1 << 20)))
    script({ call: 'pread', maxBytes: 4096, times: 1e9 })
    const start = (): Promise<unknown> => {
      const target = new Uint8Array(1 << 20)
      return runJob((token) => door().readAt(file, 0, target, 0, 1 << 20, token)).done
    }
    const done = start()
    globalThis.gc?.()
    expect(await done).to.deep.equal({ bytes: 1 << 20, errno: 0 })
  })

  it('of a pipe into itself fail, and end', async () => {
    const both = filled(bytes(8, 100), 16)
    const job = runJob((token) => door().pump([both], -1, [both], -1, [50], token))
    expect((await job.done).errno).to.equal(-E.EINVAL)
    expect(contentOf(both)).to.have.length(100)
  })
})

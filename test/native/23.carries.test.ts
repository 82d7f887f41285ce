/** Disk jobs that carry bytes from place to place, and wait a moment for peers that are busy. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { setImmediate as nextRound } from 'node:timers/promises'
import { expect } from 'chai'
import { runJob, type JobResult, type RunningJob } from '#lib/reactor.js'
import type { Descriptor, Pipe } from '#lib/native.js'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { tempFolder } from '../support/folders.js'
import { needsAddon } from '../support/needs.js'
import { tcpPair, unixPair } from '../support/socket-pairs.js'
import { adopted, borrowed, contentOf, door, E, fileOf, openedFile, pipe, script } from './door.js'

const EAGAIN = 11
const ECANCELED = 125

interface Way {
  readonly from: Descriptor
  readonly fromOffset?: number
  readonly through?: Pipe
  readonly to: Descriptor
  readonly toOffset?: number
  /** Bytes that one call gives the sink at the most. */
  readonly burst?: number
}

const PATIENCE_MS = 10

function carry(way: Way, length: number, patienceMs = PATIENCE_MS, gatheredBytes = 1): RunningJob {
  const { from, fromOffset = -1, through = null, to, toOffset = -1, burst = length } = way
  return runJob((token) =>
    door().carry(
      from,
      fromOffset,
      through,
      to,
      toOffset,
      length,
      burst,
      gatheredBytes,
      patienceMs,
      token,
    ),
  )
}

/** Carries until so many bytes are moved, each time as far as it goes at once. */
async function carryAll(way: Way, length: number): Promise<JobResult[]> {
  const results: JobResult[] = []
  for (let left = length; left > 0; left -= results.at(-1)?.bytes ?? 0) {
    results.push(await carry(way, left).done)
  }
  return results
}

/** A TCP connection, and the way from it into a file. */
async function wayFromTcp() {
  const { client, server } = await tcpPair()
  const path = join(await tempFolder(), 'file')
  const to = adopted(openedFile(path, 'w'))
  return { client, server, path, way: { from: borrowed(server), through: pipe(256), to } }
}

/** A job that goes on until it is cancelled. */
async function endlessRead(): Promise<RunningJob> {
  const file = adopted(await fileOf(bytes(9, 1 << 20)))
  const target = Buffer.alloc(1 << 20)
  return runJob((token) => door().readAt(file, 0, target, 0, 1 << 20, token))
}

describe('The door to the addon: carries', () => {
  beforeEach(function () {
    needsAddon(this)
  })

  it('go from file to file, through a pipe or without', async () => {
    const content = bytes(1, 3_000_001)
    const from = adopted(await fileOf(content))
    for (const through of [pipe(256), pipe(2), undefined]) {
      const path = join(await tempFolder(), 'file')
      const to = adopted(openedFile(path, 'w'))
      let n = 0
      for (let last = 1; last > 0; n += last) {
        const way = { from, fromOffset: 7 + n, to, toOffset: 5 + n, ...(through && { through }) }
        const { bytes: moved, errno } = await carry(way, 1 << 30).done
        expect(errno).to.equal(0)
        last = moved
      }
      expect(n).to.equal(content.length - 7)
      expectSameBytes(readFileSync(path).subarray(5), content.subarray(7))
    }
  })

  it("use and move files' own positions", async () => {
    const content = bytes(2, 100_000)
    const from = adopted(await fileOf(content))
    const path = join(await tempFolder(), 'file')
    const to = adopted(openedFile(path, 'w'))
    const way = { from, to, through: pipe(16) }
    expect((await carry(way, 70_000).done).bytes).to.equal(70_000)
    expect((await carry(way, 70_000).done).bytes).to.equal(30_000)
    expectSameBytes(readFileSync(path), content)
  })

  for (const [name, pair] of [
    ['TCP', tcpPair],
    ['unix sockets', unixPair],
  ] as const) {
    it(`go from a file over ${name}, at the reader's pace`, async () => {
      const content = bytes(3, 9_000_000)
      const { client, server } = await pair()
      const arriving = collected(server)
      const way = { from: adopted(await fileOf(content)), fromOffset: 0, to: borrowed(client) }
      let at = 0
      while (at < content.length) {
        at += (await carry({ ...way, fromOffset: at }, content.length - at).done).bytes
      }
      client.end()
      expectSameBytes(await arriving, content)
    })

    it(`go from ${name} to ${name}, and keep in the pipe what the sink does not take`, async () => {
      const content = bytes(4, 9_000_000)
      const source = await pair()
      const sink = await pair()
      source.client.write(content)
      const through = pipe(256)
      const way = { from: borrowed(source.server), through, to: borrowed(sink.client) }
      // Nobody reads: the sink fills up, and a carry ends there.
      const full = await carry(way, content.length).done
      expect(full.errno).to.equal(EAGAIN)
      const held = contentOf(through)
      const front = content.subarray(0, full.bytes + held.length)
      expectSameBytes(held, front.subarray(full.bytes))
      expect(full.bytes).to.be.greaterThan(0)
    })

    it(`wait for more from ${name}, for a moment`, async () => {
      const content = bytes(5, 5_000_000)
      const { client, server } = await pair()
      const path = join(await tempFolder(), 'file')
      const to = adopted(openedFile(path, 'w'))
      client.write(content)
      const way = { from: borrowed(server), through: pipe(256), to }
      script({ call: 'poll', skip: 1e9 })
      const results = await carryAll(way, content.length)
      // EAGAIN, or the time is over: then it has moved something.
      for (const { bytes: n, errno } of results) {
        if (n === 0) expect(errno).to.equal(EAGAIN)
        else expect(errno).to.be.oneOf([0, EAGAIN])
      }
      expectSameBytes(readFileSync(path), content)
      const quiet = await carry(way, 1).done
      expect(quiet).to.deep.equal({ bytes: 0, errno: EAGAIN })
      expect(door().scriptedCalls()['poll']).to.be.greaterThan(0)
      client.end()
      await once(client, 'finish')
    })
  }

  it('give the sink a burst at a time, by a pipe or by one call', async () => {
    const content = bytes(6, 100_000)
    const file = await fileOf(content)
    for (const through of [pipe(256), undefined]) {
      const { client, server } = await tcpPair()
      const from = adopted(file)
      const way = { from, fromOffset: 0, to: borrowed(client), ...(through && { through }) }
      const call = through === undefined ? 'sendfile' : 'splice'
      const calls: number[] = []
      for (const burst of [100_000, 30_000]) {
        script({ call, skip: 1e9 })
        const before = door().scriptedCalls()[call] ?? 0
        expect(await carry({ ...way, burst }, 100_000).done).to.deep.equal({
          bytes: 100_000,
          errno: 0,
        })
        calls.push((door().scriptedCalls()[call] ?? 0) - before)
      }
      // One into the pipe, and out of it as many as there are bursts.
      expect(calls).to.deep.equal(through === undefined ? [1, 4] : [2, 5])
      const arriving = collected(server)
      client.end()
      expectSameBytes(await arriving, Buffer.concat([content, content]))
      expect(() => carry({ ...way, burst: 0 }, 1)).to.throw(RangeError, 'burstBytes')
    }
  })

  it('are as patient as they are told, up to a second', async () => {
    const { server } = await tcpPair()
    const sink = await tcpPair()
    const way = { from: borrowed(server), through: pipe(), to: borrowed(sink.client) }
    for (const patienceMs of [0, 1]) {
      expect(await carry(way, 1, patienceMs).done).to.deep.equal({ bytes: 0, errno: EAGAIN })
    }
    const longest = carry(way, 1, 1000)
    longest.cancel()
    expect(await longest.done).to.deep.equal({ bytes: 0, errno: ECANCELED })
    for (const wrong of [-1, 1001, 0.5]) {
      expect(() => carry(way, 1, wrong)).to.throw(RangeError, 'patienceMs')
    }
  })

  it('say that they were cancelled, whenever that was', async () => {
    const way = {
      from: borrowed((await tcpPair()).server),
      through: pipe(),
      to: borrowed((await tcpPair()).client),
    }
    // At another place of its way each time: before it has begun, at an attempt, between two, waiting.
    for (let spins = 0; spins < 1000; spins += 1) {
      const job = carry(way, 1, 1000)
      for (let i = 0; i < spins; i += 1) door().pending(way.from)
      job.cancel()
      expect(await job.done).to.deep.equal({ bytes: 0, errno: ECANCELED })
    }
  })

  describe('that gather', () => {
    /** Sends so many lots of 10,000 bytes, with pauses. */
    async function drip(client: Socket, lots: number): Promise<void> {
      for (let i = 0; i < lots; i += 1) {
        await new Promise((resolve) => setTimeout(resolve, 5))
        client.write(bytes(i, 10_000))
      }
    }

    for (const [length, gathered] of [
      [100_000, 1 << 20],
      [100_000, 100_000],
    ] as const) {
      it(`${gathered} bytes of ${length} wait once for all that is missing`, async () => {
        const { client, way } = await wayFromTcp()
        script({ call: 'poll', skip: 1e9 })
        const job = carry(way, length, 1000, gathered)
        await drip(client, 10)
        expect(await job.done).to.deep.equal({ bytes: length, errno: 0 })
        expect(door().scriptedCalls()['poll']).to.be.at.most(2)
      })
    }

    it('are woken when what is left is less, before their patience ends', async () => {
      const { client, way } = await wayFromTcp()
      // Where each of these waited for a second, the test would take longer than it may.
      for (let i = 0; i < 40; i += 1) {
        const job = carry(way, 1000, 1000, 1 << 20)
        await new Promise((resolve) => setTimeout(resolve, 2))
        client.write(bytes(i, 1000))
        expect(await job.done).to.deep.equal({ bytes: 1000, errno: 0 })
      }
    })

    it('take what there is when their patience ends', async () => {
      const { client, way } = await wayFromTcp()
      const job = carry(way, 100_000, 100, 1 << 20)
      client.write('x'.repeat(7))
      expect((await job.done).bytes).to.equal(7)
    })

    it('take what there is at the end of the stream', async () => {
      const { client, way } = await wayFromTcp()
      const job = carry(way, 100_000, 1000, 1 << 20)
      client.end('x'.repeat(7))
      expect(await job.done).to.deep.equal({ bytes: 7, errno: 0 })
    })

    it('leave a socket that tells of each byte', async () => {
      const { client, server, way } = await wayFromTcp()
      script({ call: 'setsockopt', skip: 1e9 })
      const job = carry(way, 100_000, 1000, 1 << 20)
      client.write('x'.repeat(7))
      while ((door().scriptedCalls()['setsockopt'] ?? 0) === 0) await nextRound()
      job.cancel()
      const { bytes: n } = await job.done
      const told = n === 7 ? Promise.resolve() : once(server, 'readable')
      server.read(0)
      await told
      expect(n + ((server.read() as Buffer | null)?.length ?? 0)).to.equal(7)
    })

    it('refuse less than a byte', async () => {
      const { way } = await wayFromTcp()
      for (const wrong of [0, -1, 1.5]) {
        expect(() => carry(way, 1, 10, wrong)).to.throw(RangeError, 'gatheredBytes')
      }
    })
  })

  describe('from TCP through a pipe', () => {
    const LENGTH = 600_000
    const FILL_BYTES = 1 << 19

    /** As `wayFromTcp`, from a socket that has so many bytes. */
    async function wayWithBytes(sent: Buffer) {
      const made = await wayFromTcp()
      const { from } = made.way
      door().lowWater(from, 1 << 20) // for its room
      made.client.write(sent)
      while (door().pending(from) < sent.length) await nextRound()
      door().lowWater(from, 1)
      return made
    }

    for (const [took, looks] of [
      [FILL_BYTES - 1, 1],
      [FILL_BYTES, 0],
    ] as const) {
      it(`a call that took ${took} bytes is followed by ${looks} looks for more`, async () => {
        const sent = bytes(11, LENGTH)
        const { path, way } = await wayWithBytes(sent)
        script({ call: 'splice', maxBytes: took })
        expect(await carry(way, LENGTH).done).to.deep.equal({ bytes: LENGTH, errno: 0 })
        const { poll = 0, splice } = door().scriptedCalls()
        expect({ poll, splice }).to.deep.equal({ poll: looks, splice: 4 - looks })
        expectSameBytes(readFileSync(path), sent)
      })
    }

    it('all that came before a reset is stored, and the reset told', async () => {
      const sent = bytes(12, 100_000)
      const { client, path, way } = await wayWithBytes(sent)
      client.resetAndDestroy()
      script({ call: 'splice', maxBytes: 1000 })
      const { bytes: n, errno } = await carry(way, LENGTH, 1000).done
      expect({ n, errno }).to.deep.equal({ n: sent.length, errno: -E.ECONNRESET })
      expectSameBytes(readFileSync(path), sent)
    })
  })

  it('end at the end of a socket, and with its error', async () => {
    const ending = await tcpPair()
    const path = join(await tempFolder(), 'file')
    const to = adopted(openedFile(path, 'w'))
    ending.client.end('the end')
    await once(ending.client, 'finish')
    const way = { from: borrowed(ending.server), through: pipe(), to }
    let got = 0
    let last: JobResult
    do {
      last = await carry(way, 100).done
      got += last.bytes
    } while (last.errno === EAGAIN)
    expect({ got, errno: last.errno }).to.deep.equal({ got: 7, errno: 0 })
    script({ call: 'splice', errno: -E.ECONNRESET })
    expect(await carry(way, 100).done).to.deep.equal({ bytes: 0, errno: -E.ECONNRESET })
  })

  it('end where a call would block though its side polls ready', async () => {
    const { client, server } = await unixPair()
    const way = { from: borrowed(server), through: pipe(), to: borrowed((await unixPair()).client) }
    client.write('x'.repeat(1000))
    script({ call: 'splice', errno: EAGAIN, times: 1e9 })
    expect(await carry(way, 1000).done).to.deep.equal({ bytes: 0, errno: EAGAIN })
    expect(door().scriptedCalls()['splice']).to.be.at.most(2)
  })

  it('do not wait for a peer while another job waits for a thread', async () => {
    const { server } = await tcpPair()
    const through = pipe()
    const way = { from: borrowed(server), through, to: borrowed((await tcpPair()).client) }
    script({ call: 'pread', maxBytes: 1, times: 1e9 })
    const readers = await Promise.all(Array.from({ length: 4 }, endlessRead))
    const first = carry(way, 1000)
    const behind = await endlessRead()
    readers[0]?.cancel()
    expect(await first.done).to.deep.equal({ bytes: 0, errno: EAGAIN })
    expect(door().scriptedCalls()['poll'] ?? 0).to.equal(0)
    for (const each of [...readers, behind]) each.cancel()
    await Promise.all([...readers, behind].map(({ done }) => done))
  })

  it('leave their thread to another job though they never have to wait', async () => {
    const path = join(await tempFolder(), 'file')
    const way = {
      from: adopted(await fileOf(bytes(7, 1 << 20))),
      through: pipe(),
      to: adopted(openedFile(path, 'w')),
    }
    script({ call: 'pread', maxBytes: 1, times: 1e9 }, { call: 'splice', maxBytes: 1, times: 1e9 })
    const readers = await Promise.all(Array.from({ length: 4 }, endlessRead))
    const first = carry(way, 1 << 20)
    const behind = await endlessRead()
    readers[0]?.cancel()
    const { bytes: n, errno } = await first.done
    expect(errno).to.equal(0)
    // A millisecond, of the 50 that it would go on alone.
    expect(n).to.be.within(1, 40_000)
    for (const each of [...readers, behind]) each.cancel()
    await Promise.all([...readers, behind].map(({ done }) => done))
  })

  it('end after a while to tell how far they are, with nothing left in the pipe', async () => {
    const content = bytes(8, 1 << 20)
    const path = join(await tempFolder(), 'file')
    const through = pipe()
    const to = adopted(openedFile(path, 'w'))
    // A byte and two calls at a time, they would take a second.
    script({ call: 'splice', maxBytes: 1, times: 1e9 })
    const { bytes: n, errno } = await carry(
      { from: adopted(await fileOf(content)), through, to },
      1 << 20,
    ).done
    script()
    expect(errno).to.equal(0)
    expect(n).to.be.within(1, (1 << 20) - 1)
    expect(contentOf(through)).to.have.length(0)
    expectSameBytes(readFileSync(path), content.subarray(0, n))
  })

  it('can be cancelled, and say what is done', async () => {
    const content = bytes(6, 1 << 20)
    const from = adopted(await fileOf(content))
    const path = join(await tempFolder(), 'file')
    const to = adopted(openedFile(path, 'w'))
    script({ call: 'splice', maxBytes: 100, times: 1e9 })
    const through = pipe()
    const job = carry({ from, fromOffset: 0, through, to, toOffset: 0 }, 1 << 20)
    job.cancel()
    const { bytes: n, errno } = await job.done
    expect(n).to.be.at.most(1 << 20)
    if (n < 1 << 20) expect(errno).to.equal(ECANCELED)
    script()
    expectSameBytes(readFileSync(path), content.subarray(0, n))
  })

  it('are told when no thread can be spared', async () => {
    expect(door().hasSpareThread()).to.equal(true)
    script({ call: 'pread', maxBytes: 1, times: 1e9 })
    const readers = await Promise.all([endlessRead(), endlessRead()])
    expect(door().hasSpareThread()).to.equal(false)
    for (const each of readers) each.cancel()
    await Promise.all(readers.map(({ done }) => done))
    expect(door().hasSpareThread()).to.equal(true)
  })
})

/** All that a socket gets, until its end. */
async function collected(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

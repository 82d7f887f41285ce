import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Descriptor, Pipe } from '#lib/native.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { tempFolder } from '../support/folders.js'
import { needsAddon } from '../support/needs.js'
import { fdOf, tcpPair, unixPair } from '../support/socket-pairs.js'
import { adopted, contentOf, door, E, fileOf, filled, openedFile, pipe, script } from './door.js'

/** Two unix sockets: one to send to, the other one, and what has come to that. */
function openPair(): {
  readonly to: Descriptor
  readonly back: Descriptor
  readonly read: (length: number) => Buffer
} {
  const pair = door().socketPair()
  if (typeof pair === 'number') throw new Error(`The addon said ${pair}`)
  const [to, from] = pair
  afterwards(() => {
    door().drop(to)
    door().drop(from)
  })
  const read = (length: number): Buffer => {
    const got = Buffer.alloc(length + 1)
    const n = door().read(from, got, 0, length + 1)
    return got.subarray(0, n)
  }
  return { to, back: from, read }
}

/** What each sink took, or what the call refused with. */
function writeEach(sinks: readonly Descriptor[], parts: readonly Uint8Array[]): number[] | number {
  const taken = new Float64Array(Array.isArray(sinks) ? sinks.length : 0)
  const refused = door().writeEach(sinks, parts, false, taken)
  return refused < 0 ? refused : [...taken]
}

/** The three numbers of each sink that had its turn, or what the call refused with. */
function share(
  from: Pipe,
  through: Pipe | readonly Pipe[],
  sinks: readonly Descriptor[],
  lengthBytes: number,
  burstBytes = lengthBytes,
): number[] | number {
  const count = Array.isArray(sinks) ? sinks.length : 0
  const shared = new Float64Array(3 * count)
  const pipes = Array.isArray(through) ? (through as readonly Pipe[]) : [through as Pipe]
  const bursts = new Array<number>(count).fill(burstBytes)
  const served = door().share(from, pipes, sinks, bursts, lengthBytes, shared)
  return served < 0 ? served : [...shared.subarray(0, 3 * served)]
}

describe('The door to the addon: moving bytes', () => {
  const content = bytes(1, 300_000)

  beforeEach(function () {
    needsAddon(this)
  })

  it('moves from an offset of a file into a pipe, and leaves the position alone', async () => {
    const file = adopted(await fileOf(content))
    const to = pipe(256)
    expect(door().move(file, 4097, to, -1, 100_000, false)).to.equal(100_000)
    expectSameBytes(contentOf(to), content.subarray(4097, 104_097))
    expect(door().seek(file, 0, 1)).to.equal(0)
  })

  it("moves from a file's own position, which advances", async () => {
    const file = adopted(await fileOf(content))
    const to = pipe(256)
    expect(door().seek(file, 1000, 0)).to.equal(1000)
    expect(door().move(file, -1, to, -1, 500, false)).to.equal(500)
    expect(door().seek(file, 0, 1)).to.equal(1500)
    expectSameBytes(contentOf(to), content.subarray(1000, 1500))
    expect(door().seek(file, 0, 2)).to.equal(300_000)
    expect(door().seek(file, -1, 0)).to.equal(E.EINVAL)
  })

  it('says 0 at the end of a file, and for no bytes', async () => {
    const file = adopted(await fileOf(content))
    const to = pipe(16)
    expect(door().move(file, 300_000, to, -1, 1, false)).to.equal(0)
    expect(door().move(file, 299_990, to, -1, 4096, false)).to.equal(10)
    expect(door().move(file, 0, to, -1, 0, false)).to.equal(0)
  })

  it('moves from a pipe into a file, at an offset or at its position', async () => {
    const path = join(await tempFolder(), 'file')
    writeFileSync(path, Buffer.alloc(20))
    const file = adopted(openedFile(path, 'r+'))
    expect(door().move(filled(Buffer.from('abc')), -1, file, 5, 100, false)).to.equal(3)
    expect(door().move(filled(Buffer.from('xyz')), -1, file, -1, 100, false)).to.equal(3)
    expect(readFileSync(path, 'latin1').replaceAll('\0', '.')).to.equal('xyz..abc............')
    const append = adopted(openedFile(path, 'a'))
    expect(door().move(filled(Buffer.from('no')), -1, append, -1, 2, false)).to.equal(E.EINVAL)
  })

  it('copies from file to file inside the kernel', async () => {
    const path = join(await tempFolder(), 'file')
    const from = adopted(await fileOf(content))
    const to = adopted(openedFile(path, 'w+'))
    expect(door().move(from, 10, to, 20, 1000, false)).to.equal(1000)
    expectSameBytes(readFileSync(path).subarray(20), content.subarray(10, 1010))
  })

  it('sends a file, and a pipe, to a socket', async () => {
    const { client, server } = await unixPair()
    const to = adopted(fdOf(client))
    const file = adopted(await fileOf(content))
    expect(door().move(file, 7, to, -1, 10_000, false)).to.equal(10_000)
    expect(door().move(filled(Buffer.from('end')), -1, to, -1, 3, true)).to.equal(3)
    const from = adopted(fdOf(server))
    const got = Buffer.alloc(20_000)
    let n = 0
    while (n < 10_003) n += door().read(from, got, n, 20_000 - n)
    expectSameBytes(
      got.subarray(0, n),
      Buffer.concat([content.subarray(7, 10_007), Buffer.from('end')]),
    )
    expect(door().read(from, got, 0, 1)).to.equal(E.EAGAIN)
    expect(door().move(file, 0, to, 5, 1, false)).to.equal(E.ESPIPE)
  })

  it('receives from a socket into a pipe, without waiting', async () => {
    const { client, server } = await tcpPair()
    const from = adopted(fdOf(server))
    const to = pipe(256)
    expect(door().move(from, -1, to, -1, 1000, false)).to.equal(E.EAGAIN)
    client.write(content.subarray(0, 5000))
    let n = 0
    while (n < 5000) {
      const moved = door().move(from, -1, to, -1, 5000 - n, false)
      if (moved === E.EAGAIN) await new Promise((resolve) => setImmediate(resolve))
      else n += moved
    }
    expectSameBytes(contentOf(to), content.subarray(0, 5000))
    client.end()
    for (;;) {
      const moved = door().move(from, -1, to, -1, 1, false)
      if (moved === 0) break
      expect(moved).to.equal(E.EAGAIN)
      await new Promise((resolve) => setImmediate(resolve))
    }
  })

  it('refuses sockets without a pipe between them', async () => {
    const { client, server } = await unixPair()
    const [a, b] = [adopted(fdOf(client)), adopted(fdOf(server))]
    expect(door().move(a, -1, b, -1, 1, false)).to.equal(E.EINVAL)
  })

  it('gathers parts to a socket, and raises no signal when the peer is gone', async () => {
    const { client, server } = await unixPair()
    const to = adopted(fdOf(client))
    expect(door().writev(to, [Buffer.from('ab'), Buffer.from('cd')], 1, true)).to.equal(3)
    const got = Buffer.alloc(5)
    expect(door().read(adopted(fdOf(server)), got, 1, 4)).to.equal(3)
    expect(got.toString('latin1')).to.equal('\0bcd\0')
    server.destroy()
    await new Promise((resolve) => setImmediate(resolve))
    expect(door().writev(to, [Buffer.from('x')], 0, false)).to.equal(E.EPIPE)
  })

  it('sets how much a socket waits for', async () => {
    const { client } = await tcpPair()
    const socket = adopted(fdOf(client))
    expect(door().lowWater(socket, 65_536)).to.equal(0)
    expect(door().lowWater(socket, 1)).to.equal(0)
    expect(door().lowWater(adopted(await fileOf('x')), 1)).to.equal(E.ENOTSOCK)
  })

  it('tells how much can be read', async () => {
    const { client, server } = await unixPair()
    door().writev(adopted(fdOf(client)), [bytes(2, 777)], 0, false)
    expect(door().pending(adopted(fdOf(server)))).to.equal(777)
    expect(door().pending(filled(bytes(2, 12_345)))).to.equal(12_345)
  })

  it('says whether a range of a file is in the page cache', async () => {
    const file = adopted(await fileOf(bytes(9, 20_000)))
    expect(door().isCached(file, 1, 19_999)).to.equal(true)
    expect(door().isCached(file, 4096, 1)).to.equal(true)
    expect(door().isCached(file, 0, 0)).to.equal(true)
    // Behind its end there is nothing to be in it.
    expect(door().isCached(file, 1, 20_480)).to.equal(false)
    // The third page is not there.
    script({ call: 'preadv2', errno: 11, skip: 2 })
    expect(door().isCached(file, 4095, 4098)).to.equal(false)
    expect(door().isCached(file, 4095, 4098)).to.equal(true)
    expect(door().scriptedCalls()['preadv2']).to.equal(6)
  })

  describe('writes memory to several sinks', () => {
    const parts = [content.subarray(0, 3_000), content.subarray(3_000, 5_000)]

    it('that each take what they have room for, or say why not', async () => {
      const sinks = [openPair(), openPair(), openPair()]
      const { client, server } = await tcpPair()
      const [first, second, third] = sinks.map(({ to }) => to) as [
        Descriptor,
        Descriptor,
        Descriptor,
      ]
      script({ call: 'sendmsg', skip: 1, maxBytes: 1_500 }, { call: 'sendmsg', errno: -E.EPIPE })
      const written = writeEach([first, second, third, adopted(fdOf(client))], parts)
      expect(written).to.deep.equal([5_000, 1_500, E.EPIPE, 5_000])
      expectSameBytes(sinks[0]?.read(5_000) ?? Buffer.alloc(0), content.subarray(0, 5_000))
      expectSameBytes(sinks[1]?.read(5_000) ?? Buffer.alloc(0), content.subarray(0, 1_500))
      const [got] = (await once(server.resume(), 'data')) as [Buffer]
      expectSameBytes(got, content.subarray(0, 5_000))
    })

    it('of nothing, or to none', () => {
      const { to } = openPair()
      expect(writeEach([to, to], [])).to.deep.equal([0, 0])
      expect(writeEach([to], [new Uint8Array(0)])).to.deep.equal([0])
      expect(writeEach([], parts)).to.deep.equal([])
    })

    it('unless one of them was dropped, or is none', () => {
      const { to } = openPair()
      const { to: dropped, read } = openPair()
      door().drop(dropped)
      expect(writeEach([to, dropped], parts)).to.equal(E.EBADF)
      expect(read(1)).to.have.length(0)
      for (const sinks of [to, undefined, [pipe()], [to, null]]) {
        expect(() => writeEach(sinks as Descriptor[], parts)).to.throw(
          TypeError,
          'sinks must be an array of Descriptors.',
        )
      }
    })

    it('unless there is no room for what they say', () => {
      const { to, read } = openPair()
      const write = (taken: unknown) => () =>
        door().writeEach([to, to], parts, false, taken as Float64Array)
      expect(write(new Float64Array(1))).to.throw(RangeError, 'taken needs 2 numbers, and has 1.')
      for (const taken of [undefined, [0, 0], new Float32Array(2)]) {
        expect(write(taken)).to.throw(TypeError, 'taken must be a Float64Array.')
      }
      expect(read(1)).to.have.length(0)
    })
  })

  describe('relays between two descriptors', () => {
    /** What a relay of so many bytes from a socket that has 5,000 came to. */
    function relay(lengthBytes: number, through = pipe(256)): number[] {
      const [from, to] = [openPair(), openPair()]
      expect(door().writev(from.back, [content.subarray(0, 5_000)], 0, false)).to.equal(5_000)
      const relayed = new Float64Array(3)
      expect(door().relay(from.to, through, to.to, lengthBytes, relayed)).to.equal(0)
      const [taken = 0] = relayed
      expectSameBytes(to.read(taken), content.subarray(0, taken))
      return [...relayed]
    }

    it('as many bytes as it was asked for, and says what ended it before', () => {
      expect(relay(3_000)).to.deep.equal([3_000, 0, 0])
      expect(relay(6_000)).to.deep.equal([5_000, 0, -E.EAGAIN])
    })

    it('and says what lies between them, whose error the sink said', () => {
      const through = pipe(256)
      script({ call: 'splice', skip: 1, maxBytes: 1_000 }, { call: 'splice', errno: -E.EPIPE })
      expect(relay(3_000, through)).to.deep.equal([1_000, 2_000, -E.EPIPE])
      expect(door().pending(through)).to.equal(2_000)
    })

    it('unless a descriptor was dropped, or there is no room for what it says', () => {
      const [from, to] = [openPair(), openPair()]
      expect(() => door().relay(from.to, pipe(), to.to, 1, new Float64Array(2))).to.throw(
        RangeError,
        'relayed needs 3 numbers, and has 2.',
      )
      door().drop(to.to)
      expect(door().relay(from.to, pipe(), to.to, 1, new Float64Array(3))).to.equal(E.EBADF)
    })
  })

  describe('shares the front of a pipe with several sinks', () => {
    it('that each take all of it, and leaves it where it is', () => {
      const from = filled(content.subarray(0, 5_000))
      const through = pipe(256)
      const sinks = [openPair(), openPair(), openPair()]
      const shared = share(
        from,
        through,
        sinks.map(({ to }) => to),
        4_000,
      )
      expect(shared).to.deep.equal([4_000, 0, 0, 4_000, 0, 0, 4_000, 0, 0])
      for (const { read } of sinks) expectSameBytes(read(4_000), content.subarray(0, 4_000))
      expect(door().pending(through)).to.equal(0)
      expectSameBytes(contentOf(from), content.subarray(0, 5_000))
    })

    it('of which one takes a part: the next one gets all the same', () => {
      const from = filled(content.subarray(0, 5_000))
      const [first, second] = [openPair(), openPair()]
      // The first splice is the first sink's; the second one would block, the third one drops the rest.
      script(
        { call: 'splice', maxBytes: 1_500, times: 1 },
        { call: 'splice', errno: -E.EAGAIN, times: 1 },
      )
      const shared = share(from, pipe(256), [first.to, second.to], 5_000)
      expect(shared).to.deep.equal([1_500, 3_500, -E.EAGAIN, 5_000, 0, 0])
      expectSameBytes(first.read(1_500), content.subarray(0, 1_500))
      expectSameBytes(second.read(5_000), content.subarray(0, 5_000))
    })

    it('says whose an error is: with nothing left over it is the tee, that of the sink comes with bytes', () => {
      const from = filled(content.subarray(0, 100))
      const { to } = openPair()
      script({ call: 'tee', errno: -E.EIO, times: 1 })
      expect(share(from, pipe(256), [to, to], 100)).to.deep.equal([0, 0, -E.EIO, 100, 0, 0])
      script({ call: 'splice', errno: -E.EPIPE, times: 1 })
      const shared = share(from, pipe(256), [to, to], 100)
      expect(shared).to.deep.equal([0, 100, -E.EPIPE, 100, 0, 0])
    })

    it('stops where it cannot drop what is left over, and leaves that in the pipe between', () => {
      const from = filled(content.subarray(0, 100))
      const through = pipe(256)
      const { to } = openPair()
      script({ call: 'splice', errno: -E.EIO, times: 2 })
      expect(share(from, through, [to, to], 100)).to.deep.equal([0, 100, -E.EIO])
      expect(door().pending(through)).to.equal(100)
    })

    it('by a burst each in turn, where there is a pipe for each of them', () => {
      const from = filled(content.subarray(0, 5_000))
      const [first, second] = [openPair(), openPair()]
      // In turn they are the first sink's second burst and the second sink's third one.
      script(
        { call: 'splice', skip: 2, errno: -E.EAGAIN, times: 1 },
        { call: 'splice', skip: 1, errno: -E.EPIPE, times: 1 },
      )
      const shared = share(from, [pipe(256), pipe(256)], [first.to, second.to], 5_000, 2_000)
      expect(shared).to.deep.equal([2_000, 3_000, -E.EAGAIN, 4_000, 1_000, -E.EPIPE])
      expectSameBytes(first.read(5_000), content.subarray(0, 2_000))
      expectSameBytes(second.read(5_000), content.subarray(0, 4_000))
    })

    it('by bursts of a byte, where they are none', () => {
      const { to, read } = openPair()
      expect(share(filled(content.subarray(0, 3)), pipe(), [to], 3, 0)).to.deep.equal([3, 0, 0])
      expectSameBytes(read(3), content.subarray(0, 3))
    })

    it('as many at once as there are pipes, and the others behind them', () => {
      const from = filled(content.subarray(0, 3_000))
      const through = [pipe(256), pipe(256)]
      const sinks = Array.from({ length: 5 }, () => openPair())
      const to = sinks.map((each) => each.to)
      expect(share(from, through, to, 3_000, 1_000)).to.deep.equal(
        sinks.flatMap(() => [3_000, 0, 0]),
      )
      for (const { read } of sinks) expectSameBytes(read(3_000), content.subarray(0, 3_000))
      for (const each of through) expect(door().pending(each)).to.equal(0)
      expect(share(from, [], to, 3_000)).to.deep.equal([])
    })

    it('serves all whose turn it is, and then stops, where it cannot drop what is left over', () => {
      const from = filled(content.subarray(0, 100))
      const through = [pipe(256), pipe(256)]
      const to = Array.from({ length: 3 }, () => openPair().to)
      // The first sink's attempt; then what drops its rest.
      script(
        { call: 'splice', errno: -E.EIO, times: 1 },
        { call: 'splice', skip: 1, errno: -E.EIO, times: 1 },
      )
      expect(share(from, through, to, 100)).to.deep.equal([0, 100, -E.EIO, 100, 0, 0])
      expect(through.map((each) => door().pending(each))).to.deep.equal([100, 0])
    })

    it('refuses bursts that are not one for each sink, and what is no list of pipes', () => {
      const from = filled(content.subarray(0, 100))
      const { to } = openPair()
      const room = new Float64Array(9)
      for (const bursts of [[], [1, 1]])
        expect(() => door().share(from, [pipe()], [to], bursts, 100, room)).to.throw(
          RangeError,
          'burstsBytes needs a number for each sink.',
        )
      for (const through of [to, undefined, [to], [null]])
        expect(() =>
          door().share(from, through as unknown as Pipe[], [to], [1], 100, room),
        ).to.throw(TypeError, 'through must be an array of Pipes.')
      const dropped = pipe()
      door().drop(dropped)
      expect(share(from, [dropped], [to], 100)).to.equal(E.EBADF)
    })

    it('refuses what is no list of descriptors', () => {
      const from = filled(content.subarray(0, 100))
      const { to } = openPair()
      const shareWith = (sinks: unknown) => () => share(from, pipe(256), sinks as Descriptor[], 100)
      for (const sinks of [to, undefined, [from], [to, null]])
        expect(shareWith(sinks)).to.throw(TypeError, 'sinks must be an array of Descriptors.')
      const { to: dropped } = openPair()
      door().drop(dropped)
      expect(shareWith([to, dropped])()).to.equal(E.EBADF)
      expect(shareWith([])()).to.deep.equal([])
    })
  })

  describe('knows how TCP sends', () => {
    it('the bytes of a packet: whole segments, as many as the kernel hands on together', async () => {
      const { client, server } = await tcpPair()
      for (const socket of [client, server]) {
        const packetBytes = door().packetBytes(adopted(fdOf(socket)))
        // Of a loopback device it is one segment of up to 64 KiB, of Ethernet's they are 45. At first it is
        // no more than half a window.
        expect(packetBytes).to.be.within(30_000, 65_536)
      }
    })

    it('whether it spaces them: by the congestion control that new sockets get', async () => {
      const control = readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'latin1')
      const { client } = await tcpPair()
      expect(door().isPaced(adopted(fdOf(client)))).to.equal(control.startsWith('bbr'))
    })

    it('and nothing of what is no socket of TCP', async () => {
      const { client } = await unixPair()
      const unix = adopted(fdOf(client))
      const file = adopted(await fileOf('a'))
      expect(door().packetBytes(unix)).to.equal(E.EOPNOTSUPP)
      expect(door().packetBytes(file)).to.equal(E.ENOTSOCK)
      for (const each of [unix, file]) expect(door().isPaced(each)).to.equal(false)
    })
  })
})

import { expect } from 'chai'
import { BufferList, counters } from 'splicelist'
import { addon } from '#lib/native.js'
import { opened } from '#lib/reactor.js'
import { PipeRaw } from '#lib/raw/pipe.js'
import { LARGE_PIPE_SLOTS, pipePool, SMALL_PIPE_SLOTS } from '#lib/raw/pipe-pool.js'
import { bytes } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsAddon } from '../support/needs.js'
import { givenUp, heldPipes, listOfRaw, pipeRaw, readParcel, sendRange } from './pipes.js'

/** Errors by which a pipe stays as small as it is: past the user's allowance, and past the limit. */
const REFUSALS = [
  ['EPERM', 1],
  ['EBUSY', 16],
  ['ENOMEM', 12],
] as const

function refuseToGrow(errno: number): void {
  pipePool.drain()
  addon?.script([{ call: 'fcntl', times: 1e6, errno }])
  afterwards(() => addon?.script(null))
}

describe('Pipes of a segment', () => {
  beforeEach(function () {
    needsAddon(this)
  })

  it('are as many as it takes', () => {
    for (const size of [1, 65_535, 65_536, 1 << 20, (1 << 20) + 1, 5 << 20, (5 << 20) - 1]) {
      const pipes = heldPipes(bytes(1, size))
      expect(pipes.reduce((sum, { bytes: held }) => sum + held, 0)).to.equal(size)
      expect(pipes.length).to.equal(Math.max(1, Math.ceil(size / (1 << 20))))
      new PipeRaw(pipes, 'foreign').release()
    }
  })

  it('are small for little, large for much, and idle ones serve again', () => {
    const small = pipePool.borrow(60_000)
    const large = pipePool.borrow(65_536)
    expect([small?.slots, large?.slots]).to.deep.equal([SMALL_PIPE_SLOTS, LARGE_PIPE_SLOTS])
    if (small === undefined || large === undefined) return
    pipePool.giveBack(small)
    pipePool.giveBack(large)
    expect(pipePool.borrow(1)).to.equal(small)
    expect(pipePool.borrow(1 << 20)).to.equal(large)
    pipePool.giveBack(small)
    pipePool.giveBack(large)
  })

  it('are destroyed, never used again, when a byte is left in them', () => {
    const { livePipes, slotsReserved, idlePipes } = pipePool
    const held = pipePool.borrow(1000)
    if (held === undefined) return
    held.bytes = opened().writev(held.pipe, [Buffer.from('stray')], 0, false)
    pipePool.giveBack(held)
    expect(opened().pending(held.pipe)).to.equal(-9)
    expect(pipePool.livePipes).to.be.at.most(livePipes)
    expect(pipePool.slotsReserved).to.be.at.most(slotsReserved)
    expect(pipePool.idlePipes).to.be.at.most(idlePipes)
  })

  for (const [code, errno] of REFUSALS) {
    it(`that may not grow (${code}) are counted, and more of them hold the same bytes`, () => {
      const before = counters.snapshot().degradedPipes
      refuseToGrow(errno)
      const content = bytes(2, 700_001)
      const raw = pipeRaw(content)
      addon?.script(null)
      // The rest of 44,641 bytes asks for no more than a small pipe.
      expect(counters.snapshot().degradedPipes - before).to.equal(10)
      expectSameBytes(sendRange(raw, 0, content.length), content)
      expectSameBytes(sendRange(raw, 65_530, 70_000), content.subarray(65_530, 135_530))
      raw.release()
    })

    it(`that may not grow (${code}) still let every byte be read and sent`, () => {
      const content = bytes(3, 700_001)
      const raw = pipeRaw(content)
      const list = listOfRaw(raw)
      refuseToGrow(errno)
      expect(list.byteAt(700_000)).to.equal(content[700_000])
      expectSameBytes(sendRange(raw, 650_000, 50_000), content.subarray(650_000, 700_000))
      expectSameBytes(sendRange(raw, 0, content.length), content)
      expectSameBytes(list.cStr(), content)
    })
  }

  it('of two slots hold two pages', () => {
    const content = bytes(4, 8192)
    const [held] = heldPipes(content)
    if (held === undefined) return
    const { slotsReserved } = pipePool
    pipePool.shrink(held)
    expect(held.slots).to.equal(2)
    expect(opened().slots(held.pipe)).to.equal(2)
    expect(opened().hasRoom(held.pipe)).to.equal(false)
    expect(slotsReserved - pipePool.slotsReserved).to.equal(SMALL_PIPE_SLOTS - 2)
    const raw = new PipeRaw([held], 'foreign')
    expectSameBytes(sendRange(raw, 1, 8000), content.subarray(1, 8001))
    expectSameBytes(sendRange(raw, 0, 8192), content)
    raw.release()
  })

  it('make one segment of any mixture of sizes', () => {
    const parts = [10, 70_000, 8192, 1 << 20, 1].map((length, i) => bytes(i + 10, length))
    const pipes = parts.flatMap((part) => heldPipes(part))
    for (const held of pipes) pipePool.shrink(held)
    const raw = new PipeRaw(pipes, 'foreign')
    const content = Buffer.concat(parts)
    expect(raw.length).to.equal(content.length)
    for (const [offset, length] of [
      [0, content.length],
      [5, 70_010],
      [70_009, 8194],
      [content.length - 2, 2],
    ] as const) {
      expectSameBytes(sendRange(raw, offset, length), content.subarray(offset, offset + length))
    }
    const list = listOfRaw(raw)
    expectSameBytes(list.toBuffer(), content)
    expect(list.crc32c()).to.equal(new BufferList(content).crc32c())
  })

  it('that a sink empties half-way keep the other half', () => {
    const content = bytes(20, 2_000_000)
    const raw = pipeRaw(content)
    const list = listOfRaw(raw)
    const sent = readParcel(givenUp(raw, 0, content.length), 1_500_000)
    expect(sent.length).to.be.greaterThan(0)
    list.consume(sent.length)
    expectSameBytes(list.toBuffer(), content.subarray(sent.length))
  })
})

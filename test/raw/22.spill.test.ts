import { expect } from 'chai'
import { counters, TransferError } from 'splicelist'
import { MemoryParcel, PipeParcel } from '#lib/raw/parcel.js'
import { pipePool } from '#lib/raw/pipe-pool.js'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsAddon } from '../support/needs.js'
import { script } from '../native/door.js'
import { givenUp, listOfRaw, pipeRaw, readParcel, sendRange, withBudget } from './pipes.js'

const spilled = (): number => counters.snapshot().copied['no-scratch'] ?? 0

describe('A pipe segment that cannot be teed', () => {
  beforeEach(function () {
    needsAddon(this)
  })

  it('is read into memory once, counted, and then sent and read from there', () => {
    const content = bytes(1, 500_000)
    const raw = pipeRaw(content)
    const list = listOfRaw(raw)
    withBudget(0)
    const before = spilled()
    const parcel = raw.parcel(7, 100_000)
    expect(parcel).to.be.instanceOf(MemoryParcel)
    expectSameBytes(readParcel(parcel), content.subarray(7, 100_007))
    expect(spilled() - before).to.equal(500_000)
    expectSameBytes(sendRange(raw, 0, 500_000), content)
    expectSameBytes(list.cStr(123_456, 300_000), content.subarray(123_456, 423_456))
    expectSameBytes(list.toBuffer(), content)
    expect(spilled() - before).to.equal(500_000)
    expect(list.explain()[0]).to.include({ kind: 'pipe', refs: 1, length: 500_000 })
  })

  it('gives its pipe back as soon as it is read', () => {
    const raw = pipeRaw(bytes(2, 500_000))
    withBudget(0)
    const { livePipes, slotsReserved } = pipePool
    raw.parcel(400_000, 1).close()
    pipePool.drain()
    expect(pipePool.livePipes).to.equal(livePipes - 1)
    expect(pipePool.slotsReserved).to.be.lessThan(slotsReserved)
    raw.release()
  })

  it('spills pipe by pipe: what is not asked for stays', () => {
    const content = bytes(3, 3 << 20)
    const raw = pipeRaw(content)
    withBudget(0)
    const before = spilled()
    expectSameBytes(sendRange(raw, 1_500_000, 10), content.subarray(1_500_000, 1_500_010))
    expect(spilled() - before).to.equal(1 << 20)
    raw.release()
  })

  it('is consumed by reference without a scratch pipe', () => {
    const content = bytes(4, 500_000)
    const raw = pipeRaw(content)
    withBudget(0)
    const before = spilled()
    const parcel = givenUp(raw, 5, 400_000)
    expect(parcel).to.be.instanceOf(PipeParcel)
    expectSameBytes(readParcel(parcel), content.subarray(5, 400_005))
    expect(spilled()).to.equal(before)
    raw.release()
  })

  it('spills what is left after a part was consumed', () => {
    const content = bytes(5, 500_000)
    const raw = pipeRaw(content)
    const list = listOfRaw(raw)
    readParcel(givenUp(raw, 0, 500_000), 123_457)
    list.consume(123_457)
    withBudget(0)
    raw.retain()
    expectSameBytes(sendRange(raw, 200_000, 1000), content.subarray(200_000, 201_000))
    expectSameBytes(list.toBuffer(), content.subarray(123_457))
    expectSameBytes(sendRange(raw, 123_457, 376_543), content.subarray(123_457))
    expect(list.byteAt(0)).to.equal(content[123_457])
    raw.release()
  })

  it('that fails while it is read keeps what was read, and the rest', () => {
    const content = bytes(7, 500_000)
    const raw = pipeRaw(content)
    const list = listOfRaw(raw)
    withBudget(0)
    const before = spilled()
    script({ call: 'read', maxBytes: 1234 }, { call: 'read', errno: 5, times: 2 })
    expect(() => raw.parcel(7, 100_000)).to.throw(TransferError, 'EIO')
    expect(spilled() - before).to.equal(1234)
    script()
    expectSameBytes(sendRange(raw, 7, 499_000), content.subarray(7, 499_007))
    expect(spilled() - before).to.equal(500_000)
    expectSameBytes(list.toBuffer(), content)
    expectSameBytes(list.cStr(1000, 90_000), content.subarray(1000, 91_000))
  })

  it('ends the memory of no view when it is released', () => {
    const content = bytes(6, 100_000)
    const raw = pipeRaw(content)
    withBudget(0)
    const parcel = raw.parcel(0, 100_000)
    raw.release()
    expectSameBytes(readParcel(parcel), content)
  })
})

import { expect } from 'chai'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsAddon } from '../support/needs.js'
import { contentOf, door, E, filled, pipe } from './door.js'

describe('The door to the addon: pipes', () => {
  beforeEach(function () {
    needsAddon(this)
  })

  it('get the slots that were asked for, a power of two, and tell them', () => {
    expect(door().slots(pipe(16))).to.equal(16)
    expect(door().slots(pipe(256))).to.equal(256)
    expect(door().slots(pipe(100))).to.equal(128)
    expect(door().slots(pipe(1))).to.equal(1)
  })

  it('are resized, but not below what they hold', () => {
    const made = filled(bytes(1, 40_960), 16)
    expect(door().resize(made, 64)).to.equal(64)
    expect(door().slots(made)).to.equal(64)
    expect(door().resize(made, 8)).to.equal(E.EBUSY)
    expect(door().resize(made, 16)).to.equal(16)
    expectSameBytes(contentOf(made), bytes(1, 40_960))
  })

  it('never block: an empty one gives EAGAIN, a full one takes no more', () => {
    const made = pipe(2)
    expect(door().read(made, new Uint8Array(1), 0, 1)).to.equal(E.EAGAIN)
    expect(door().discard(made, 5)).to.equal(E.EAGAIN)
    expect(door().hasRoom(made)).to.equal(true)
    expect(door().writev(made, [bytes(2, 10_000)], 0, false)).to.equal(8192)
    expect(door().hasRoom(made)).to.equal(false)
    expect(door().writev(made, [bytes(2, 1)], 0, false)).to.equal(E.EAGAIN)
    expect(door().pending(made)).to.equal(8192)
    expect(door().discard(made, 4096)).to.equal(4096)
    expect(door().hasRoom(made)).to.equal(true)
  })

  it('are full in slots, not in bytes', () => {
    const [made, source] = [pipe(4), pipe(1)]
    for (let i = 0; i < 4; i++) {
      door().writev(source, [Buffer.of(i)], 0, false)
      expect(door().move(source, -1, made, -1, 1, false)).to.equal(1)
    }
    expect(door().pending(made)).to.equal(4)
    expect(door().hasRoom(made)).to.equal(false)
    door().writev(source, [Buffer.of(9)], 0, false)
    expect(door().move(source, -1, made, -1, 1, false)).to.equal(E.EAGAIN)
  })

  it('are teed: the same bytes in both, and the first keeps its own', () => {
    const content = bytes(3, 300_000)
    const [from, to] = [filled(content), pipe(256)]
    expect(door().tee(from, to, 200_001)).to.equal(200_001)
    expect(door().pending(from)).to.equal(300_000)
    expectSameBytes(contentOf(to), content.subarray(0, 200_001))
    expectSameBytes(contentOf(from), content)
    expect(door().tee(from, to, 10)).to.equal(E.EAGAIN)
    expect(door().tee(from, to, 0)).to.equal(0)
  })

  it('are teed only as far as there are slots', () => {
    const [from, to] = [filled(bytes(4, 40_960)), pipe(4)]
    expect(door().tee(from, to, 40_960)).to.equal(16_384)
    expect(door().tee(from, to, 40_960)).to.equal(E.EAGAIN)
  })

  it('drop bytes from the front, at most what they hold', () => {
    const content = bytes(5, 100_000)
    const made = filled(content)
    expect(door().discard(made, 0)).to.equal(0)
    expect(door().discard(made, 33_333)).to.equal(33_333)
    expect(door().pending(made)).to.equal(66_667)
    const [rest] = [Buffer.alloc(10)]
    expect(door().read(made, rest, 0, 10)).to.equal(10)
    expectSameBytes(rest, content.subarray(33_333, 33_343))
    expect(door().discard(made, 100_000)).to.equal(66_657)
  })

  it('gather many parts into one call, without the bytes to be skipped', () => {
    const content = bytes(6, 50_000)
    const parts = [0, 1, 5, 4096, 10_000, 50_000].map((end, i, ends) =>
      content.subarray(ends[i - 1] ?? 0, end),
    )
    for (const skip of [0, 1, 2, 5, 6, 9999, 10_000, 49_999]) {
      const made = pipe(256)
      expect(door().writev(made, parts, skip, false)).to.equal(50_000 - skip)
      expectSameBytes(contentOf(made), content.subarray(skip), `${skip} skipped`)
    }
    const made = pipe(16)
    expect(door().writev(made, parts, 50_000, false)).to.equal(0)
    expect(door().writev(made, [], 0, false)).to.equal(0)
    expect(door().writev(made, [new Uint8Array(0)], 0, false)).to.equal(0)
  })

  it('take more parts than one system call does, in several', () => {
    const parts = Array.from({ length: 5000 }, (_, i) => Buffer.of(i & 255))
    const made = pipe(16)
    const first = door().writev(made, parts, 0, false)
    expect(first).to.equal(1024)
    expect(door().writev(made, parts, first, false)).to.equal(1024)
    expectSameBytes(contentOf(made), Buffer.concat(parts.slice(0, 2048)))
  })

  it('read into the window that was asked for, and nothing around it', () => {
    const made = filled(bytes(7, 100))
    const target = Buffer.alloc(300, 0xee)
    expect(door().read(made, target, 100, 100)).to.equal(100)
    expectSameBytes(target.subarray(100, 200), bytes(7, 100))
    expect(target.subarray(0, 100).every((byte) => byte === 0xee)).to.equal(true)
    expect(target.subarray(200).every((byte) => byte === 0xee)).to.equal(true)
  })

  it('are counted while they live', () => {
    const before = door().live().pipes
    const made = pipe()
    expect(door().live().pipes).to.equal(before + 1)
    door().drop(made)
    expect(door().live().pipes).to.equal(before)
  })
})

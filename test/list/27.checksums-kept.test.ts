import { expect } from 'chai'
import { BufferList, counters, crc32c, InvalidArgumentError } from 'splicelist'
import { listOfRaw, pipeRaw } from '../raw/pipes.js'
import { bytes } from '../support/bytes.js'
import { needsAddon } from '../support/needs.js'
import { KINDS } from './kinds.js'

const b = (text: string): Buffer<ArrayBuffer> => Buffer.from(text)
/** Memory that is changed behind the list's back, against the rule: only to see who reads it again. */
function spoil(memory: Uint8Array): void {
  memory.fill(memory[0] === 1 ? 2 : 1)
}

describe('The checksum of a list', () => {
  for (const kind of KINDS) {
    it(`of ${kind.name} is that of its bytes, after any seed, again and in parts`, async function () {
      kind.check(this)
      const content = bytes(1, 300_001)
      const list = await kind.make(content)
      for (const seed of [0, 1, 0xffffffff, -1, 0x80000000]) {
        expect(list.crc32c(seed)).to.equal(crc32c(content, seed))
      }
      for (const [from, n] of [
        [0, 1],
        [1, 300_000],
        [65_535, 2],
        [99_999, 100_003],
      ] as const) {
        using part = list.substr(from, n)
        expect(part.crc32c(7)).to.equal(crc32c(content.subarray(from, from + n), 7))
      }
    })
  }

  it('of nothing is the seed', () => {
    expect(new BufferList().crc32c()).to.equal(0)
    expect(new BufferList().crc32c(-1)).to.equal(0xffffffff)
  })

  it('reads each segment once, whatever list it is in and whatever the seed', () => {
    const parts = [bytes(2, 5000), bytes(3, 77), bytes(4, 4096)]
    const flat = Buffer.concat(parts)
    const list = new BufferList(...parts)
    expect(list.crc32c()).to.equal(crc32c(flat))
    parts.forEach(spoil)
    expect(list.crc32c(9)).to.equal(crc32c(flat, 9))
    using other = new BufferList('x').append(list.substr(5000))
    expect(other.crc32c()).to.equal(crc32c(Buffer.concat([Buffer.from('x'), flat.subarray(5000)])))
    using moved = new BufferList().claimAppend(list)
    expect(moved.crc32c()).to.equal(crc32c(flat))
  })

  it('of a part of a segment is read anew', () => {
    const memory = bytes(5, 1000)
    const list = new BufferList(memory)
    list.crc32c()
    spoil(memory)
    expect(list.substr(1).crc32c()).to.equal(crc32c(memory.subarray(1)))
  })

  describe('of many segments that were summed up', () => {
    const COUNT = 700
    const parts = Array.from({ length: COUNT }, (_, i) => bytes(i, 2 + ((i * 37) % 90)))
    const flat = Buffer.concat(parts)
    const summed = (): BufferList => {
      const list = new BufferList(...parts)
      list.crc32c()
      return list
    }
    const ranges = Array.from({ length: 300 }, (_, i) => {
      const from = (i * 7919) % flat.length
      return [from, (i * 104_729) % (flat.length - from)] as const
    })
    const expectSame = (list: BufferList, content: Buffer): void => {
      expect(list.length).to.equal(content.length)
      expect(list.crc32c(3)).to.equal(crc32c(content, 3))
    }

    it('is right for every range, and for ranges of ranges', () => {
      const list = summed()
      for (const [from, n] of ranges) {
        const part = list.substr(from, n)
        const content = flat.subarray(from, from + n)
        expectSame(part.substr(n >> 2, n >> 1), content.subarray(n >> 2, (n >> 2) + (n >> 1)))
        expectSame(part, content)
        expectSame(part.substr(n >> 3), content.subarray(n >> 3))
        expectSame(part.substr(0, n >> 1), content.subarray(0, n >> 1))
        expectSame(new BufferList(part), content)
      }
    })

    it('reads of a range no more than the segments that it cuts', () => {
      const memory = parts.map((part) => Buffer.from(part))
      const list = new BufferList(...memory)
      list.crc32c()
      const borders = [0]
      for (const { length } of memory) borders.push((borders.at(-1) as number) + length)
      memory.forEach(spoil)
      const at = (i: number): number => borders[i] as number
      for (const [i, j] of [
        [0, 1],
        [1, 128],
        [127, 129],
        [128, 256],
        [5, 600],
        [300, 700],
      ] as const) {
        expectSame(list.substr(at(i), at(j) - at(i)), flat.subarray(at(i), at(j)))
        const front = memory[i - 1]?.subarray(-1) ?? Buffer.alloc(0)
        const back = memory[j]?.subarray(0, 1) ?? Buffer.alloc(0)
        const content = Buffer.concat([front, flat.subarray(at(i), at(j)), back])
        expectSame(list.substr(at(i) - front.length, content.length), content)
      }
    })

    it('is right after every change', () => {
      for (const [from, n] of ranges) {
        const list = summed().substr(from, n)
        const content = flat.subarray(from, from + n)
        const middle = n >> 1
        expectSame(list.append('end'), Buffer.concat([content, Buffer.from('end')]))
        expectSame(
          list.consume(n >> 2),
          Buffer.concat([content.subarray(n >> 2), Buffer.from('end')]),
        )
        const cut = list.splice(0, middle >> 1, 'new')
        expectSame(cut, content.subarray(n >> 2, (n >> 2) + (middle >> 1)))
        const rest = content.subarray((n >> 2) + (middle >> 1))
        expectSame(list, Buffer.concat([Buffer.from('new'), rest, Buffer.from('end')]))
        expectSame(
          list.prepend(cut).claimAppend(cut).substr(1),
          Buffer.concat([
            content.subarray(n >> 2, (n >> 2) + (middle >> 1)),
            Buffer.from('new'),
            rest,
            Buffer.from('end'),
            content.subarray(n >> 2, (n >> 2) + (middle >> 1)),
          ]).subarray(1),
        )
      }
    })
  })

  it('of zeros is computed without any', () => {
    const before = process.memoryUsage().arrayBuffers
    expect(new BufferList().appendZero(100_000).crc32c(5)).to.equal(
      crc32c(Buffer.alloc(100_000), 5),
    )
    new BufferList('a').appendZero(2 ** 50).crc32c()
    expect(process.memoryUsage().arrayBuffers - before).to.be.below(1 << 20)
  })

  it('follows what the tail holds', () => {
    const list = new BufferList().appendUInt32BE(0x01020304)
    expect(list.crc32c()).to.equal(crc32c(Buffer.of(1, 2, 3, 4)))
    list.appendUInt8(5)
    expect(list.crc32c()).to.equal(crc32c(Buffer.of(1, 2, 3, 4, 5)))
  })

  it('of pages that others can change is computed each time', function () {
    needsAddon(this)
    for (const [pages, isKept] of [
      ['loan', false],
      ['foreign', false],
      ['owned', true],
    ] as const) {
      using list = new BufferList()
      list.adoptRaw(pipeRaw(bytes(6, 100_000), pages))
      const crc = list.crc32c()
      const before = counters.snapshot().copied.look ?? 0
      expect(list.crc32c(1)).to.equal(crc32c(bytes(6, 100_000), 1))
      expect((counters.snapshot().copied.look ?? 0) > before).to.equal(!isKept)
      expect(crc).to.equal(crc32c(bytes(6, 100_000)))
    }
  })

  it('can be carried by a segment whose producer knows it', function () {
    const memory = bytes(7, 5000)
    const list = new BufferList(memory).carryCrc32c(0x12345678)
    expect(list.crc32c()).to.equal(0x12345678)
    expect(list.substr(0, 10).crc32c()).to.equal(crc32c(memory.subarray(0, 10)))
    using framed = new BufferList('head').claimAppend(list)
    const alone = new BufferList(Buffer.from(memory)).carryCrc32c(0x12345678)
    expect(framed.crc32c()).to.equal(new BufferList('head').append(alone).crc32c())
  })

  it('is the one that was carried last, also where the list was summed up before', () => {
    const list = new BufferList('gone', bytes(8, 5000)).consume(4)
    for (const crc of [list.crc32c(), 1, 2]) {
      expect(list.carryCrc32c(crc).crc32c()).to.equal(crc)
    }
  })

  it('is not carried by several segments of memory, and is 32 bits', function () {
    const two = new BufferList(bytes(1, 1), bytes(2, 1))
    expect(() => two.carryCrc32c(1)).to.throw(InvalidArgumentError, 'lie in memory')
    expect(() => new BufferList().carryCrc32c(1)).to.throw(InvalidArgumentError)
    for (const wrong of [1.5, 2 ** 32, -(2 ** 31) - 1, NaN, '1', undefined]) {
      const list = new BufferList('a')
      expect(() => list.carryCrc32c(wrong as number)).to.throw(InvalidArgumentError, '32-bit')
      if (wrong !== undefined) expect(() => list.crc32c(wrong as number)).to.throw('32-bit')
    }
  })

  it('is carried by pages that others can change as well, at the word of their producer', function () {
    needsAddon(this)
    for (const pages of ['foreign', 'loan'] as const) {
      const content = bytes(8, 100_000)
      using list = listOfRaw(pipeRaw(content, pages)).carryCrc32c(crc32c(content))
      using framed = new BufferList('head', list, 'tail')
      const before = counters.snapshot().inspected
      expect(list.crc32c(5)).to.equal(crc32c(content, 5))
      expect(framed.crc32c()).to.equal(crc32c(Buffer.concat([b('head'), content, b('tail')])))
      // Cut off and put back together: the same segment.
      using body = framed.substr(4, 100_000)
      expect(body.crc32c()).to.equal(crc32c(content))
      expect(counters.snapshot().inspected).to.equal(before)
      using part = list.substr(0, 99_999)
      expect(part.crc32c()).to.equal(crc32c(content.subarray(0, 99_999)))
      expect(counters.snapshot().inspected).to.be.at.least(before + 99_999)
    }
  })

  it('of a list with one held segment tells that of the segment, whatever memory is around it', function () {
    needsAddon(this)
    const content = bytes(9, 70_000)
    for (const [head, tail] of [
      ['head', 'tail'],
      ['head', ''],
      ['', 'tail'],
    ] as const) {
      using list = new BufferList(b(head), listOfRaw(pipeRaw(content)), b(tail))
      list.appendZero(1000)
      const all = Buffer.concat([b(head), content, b(tail), Buffer.alloc(1000)])
      list.carryCrc32c(crc32c(all))
      const before = counters.snapshot().inspected
      using body = list.substr(head.length, content.length)
      expect(body.crc32c()).to.equal(crc32c(content))
      expect(list.crc32c()).to.equal(crc32c(all))
      expect(counters.snapshot().inspected).to.equal(before)
    }
  })

  describe('that a producer told of several held segments together', () => {
    const PIECE_BYTES = 20_000
    const piece = (seed: number): Buffer => bytes(seed, PIECE_BYTES)
    const held = (seed: number): BufferList => listOfRaw(pipeRaw(piece(seed)))
    /** Pages, memory between them, and pages again: what a pull may come to when pipes are short. */
    const body = (): BufferList => new BufferList(held(1), held(2), b('between'), held(3))
    const content = Buffer.concat([piece(1), piece(2), b('between'), piece(3)])

    /** Expects the sum of a list, and how many bytes must be made readable for it. */
    const expectSum = (list: BufferList, expected: Buffer, isUnread: boolean): void => {
      const before = counters.snapshot().inspected
      expect(list.crc32c(7)).to.equal(crc32c(expected, 7))
      const { inspected } = counters.snapshot()
      if (isUnread) expect(inspected, 'made readable').to.equal(before)
      else expect(inspected, 'made readable').to.be.greaterThan(before)
    }

    beforeEach(function () {
      needsAddon(this)
    })

    it('is kept for exactly them, in any list, whatever is around them', () => {
      using list = body().carryCrc32c(crc32c(content))
      expectSum(list, content, true)
      using framed = new BufferList('head', list).appendZero(10).append(list).append('tail')
      const zeros = Buffer.alloc(10)
      expectSum(framed, Buffer.concat([b('head'), content, zeros, content, b('tail')]), true)
      using cut = framed.substr(4, content.length)
      expectSum(cut, content, true)
      using moved = new BufferList().claimAppend(framed.take(4 + content.length))
      expectSum(moved, Buffer.concat([b('head'), content]), true)
    })

    it('is told of a list with memory around them as well', () => {
      const whole = Buffer.concat([b('head'), content, b('tail')])
      using parts = body()
      using list = new BufferList('head', parts, 'tail').carryCrc32c(crc32c(whole))
      expectSum(list, whole, true)
      using inner = list.substr(4, content.length)
      expectSum(inner, content, true)
    })

    it('tells of no part of them: that is read', () => {
      using list = body().carryCrc32c(crc32c(content))
      for (const [from, n] of [
        [0, PIECE_BYTES],
        [0, content.length - 1],
        [1, content.length - 1],
        [PIECE_BYTES, content.length - PIECE_BYTES],
      ] as const) {
        using part = list.substr(from, n)
        expectSum(part, content.subarray(from, from + n), false)
      }
      expectSum(list, content, true)
    })

    it('is forgotten where something was cut out of them, put between, or in their place', () => {
      type Change = readonly [at: number, n: number, put: Buffer]
      const [second, gap] = [PIECE_BYTES, 2 * PIECE_BYTES]
      const ways: readonly (readonly Change[])[] = [
        [[5, 1, b('')]],
        [[second, 0, b('x')]],
        [[gap, 7, b('among')]],
        [[gap, 0, b('x')]],
        [[second, PIECE_BYTES + 7 + PIECE_BYTES, bytes(4, PIECE_BYTES + 7 + PIECE_BYTES)]],
        [[second, PIECE_BYTES, piece(4)]],
        // As many bytes between them, at another place.
        [
          [gap, 7, b('')],
          [second, 0, b('between')],
        ],
      ]
      for (const changes of ways) {
        using list = body().carryCrc32c(crc32c(content))
        let now = content
        for (const [at, n, put] of changes) {
          list.splice(at, n, put).release()
          now = Buffer.concat([now.subarray(0, at), put, now.subarray(at + n)])
        }
        expectSum(list, now, false)
      }
    })

    it('is forgotten where they come in another order', () => {
      using list = body().carryCrc32c(crc32c(content))
      list.splice(2 * PIECE_BYTES, 7).release()
      using three = list.take(3 * PIECE_BYTES)
      three.carryCrc32c(crc32c(Buffer.concat([piece(1), piece(2), piece(3)])))
      using last = three.substr(2 * PIECE_BYTES)
      using second = three.substr(PIECE_BYTES, PIECE_BYTES)
      using turned = three.substr(0, PIECE_BYTES).append(last).append(second)
      expectSum(turned, Buffer.concat([piece(1), piece(3), piece(2)]), false)
    })

    it('is not told of a segment that is there twice', () => {
      using list = new BufferList(held(1))
      list.append(list)
      expect(() => list.carryCrc32c(1)).to.throw(InvalidArgumentError, 'once')
    })

    it('holds for other memory between them, as long as that is', () => {
      using list = body().carryCrc32c(crc32c(content))
      list.splice(2 * PIECE_BYTES, 7, 'BETWEEN')
      const changed = Buffer.concat([piece(1), piece(2), b('BETWEEN'), piece(3)])
      expectSum(list, changed, true)
    })

    it('is told of those that carry none of their own, beside others that do', () => {
      using list = body()
      using second = list.substr(PIECE_BYTES, PIECE_BYTES)
      second.carryCrc32c(crc32c(piece(2)))
      list.carryCrc32c(crc32c(content))
      expectSum(list, content, true)
      expectSum(second, piece(2), true)
      using last = list.substr(2 * PIECE_BYTES + 7)
      last.carryCrc32c(crc32c(piece(3)))
      list.carryCrc32c(crc32c(content))
      using first = list.substr(0, PIECE_BYTES)
      expectSum(first, piece(1), true)
      expectSum(list, content, true)
    })

    it('is told of the same segments anew: the last word counts', () => {
      using list = body().carryCrc32c(crc32c(content) ^ 1)
      expect(list.crc32c()).to.equal((crc32c(content) ^ 1) >>> 0)
      list.carryCrc32c(crc32c(content))
      expectSum(list, content, true)
    })

    it('is told of pages of ours as well, which are not read for it', () => {
      const raws = [piece(1), piece(2)].map((it) => pipeRaw(it, 'owned'))
      const all = Buffer.concat([piece(1), piece(2)])
      using list = new BufferList(...raws.map(listOfRaw)).carryCrc32c(crc32c(all))
      expectSum(list, all, true)
    })

    it('is told of more segments than a leaf of the rope has', () => {
      const parts = Array.from({ length: 150 }, (_, i) => bytes(i, 100 + i))
      const all = Buffer.concat(parts)
      using list = new BufferList(...parts.map((it) => listOfRaw(pipeRaw(it))))
      list.carryCrc32c(crc32c(all))
      using framed = new BufferList('head', list, list)
      expectSum(framed, Buffer.concat([b('head'), all, all]), true)
    })
  })

  it('of two parts of a segment that come together again is that of both', function () {
    needsAddon(this)
    const content = bytes(10, 50_000)
    using list = listOfRaw(pipeRaw(content))
    using front = list.substr(0, 20_000)
    using back = list.substr(20_000)
    front.carryCrc32c(crc32c(content.subarray(0, 20_000)))
    back.carryCrc32c(crc32c(content.subarray(20_000)))
    const before = counters.snapshot().inspected
    using joined = new BufferList(front, back)
    expect(joined.crc32c()).to.equal(crc32c(content))
    expect(counters.snapshot().inspected).to.equal(before)
  })
})

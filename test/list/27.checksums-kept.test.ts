import { expect } from 'chai'
import { BufferList, counters, crc32c, InvalidArgumentError } from 'splicelist'
import { listOfRaw, pipeRaw } from '../raw/pipes.js'
import { bytes } from '../support/bytes.js'
import { needsAddon } from '../support/needs.js'
import { KINDS } from './kinds.js'

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

  it('is carried by one segment, and is 32 bits', function () {
    const two = new BufferList(bytes(1, 1), bytes(2, 1))
    expect(() => two.carryCrc32c(1)).to.throw(InvalidArgumentError, 'one segment')
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

  it('of two held segments together tells of neither', function () {
    needsAddon(this)
    using two = new BufferList(listOfRaw(pipeRaw(bytes(1, 10))), listOfRaw(pipeRaw(bytes(2, 10))))
    expect(() => two.carryCrc32c(1)).to.throw(InvalidArgumentError, 'one segment')
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

const b = (text: string): Buffer<ArrayBuffer> => Buffer.from(text)

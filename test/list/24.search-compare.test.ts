import { expect } from 'chai'
import fc from 'fast-check'
import {
  BufferList,
  counters,
  InvalidArgumentError,
  NotLoadedError,
  ReleasedError,
} from 'splicelist'
import { pipeList } from '../raw/pipes.js'
import { bytes } from '../support/bytes.js'
import { needsAddon } from '../support/needs.js'
import { cutUp, extentList, KINDS } from './kinds.js'

/** A list of one segment per character. */
function letters(text: string): BufferList {
  const list = new BufferList()
  for (const letter of text) list.append(letter)
  return list
}

/** Bytes cut into segments of these sizes, again and again. */
function segmentsOf(content: Uint8Array<ArrayBuffer>, sizes: readonly number[]): BufferList {
  const list = new BufferList()
  for (let at = 0, i = 0; at < content.length; i++) {
    const size = sizes[i % sizes.length] as number
    list.append(Buffer.from(content.subarray(at, at + size)))
    at += size
  }
  return list
}

/** Zeros with a one among them. */
function zerosWithOne(length: number, oneAt: number): Buffer<ArrayBuffer> {
  const zeros = Buffer.alloc(length)
  zeros[oneAt] = 1
  return zeros
}

describe('Searching a list', () => {
  it('finds bytes, strings and single bytes, from an offset on', () => {
    const list = new BufferList('one ', 'two ', 'one')
    expect(list.indexOf('one')).to.equal(0)
    expect(list.indexOf('one', 1)).to.equal(8)
    expect(list.indexOf('one', 9)).to.equal(-1)
    expect(list.indexOf(Buffer.from('two'))).to.equal(4)
    expect(list.indexOf(0x77)).to.equal(5)
    expect(list.indexOf('three')).to.equal(-1)
    expect(list.indexOf('e', 11)).to.equal(-1)
    expect(list.includes('e two o')).to.equal(true)
    expect(list.includes('two', 5)).to.equal(false)
  })

  it('finds the empty needle where it begins, as Node does', () => {
    const list = new BufferList('ab', 'c')
    for (const from of [0, 2, 3]) expect(list.indexOf('', from)).to.equal(from)
    expect(new BufferList().indexOf('')).to.equal(0)
    expect(new BufferList().indexOf('a')).to.equal(-1)
  })

  it('finds needles across any number of segments, as Node finds them in one', () => {
    const text = 'abaababaabaababaababa'
    const list = letters(text)
    for (let from = 0; from < text.length; from++) {
      for (let to = from + 1; to <= text.length; to++) {
        for (const start of [0, from, from + 1]) {
          const needle = text.slice(from, to)
          const at = `'${needle}' from ${start}`
          expect(list.indexOf(needle, start), at).to.equal(text.indexOf(needle, start))
        }
      }
    }
  })

  it('finds a needle that was tried in vain just before', () => {
    expect(letters('aaaaaab').indexOf('aab')).to.equal(4)
    expect(new BufferList('aaa', 'aaab').indexOf('aaaab')).to.equal(2)
    expect(new BufferList('xab', 'abc').indexOf('ababc')).to.equal(1)
  })

  it('finds what a Buffer finds, in bytes that look alike, whatever the needle and the cuts', () => {
    const letter = fc.integer({ min: 0, max: 2 })
    const period = fc.array(letter, { minLength: 1, maxLength: 300 })
    const sizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 6 })
    const place = fc.nat(5000)
    fc.assert(
      fc.property(period, sizes, place, place, place, place, (pattern, cuts, ...places) => {
        const [flaw, start, length, needleFlaw] = places
        const content = Buffer.alloc(4000, Buffer.from(pattern))
        if (flaw < content.length) content[flaw] = 3
        const list = segmentsOf(content, cuts)
        const needle = Buffer.from(content.subarray(start, start + (length % 1000) + 1))
        expect(list.indexOf(needle)).to.equal(content.indexOf(needle))
        if (needleFlaw < needle.length) needle[needleFlaw] = 3
        expect(list.indexOf(needle)).to.equal(content.indexOf(needle))
        expect(list.indexOf(needle, flaw % 4000)).to.equal(content.indexOf(needle, flaw % 4000))
      }),
      { numRuns: 300 },
    )
  })

  it('finds long needles that nearly fit everywhere', () => {
    for (const needleLength of [16, 64, 239, 240, 241, 500, 4096]) {
      for (const oneAt of [0, needleLength >> 1, needleLength - 1]) {
        const needle = zerosWithOne(needleLength, oneAt)
        const content = zerosWithOne(12_000, 7000 + oneAt)
        for (const size of [1, 127, 128, 1000, 12_000]) {
          const list = segmentsOf(content, [size])
          const what = `${needleLength} with one at ${oneAt} in segments of ${size}`
          expect(list.indexOf(needle), what).to.equal(7000)
          expect(list.indexOf(needle, 7001), what).to.equal(-1)
        }
      }
    }
  })

  it('finds needles that any number of their bytes lead over a border', () => {
    const content = bytes(78, 3000)
    const list = segmentsOf(content, [1500])
    for (const needleLength of [2, 16, 64, 240, 241, 500]) {
      for (let before = 0; before <= needleLength; before++) {
        const at = 1500 - before
        const needle = Buffer.from(content.subarray(at, at + needleLength))
        expect(list.indexOf(needle, 1000), `${before} of ${needleLength}`).to.equal(at)
      }
    }
  })

  it('meets every byte a bounded number of times, whatever the needle', function () {
    // Compared again at every place, this is a minute of work; so it is milliseconds.
    this.timeout(20_000)
    const content = Buffer.alloc(8_000_000)
    const needle = zerosWithOne(100_000, 50_000)
    for (const size of [8_000_000, 65_536, 100]) {
      expect(segmentsOf(content, [size]).indexOf(needle)).to.equal(-1)
    }
  })

  it('copies nothing, at borders neither', () => {
    const content = bytes(77, 100_000)
    const list = segmentsOf(content, [1, 10, 100, 1000])
    const needle = Buffer.from(content.subarray(90_000, 90_500))
    const before = counters.snapshot()
    expect(list.indexOf(needle)).to.equal(90_000)
    expect(list.indexOf(0)).to.equal(content.indexOf(0))
    expect(counters.snapshot().copied).to.deep.equal(before.copied)
  })

  it('finds single bytes in segments of every size, as Node reads them', () => {
    const content = Buffer.alloc(1000, 7)
    for (const size of [1, 127, 128, 129, 1000]) {
      for (const at of [0, 126, 127, 128, 500, 999]) {
        content[at] = 9
        const list = segmentsOf(Buffer.from(content), [size])
        expect(list.indexOf(9), `${at} in segments of ${size}`).to.equal(at)
        expect(list.indexOf(9 + 256)).to.equal(at)
        expect(list.indexOf(9, at)).to.equal(at)
        expect(list.indexOf(8)).to.equal(-1)
        content[at] = 7
      }
    }
  })

  it('looks at every held block once', function () {
    needsAddon(this)
    const list = pipeList(Buffer.alloc(1_000_000, 'ab'))
    const { inspected } = counters.snapshot()
    expect(list.indexOf('abb')).to.equal(-1)
    expect(counters.snapshot().inspected - inspected).to.equal(1_000_000)
  })

  it('does not find what ends behind the list', () => {
    const list = new BufferList(Buffer.from('abcdef')).substr(0, 3)
    expect(list.indexOf('cd')).to.equal(-1)
    expect(list.indexOf('d')).to.equal(-1)
    expect(list.substr(1).indexOf('a')).to.equal(-1)
  })

  for (const kind of KINDS) {
    it(`finds needles at the borders of ${kind.name}`, async function () {
      kind.check(this)
      const content = bytes(70, 1_200_000)
      const list = await kind.make(content)
      for (const at of [0, 1, 4090, 65_530, 131_065, 400_000 - 3, 1_048_570, 1_199_990]) {
        const needle = Buffer.from(content.subarray(at, at + 10))
        expect(list.indexOf(needle), `at ${at}`).to.equal(content.indexOf(needle))
        expect(list.indexOf(needle, at), `from ${at}`).to.equal(at)
      }
      expect(list.includes(Buffer.alloc(32))).to.equal(false)
    })
  }

  it('refuses needles and offsets that are none', () => {
    const list = new BufferList('abc')
    for (const wrong of [null, undefined, {}, [97], 1n]) {
      expect(() => list.indexOf(wrong as never)).to.throw(InvalidArgumentError)
    }
    for (const wrong of [-1, 4, 0.5, NaN]) {
      expect(() => list.indexOf('a', wrong)).to.throw(InvalidArgumentError)
    }
  })
})

describe('Comparing lists', () => {
  it('equals looks at the bytes alone, however they are cut', () => {
    const content = bytes(71, 70_000)
    const list = cutUp(content)
    expect(list.equals(new BufferList(content))).to.equal(true)
    expect(list.equals(content)).to.equal(true)
    expect(new BufferList('sm', 'ör').equals('smör')).to.equal(true)
    expect(list.equals(list)).to.equal(true)
    expect(new BufferList().equals('')).to.equal(true)
    expect(new BufferList('a').equals('')).to.equal(false)
    expect(new BufferList('a').equals('ab')).to.equal(false)
    expect(new BufferList('ab').equals('a')).to.equal(false)
  })

  it('compare orders by unsigned bytes, a beginning before the whole', () => {
    const orders = ['', '\0', '\0\0', 'a', 'aa', 'ab', 'b', '\x7f', '\xff', '\xff\0']
    const lists = orders.map((text) => {
      const list = new BufferList()
      for (const byte of Buffer.from(text, 'latin1')) list.append(Buffer.of(byte))
      return list
    })
    lists.forEach((a, i) => {
      lists.forEach((b, j) => {
        const expected = Math.sign(i - j)
        expect(a.compare(b), `${i} and ${j}`).to.equal(expected)
        expect(a.compare(b.toBuffer()), `${i} and ${j} in memory`).to.equal(expected)
      })
    })
  })

  for (const kind of KINDS) {
    it(`sees one bit that differs, anywhere in ${kind.name}`, async function () {
      kind.check(this)
      const content = bytes(72, 200_000)
      const list = await kind.make(content)
      const same = await kind.make(content)
      expect(list.equals(same)).to.equal(true)
      expect(list.compare(same)).to.equal(0)
      for (const at of [0, 4095, 65_535, 65_536, 66_666, 133_332, 199_999]) {
        const changed = Buffer.from(content)
        changed.writeUInt8(content.readUInt8(at) ^ 0x10, at)
        const order = content.readUInt8(at) & 0x10 ? 1 : -1
        expect(list.equals(changed), `at ${at}`).to.equal(false)
        expect(list.compare(changed), `at ${at}`).to.equal(order)
        expect(cutUp(changed).compare(list), `at ${at}`).to.equal(-order)
      }
    })
  }

  it('reads nothing of lists whose lengths differ', function () {
    needsAddon(this)
    const list = pipeList(bytes(73, 70_000))
    const { inspected } = counters.snapshot()
    expect(list.equals(bytes(73, 70_001))).to.equal(false)
    expect(counters.snapshot().inspected).to.equal(inspected)
  })

  it('holds nothing after a comparison that stopped half-way', async function () {
    needsAddon(this)
    const { live } = counters.snapshot()
    const held = pipeList(bytes(74, 150_000))
    using far = await extentList(bytes(74, 150_000))
    using rest = far.substr(70_000)
    using half = new BufferList(bytes(74, 70_000), rest)
    expect(() => held.compare(half)).to.throw(NotLoadedError)
    expect(() => half.compare(held)).to.throw(NotLoadedError)
    expect(held.compare(bytes(75, 150_000))).not.to.equal(0)
    expect(counters.snapshot().live['slabs']).to.equal(live['slabs'])
  })

  it('gives back the references that it took', function () {
    needsAddon(this)
    const list = pipeList(bytes(76, 70_000))
    using other = new BufferList(list)
    expect(list.equals(other)).to.equal(true)
    expect(list.compare(other)).to.equal(0)
    expect(list.explain()[0]?.refs).to.equal(2)
  })
})

describe('Zeros', () => {
  it('are told from anything else, of any length and however they are cut', () => {
    expect(new BufferList().isZero()).to.equal(true)
    expect(new BufferList('\0').isZero()).to.equal(true)
    expect(new BufferList('0').isZero()).to.equal(false)
    for (const length of [1, 31, 32, 33, 1000, 65_535, 65_536, 65_537, 200_000]) {
      const zeros = Buffer.alloc(length)
      expect(new BufferList(zeros).isZero(), `${length} zeros`).to.equal(true)
      expect(cutUp(zeros).isZero(), `${length} zeros, cut`).to.equal(true)
      for (const at of [0, length >> 1, length - 1]) {
        const list = new BufferList(zerosWithOne(length, at))
        expect(list.isZero(), `a one at ${at} of ${length}`).to.equal(false)
        expect(cutUp(zerosWithOne(length, at)).isZero()).to.equal(false)
      }
    }
  })

  for (const kind of KINDS) {
    it(`are seen in ${kind.name}`, async function () {
      kind.check(this)
      expect((await kind.make(Buffer.alloc(200_000))).isZero()).to.equal(true)
      for (const at of [0, 65_536, 133_332, 199_999]) {
        const list = await kind.make(zerosWithOne(200_000, at))
        expect(list.isZero(), `a one at ${at}`).to.equal(false)
      }
    })
  }

  it('are looked for no further than the first other byte', function () {
    needsAddon(this)
    const list = pipeList(zerosWithOne(1_000_000, 70_000))
    const { inspected, live } = counters.snapshot()
    expect(list.isZero()).to.equal(false)
    expect(counters.snapshot().inspected - inspected).to.equal(131_072)
    expect(counters.snapshot().live['slabs']).to.equal(live['slabs'])
  })

  it('are not looked for in a file that is not in memory, nor in a released list', async () => {
    const list = await extentList(Buffer.alloc(100))
    expect(() => list.isZero()).to.throw(NotLoadedError)
    list.release()
    expect(() => list.isZero()).to.throw(ReleasedError)
  })
})

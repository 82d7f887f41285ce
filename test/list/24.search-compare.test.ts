import { expect } from 'chai'
import { BufferList, counters, InvalidArgumentError, NotLoadedError } from 'splicelist'
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

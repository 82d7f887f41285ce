import { expect } from 'chai'
import { BufferList } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'

const COUNT = 200_000

function many(content: Uint8Array): BufferList {
  const list = new BufferList()
  for (const byte of content) list.append(Uint8Array.of(byte))
  return list
}

describe('A list of 200,000 segments of one byte', () => {
  const content = bytes(1, COUNT)

  it('is read, searched and compared like any other', () => {
    const list = many(content)
    expect(list.numBuffers).to.equal(COUNT)
    expectSameBytes(list.toBuffer(), content)
    expectSameBytes(list.cStr(99_999, 50_000), content.subarray(99_999, 149_999))
    const needle = Buffer.from(content.subarray(150_000, 150_016))
    expect(list.indexOf(needle)).to.equal(content.indexOf(needle))
    expect(list.indexOf(Buffer.alloc(16))).to.equal(-1)
    expect(list.equals(content)).to.equal(true)
    expect(list.crc32c()).to.equal(new BufferList(content).crc32c())
    for (let at = 0; at < COUNT; at += 997) expect(list.byteAt(at)).to.equal(content[at])
    list.release()
  })

  it('is cut, joined and shared like any other', () => {
    const list = many(content)
    const middle = list.substr(50_000, 100_000)
    expectSameBytes(middle.toBuffer(), content.subarray(50_000, 150_000))
    const removed = list.splice(1000, 198_000, 'x')
    expectSameBytes(removed.toBuffer(), content.subarray(1000, 199_000))
    list.splice(1000, 1, removed)
    expectSameBytes(list.toBuffer(), content)
    const joined = new BufferList('<').claimAppend(list).append('>')
    expect(joined.length).to.equal(COUNT + 2)
    expectSameBytes(joined.rebuild().toBuffer(1, COUNT), content)
  })

  it('is consumed from the front while it grows at the end', () => {
    const list = many(content)
    for (let i = 0; i < COUNT; i++) {
      list.consume(1)
      if (i % 2 === 0) list.append(Uint8Array.of(i & 255))
    }
    expect(list.length).to.equal(COUNT / 2)
    expect(list.byteAt(5)).to.equal(10)
  })

  it('is taken apart from the front', () => {
    const list = many(content)
    for (let i = 0; i < COUNT; i += 20) {
      const taken = list.take(20)
      if (taken.byteAt(3) !== content[i + 3]) expect.fail(`taken at ${i}`)
    }
    expect(list.length).to.equal(0)
  })

  it('is put before another', () => {
    const list = new BufferList('end').prepend(many(content))
    expect(list.numBuffers).to.equal(COUNT + 1)
    expectSameBytes(list.toBuffer(0, COUNT), content)
  })

  it('grows at the front', () => {
    const list = new BufferList()
    for (let i = 0; i < COUNT; i++) list.prepend(Uint8Array.of(i & 255))
    expect(list.byteAt(0)).to.equal((COUNT - 1) & 255)
    expect(list.byteAt(COUNT - 1)).to.equal(0)
  })
})

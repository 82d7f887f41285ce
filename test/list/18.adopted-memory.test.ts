import { expect } from 'chai'
import { BufferList, InvalidArgumentError } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { expectSameBytes } from '../support/first-difference.js'

describe('Adopted memory', () => {
  it('is given back once, when the last list that holds a part of it was released', () => {
    let released = 0
    const list = BufferList.adopt(bytes(1, 1000), () => released++)
    const part = list.substr(10, 20)
    const other = new BufferList('x').append(part)
    expect(list.explain()).to.deep.equal([
      { kind: 'heap', length: 1000, pages: null, refs: 3, looked: 0 },
    ])
    list.release()
    part.release()
    expect(released).to.equal(0)
    expectSameBytes(other.toBuffer(1), bytes(1, 1000).subarray(10, 30))
    other.consume(21)
    expect(released).to.equal(1)
    other.release()
    expect(released).to.equal(1)
  })

  it('counts every window that cutting makes, and drops each', () => {
    let released = 0
    const list = BufferList.adopt(bytes(2, 5000), () => released++)
    const parts = [
      list.take(100),
      list.splice(1000, 500),
      list.substr(3),
      new BufferList(list, list),
    ]
    expectSameBytes((parts[0] as BufferList).toBuffer(), bytes(2, 5000).subarray(0, 100))
    list.splice(50, 50, parts[1]).release()
    list.truncate(60)
    list.release()
    expect(released).to.equal(0)
    for (const part of parts) part.release()
    expect(released).to.equal(1)
  })

  it('shares the bytes, and can be sent', async () => {
    const memory = bytes(3, 10)
    using list = BufferList.adopt(memory, () => undefined)
    expect(list.cStr().buffer).to.equal(memory.buffer)
    expect(await list.spliceTo({ file: '/dev/null' })).to.equal(10)
  })

  it('is memory, and comes with a function', () => {
    expect(() => BufferList.adopt('text' as unknown as Uint8Array, () => undefined)).to.throw(
      InvalidArgumentError,
    )
    expect(() => BufferList.adopt(bytes(1, 1), 7 as unknown as () => void)).to.throw(
      InvalidArgumentError,
      'onRelease',
    )
  })
})

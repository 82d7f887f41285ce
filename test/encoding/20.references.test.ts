import { expect } from 'chai'
import {
  BufferList,
  counters,
  MalformedInputError,
  NotLoadedError,
  ReleasedError,
} from 'splicelist'
import {
  bufferlist,
  bytes,
  decodeStruct,
  fixedBytes,
  latin1,
  list,
  map,
  optional,
  record,
  struct,
  text,
  u32,
  type Codec,
} from 'splicelist/encoding'
import { extentList } from '../list/kinds.js'
import { pipeList } from '../raw/pipes.js'
import { bytes as bytesOf } from '../support/bytes.js'
import { afterwards } from '../support/cleanup.js'
import { expectSameBytes } from '../support/first-difference.js'
import { needsAddon } from '../support/needs.js'

const write = struct({ version: 1, compat: 1 }, { name: text, data: bufferlist, crc: u32 })
const PAYLOAD_BYTES = 200_000
const payload = bytesOf(7, PAYLOAD_BYTES)

/** What was copied and looked at meanwhile. */
function accountOf(run: () => void): { copied: unknown; inspected: number } {
  const before = counters.snapshot()
  run()
  const after = counters.snapshot()
  const copied = Object.entries(after.copied)
    .map(([cause, count]) => [cause, count - (before.copied[cause as 'look'] ?? 0)] as const)
    .filter(([, count]) => count > 0)
  return { copied: Object.fromEntries(copied), inspected: after.inspected - before.inspected }
}
const kindsOf = (of: BufferList): string[] => of.explain().map(({ kind }) => kind)
/** The message, whose payload is in the middle. Released after the test. */
function messageOf(data: BufferList): BufferList {
  const target = new BufferList()
  afterwards(() => {
    target.release()
  })
  write.encode(target, { name: 'obj', data, crc: 9 })
  return target
}

describe('A payload', () => {
  it('is encoded and decoded by reference: the ledger counts the header alone', () => {
    let target = new BufferList()
    const encoding = accountOf(() => {
      target = messageOf(new BufferList(payload))
    })
    // The name, and the length that was filled in.
    expect(encoding).to.deep.equal({ copied: { 'append-copy': 4, encode: 3 }, inspected: 0 })

    const decoding = accountOf(() => {
      const { data } = write.decode(target.cursor())
      expect(data.length).to.equal(PAYLOAD_BYTES)
      expect([...data][0]?.buffer).to.equal(payload.buffer)
    })
    expect(decoding).to.deep.equal({ copied: {}, inspected: 0 })
  })

  it('in pipes stays in its pipes, both ways', function () {
    needsAddon(this)
    const held = pipeList(payload)
    let target = new BufferList()
    const account = accountOf(() => {
      target = messageOf(held)
      const { name, data, crc } = write.decode(target.cursor())
      expect([name, crc]).to.deep.equal(['obj', 9])
      expect(new Set(kindsOf(data))).to.deep.equal(new Set(['pipe']))
      data.release()
    })
    expect(account).to.deep.equal({ copied: { 'append-copy': 4, encode: 3 }, inspected: 0 })
    expect(kindsOf(target)[0]).to.equal('heap')
    expect(kindsOf(target)).to.include('pipe')
  })

  it('in pipes is decoded as a list of its own, which outlives the message', function () {
    needsAddon(this)
    const held = pipeList(payload)
    const target = messageOf(held)
    const { data } = write.decode(target.cursor())
    afterwards(() => {
      data.release()
    })
    held.release()
    target.release()
    expectSameBytes(data.toBuffer(), payload)
  })

  it('of a file is not loaded: neither by encoding it, nor by decoding past it', async () => {
    const extent = await extentList(payload)
    const target = messageOf(extent)
    const { data, crc } = write.decode(target.cursor())
    expect(crc).to.equal(9)
    expect(kindsOf(data)).to.deep.equal(['file'])
    expect(() => data.toBuffer()).to.throw(NotLoadedError)
    data.release()
  })

  it('whose bytes would have to be read from a file throws so, and can be decoded once loaded', async () => {
    const content = Buffer.concat([Buffer.from('05000000', 'hex'), Buffer.from('hello')])
    const extent = await extentList(content)
    const target = new BufferList('ab').append(extent)
    afterwards(() => {
      target.release()
    })
    const cursor = target.cursor(2)
    for (const codec of [text, latin1, bytes, fixedBytes(9)]) {
      expect(() => codec.decode(cursor)).to.throw(NotLoadedError)
      expect(cursor.offset).to.equal(2)
    }
    // Where the length is in memory, and what it is of is not.
    const behind = new BufferList(content.subarray(0, 4)).claimAppend(extent.substr(4))
    afterwards(() => {
      behind.release()
    })
    for (const codec of [text, latin1, bytes]) {
      const other = behind.cursor()
      expect(() => codec.decode(other)).to.throw(NotLoadedError)
      expect(other.offset).to.equal(0)
    }
    await target.load()
    expect(text.decode(cursor)).to.equal('hello')
  })

  it('whose message fails behind it is released: nobody else could', function () {
    needsAddon(this)
    const held = pipeList(payload)
    const refs = (): number | null | undefined => held.explain()[0]?.refs
    const alone = refs()
    const codecs: Codec<unknown>[] = [
      record({ data: bufferlist, crc: u32, tail: u32 }),
      list(bufferlist),
      map(text, bufferlist),
      struct({ version: 1, compat: 1 }, { data: bufferlist, tail: optional(u32) }),
      {
        encode: () => undefined,
        decode: (cursor) =>
          decodeStruct(cursor, { understands: 1 }, () => {
            const data = bufferlist.decode(cursor)
            text.decode(cursor)
            return data
          }),
      },
    ]
    const sources = [
      new BufferList().appendUInt32LE(PAYLOAD_BYTES).append(held).appendUInt32LE(1),
      new BufferList().appendUInt32LE(2).appendUInt32LE(PAYLOAD_BYTES).append(held).appendUInt8(1),
      new BufferList()
        .appendUInt32LE(2)
        .appendUInt32LE(0)
        .appendUInt32LE(PAYLOAD_BYTES)
        .append(held)
        .appendUInt32LE(0)
        .appendUInt32LE(9),
      new BufferList()
        .append(Buffer.from('0101', 'hex'))
        .appendUInt32LE(PAYLOAD_BYTES + 5)
        .appendUInt32LE(PAYLOAD_BYTES)
        .append(held)
        .appendUInt8(7),
      new BufferList()
        .append(Buffer.from('0101', 'hex'))
        .appendUInt32LE(PAYLOAD_BYTES + 8)
        .appendUInt32LE(PAYLOAD_BYTES)
        .append(held)
        .appendUInt32LE(99),
    ]
    for (const [i, codec] of codecs.entries()) {
      const source = sources[i] as BufferList
      const before = refs()
      expect(before).to.be.greaterThan(alone ?? Infinity)
      const cursor = source.cursor()
      let decoded = false
      try {
        codec.decode(cursor)
        decoded = true
      } catch {
        // Which error it is, other tests say.
      }
      expect(decoded, `source ${i}`).to.be.false
      expect(refs(), `after source ${i}`).to.equal(before)
      source.release()
    }
    expect(refs()).to.equal(alone)
  })

  it('that was decoded is kept when a later message of the same cursor fails', function () {
    needsAddon(this)
    const source = new BufferList().appendUInt32LE(PAYLOAD_BYTES).append(pipeList(payload))
    source.appendUInt32LE(77)
    afterwards(() => {
      source.release()
    })
    const cursor = source.cursor()
    const { data } = record({ data: bufferlist }).decode(cursor)
    afterwards(() => {
      data.release()
    })
    expect(() => record({ data: bufferlist }).decode(cursor)).to.throw()
    expectSameBytes(data.toBuffer(), payload)
  })

  it('of a part that failed is released, and one of a part that is kept is not', () => {
    const either: Codec<BufferList | string> = {
      encode: () => undefined,
      decode: (cursor) => {
        try {
          return record({ data: bufferlist, mark: text }).decode(cursor).data
        } catch {
          return text.decode(cursor)
        }
      },
    }
    const source = new BufferList()
    record({ a: bufferlist, b: text }).encode(source, { a: new BufferList('one'), b: 'mark' })
    text.encode(source, 'two')
    const { one, two } = record({ one: either, two: either }).decode(source.cursor())
    expect([String(one), two]).to.deep.equal(['one', 'two'])
  })

  it('of a message that cannot be encoded is given back', function () {
    needsAddon(this)
    const held = pipeList(payload)
    const refs = held.explain()[0]?.refs
    const target = new BufferList('before')
    expect(() => {
      write.encode(target, { name: 'obj', data: held, crc: -1 })
    }).to.throw('crc')
    expect(target.toString()).to.equal('before')
    expect(held.explain()[0]?.refs).to.equal(refs)
  })

  it('that is copied, or cannot be appended, is held by nobody afterwards', function () {
    needsAddon(this)
    const held = pipeList(payload)
    const source = new BufferList().appendUInt32LE(PAYLOAD_BYTES).append(held)
    afterwards(() => {
      source.release()
    })
    const refs = held.explain()[0]?.refs
    expectSameBytes(bytes.decode(source.cursor()), payload)
    expectSameBytes(fixedBytes(1000).decode(source.cursor(4)), payload.subarray(0, 1000))
    expect(held.explain()[0]?.refs).to.equal(refs)

    const released = new BufferList()
    released.release()
    expect(() => {
      bufferlist.encode(released, held)
    }).to.throw(ReleasedError)
    expect(held.explain()[0]?.refs).to.equal(refs)
  })

  it('inside another message is decoded by a cursor of its own', () => {
    const inner = record({ values: list(u32) })
    const nested: Codec<number[]> = {
      encode: (target, values) => {
        const body = new BufferList()
        inner.encode(body, { values })
        bufferlist.encode(target, body)
      },
      decode: (cursor) => inner.decode(bufferlist.decode(cursor).cursor()).values,
    }
    const outer = struct({ version: 1, compat: 1 }, { nested, last: u32 })
    const target = new BufferList('x')
    outer.encode(target, { nested: [1, 2, 3], last: 4 })
    expect(outer.decode(target.cursor(1))).to.deep.equal({ nested: [1, 2, 3], last: 4 })

    // The inner one promises more than it has: more bytes of the outer one cannot help.
    const broken = new BufferList()
    const short = new BufferList().appendUInt32LE(3).appendUInt32LE(1)
    struct({ version: 1, compat: 1 }, { nested: bufferlist, last: u32 }).encode(broken, {
      nested: short,
      last: 4,
    })
    expect(() => outer.decode(broken.cursor())).to.throw(MalformedInputError, 'nested.values')
  })
})

import { expect } from 'chai'
import { BufferList, EndOfBufferError, InvalidArgumentError, MalformedInputError } from 'splicelist'
import {
  bool,
  decodeStruct,
  encodeStruct,
  list,
  map,
  optional,
  pair,
  record,
  struct,
  text,
  u32,
  u8,
  type Codec,
} from 'splicelist/encoding'
import { encodeRefusal, refusal, wire } from './wire.js'

const pool = struct({ version: 1, compat: 1 }, { name: text, sizes: list(u8) })
const osdmap = struct({ version: 1, compat: 1 }, { epoch: u32, pools: map(u32, pool) })
const ranges = record({ skip: u8, ranges: list(pair(u8, optional(bool))) })

describe('An error of a decode', () => {
  it('names the path to what failed, and where that begins', () => {
    const error = refusal(ranges, wire('00  02 00 00 00  01 01 01  02 01 07'))
    expect(error).to.be.instanceOf(MalformedInputError)
    expect(error.message).to.contain('The byte 7 at offset 10')
    expect(error.message).to.match(/\(in ranges\[1\]\[1\], from offset 9\)$/)

    const ended = refusal(ranges, wire('00  02 00 00 00  01 01 01  02 01'))
    expect(ended).to.be.instanceOf(EndOfBufferError)
    expect(ended.message).to.match(/\(in ranges\[1\]\[1\], from offset 9\)$/)
  })

  it('counts offsets from the start of the list, not from where the decode began', () => {
    const error = refusal(ranges, wire('ff ff ff  00  02 00 00 00  01 01 07  02 00'), 3)
    expect(error.message).to.match(/at offset 10 .*\(in ranges\[0\]\[1\], from offset 9\)$/)
  })

  it('tells a key from its value, and where a text begins whose length is wrong', () => {
    const content = new BufferList()
    osdmap.encode(content, { epoch: 1, pools: new Map([[3, { name: 'rbd', sizes: [1, 2] }]]) })
    const flat = content.toBuffer()
    // Its header takes 6 bytes, the epoch 4, the count 4, the key 4, the pool's header 6.
    flat.writeUInt32LE(200, 24)
    const error = refusal(osdmap, flat)
    expect(error).to.be.instanceOf(MalformedInputError)
    expect(error.message).to.match(/\(in pools\[0\]\.value\.name, from offset 24\)$/)

    flat.writeUInt32LE(2, 10)
    flat.writeUInt32LE(3, 24)
    expect(refusal(osdmap, flat).message).to.contain('pools[1].key')
  })

  it('keeps the error as it was thrown as its cause', () => {
    const error = refusal(ranges, wire('00  01 00 00 00  01 07'))
    expect(error.cause).to.be.instanceOf(MalformedInputError)
    expect((error.cause as Error).message).not.to.contain('ranges')
    expect(error.stack).to.contain('ranges[0][1]')
  })

  it('says how a count and the bytes do not fit', () => {
    const error = refusal(ranges, wire('00  0a 00 00 00  01 00'))
    expect(error.message).to.contain('10 elements').and.to.contain('2 are left')
    expect(error.message).to.match(/\(in ranges, from offset 1\)$/)
  })

  it('says what a struct misses: the upgrade of its reader', () => {
    const error = refusal(list(pool), wire('01 00 00 00  05 03  00 00 00 00'))
    expect(error.message).to.match(/offset 4 .*version 3.*1.*\(in \[0\], from offset 4\)$/)
  })

  it('of a hand-written codec gets the path that leads to it', () => {
    const even: Codec<number> = {
      encode: (target, value) => {
        u8.encode(target, value)
      },
      decode: (cursor) => {
        const value = u8.decode(cursor)
        if (value % 2 === 0) return value
        throw new MalformedInputError(`${value} is odd`)
      },
    }
    const byHand: Codec<number[]> = {
      encode: (target, values) => {
        encodeStruct(target, { version: 1, compat: 1 }, () => {
          list(even).encode(target, values)
        })
      },
      decode: (cursor) => decodeStruct(cursor, { understands: 1 }, () => list(even).decode(cursor)),
    }
    const error = refusal(record({ values: byHand }), wire('01 01 06000000  02000000 02 03'))
    expect(error).to.be.instanceOf(MalformedInputError)
    expect(error.message).to.match(/^3 is odd \(in values\[1\], from offset 11\)$/)
  })

  it('of another kind passes as it is', () => {
    const failure = new Error('of the caller')
    const failing: Codec<number> = {
      encode: () => {
        throw failure
      },
      decode: () => {
        throw failure
      },
    }
    expect(refusal(record({ a: list(failing) }), wire('01 00 00 00 00'))).to.equal(failure)
    expect(encodeRefusal(record({ a: list(failing) }), { a: [1] })).to.equal(failure)
    expect(failure.message).to.equal('of the caller')
  })

  it('that a codec recovers from leaves no trace in a later one', () => {
    const either: Codec<string | number> = {
      encode: () => undefined,
      decode: (cursor) => {
        try {
          return record({ long: text }).decode(cursor).long
        } catch {
          return u8.decode(cursor)
        }
      },
    }
    const codec = record({ a: either, b: either, c: bool })
    const error = refusal(codec, wire('09 08 07'))
    expect(error.message).to.match(/\(in c, from offset 2\)$/)
    expect(codec.decode(new BufferList(wire('09 08 01')).cursor())).to.deep.equal({
      a: 9,
      b: 8,
      c: true,
    })
  })
})

describe('An error of an encode', () => {
  it('names the path to what does not fit, and leaves the list as it was', () => {
    const error = encodeRefusal(osdmap, {
      epoch: 1,
      pools: new Map([
        [3, { name: 'rbd', sizes: [1, 2] }],
        [4, { name: 'x', sizes: [1, 256] }],
      ]),
    })
    expect(error).to.be.instanceOf(InvalidArgumentError)
    expect(error.message)
      .to.contain('256')
      .and.to.match(/\(in pools\[1\]\.value\.sizes\[1\]\)$/)
  })

  it('names a field that is missing', () => {
    const error = encodeRefusal(osdmap, { epoch: 1 })
    expect(error.message)
      .to.contain('undefined')
      .and.to.match(/\(in pools\)$/)
  })

  it('that a codec recovers from, outside a struct, leaves none of its bytes', () => {
    const either: Codec<string> = {
      encode: (target, value) => {
        try {
          record({ a: u8, b: u8 }).encode(target, { a: 1, b: -1 })
        } catch {
          text.encode(target, value)
        }
      },
      decode: (cursor) => text.decode(cursor),
    }
    const target = new BufferList()
    list(either).encode(target, ['x', 'y'])
    expect(list(text).decode(target.cursor())).to.deep.equal(['x', 'y'])
  })

  it('leaves a list that can be used on', () => {
    const target = new BufferList('before')
    for (let i = 0; i < 3; i++) {
      expect(() => {
        pool.encode(target, { name: 'rbd', sizes: [1, -1] })
      }).to.throw(InvalidArgumentError)
    }
    pool.encode(target, { name: 'rbd', sizes: [1] })
    expect(pool.decode(target.cursor(6))).to.deep.equal({ name: 'rbd', sizes: [1] })
  })
})

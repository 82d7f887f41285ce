import { expect } from 'chai'
import {
  BufferList,
  EndOfBufferError,
  InvalidArgumentError,
  MalformedInputError,
  UnfilledHoleError,
  type Cursor,
} from 'splicelist'
import {
  bufferlist,
  bytes,
  decodeStruct,
  encodeStruct,
  fixedBytes,
  latin1,
  list,
  record,
  since,
  struct,
  text,
  u16,
  u32,
  u8,
  type Codec,
} from 'splicelist/encoding'
import { decoded, encodeRefusal, expectOnWire, refusal, wire } from './wire.js'

describe('A struct', () => {
  const first = struct({ version: 1, compat: 1 }, { id: u32 })
  const second = struct({ version: 2, compat: 1 }, { id: u32, name: since(2, text, () => '?') })
  const third = struct(
    { version: 3, compat: 3 },
    { id: u32, name: since(2, text, () => '?'), tags: since(3, list(u8), () => []) },
  )

  it('is version, compat, length of the body, body', () => {
    expectOnWire(first, { id: 7 }, '01 01  04 00 00 00  07 00 00 00')
    expectOnWire(
      second,
      { id: 7, name: 'ab' },
      '02 01  0a 00 00 00  07 00 00 00  02 00 00 00 61 62',
    )
    expectOnWire(struct({ version: 9, compat: 4 }, {}), {}, '09 04  00 00 00 00')
  })

  it('inside another has a header of its own', () => {
    const outer = struct({ version: 5, compat: 2 }, { inner: first, last: u8 })
    const value = { inner: { id: 1 }, last: 0xee }
    expectOnWire(outer, value, '05 02  0b 00 00 00   01 01  04 00 00 00  01 00 00 00   ee')
  })

  it('of a newer writer is read as far as it is known, and the rest is skipped', () => {
    const cursor = new BufferList(
      wire('02 01  0a 00 00 00  07 00 00 00  02 00 00 00 61 62   dd'),
    ).cursor()
    expect(first.decode(cursor)).to.deep.equal({ id: 7 })
    expect(cursor.readUInt8()).to.equal(0xdd)
  })

  it('of an older writer has the fields that came since filled in', () => {
    const content = wire('01 01  04 00 00 00  07 00 00 00')
    expect(decoded(second, content)).to.deep.equal({ id: 7, name: '?' })
    const one = decoded(third, content)
    const other = decoded(third, content)
    expect(one).to.deep.equal({ id: 7, name: '?', tags: [] })
    expect(one.tags).not.to.equal(other.tags)
  })

  it('may have bytes behind its fields in the very version that is known', () => {
    expect(decoded(first, wire('01 01  06 00 00 00  07 00 00 00  aa bb'))).to.deep.equal({ id: 7 })
  })

  it('whose compat is what the reader understands is read, and one above is refused', () => {
    expect(decoded(second, wire('63 02  08 00 00 00  07 00 00 00  00 00 00 00'))).to.deep.equal({
      id: 7,
      name: '',
    })
    const error = refusal(second, wire('00  63 03  08 00 00 00  07 00 00 00  00 00 00 00'), 1)
    expect(error).to.be.instanceOf(MalformedInputError)
    expect(error.message).to.contain('offset 1').and.to.contain('version 3').and.to.contain('2')
    expect(refusal(second, wire('ff ff  00 00 00 00'))).to.be.instanceOf(MalformedInputError)
  })

  it('that says it is shorter than its fields is malformed, wherever it is cut', () => {
    const content = wire('02 01  0a 00 00 00  07 00 00 00  02 00 00 00 61 62  00 00 00 00 00 00 00')
    expect(second.decode(new BufferList(content).cursor())).to.deep.equal({ id: 7, name: 'ab' })
    for (let length = 0; length < 10; length++) {
      content[2] = length
      expect(refusal(second, content), `${length}`).to.be.instanceOf(MalformedInputError)
    }
  })

  it('that says it is longer than what is there is the end of the buffer', () => {
    const content = wire('01 01  05 00 00 00  07 00 00 00')
    expect(refusal(first, content)).to.be.instanceOf(EndOfBufferError)
    expect(refusal(first, wire('01 01  ff ff ff ff  07 00 00 00'))).to.be.instanceOf(
      EndOfBufferError,
    )
  })

  it('longer than the struct around it is malformed, though the bytes are there', () => {
    const outer = struct({ version: 1, compat: 1 }, { inner: first })
    const content = wire('01 01  0a 00 00 00   01 01  05 00 00 00  07 00 00 00   00 00 00 00')
    const error = refusal(outer, content)
    expect(error).to.be.instanceOf(MalformedInputError)
    expect(error.message).to.contain('inner')
  })

  it('bounds the counts and lengths in it, though there are more bytes behind it', () => {
    const lists = struct({ version: 1, compat: 1 }, { values: list(u8) })
    const content = wire('01 01  06 00 00 00   03 00 00 00  01 02   03 04 05 06')
    const error = refusal(lists, content)
    expect(error).to.be.instanceOf(MalformedInputError)
    expect(error.message).to.contain('2 are left').and.to.contain('values')

    for (const value of [text, latin1, bytes, bufferlist]) {
      const told = refusal(struct({ version: 1, compat: 1 }, { value }), content)
      expect(told).to.be.instanceOf(MalformedInputError)
      expect(told.message).to.contain('2 are left').and.to.contain('value')
    }
    const digest = struct({ version: 1, compat: 1 }, { value: fixedBytes(7) })
    expect(refusal(digest, content).message).to.contain('6 are left')
  })

  it('does not bound what a codec reads from elsewhere meanwhile', () => {
    const names = new BufferList(Buffer.alloc(100), wire('04 00 00 00 6e 61 6d 65'))
    const lookups: ((from: Cursor) => string)[] = [
      (from) => text.decode(from),
      (from) => record({ name: text }).decode(from).name,
    ]
    for (const look of lookups) {
      const named: Codec<string> = {
        encode: () => undefined,
        decode: (cursor) => look(names.cursor(cursor.readUInt8())),
      }
      const codec = struct({ version: 1, compat: 1 }, { named, last: u8 })
      expect(decoded(codec, wire('01 01  02 00 00 00  64 09'))).to.deep.equal({
        named: 'name',
        last: 9,
      })
    }
  })

  it('names the field that its bytes end in, though they go on behind it', () => {
    const plain = struct({ version: 1, compat: 1 }, { a: u16, b: u16, c: u16 })
    const error = refusal(plain, wire('01 01  03 00 00 00  01 00 02 00 03 00'))
    expect(error).to.be.instanceOf(MalformedInputError)
    expect(error.message).to.match(/\(in b, from offset 8\)$/)
  })

  it('is followed by what its writer appended next', () => {
    const message = new BufferList()
    first.encode(message, { id: 1 })
    second.encode(message, { id: 2, name: 'b' })
    const cursor = message.cursor()
    expect(first.decode(cursor)).to.deep.equal({ id: 1 })
    expect(second.decode(cursor)).to.deep.equal({ id: 2, name: 'b' })
    expect(cursor.remaining).to.equal(0)
  })

  it('is declared with versions that somebody can read', () => {
    for (const version of [
      { version: 1, compat: 2 },
      { version: 256, compat: 1 },
      { version: -1, compat: -1 },
      { version: 1.5, compat: 1 },
      { version: 1 } as never,
    ]) {
      expect(() => struct(version, {})).to.throw(InvalidArgumentError)
      expect(() => {
        encodeStruct(new BufferList(), version, () => undefined)
      }).to.throw(InvalidArgumentError)
    }
    expectOnWire(struct({ version: 255, compat: 255 }, {}), {}, 'ff ff  00 00 00 00')
  })

  it('has no field that came since a version it has not reached', () => {
    const field = (version: number) => ({ late: since(version, u8, () => 0) })
    expect(() => struct({ version: 2, compat: 1 }, field(2))).not.to.throw()
    for (const version of [3, 1.5, -1]) {
      expect(() => struct({ version: 2, compat: 1 }, field(version))).to.throw(InvalidArgumentError)
    }
    expect(() => record(field(1) as never)).to.throw(InvalidArgumentError)
  })

  it('has no field whose name JavaScript would move to the front', () => {
    expect(() => record({ b: u8, 1: u8 })).to.throw(InvalidArgumentError, '1')
    expectOnWire(record({ b: u8, a1: u8, '01': u8 }), { b: 1, a1: 2, '01': 3 }, '01 02 03')
  })

  it('of more than a dozen fields is an object like any other', () => {
    const names = Array.from({ length: 40 }, (_, i) => `field${i}`)
    const codec = record(Object.fromEntries(names.map((name) => [name, u8])))
    const value = Object.fromEntries(names.map((name, i) => [name, i]))
    const content = Buffer.from(names.map((_, i) => i))
    expectOnWire(codec, value, content.toString('hex'))
    expect(Object.keys(decoded(codec, content))).to.deep.equal(names)
  })
})

describe('A struct by hand', () => {
  interface Op {
    code: number
    flags: number
    name: string
  }
  const op: Codec<Op> = {
    bytesMin: 6,
    encode: (target, value) => {
      encodeStruct(target, { version: 3, compat: 2 }, () => {
        target.appendUInt16LE(value.code)
        u8.encode(target, value.flags)
        text.encode(target, value.name)
      })
    },
    decode: (cursor) =>
      decodeStruct(cursor, { understands: 3 }, (version) => ({
        code: cursor.readUInt16LE(),
        flags: version >= 2 ? u8.decode(cursor) : 0,
        name: version >= 3 ? text.decode(cursor) : '',
      })),
  }

  it('is on the wire what one by fields is', () => {
    expectOnWire(
      op,
      { code: 0x102, flags: 3, name: 'x' },
      '03 02  08 00 00 00  02 01 03 01000000 78',
    )
  })

  it('is told the version that was written', () => {
    expect(decoded(op, wire('01 01  02 00 00 00  05 00'))).to.deep.equal({
      code: 5,
      flags: 0,
      name: '',
    })
  })

  it('skips what the body leaves, and refuses what it reads beyond', () => {
    const read = (cursor: Cursor) =>
      decodeStruct(cursor, { understands: 1 }, () => u16.decode(cursor))
    const codec: Codec<number> = { encode: () => undefined, decode: read }
    expect(decoded(codec, wire('02 01  05 00 00 00  05 00 aa bb cc'))).to.equal(5)
    for (const hex of ['01 01  01 00 00 00  05 00', '01 01  00 00 00 00  05 00']) {
      expect(refusal(codec, wire(hex))).to.be.instanceOf(MalformedInputError)
    }
  })

  it('checks what the reader says of itself', () => {
    for (const understands of [-1, 256, 1.5, undefined as never]) {
      expect(() => decodeStruct(new BufferList('x').cursor(), { understands }, () => 0)).to.throw(
        InvalidArgumentError,
      )
    }
  })

  it('whose body throws leaves neither bytes nor a hole, and passes the error on', () => {
    const target = new BufferList('before')
    const failure = new Error('of the caller')
    expect(() => {
      encodeStruct(target, { version: 1, compat: 1 }, () => {
        target.append('payload')
        encodeStruct(target, { version: 1, compat: 1 }, () => {
          throw failure
        })
      })
    }).to.throw(failure)
    expect(target.toString()).to.equal('before')

    const cursor = new BufferList(wire('00  01 01  01 00 00 00  05')).cursor(1)
    expect(() =>
      decodeStruct(cursor, { understands: 1 }, () => {
        u8.decode(cursor)
        throw failure
      }),
    ).to.throw(failure)
    expect(cursor.offset).to.equal(1)
  })

  it('beside a hole of the caller cannot be taken back, but leaves no hole of its own', () => {
    const target = new BufferList()
    const hole = target.appendHole(1)
    expect(() => {
      encodeStruct(target, { version: 1, compat: 1 }, () => {
        u8.encode(target, 256)
      })
    }).to.throw(InvalidArgumentError)
    expect(() => target.toBuffer()).to.throw(UnfilledHoleError)
    hole.fill(Uint8Array.of(0x77))
    expect(target.toBuffer().equals(wire('77  01 01 00 00 00 00'))).to.be.true
  })

  it('may write to a second list meanwhile, and each is cut back to its own beginning', () => {
    const target = new BufferList('target')
    const other = new BufferList('other')
    expect(() => {
      encodeStruct(target, { version: 1, compat: 1 }, () => {
        encodeStruct(other, { version: 1, compat: 1 }, () => {
          u8.encode(other, -1)
        })
      })
    }).to.throw(InvalidArgumentError)
    expect([target.toString(), other.toString()]).to.deep.equal(['target', 'other'])
  })
})

describe('A struct from before structs had headers', () => {
  /** A compat byte since version 3, a length since version 4. */
  const legacy = { compatSince: 3, lengthSince: 4 }
  const old = struct({ version: 5, compat: 3, legacy }, { id: u16, more: since(5, u8, () => 0) })

  it('is read without a compat byte and without a length', () => {
    expect(decoded(old, wire('02  07 00'))).to.deep.equal({ id: 7, more: 0 })
  })

  it('is read with a compat byte, which is checked', () => {
    expect(decoded(old, wire('03 03  07 00'))).to.deep.equal({ id: 7, more: 0 })
    expect(refusal(old, wire('03 06  07 00'))).to.be.instanceOf(MalformedInputError)
  })

  it('is read with all of a header, and its tail skipped', () => {
    expect(decoded(old, wire('04 03  03 00 00 00  07 00  ee'))).to.deep.equal({ id: 7, more: 0 })
    expect(decoded(old, wire('05 03  03 00 00 00  07 00  09'))).to.deep.equal({ id: 7, more: 9 })
    expect(decoded(old, wire('06 03  04 00 00 00  07 00  09 ee'))).to.deep.equal({ id: 7, more: 9 })
  })

  it('is written with all of a header', () => {
    expectOnWire(old, { id: 7, more: 9 }, '05 03  03 00 00 00  07 00 09')
  })

  it('is bounded by the struct around it, where it has no length of its own', () => {
    const outer = struct({ version: 1, compat: 1 }, { inner: old })
    expect(decoded(outer, wire('01 01  03 00 00 00   02  07 00'))).to.deep.equal({
      inner: { id: 7, more: 0 },
    })
    const error = refusal(outer, wire('01 01  02 00 00 00   02  07 00'))
    expect(error).to.be.instanceOf(MalformedInputError)
  })

  it('may take a single byte, and a list of them is counted so', () => {
    const bare = struct({ version: 5, compat: 3, legacy }, {})
    expect(decoded(list(bare), wire('03 00 00 00  01 01 02'))).to.deep.equal([{}, {}, {}])
    expect(encodeRefusal(list(bare), [undefined])).to.be.instanceOf(InvalidArgumentError)
  })
})

import { expect } from 'chai'
import { BufferList, EndOfBufferError, InvalidArgumentError, MalformedInputError } from 'splicelist'
import { bufferlist, bytes, fixedBytes, latin1, text, TEXT_BYTES_MAX } from 'splicelist/encoding'
import { byteByByte, decoded, encoded, encodeRefusal, expectOnWire, refusal, wire } from './wire.js'

describe('A text', () => {
  it('is its length in bytes, then UTF-8', () => {
    expectOnWire(text, '', '00 00 00 00')
    expectOnWire(text, 'rbd', '03 00 00 00  72 62 64')
    expectOnWire(text, 'ü😀', '06 00 00 00  c3 bc  f0 9f 98 80')
    expectOnWire(text, 'a\0b', '03 00 00 00  61 00 62')
  })

  it('may be split between segments at every byte', () => {
    const cursor = byteByByte(wire('06 00 00 00  c3 bc  f0 9f 98 80  07')).cursor()
    expect(text.decode(cursor)).to.equal('ü😀')
    expect(cursor.readUInt8()).to.equal(7)
  })

  it('keeps a byte order mark and a replacement character that were sent', () => {
    expectOnWire(text, '\ufeffx', '04 00 00 00  ef bb bf  78')
    expectOnWire(text, 'x\ufffd', '04 00 00 00  78  ef bf bd')
  })

  it('that is not UTF-8 is refused: no byte of a name is ever replaced', () => {
    for (const hex of ['ff', 'c3', 'c3 28', 'ed a0 80', 'f0 9f 98', 'c0 80', '61 80 62']) {
      const content = wire(hex)
      const error = refusal(text, Buffer.concat([wire('07'), encoded(bytes, content)]), 1)
      expect(error, hex).to.be.instanceOf(MalformedInputError)
      expect(error.message).to.contain('UTF-8').and.to.contain('offset 5')
    }
  })

  it('takes no half of a surrogate pair, which UTF-8 cannot say', () => {
    for (const value of ['\ud83d', 'a\ude00', 7, undefined, null, Buffer.from('a')]) {
      expect(encodeRefusal(text, value)).to.be.instanceOf(InvalidArgumentError)
    }
  })

  it(`takes ${TEXT_BYTES_MAX} bytes, and not one more`, () => {
    const value = 'x'.repeat(TEXT_BYTES_MAX)
    const content = encoded(text, value)
    expect(decoded(text, content) === value).to.be.true

    expect(encodeRefusal(text, `${value}x`)).to.be.instanceOf(InvalidArgumentError)
    // Also when the bytes are all there.
    const longer = Buffer.concat([wire('01 00 00 01'), content.subarray(4), wire('78')])
    expect(refusal(text, longer)).to.be.instanceOf(MalformedInputError)
  })

  it('that ends early is the end of the buffer', () => {
    expect(refusal(text, wire('03 00 00'))).to.be.instanceOf(EndOfBufferError)
    expect(refusal(text, wire('03 00 00 00 61 62'))).to.be.instanceOf(EndOfBufferError)
    expect(refusal(text, wire('00 00 00 01 61 62'))).to.be.instanceOf(EndOfBufferError)
  })
})

describe('A latin1', () => {
  it('is one character per byte, so that every byte comes through', () => {
    expectOnWire(latin1, '', '00 00 00 00')
    expectOnWire(latin1, '\x800_bucket\xff', '0a 00 00 00  80 30 5f 62 75 63 6b 65 74 ff')
    const all = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i))
    expect(decoded(latin1, encoded(latin1, all)) === all).to.be.true
  })

  it('refuses a character of more than a byte', () => {
    for (const value of ['a\u0100', '😀', 7, undefined]) {
      expect(encodeRefusal(latin1, value)).to.be.instanceOf(InvalidArgumentError)
    }
  })

  it('has the limit of a text', () => {
    expect(encodeRefusal(latin1, 'x'.repeat(TEXT_BYTES_MAX + 1))).to.be.instanceOf(
      InvalidArgumentError,
    )
    expect(refusal(latin1, wire('01 00 00 01 61'))).to.be.instanceOf(MalformedInputError)
    expect(refusal(latin1, wire('00 00 00 01 61'))).to.be.instanceOf(EndOfBufferError)
  })
})

describe('A bufferlist', () => {
  it('is its length in bytes, then the bytes', () => {
    expect(encoded(bufferlist, new BufferList('ab', 'c')).equals(wire('03 00 00 00 61 62 63'))).to
      .be.true
    expect(encoded(bufferlist, new BufferList()).equals(wire('00 00 00 00'))).to.be.true
    expect(decoded(bufferlist, wire('03 00 00 00 61 62 63')).toString()).to.equal('abc')
    expect(decoded(bufferlist, wire('00 00 00 00')).length).to.equal(0)
  })

  it('may be the list that it is appended to', () => {
    const list = new BufferList('abc')
    bufferlist.encode(list, list)
    expect(list.toBuffer().equals(wire('61 62 63  03 00 00 00  61 62 63'))).to.be.true
  })

  it('takes a list, and one that is not released', () => {
    const released = new BufferList('gone')
    released.release()
    for (const value of ['abc', Buffer.from('abc'), undefined, null]) {
      expect(encodeRefusal(bufferlist, value)).to.be.instanceOf(InvalidArgumentError)
    }
    expect(encodeRefusal(bufferlist, released)).to.have.property('code', 'ERR_SPLICELIST_RELEASED')
  })

  it('that ends early is the end of the buffer', () => {
    expect(refusal(bufferlist, wire('ff ff ff ff 61'))).to.be.instanceOf(EndOfBufferError)
    expect(refusal(bufferlist, wire('02 00 00 00 61'))).to.be.instanceOf(EndOfBufferError)
  })
})

describe('Bytes', () => {
  it('are their length, then themselves', () => {
    expectOnWire(bytes, Buffer.from('ab'), '02 00 00 00 61 62')
    expectOnWire(bytes, Buffer.alloc(0), '00 00 00 00')
  })

  it('are a copy both ways', () => {
    const scratch = Buffer.from('first')
    const list = new BufferList()
    bytes.encode(list, scratch)
    scratch.write('other')
    const own = bytes.decode(list.cursor())
    own[0] = 0x46
    expect(list.toString('utf8', 4)).to.equal('first')
    expect(Buffer.from(own).toString()).to.equal('First')
  })

  it('of a fixed length have none before them', () => {
    expectOnWire(fixedBytes(3), Buffer.from('abc'), '61 62 63')
    expect(fixedBytes(16).bytesMin).to.equal(16)
    expect(refusal(fixedBytes(3), wire('61 62'))).to.be.instanceOf(EndOfBufferError)
    for (const value of [Buffer.alloc(2), Buffer.alloc(4), 'abc', undefined]) {
      expect(encodeRefusal(fixedBytes(3), value)).to.be.instanceOf(InvalidArgumentError)
    }
    for (const length of [0, -1, 1.5, Number.NaN]) {
      expect(() => fixedBytes(length)).to.throw(InvalidArgumentError)
    }
  })

  it('take a Uint8Array', () => {
    for (const value of ['ab', undefined, [1, 2]]) {
      expect(encodeRefusal(bytes, value)).to.be.instanceOf(InvalidArgumentError)
    }
  })

  it('that end early are the end of the buffer', () => {
    expect(refusal(bytes, wire('ff ff ff ff 61'))).to.be.instanceOf(EndOfBufferError)
  })
})

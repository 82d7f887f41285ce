import { expect } from 'chai'
import { BufferList, EndOfBufferError, InvalidArgumentError, MalformedInputError } from 'splicelist'
import {
  bool,
  f32,
  f64,
  i16,
  i32,
  i64,
  i8,
  u16,
  u32,
  u53,
  u64,
  u8,
  utime,
  type Codec,
} from 'splicelist/encoding'
import { decoded, encoded, encodeRefusal, expectOnWire, refusal, wire } from './wire.js'

describe('A scalar', () => {
  it('is little-endian, and as wide as its name says', () => {
    expectOnWire(u8, 0xa5, 'a5')
    expectOnWire(u16, 0x1234, '34 12')
    expectOnWire(u32, 0x12345678, '78 56 34 12')
    expectOnWire(u64, 0x0123456789abcdefn, 'ef cd ab 89 67 45 23 01')
    expectOnWire(i8, -2, 'fe')
    expectOnWire(i16, -2, 'fe ff')
    expectOnWire(i32, -2, 'fe ff ff ff')
    expectOnWire(i64, -2n, 'fe ff ff ff ff ff ff ff')
    expectOnWire(f32, 1.5, '00 00 c0 3f')
    expectOnWire(f64, -2.5, '00 00 00 00 00 00 04 c0')
    expectOnWire(bool, true, '01')
    expectOnWire(bool, false, '00')
  })

  it('reaches from the least to the greatest of its type', () => {
    expectOnWire(u8, 255, 'ff')
    expectOnWire(u16, 65_535, 'ff ff')
    expectOnWire(u32, 4_294_967_295, 'ff ff ff ff')
    expectOnWire(u64, 18_446_744_073_709_551_615n, 'ff ff ff ff ff ff ff ff')
    expectOnWire(i8, -128, '80')
    expectOnWire(i16, -32_768, '00 80')
    expectOnWire(i32, -2_147_483_648, '00 00 00 80')
    expectOnWire(i64, -9_223_372_036_854_775_808n, '00 00 00 00 00 00 00 80')
    expectOnWire(i64, 9_223_372_036_854_775_807n, 'ff ff ff ff ff ff ff 7f')
  })

  const tooFar: readonly (readonly [string, Codec<unknown>, readonly unknown[]])[] = [
    ['u8', u8, [-1, 256, 1.5, Number.NaN, 1n, '1', null, undefined]],
    ['u16', u16, [-1, 65_536, 0.5, undefined]],
    ['u32', u32, [-1, 2 ** 32, 2 ** 53, undefined]],
    ['u64', u64, [-1n, 2n ** 64n, 1, undefined]],
    ['i8', i8, [-129, 128, undefined]],
    ['i16', i16, [-32_769, 32_768, undefined]],
    ['i32', i32, [-(2 ** 31) - 1, 2 ** 31, undefined]],
    ['i64', i64, [-(2n ** 63n) - 1n, 2n ** 63n, 1, undefined]],
    ['f32', f32, ['1', 1n, undefined]],
    ['f64', f64, ['1', 1n, undefined]],
    ['bool', bool, [0, 1, 'true', null, undefined]],
    ['u53', u53, [-1, 2 ** 53, 0.5, 1n, undefined]],
  ]
  for (const [name, codec, values] of tooFar) {
    it(`${name} refuses what does not fit, and appends nothing`, () => {
      for (const value of values) {
        expect(encodeRefusal(codec, value), String(value)).to.be.instanceOf(InvalidArgumentError)
      }
    })
  }

  const widths: readonly (readonly [string, Codec<unknown>, number])[] = [
    ['u8', u8, 1],
    ['u16', u16, 2],
    ['u32', u32, 4],
    ['u64', u64, 8],
    ['u53', u53, 8],
    ['i8', i8, 1],
    ['i16', i16, 2],
    ['i32', i32, 4],
    ['i64', i64, 8],
    ['f32', f32, 4],
    ['f64', f64, 8],
    ['bool', bool, 1],
    ['utime', utime, 8],
  ]
  for (const [name, codec, width] of widths) {
    it(`${name} takes ${width} bytes, and one fewer is the end of the buffer`, () => {
      expect(codec.bytesMin).to.equal(width)
      expect(new BufferList(Buffer.alloc(width)).cursor()).to.satisfy(
        (cursor: ReturnType<BufferList['cursor']>) => {
          codec.decode(cursor)
          return cursor.offset === width
        },
      )
      for (let there = 0; there < width; there++) {
        expect(refusal(codec, Buffer.alloc(5 + there), 5)).to.be.instanceOf(EndOfBufferError)
      }
    })
  }
})

describe('A u64', () => {
  it('is a bigint, so that nothing above 2^53 is rounded', () => {
    expectOnWire(u64, 2n ** 53n + 1n, '01 00 00 00 00 00 20 00')
  })

  it('is a number as u53, up to 2^53 - 1', () => {
    expectOnWire(u53, 0, '00 00 00 00 00 00 00 00')
    expectOnWire(u53, 0x12345678_9, '89 67 45 23 01 00 00 00')
    expectOnWire(u53, 2 ** 53 - 1, 'ff ff ff ff ff ff 1f 00')
  })

  it('that u53 cannot hold is refused, not rounded', () => {
    for (const hex of ['00 00 00 00 00 00 20 00', 'ff ff ff ff ff ff ff ff']) {
      const error = refusal(u53, wire(`00 ${hex}`), 1)
      expect(error).to.be.instanceOf(MalformedInputError)
      expect(error.message).to.contain('offset 1').and.to.contain('u64')
    }
  })
})

describe('A bool', () => {
  it('is 0 or 1: another byte was something else', () => {
    for (const hex of ['02', '80', 'ff']) {
      const error = refusal(bool, wire(`00 ${hex}`), 1)
      expect(error).to.be.instanceOf(MalformedInputError)
      expect(error.message).to.contain('offset 1')
    }
  })
})

describe('A float', () => {
  it('keeps infinities, -0 and NaN', () => {
    for (const codec of [f32, f64]) {
      for (const value of [Infinity, -Infinity, -0]) {
        expect(Object.is(decoded(codec, encoded(codec, value)), value)).to.be.true
      }
      expect(decoded(codec, encoded(codec, Number.NaN))).to.be.NaN
    }
  })

  it('of 32 bits is rounded to what they hold', () => {
    expect(decoded(f32, encoded(f32, 0.1))).to.equal(Math.fround(0.1))
  })
})

describe('A utime', () => {
  it('is seconds and nanoseconds, 32 bits each', () => {
    const value = { seconds: 0x65000001, nanoseconds: 999_999_999 }
    expectOnWire(utime, value, '01 00 00 65  ff c9 9a 3b')
  })
})

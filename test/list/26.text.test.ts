import { expect } from 'chai'
import { BufferList } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { KINDS } from './kinds.js'

const TEXT = 'aé€😀\u0000ß中\u{10ffff}z'
const ENCODINGS = ['utf8', 'utf16le', 'latin1', 'ascii', 'hex', 'base64', 'base64url'] as const

describe('Text', () => {
  it('reads characters that are split between segments, at every place', () => {
    const encoded = Buffer.from(TEXT)
    for (let first = 0; first <= encoded.length; first++) {
      for (let second = first; second <= encoded.length; second++) {
        const list = new BufferList(
          Buffer.from(encoded.subarray(0, first)),
          Buffer.from(encoded.subarray(first, second)),
          Buffer.from(encoded.subarray(second)),
        )
        expect(list.toString(), `cut at ${first} and ${second}`).to.equal(TEXT)
      }
    }
  })

  for (const encoding of ENCODINGS) {
    it(`reads ${encoding} whatever the segments' sizes, as Node reads one`, () => {
      const content = Buffer.concat([
        Buffer.from(TEXT),
        bytes(81, 50),
        Buffer.from(TEXT, 'utf16le'),
      ])
      for (const size of [1, 2, 3, 4, 5, 7]) {
        const list = new BufferList()
        for (let at = 0; at < content.length; at += size) {
          list.append(Buffer.from(content.subarray(at, at + size)))
        }
        for (let at = 0; at < 8; at++) {
          for (let length = 0; length <= content.length - at; length++) {
            const text = content.toString(encoding, at, at + length)
            const what = `${length} bytes at ${at}, in segments of ${size}`
            expect(list.toString(encoding, at, length), what).to.equal(text)
            expect(list.cursor(at).readString(length, encoding), what).to.equal(text)
          }
        }
      }
    })
  }

  it('replaces what is no UTF-8 as Node does, wherever it is cut', () => {
    const wrong = Buffer.from('61ff80c3e282f09f98c3a9ed a080 7a'.replaceAll(' ', ''), 'hex')
    for (let at = 0; at <= wrong.length; at++) {
      const list = new BufferList(
        Buffer.from(wrong.subarray(0, at)),
        Buffer.from(wrong.subarray(at)),
      )
      expect(list.toString()).to.equal(wrong.toString())
    }
  })

  for (const kind of KINDS) {
    it(`reads every encoding, and ranges, of ${kind.name}`, async function () {
      kind.check(this)
      const content = bytes(80, 70_001)
      const list = await kind.make(content)
      for (const encoding of ENCODINGS) {
        expect(list.toString(encoding) === content.toString(encoding), encoding).to.equal(true)
        const range = content.toString(encoding, 46_660, 46_680)
        expect(list.toString(encoding, 46_660, 20), encoding).to.equal(range)
      }
      expect(list.toString('utf8', 70_001)).to.equal('')
    })
  }

  it('keeps a byte order mark, as Node does', () => {
    expect(new BufferList(Buffer.from('efbbbf61', 'hex')).toString()).to.equal('\ufeffa')
  })
})

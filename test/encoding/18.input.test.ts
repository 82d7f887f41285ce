import { expect } from 'chai'
import fc from 'fast-check'
import { BufferList, EndOfBufferError, MalformedInputError } from 'splicelist'
import { bare, framed, message, readable, sample, sampleBody } from './sample.js'
import { byteByByte, encoded, refusal } from './wire.js'

describe('A message', () => {
  it('is the bytes that the format says', () => {
    expect(encoded(bare, sample()).toString('hex')).to.equal(sampleBody.toString('hex'))
    expect(encoded(message, sample()).toString('hex')).to.equal(framed(sampleBody).toString('hex'))
  })

  it('is read across borders of segments, wherever they lie', () => {
    const content = framed(sampleBody)
    const lists = [byteByByte(content)]
    for (let cut = 0; cut <= content.length; cut++) {
      lists.push(new BufferList(content.subarray(0, cut), content.subarray(cut)))
    }
    for (const list of lists) {
      const cursor = list.cursor()
      expect(readable(message.decode(cursor))).to.deep.equal(readable(sample()))
      expect(cursor.remaining).to.equal(0)
    }
  })

  it('that is cut anywhere is the end of the buffer, and the cursor stays', () => {
    const content = Buffer.concat([Buffer.from('before'), framed(sampleBody)])
    for (let length = 6; length < content.length; length++) {
      const error = refusal(message, content.subarray(0, length), 6)
      expect(error, `${length} bytes`).to.be.instanceOf(EndOfBufferError)
    }
    for (let length = 0; length < sampleBody.length; length++) {
      const error = refusal(bare, sampleBody.subarray(0, length))
      expect(error, `${length} bytes`).to.be.instanceOf(EndOfBufferError)
    }
  })

  it('that says it is shorter than it is, by any number of bytes, is malformed', () => {
    const behind = Buffer.alloc(64)
    for (let lengthBytes = 0; lengthBytes < sampleBody.length; lengthBytes++) {
      const content = framed(Buffer.concat([sampleBody, behind]), { lengthBytes })
      expect(refusal(message, content), `${lengthBytes} bytes`).to.be.instanceOf(
        MalformedInputError,
      )
    }
  })

  it('that lacks any of its bytes, and says so, is malformed', () => {
    const behind = Buffer.alloc(64, 0xff)
    for (let lengthBytes = 0; lengthBytes < sampleBody.length; lengthBytes++) {
      const body = sampleBody.subarray(0, lengthBytes)
      const content = Buffer.concat([framed(body), behind])
      expect(refusal(message, content), `${lengthBytes} bytes`).to.be.instanceOf(
        MalformedInputError,
      )
    }
  })

  it('of a newer version is read, and its tail of any length is skipped', () => {
    for (const tailBytes of [0, 1, 7, 4096, 100_000]) {
      const body = Buffer.concat([sampleBody, Buffer.alloc(tailBytes, 0xff)])
      const content = Buffer.concat([framed(body, { version: 7 }), Buffer.from('next')])
      const cursor = new BufferList(content).cursor()
      expect(readable(message.decode(cursor))).to.deep.equal(readable(sample()))
      expect(cursor.readString(4)).to.equal('next')
    }
  })

  it('of an older version is read without what came later', () => {
    const older = sampleBody.subarray(0, sampleBody.length - 6)
    const value = message.decode(new BufferList(framed(older, { version: 1 })).cursor())
    expect(readable(value)).to.deep.equal(readable({ ...sample(), epochs: new Set() }))
  })

  it('with any bytes wrong is a message, or a typed error that leaves the cursor', () => {
    const outcomes = { read: 0, ended: 0, malformed: 0 }
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(sampleBody.length + 5), fc.integer({ min: 0, max: 255 })), {
          minLength: 1,
          maxLength: 4,
        }),
        (changes) => {
          const content = framed(sampleBody)
          for (const [at, byte] of changes) content[at] = byte
          const cursor = new BufferList(content).cursor()
          try {
            message.decode(cursor)
            outcomes.read++
          } catch (error) {
            expect(cursor.offset).to.equal(0)
            if (error instanceof EndOfBufferError) outcomes.ended++
            else if (error instanceof MalformedInputError) outcomes.malformed++
            else throw error
          }
        },
      ),
      { numRuns: 3000 },
    )
    for (const [outcome, count] of Object.entries(outcomes)) {
      expect(count, outcome).to.be.greaterThan(10)
    }
  })

  it('of random bytes is a typed error, or something that was there', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (content) => {
        const cursor = new BufferList(content).cursor()
        try {
          bare.decode(cursor)
          expect(cursor.offset).to.be.at.most(content.length)
        } catch (error) {
          expect(cursor.offset).to.equal(0)
          expect([EndOfBufferError, MalformedInputError]).to.include((error as Error).constructor)
        }
      }),
      { numRuns: 1000 },
    )
  })
})

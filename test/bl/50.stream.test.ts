import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Readable, Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import * as theirs from 'bl'
import * as ours from 'splicelist/bl'
import { counters, NotLoadedError } from 'splicelist'
import { bytes } from '../support/bytes.js'
import { tempFolder } from '../support/folders.js'
import { expectSameBytes } from '../support/first-difference.js'
import { extentList } from '../list/kinds.js'

const content = bytes(7, 300_000)

/** What the stream's reader gets, chunk by chunk. */
async function chunksOf(readable: Readable): Promise<Buffer[]> {
  const chunks: Buffer[] = []
  readable.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(readable, 'end')
  return chunks
}
/** Not by `once`, which an error ends. */
const closed = (stream: Readable): Promise<unknown> =>
  new Promise((resolve) => stream.once('close', resolve))
const joinedBytes = (): number => counters.snapshot().copied['cross-segment'] ?? 0

for (const [name, lib] of Object.entries({ ours, theirs })) {
  const BufferListStream = lib.BufferListStream as typeof ours.BufferListStream

  describe(`BufferListStream as a sink (${name})`, () => {
    it('collects what is written', async () => {
      const bl = new BufferListStream()
      await pipeline(Readable.from([content.subarray(0, 9), content.subarray(9)]), bl)
      expectSameBytes(bl.slice(), content)
    })

    it('collects a file', async () => {
      const path = join(await tempFolder(), 'file')
      await writeFile(path, content)
      const bl = new BufferListStream()
      await pipeline(createReadStream(path), bl)
      expectSameBytes(bl.slice(), content)
    })

    it('decodes strings by the encoding that they are written with', () => {
      const bl = new BufferListStream()
      bl.write('größe')
      bl.write('c3bc', 'hex')
      bl.end('w7w=', 'base64')
      expect(bl.toString()).to.equal('größeüü')
    })

    it('calls back once at the end, as its method, with all in one Buffer', async () => {
      const calls: unknown[][] = []
      const bl = new BufferListStream(function (this: unknown, ...args: unknown[]) {
        calls.push([this, ...args])
      })
      bl.write('ab')
      const finished = once(bl, 'finish')
      expect(bl.end('cd', 'utf8', () => undefined)).to.equal(bl)
      await finished
      bl.end()
      expect(calls).to.have.length(1)
      const [self, error, bytes] = calls[0] ?? []
      expect([self, error, String(bytes)]).to.deep.equal([bl, null, 'abcd'])
    })

    it('takes end with a callback in any place', async () => {
      for (const args of [[], ['x'], ['78', 'hex']] as const) {
        const bl = new BufferListStream()
        await new Promise<void>((resolve) => bl.end(...args, resolve))
        expect(bl.toString()).to.equal(args.length > 0 ? 'x' : '')
      }
    })

    it('calls back with the error of what is piped in, once', async () => {
      const errors: (Error | null)[] = []
      const bl = new BufferListStream((error) => errors.push(error))
      const source = new PassThrough()
      source.pipe(bl)
      const error = new Error('wrong')
      source.destroy(error)
      await closed(source)
      bl.end()
      expect(errors).to.deep.equal([error])
    })

    it('has no ear for what was piped in and is no more', async () => {
      const errors: unknown[] = []
      const bl = new BufferListStream((error) => errors.push(error))
      const source = new PassThrough()
      source.on('error', () => undefined)
      source.pipe(bl)
      source.unpipe(bl)
      source.destroy(new Error('wrong'))
      await closed(source)
      expect(errors).to.deep.equal([])
    })
  })

  describe(`BufferListStream as a source (${name})`, () => {
    it('gives all bytes, in order, and ends', async () => {
      const bl = new BufferListStream([content.subarray(0, 7), content.subarray(7, 5000)])
      bl.append(content.subarray(5000))
      expectSameBytes(await buffer(bl), content)
      expect(bl.length).to.equal(0)
    })

    it('gives chunks of its high-water mark at most', async () => {
      const bl = new BufferListStream(content)
      const lengths = (await chunksOf(bl)).map((chunk) => chunk.length)
      expect(Math.max(...lengths)).to.equal(bl.readableHighWaterMark)
    })

    it('can be read by the byte, and as text that is split anywhere', async () => {
      const bl = new BufferListStream(['grö', 'ße', Buffer.from('ü').subarray(0, 1)])
      bl.append(Buffer.from('ü').subarray(1))
      bl.setEncoding('utf8')
      expect((await chunksOf(bl)).join('')).to.equal('größeü')
    })

    it('waits for a slow sink', async () => {
      const taken: Buffer[] = []
      const slow = new Writable({
        highWaterMark: 1000,
        write(chunk: Buffer, _encoding, done) {
          taken.push(chunk)
          setImmediate(done)
        },
      })
      await pipeline(new BufferListStream([content, content]), slow)
      expectSameBytes(Buffer.concat(taken), Buffer.concat([content, content]))
    })

    it('passes on what is written into it', async () => {
      const bl = new BufferListStream()
      bl.write('ab')
      const sink = new PassThrough()
      bl.pipe(sink)
      bl.end('cd')
      expect(String(await buffer(sink))).to.equal('abcd')
    })
  })

  describe(`BufferListStream that is destroyed (${name})`, () => {
    it('is empty, and can still be asked', async () => {
      const bl = new BufferListStream(['abc', 'def'])
      bl.destroy()
      await once(bl, 'close')
      expect([bl.length, bl._bufs.length, bl.slice().length]).to.deep.equal([0, 0, 0])
      expect(bl.toString()).to.equal('')
      expect(bl.indexOf('a')).to.equal(-1)
    })

    it('tells the error that it was destroyed with', async () => {
      const bl = new BufferListStream('abc')
      const error = new Error('wrong')
      const told = once(bl, 'error')
      bl.destroy(error)
      expect(await told).to.deep.equal([error])
    })

    it('leaves what was cut from it before', () => {
      const bl = new BufferListStream(['abc', 'def'])
      const [copy, part] = [bl.duplicate(), bl.shallowSlice(2, 4)]
      bl.destroy()
      expect([copy.toString(), part.toString()]).to.deep.equal(['abcdef', 'cd'])
    })
  })
}

describe("BufferListStream's chunks", () => {
  const { BufferListStream } = ours

  it('share the memory of long segments: nothing is joined', async () => {
    const parts = [0, 1, 2].map((i) => content.subarray(i * 100_000, (i + 1) * 100_000))
    const before = joinedBytes()
    const chunks = await chunksOf(new BufferListStream(parts))
    expect(joinedBytes() - before).to.equal(0)
    expect(chunks.every(({ buffer }) => buffer === content.buffer)).to.equal(true)
    expectSameBytes(Buffer.concat(chunks), content)
  })

  it('join short segments up to a long one, and count it', async () => {
    const long = content.subarray(0, 4096)
    const before = joinedBytes()
    const chunks = await chunksOf(new BufferListStream(['ab', 'cd', long, 'ef', 'gh', 'ij']))
    expect(joinedBytes() - before).to.equal(10)
    expect(chunks.map(({ length }) => length)).to.deep.equal([4, 4096, 6])
    expect(chunks[1]?.buffer).to.equal(content.buffer)
  })

  it('join segments that are a byte too short to be long', async () => {
    const short = content.subarray(0, 4095)
    const chunks = await chunksOf(new BufferListStream(['ab', short, short]))
    expect(chunks.map(({ length }) => length)).to.deep.equal([8192])
  })

  it('join no more than a chunk takes', async () => {
    const bl = new BufferListStream(Array.from({ length: 3000 }, () => Buffer.alloc(100, 'x')))
    const most = bl.readableHighWaterMark
    const lengths = (await chunksOf(bl)).map(({ length }) => length)
    expect(lengths.slice(0, -1).every((length) => length === most)).to.equal(true)
    expect(lengths.reduce((sum, length) => sum + length)).to.equal(300_000)
  })

  it('are not made of bytes that are still in a file: an error says how to load them', async () => {
    const bl = new BufferListStream('head')
    bl.append(await extentList(content))
    const [error] = (await once(bl.resume(), 'error')) as [Error]
    expect(error).to.be.instanceOf(NotLoadedError)
    expect(error.message).to.include('list.load(')
  })

  it('are made of those bytes once they are loaded', async () => {
    const bl = new BufferListStream('head')
    bl.append(await extentList(content))
    await bl.list.load()
    expectSameBytes(await buffer(bl), Buffer.concat([Buffer.from('head'), content]))
  })
})

describe("BufferListStream's methods", () => {
  it('are those of BufferList, and leave those of a Duplex alone', () => {
    const stream = new ours.BufferListStream() as unknown as Record<string, unknown>
    for (let at: object = ours.BufferList.prototype; at !== Object.prototype;) {
      for (const name of Object.getOwnPropertyNames(at)) expect(stream).to.have.property(name)
      at = Object.getPrototypeOf(at) as object
    }
    const duplex = PassThrough.prototype as unknown as Record<string, unknown>
    for (const name of ['pipe', 'read', 'write', 'on', 'push', 'destroy']) {
      expect(stream[name]).to.equal(duplex[name])
    }
    expect(stream.constructor).to.equal(ours.BufferListStream)
  })

  it('make streams, whose class a class of its own names by _new', () => {
    const { BufferListStream } = ours
    class Own extends BufferListStream {
      override _new(): Own {
        return new Own()
      }
    }
    expect(new BufferListStream('abc').shallowSlice(1)).to.be.instanceOf(BufferListStream)
    expect(new Own('abc').duplicate()).to.be.instanceOf(Own)
    expect(new Own('abc').shallowSlice(1).toString()).to.equal('bc')
  })
})

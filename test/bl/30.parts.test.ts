import { runInNewContext } from 'node:vm'
import { expect } from 'chai'
import * as theirs from 'bl'
import { BufferList as List, InvalidArgumentError } from 'splicelist'
import {
  BufferList,
  BufferListStream,
  type BufferListAcceptedTypes,
  type Collector,
} from 'splicelist/bl'
import { bytes } from '../support/bytes.js'
import { copied } from './copied.js'

const CLASSES = { BufferList, BufferListStream }

/** What a program without types can pass. */
const any = (part: unknown): BufferListAcceptedTypes => part as BufferListAcceptedTypes
const textOf = (collector: Collector): string => collector.slice().toString()

for (const [name, Class] of Object.entries(CLASSES)) {
  describe(`${name}: what it is made of`, () => {
    it('shares memory: a change of the memory shows', () => {
      const memory = Buffer.from('memory')
      const bl = new Class(memory).append(memory).prepend(memory)
      memory.write('M')
      expect(textOf(bl)).to.equal('MemoryMemoryMemory')
    })

    it('shares views of every element type, an ArrayBuffer and a DataView', () => {
      const words = Uint16Array.of(0x6261, 0x6463, 0x6665)
      const bl = new Class()
      bl.append(any(words.subarray(1)))
        .append(any(words.buffer))
        .append(any(new DataView(words.buffer, 1, 2)))
      expect(textOf(bl)).to.equal('cdefabcdefbc')
      words.fill(0x7878)
      expect(textOf(bl)).to.equal('x'.repeat(12))
    })

    it('takes views of another realm', () => {
      const foreign = runInNewContext('Uint8Array.of(97, 98)') as Uint8Array
      expect(textOf(new Class(foreign).append([foreign]))).to.equal('abab')
    })

    it('encodes strings as UTF-8, and numbers as their decimal digits', () => {
      const bl = new Class('größe ').append(1).append(-0).append(2.5).append(1e21).append(NaN)
      expect(textOf(bl)).to.equal('größe 102.51e+21NaN')
    })

    it('keeps a segment for each part, whatever its size', () => {
      const bl = new Class('a').append('b').append(1).append(Buffer.from('cd')).append('e')
      expect(bl.getBuffers().map(String)).to.deep.equal(['a', 'b', '1', 'cd', 'e'])
    })

    it('takes nothing for nothing', () => {
      const bl = new Class()
      bl.append(any(undefined)).append(any(null)).append([]).append('').append(Buffer.alloc(0))
      bl.append(any([null, [undefined], new List(), new Class()]))
      expect([bl.length, bl._bufs.length]).to.deep.equal([0, 0])
      for (const part of [undefined, null, 0, '', false]) {
        expect(new Class(any(part)).length).to.equal(0)
      }
    })

    it('takes lists of both classes, of bl and of splicelist, in arrays in arrays, in order', () => {
      const parts = [
        new BufferList('a'),
        [new BufferListStream('b'), [new theirs.BufferList('c'), new theirs.BufferListStream('d')]],
        [[[new List('e', 'f')]], 7],
        Uint8Array.of(104),
      ]
      const make = (): Collector => new Class(any(parts))
      expect(textOf(make())).to.equal('abcdef7h')
      expect(textOf(make().append(any(parts)))).to.equal('abcdef7habcdef7h')
      expect(textOf(new Class('-').prepend(any(parts)))).to.equal('abcdef7h-')
    })

    it("is taken by bl's own lists", () => {
      const bl = new theirs.BufferList('<').append(any(new Class(['a', 'b'])) as Buffer).append('>')
      expect(bl.toString()).to.equal('<ab>')
      expect(bl.indexOf(any(new Class('b>')) as Buffer)).to.equal(2)
    })

    it('leaves the list that it was given as it was, and is not changed by it', () => {
      const given = new Class(['ab', 'cd'])
      const bl = new Class(given)
      given.consume(3).append('x')
      expect([textOf(bl), textOf(given)]).to.deep.equal(['abcd', 'dx'])
    })

    it('can be appended and prepended to itself, in arrays too', () => {
      const bl = new Class('ab')
      expect(textOf(bl.append(bl))).to.equal('abab')
      expect(textOf(bl.prepend(bl))).to.equal('abababab')
      expect(textOf(new Class('ab').append(any([bl.consume(7), bl])))).to.equal('abbb')
      const twice = new Class('ab')
      expect(textOf(twice.append([twice, '-', twice]))).to.equal('abab-ab')
      expect(textOf(twice.prepend([twice, twice]).consume(14))).to.equal('abab-ab')
    })

    it('takes whatever else Buffer.from takes', () => {
      const json = JSON.parse(JSON.stringify(Buffer.from('json'))) as unknown
      const bl = new Class(any(json)).append(any({ length: 2, 0: 97, 1: 98 }))
      bl.append(any(Object('text')))
      expect(textOf(bl)).to.equal('jsonabtext')
    })

    it('refuses what is no part with a TypeError, as bl does', () => {
      for (const wrong of [{}, true, Symbol('s'), 1n, () => 1, /x/]) {
        for (const bl of [new Class('ab'), new theirs.BufferList('ab')]) {
          for (const add of ['append', 'prepend'] as const) {
            expect(() => bl[add](any(wrong) as Buffer))
              .to.throw(TypeError)
              .with.property('code', 'ERR_INVALID_ARG_TYPE')
          }
          expect(bl.toString()).to.equal('ab')
        }
      }
    })

    it('takes all parts of an array or none', () => {
      const bl = new Class('ab')
      expect(() => bl.append(any(['c', [{}]]))).to.throw(TypeError)
      expect(() => bl.prepend(any(['c', [{}]]))).to.throw(TypeError)
      expect(textOf(bl)).to.equal('ab')
    })

    it('copies memory that is shared between threads or that can be resized, and counts it', () => {
      const shared = new Uint8Array(new SharedArrayBuffer(3)).fill(97)
      const resizable = new Uint8Array(new ArrayBuffer(3, { maxByteLength: 10 })).fill(98)
      const bl = new Class()
      const account = copied(() => {
        bl.append(shared).append([resizable]).prepend(any(shared.buffer))
        bl.append(any(new Uint16Array(shared.buffer, 0, 1)))
      })
      expect(account).to.deep.equal({ 'append-copy': 11 })
      shared.fill(120)
      resizable.fill(120)
      expect(textOf(bl)).to.equal('aaaaaabbbaa')
    })

    it('refuses memory that was detached, and tells of memory that was detached later', () => {
      const memory = new Uint8Array(10)
      const bl = new Class('ab').append(memory)
      structuredClone(memory.buffer, { transfer: [memory.buffer] })
      expect(() => bl.append(memory)).to.throw(InvalidArgumentError, /detached/)
      expect(() => bl.append([memory])).to.throw(InvalidArgumentError, /detached/)
      expect(() => bl.get(5)).to.throw(InvalidArgumentError, /detached/)
      expect(bl.get(1)).to.equal(98)
    })
  })

  describe(`${name}: what it copies`, () => {
    const content = bytes(1, 1 << 20)
    const make = (): Collector => new Class([content.subarray(0, 1000), content.subarray(1000)])

    const free: Record<string, (bl: Collector) => unknown> = {
      'append and prepend of memory': (bl) => bl.append(content).prepend([content, content]),
      'append and prepend of lists': (bl) => bl.append(make()).prepend(make()).append(bl),
      shallowSlice: (bl) => bl.shallowSlice(500, 100_000),
      duplicate: (bl) => bl.duplicate(),
      consume: (bl) =>
        bl
          .consume(5)
          .consume(5000)
          .consume(1 << 21),
      get: (bl) => [bl.get(0), bl.get(999), bl.get(1000)],
      'reading numbers across segments': (bl) => [bl.readDoubleBE(996), bl.readIntLE(998, 5)],
      'slice and toString inside a segment': (bl) => [bl.slice(3, 900), bl.toString('hex', 3, 900)],
      getBuffers: (bl) => bl.getBuffers(),
      'indexOf a byte': (bl) => bl.indexOf(content[70_000] as number, 1001),
      list: (bl) => bl.list.substr(3),
    }
    for (const [operation, act] of Object.entries(free)) {
      it(`is nothing by ${operation}`, () => {
        const bl = make()
        expect(copied(() => act(bl))).to.deep.equal({})
      })
    }

    const counted: Record<string, readonly [(bl: Collector) => unknown, Record<string, number>]> = {
      'appending text': [(bl) => bl.append('größer').append(12), { encode: 10 }],
      'appending what Buffer.from takes': [
        (bl) => bl.append(any({ type: 'Buffer', data: [1, 2, 3] })),
        { 'append-copy': 3 },
      ],
      'searching for text in an encoding': [
        (bl) => bl.indexOf('ffffffff', 100_000, 'hex'),
        { 'append-copy': 4 },
      ],
      'slice across segments': [(bl) => bl.slice(990, 1010), { 'cross-segment': 20 }],
      'toString across segments': [(bl) => bl.toString('hex', 990, 1010), { 'cross-segment': 20 }],
      'copy, as many as fit': [(bl) => bl.copy(Buffer.alloc(50), 10, 990), { 'to-buffer': 40 }],
    }
    for (const [operation, [act, expected]] of Object.entries(counted)) {
      it(`is counted by its cause: ${operation}`, () => {
        const bl = make()
        expect(copied(() => act(bl))).to.deep.equal(expected)
      })
    }

    it('is made once: what a slice has joined is its own', () => {
      const bl = make()
      const joined = bl.slice(990, 1010)
      bl.consume(1 << 20)
      expect(joined.equals(content.subarray(990, 1010))).to.equal(true)
    })
  })
}

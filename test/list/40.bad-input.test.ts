import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect } from 'chai'
import {
  BufferList,
  EndOfBufferError,
  InvalidArgumentError,
  ReleasedError,
  SplicelistError,
} from 'splicelist'
import { tempFolder } from '../support/folders.js'
import { rejection } from './rejection.js'

/** What is no count of bytes. */
const NO_COUNTS = [-1, -0.5, 0.5, NaN, Infinity, -Infinity, 2 ** 53, '1', null, {}] as const
/** What is no part of a list. */
const NO_PARTS = [
  undefined,
  null,
  0,
  true,
  Symbol('part'),
  {},
  ['a'],
  new ArrayBuffer(2),
  new SharedArrayBuffer(2),
  new Uint16Array(2),
  new Uint8ClampedArray(2),
  new DataView(new ArrayBuffer(2)),
] as const

function detached(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8)
  structuredClone(bytes, { transfer: [bytes.buffer] })
  return bytes
}

describe('Bad input to a list', () => {
  const calls: Record<string, (list: BufferList, wrong: never) => unknown> = {
    'substr, offset': (list, wrong) => list.substr(wrong),
    'substr, length': (list, wrong) => list.substr(0, wrong),
    'splice, offset': (list, wrong) => list.splice(wrong, 0),
    'splice, length': (list, wrong) => list.splice(0, wrong),
    take: (list, wrong) => list.take(wrong),
    consume: (list, wrong) => list.consume(wrong),
    truncate: (list, wrong) => list.truncate(wrong),
    byteAt: (list, wrong) => list.byteAt(wrong),
    copyOut: (list, wrong) => list.copyOut(wrong, new Uint8Array(1)),
    indexOf: (list, wrong) => list.indexOf('a', wrong),
    includes: (list, wrong) => list.includes('a', wrong),
    'cStr, offset': (list, wrong) => list.cStr(wrong),
    'cStr, length': (list, wrong) => list.cStr(0, wrong),
    'toBuffer, offset': (list, wrong) => list.toBuffer(wrong),
    'toBuffer, length': (list, wrong) => list.toBuffer(0, wrong),
    'toString, offset': (list, wrong) => list.toString('utf8', wrong),
    'toString, length': (list, wrong) => list.toString('utf8', 0, wrong),
    cursor: (list, wrong) => list.cursor(wrong),
  }
  for (const [name, call] of Object.entries(calls)) {
    it(`${name} takes whole numbers of bytes alone, and changes nothing otherwise`, () => {
      const list = new BufferList('abc', 'def')
      for (const wrong of NO_COUNTS) {
        expect(() => call(list, wrong as never), inspect(wrong))
          .to.throw(InvalidArgumentError)
          .with.property('code', 'ERR_SPLICELIST_INVALID_ARGUMENT')
      }
      expect(list.toString()).to.equal('abcdef')
    })
  }

  it('names the value that it was given', () => {
    const list = new BufferList('abc')
    expect(() => list.consume(-7)).to.throw('not -7')
    expect(() => list.consume('two' as never)).to.throw("not 'two'")
    expect(() => list.append(new Uint16Array(1) as never)).to.throw('an instance of Uint16Array')
    expect(() => list.consume(4)).to.throw(InvalidArgumentError, /4 bytes.*3 bytes/)
    expect(() => list.byteAt(3)).to.throw(EndOfBufferError, /byte 3.*3 bytes/)
  })

  for (const name of ['append', 'prepend', 'appendCopy', 'equals', 'compare'] as const) {
    it(`${name} refuses what is no part of a list`, () => {
      const list = new BufferList('abc')
      for (const wrong of NO_PARTS) {
        expect(() => list[name](wrong as never), typeof wrong).to.throw(InvalidArgumentError)
      }
      expect(list.toString()).to.equal('abc')
    })
  }

  it('from, the constructor, splice and claimAppend refuse what is no part of a list', () => {
    const list = new BufferList('abc')
    for (const wrong of NO_PARTS) {
      expect(() => list.claimAppend(wrong as never)).to.throw(InvalidArgumentError)
      expect(() => new BufferList(wrong as never)).to.throw(InvalidArgumentError)
      if (Array.isArray(wrong)) continue
      if (wrong !== undefined) {
        expect(() => list.splice(0, 1, wrong as never)).to.throw(InvalidArgumentError)
      }
    }
    expect(list.toString()).to.equal('abc')
    for (const wrong of [undefined, null, 5, {}, [5]]) {
      expect(() => BufferList.from(wrong as never), inspect(wrong)).to.throw(InvalidArgumentError)
    }
  })

  it('says for shared and for resizable memory that a copy is the remedy', () => {
    const list = new BufferList()
    const shared = new Uint8Array(new SharedArrayBuffer(4))
    const resizable = new Uint8Array(new ArrayBuffer(4, { maxByteLength: 8 }))
    for (const wrong of [shared, resizable]) {
      expect(() => list.append(wrong)).to.throw(InvalidArgumentError, 'appendCopy')
      expect(() => list.prepend(wrong)).to.throw(InvalidArgumentError, 'appendCopy')
    }
    expect(list.length).to.equal(0)
  })

  it('refuses memory that was detached, and takes empty memory that was not', () => {
    const list = new BufferList()
    expect(() => list.append(detached())).to.throw(InvalidArgumentError, 'detached')
    expect(() => list.prepend(detached())).to.throw(InvalidArgumentError, 'detached')
    expect(() => list.appendCopy(detached())).to.throw(InvalidArgumentError, 'detached')
    expect(list.append(new Uint8Array(0)).append(new Uint8Array(5).subarray(5)).length).to.equal(0)
  })

  it('sees that memory was detached in optimized code as well', () => {
    // On Node 20 the length of a detached view is wrong there, once it has met every kind of memory.
    const kinds = [
      Buffer.from('abc'),
      Buffer.alloc(0),
      new Uint8Array(3),
      new Uint8Array(new SharedArrayBuffer(4)),
      new Uint8Array(new ArrayBuffer(4, { maxByteLength: 8 })),
    ]
    const attempt = (bytes: Uint8Array): boolean => {
      try {
        new BufferList(bytes).byteAt(0)
        return true
      } catch {
        return false
      }
    }
    for (let i = 0; i < 100_000; i++) attempt(kinds[i % kinds.length] as Uint8Array)
    expect(() => new BufferList(detached())).to.throw(InvalidArgumentError, 'detached')
    const bytes = new Uint8Array(8)
    const list = new BufferList(bytes)
    structuredClone(bytes, { transfer: [bytes.buffer] })
    expect(() => list.byteAt(0)).to.throw(InvalidArgumentError, 'detached')
  })

  it('says of memory that is detached between append and use which mistake that was', () => {
    const bytes = new Uint8Array(8)
    const list = new BufferList('a', bytes, 'b')
    structuredClone(bytes, { transfer: [bytes.buffer] })
    const reads: ((list: BufferList) => unknown)[] = [
      (l) => l.byteAt(2),
      (l) => l.cStr(),
      (l) => l.toBuffer(),
      (l) => l.toString(),
      (l) => [...l],
      (l) => l.crc32c(),
      (l) => l.indexOf('x'),
      (l) => l.equals('a'.padEnd(10)),
      (l) => l.cursor(1).readUInt32LE(),
    ]
    for (const read of reads) {
      expect(() => read(list)).to.throw(InvalidArgumentError, /detached.*appendCopy/s)
    }
    expect(list.length).to.equal(10)
    expect(list.consume(9).toString()).to.equal('b')
  })

  it('copyOut refuses a target that is no bytes, before it writes', () => {
    const list = new BufferList('abcdef')
    const wide = new Uint16Array(4)
    for (const wrong of [undefined, null, 'abc', [], new ArrayBuffer(4), wide]) {
      expect(() => list.copyOut(0, wrong as never)).to.throw(InvalidArgumentError)
    }
    expect([...wide]).to.deep.equal([0, 0, 0, 0])
  })

  it('throws ReleasedError for every use after release, and says what to do', () => {
    const list = new BufferList('abcdef')
    list.release()
    list.release()
    list[Symbol.dispose]()
    const uses: Record<string, () => unknown> = {
      ...Object.fromEntries(
        Object.entries(calls).map(([name, call]) => [name, () => call(list, 0 as never)]),
      ),
      append: () => list.append('x'),
      appendCopy: () => list.appendCopy('x'),
      prepend: () => list.prepend('x'),
      'claimAppend, to it': () => list.claimAppend(new BufferList('x')),
      'claimAppend, from it': () => new BufferList().claimAppend(list),
      'append, from it': () => new BufferList().append(list),
      'from it': () => BufferList.from(list),
      'equals, to it': () => new BufferList().equals(list),
      'compare, to it': () => new BufferList('a').compare(list),
      equals: () => list.equals(''),
      compare: () => list.compare(''),
      crc32c: () => list.crc32c(),
      iteration: () => [...list],
      rebuild: () => list.rebuild(),
      explain: () => list.explain(),
    }
    for (const [name, use] of Object.entries(uses)) {
      expect(use, name).to.throw(ReleasedError, 'list.substr()')
    }
  })

  it('rejects with ReleasedError what waits', async () => {
    const list = new BufferList('abcdef')
    list.release()
    for (const use of [
      list.load(),
      list.spliceFrom(new BufferList('x'), 1),
      new BufferList().spliceFrom(list, 1),
      list.spliceTo(1),
    ]) {
      expect(await rejection(use)).to.be.instanceOf(ReleasedError)
    }
  })

  it('fromFile says what is wrong with a path or a range, and leaves nothing open', async () => {
    const folder = await tempFolder()
    const path = join(folder, 'file')
    await writeFile(path, 'abc')
    await mkdir(join(folder, 'folder'))
    const missing = await rejection(BufferList.fromFile(join(folder, 'none')))
    expect(missing).to.include({ code: 'ENOENT' })
    const folderError = await rejection(BufferList.fromFile(join(folder, 'folder')))
    expect(folderError).to.be.instanceOf(InvalidArgumentError).with.property('message')
    expect(folderError.message).to.include('directory')
    for (const wrong of NO_COUNTS) {
      for (const range of [{ offset: wrong }, { length: wrong }]) {
        const error = await rejection(BufferList.fromFile(path, range as never))
        expect(error, inspect(wrong)).to.be.instanceOf(InvalidArgumentError)
      }
    }
  })

  it('fromFile refuses what is no file', async () => {
    for (const wrong of [undefined, null, {}, -1, NaN, []]) {
      const error = await rejection(BufferList.fromFile(wrong as never))
      expect(error, inspect(wrong)).to.be.instanceOf(SplicelistError)
    }
  })

  it('fromFile refuses a file that is closed', async () => {
    const { open } = await import('node:fs/promises')
    const path = join(await tempFolder(), 'file')
    const file = await open(path, 'w+')
    await file.close()
    const error = await rejection(BufferList.fromFile(file))
    expect(error).to.be.instanceOf(InvalidArgumentError)
  })

  it('load refuses what is no signal', async () => {
    const error = await rejection(new BufferList('a').load(0, 1, { signal: 5 as never }))
    expect(error).to.be.instanceOf(InvalidArgumentError)
  })
})

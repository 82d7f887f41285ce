import { createRequire } from 'node:module'
import { Duplex } from 'node:stream'
import { expect } from 'chai'
import * as theirs from 'bl'
import * as namespace from 'splicelist/bl'
import standard, { BufferList, BufferListStream, isBufferList } from 'splicelist/bl'
import { BufferList as List } from 'splicelist'
import { runScript } from '../support/children.js'

const require = createRequire(import.meta.url)

describe('The drop-in, as a module', () => {
  it("has bl's exports", () => {
    expect(Object.keys(namespace)).to.include.members(Object.keys(theirs))
    expect(standard).to.equal(BufferListStream)
  })

  it('has no others but what require returns', () => {
    expect(Object.keys(namespace).sort()).to.deep.equal(
      [...Object.keys(theirs), 'module.exports'].sort(),
    )
  })

  it('gives require the stream class, with the others on it', () => {
    const required = require('splicelist/bl') as typeof BufferListStream
    expect(required).to.equal(BufferListStream)
    expect(required.BufferList).to.equal(BufferList)
    expect(required.BufferListStream).to.equal(BufferListStream)
    expect(required.isBufferList).to.equal(isBufferList)
    expect(Object.keys(required)).to.have.members([
      'BufferList',
      'BufferListStream',
      'isBufferList',
    ])
  })

  it('is there for CommonJS from the first line on', async () => {
    const { stdout, stderr } = await runScript(
      `import { createRequire } from 'node:module'
       const require = createRequire(process.cwd() + '/x.cjs')
       const BL = require('splicelist/bl')
       const { BufferList } = require('splicelist/bl')
       console.log(new BL('ab').append(new BufferList('cd')).toString())`,
    )
    expect(stdout).to.equal('abcd\n')
    expect(stderr.replace(/.*ExperimentalWarning.*\n.*--trace-warnings.*\n/, '')).to.equal('')
  })

  it('can send its list without another import', async () => {
    const { stdout, stderr } = await runScript(
      `import { BufferList } from 'splicelist/bl'
       import { PassThrough } from 'node:stream'
       const sink = new PassThrough()
       await new BufferList(['ab', 'cd']).list.spliceTo(sink)
       console.log(sink.read().toString())`,
    )
    expect(stderr).to.equal('')
    expect(stdout).to.equal('abcd\n')
  })

  it('makes a stream that is a Duplex and no BufferList, as in bl', () => {
    for (const { BufferList: Plain, BufferListStream: Stream } of [namespace, theirs]) {
      expect(new Stream()).to.be.instanceOf(Duplex)
      expect(new Stream()).not.to.be.instanceOf(Plain)
    }
  })

  it('wants new, as bl 7 does', () => {
    for (const { BufferList: Plain, BufferListStream: Stream } of [namespace, theirs]) {
      expect(() => Reflect.apply(Plain as never, undefined, [])).to.throw(TypeError, /'new'/)
      expect(() => Reflect.apply(Stream as never, undefined, [])).to.throw(TypeError, /'new'/)
    }
  })
})

describe('isBufferList', () => {
  const checks = {
    'the function': isBufferList,
    'BufferList.isBufferList': (x: unknown) => BufferList.isBufferList(x),
    'BufferListStream.isBufferList': (x: unknown) => BufferListStream.isBufferList(x),
    "bl's own": (x: unknown) => theirs.isBufferList(x),
  }
  for (const [name, check] of Object.entries(checks)) {
    it(`${name} knows both classes, of this package and of bl`, () => {
      for (const { BufferList: Plain, BufferListStream: Stream } of [namespace, theirs]) {
        expect(check(new Plain())).to.equal(true)
        expect(check(new Stream('a'))).to.equal(true)
      }
    })

    it(`${name} knows nothing else`, () => {
      const others = [null, undefined, 0, '', 'abc', NaN, true, {}, [], Buffer.alloc(1)]
      for (const other of [...others, new List('a'), BufferList, Symbol('a'), 1n]) {
        expect(!check(other)).to.equal(true)
      }
    })
  }

  it('says false, not undefined', () => {
    expect(isBufferList({})).to.equal(false)
    expect(isBufferList(null)).to.equal(false)
  })
})

/** That CEPH.md names what there is, and leaves nothing out. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import * as splicelist from 'splicelist'
import { CURSOR_MEMBERS, LIST_MEMBERS } from '../fuzz/members.js'

const PAGE = fileURLToPath(new URL('../../../CEPH.md', import.meta.url))
/** A number's width, sign and endianness at the end of a name. */
const SCALAR = /(Big)?(U?Int|Float|Double)\d*(LE|BE)?$/

/** The members of what the page's code speaks of. */
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  list: LIST_MEMBERS,
  cursor: CURSOR_MEMBERS,
  hole: ['length', 'fill'],
  BufferList: Object.getOwnPropertyNames(splicelist.BufferList),
}

describe('CEPH.md', () => {
  let named: readonly (readonly [of: string, name: string])[] = []
  let page = ''
  before(async () => {
    page = await readFile(PAGE, 'utf8')
    const all = [...page.matchAll(/\b(list|cursor|hole|BufferList)\.(\w+)/g)]
    named = all.map(([, of = '', name = '']) => [of, name])
  })

  it('names members that are there', () => {
    const missing = named.filter(([of, name]) => MEMBERS[of]?.includes(name) !== true)
    expect(missing.map((each) => each.join('.'))).to.deep.equal([])
  })

  it('names every member of a list and of a cursor, but for numbers of every kind', () => {
    for (const of of ['list', 'cursor']) {
      const known = new Set(named.filter(([each]) => each === of).map(([, name]) => name))
      const left = MEMBERS[of]?.filter((name) => !known.has(name) && !SCALAR.test(name))
      expect(left).to.deep.equal([])
    }
  })

  it('names error classes that are there', () => {
    const names = [...page.matchAll(/`(\w+Error)`/g)].map(([, name = '']) => name)
    expect(names).to.include.members(['EndOfBufferError', 'InvalidArgumentError', 'TransferError'])
    for (const name of names) expect(splicelist).to.have.property(name)
  })
})
